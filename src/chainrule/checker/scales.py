"""How large a step is: one scale for one parameter, and whether those of all of them agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from chainrule.checker.explanation import Explanation
from chainrule.checker.slips import Slip
from chainrule.layer import Array

_TOLERANCE = 1e-7
_FARTHEST = 1e6


def scale_of(change: Array, gradient: Array, size: float) -> float | None:
    """Return c where change = -c gradient but for rounding, else None.

    ``size`` is how large the parameter's numbers are: the change is known to that rounding only.
    """
    length = float((gradient * gradient).sum())
    largest = float(np.abs(change).max(initial=0))
    floor = 1e-15 * size * 8
    if length == 0 or not np.isfinite(length):
        return 0.0 if largest <= floor and length == 0 else None
    scale = -float((change * gradient).sum()) / length
    off = float(np.abs(change + scale * gradient).max(initial=0))
    return scale if off <= _TOLERANCE * largest + floor and largest > floor else None


def with_scales(found: Explanation, rows: int, outputs: int) -> Explanation | None:
    """Compare the scales of all parameters; those that differ are mistakes of factor or sign."""
    moving = [fit for fit in found.fits if fit.scale]
    if not moving:
        return found
    sizes = [abs(fit.scale) for fit in moving]
    if max(sizes) > _FARTHEST * min(sizes):  # rounding, taken for a gradient
        return None
    # The last layer speaks where all differ, and weights before biases.
    ordered = sorted(moving, key=lambda fit: (fit.kind != "weights", -fit.layer))
    reference = _commonest([abs(fit.scale) for fit in ordered])
    slips = list(found.slips)
    if all(fit.scale < 0 for fit in moving):
        slips.append(Slip("sign_turned", len(found.deltas) - 1, detail="all"))
        moving = [replace(fit, scale=-fit.scale) for fit in moving]
    for fit in moving:
        if fit.scale < 0:
            slips.append(Slip("sign_turned", fit.layer, detail=fit.kind))
        if abs(abs(fit.scale) / reference - 1) > 1e-5:
            ratio = abs(fit.scale) / reference
            slips.append(
                Slip(
                    "factor_mismatch",
                    fit.layer,
                    wrong=fit.gradient,
                    right=np.array(ratio),
                    detail=f"{fit.kind} {_as_factor(ratio, rows, outputs)}",
                )
            )
    return replace(found, slips=tuple(slips), scale=reference)


def _commonest(scales: list[float]) -> float:
    counted = Counter(float(f"{scale:.5g}") for scale in scales)
    most = counted.most_common(1)[0][0]
    return next(scale for scale in scales if float(f"{scale:.5g}") == most)


def _as_factor(ratio: float, rows: int, outputs: int) -> str:
    for value, text in (
        (rows, "n"),
        (1 / rows, "1/n"),
        (2, "2"),
        (0.5, "1/2"),
        (2 * rows, "2n"),
        (2 / rows, "2/n"),
        (0.5 / rows, "1/(2n)"),
        (rows / 2, "n/2"),
        (outputs, "k"),
        (1 / outputs, "1/k"),
        (4, "4"),
        (0.25, "1/4"),
    ):
        if value != 1 and abs(ratio / value - 1) < 1e-5:
            return text
    return f"{ratio:.3g}"
