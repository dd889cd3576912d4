"""Inputs that nobody has scaled."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom

# Inputs should be about as large as the starting weights assume, which is 1 (LeCun et al.,
# "Efficient BackProp", 1998, section 4.3). Ten times as much still trains, only slower.
LARGEST = 10.0
SMALLEST = 0.01
# A number that never reaches a thousandth of the others' size has no say beside them.
LARGEST_DISPARITY = 1000.0


class UnscaledInputs(Symptom):
    """What the first weights receive is far larger or smaller than about 1, or very unequal.

    Looks behind layers without weights: what batch normalization has scaled is scaled.
    """

    why = (
        "Starting weights are drawn for inputs of about 1; larger ones saturate units and make one "
        "learning rate too high for some weights and too low for others."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        first = next((w.slot.layer for w in evidence.weights), None)
        if first is None:
            return None
        x = evidence.inputs[first]
        what = "column" if x.ndim == 2 else "channel"
        columns = x.reshape(-1, x.shape[-1]).astype(np.float64)
        sizes = np.sqrt((columns**2).mean(axis=0))
        peaks = np.abs(columns).max(axis=0)
        used = columns.std(axis=0) > 0  # of one that is constant in a sample, nothing is known
        if not used.any() or not np.isfinite(sizes).all():
            return None
        name = evidence.column if first == 0 and x.ndim == 2 else (lambda n: f"{what} {n}")
        largest, disparity = sizes.max(), peaks[used].max() / peaks[used].min()
        if largest > LARGEST:
            chosen = sizes > LARGEST
            told = f"{chosen.sum()} of {len(sizes)} {what}s are larger than {LARGEST:g}"
        elif largest < SMALLEST:
            chosen = used
            told = f"All {what}s are smaller than {SMALLEST:g}"
        elif disparity > LARGEST_DISPARITY:
            chosen = used & (peaks * LARGEST_DISPARITY < peaks.max())
            told = f"The largest numbers of the {what}s are {disparity:.2g} times apart"
        else:
            return None
        return self.finding(
            [name(number) for number in np.argsort(-sizes, kind="stable") if chosen[number]],
            f"{told}; the largest is {name(int(sizes.argmax()))}, of size {largest:.3g} (root "
            "mean square).",
            _how_to_scale(what),
            largest=largest,
            disparity=disparity,
        )


def _how_to_scale(what: str) -> str:
    if what == "channel":
        return "Divide by the largest possible value (255 for bytes; of uint8 images fit does it)."
    return (
        "Standardise each column: subtract its mean over the training rows, divide by its "
        "deviation."
    )
