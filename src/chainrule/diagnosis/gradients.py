"""Gradients that fade or swell on their way back through the layers."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array

# How much smaller the error may be at the first layer with weights than at the last one. By
# gradient descent a layer with a thousandth of the error takes a thousand epochs for one.
SMALLEST_RATIO = 1e-3
# How much larger. Glorot and Bengio (2010) and He et al. (2015) draw weights so that it is about 1.
LARGEST_RATIO = 100.0
# Where less than this of a guess's loss is left the layers have learned, whatever reaches them now.
LEARNED = 0.35


class VanishingGradients(Symptom):
    """The error fades on its way back to the first layers.

    Where it is exactly zero it has not faded: that is what dead or identical units do.
    """

    why = (
        "Layers that get a small part of the error learn that much slower than the last one "
        "(Hochreiter, 1991)."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        if evidence.unexplained < LEARNED:
            return None
        sizes = error_sizes(evidence)
        last = next(reversed(sizes.values()), 0.0)
        faded = {name: size for name, size in sizes.items() if 0 < size < SMALLEST_RATIO * last}
        if not faded:
            return None
        place = min(faded, key=faded.__getitem__)
        return self.finding(
            faded,
            f"The error ∂L/∂z shrinks from {last:.2g} in the last layer to "
            f"{faded[place]:.2g} in {place}, {last / faded[place]:.2g} times smaller.",
            "Use activation='relu' with its starting weights (weights_initializer='auto') in the "
            "hidden layers.",
            ratio=faded[place] / last,
        )


class ExplodingGradients(Symptom):
    """The error swells on its way back, or is not finite any more."""

    why = (
        "Steps that suit the last layer throw the first ones about, and the loss with them "
        "(Pascanu, Mikolov and Bengio, 2013)."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        if evidence.non_finite is not None:
            place, name = evidence.non_finite
            return self.finding(
                [place],
                f"{name!r} in {place} is not finite for these samples.",
                "Begin anew with starting weights that keep the size of signals: "
                "weights_initializer='auto', the default.",
            )
        if evidence.unexplained < LEARNED:
            return None
        sizes = error_sizes(evidence)
        last = next(reversed(sizes.values()), 0.0)
        swollen = {name: size for name, size in sizes.items() if size > LARGEST_RATIO * last > 0}
        if not swollen:
            return None
        place = max(swollen, key=swollen.__getitem__)
        return self.finding(
            swollen,
            f"The error ∂L/∂z grows from {last:.2g} in the last layer to "
            f"{swollen[place]:.2g} in {place}, {swollen[place] / last:.2g} times larger.",
            "Begin anew with starting weights that keep the size of signals: "
            "weights_initializer='auto', the default.",
            ratio=swollen[place] / last,
        )


def error_sizes(evidence: Evidence) -> dict[str, float]:
    """Length of the error for a sample (root mean square), at each layer that has weights.

    It is ∂L/∂z, where the layer leaves that in its trace, and ∂L/∂output elsewhere.
    """
    paths = {weights.slot.path for weights in evidence.weights}
    sizes = {}
    for place in evidence.places:
        outside = evidence.errors[place.path[0]] if len(place.path) == 1 else None
        error = place.trace.fields().get("d_z", outside)
        if place.path in paths and error is not None:
            sizes[place.label] = _size(error)
    return sizes


def _size(error: Array) -> float:
    rows = error.reshape(len(error), -1).astype(np.float64)
    return float(np.sqrt((rows**2).sum(axis=1).mean()))
