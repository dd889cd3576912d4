"""Inputs that nobody has scaled."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array

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
        used = peaks > 0
        if not used.any() or not np.isfinite(sizes).all():
            return None
        largest, disparity = sizes.max(), peaks[used].max() / peaks[used].min()
        numbers = {"largest": largest, "disparity": disparity}
        if largest > LARGEST:
            places = _named(sizes > LARGEST, sizes, what)
            told = f"{_count(places, columns, what)} larger than {LARGEST:g} on average, up to"
        elif largest < SMALLEST:
            places = _named(used, sizes, what)
            told = f"All {what}s are smaller than {SMALLEST:g} on average, the largest"
        elif disparity > LARGEST_DISPARITY:
            weak = used & (peaks * LARGEST_DISPARITY < peaks.max())
            return self.finding(
                _named(weak, -peaks, what),
                f"The largest numbers of the {what}s go from {peaks[used].min():.2g} to "
                f"{peaks.max():.2g}: the small ones have no say beside the others.",
                _how_to_scale(what),
                **numbers,
            )
        else:
            return None
        return self.finding(
            places,
            f"{told} {largest:.3g} in {what} {int(sizes.argmax())} (root mean square, counted "
            "from 0).",
            _how_to_scale(what),
            **numbers,
        )


def _named(chosen: Array, sizes: Array, what: str) -> list[str]:
    """Name the chosen columns, the largest first."""
    order = np.argsort(-sizes, kind="stable")
    return [f"{what} {number}" for number in order if chosen[number]]


def _count(places: list[str], columns: Array, what: str) -> str:
    if columns.shape[1] == 1:
        return f"The only {what} is"
    return f"{len(places)} of {columns.shape[1]} {what}s {'is' if len(places) == 1 else 'are'}"


def _how_to_scale(what: str) -> str:
    if what == "channel":
        return "Divide by the largest possible value (255 for bytes; of uint8 images fit does it)."
    return (
        "Standardise each column: subtract its mean over the training rows, divide by its "
        "deviation."
    )
