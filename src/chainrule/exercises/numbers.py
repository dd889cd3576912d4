"""Are two results the same, and if not, in what simple way do they differ?"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.layer import Array

_TOLERANCE = 1e-6  # of the largest number, so that float32 on the way is no mistake


def same(found: Any, expected: Any) -> bool:
    """Whether two arrays, or lists of arrays, have the same shapes and numbers (NaN is NaN)."""
    if isinstance(expected, list | tuple):
        if not isinstance(found, list | tuple) or len(found) != len(expected):
            return False
        return all(same(one, other) for one, other in zip(found, expected, strict=True))
    if isinstance(found, list | tuple) or found is None:
        return False
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if found.shape != expected.shape:
        return False
    return bool(np.allclose(found, expected, _TOLERANCE, tolerance(expected), equal_nan=True))


def tolerance(expected: Array) -> float:
    """How far a number may be from the right one."""
    finite = np.abs(expected[np.isfinite(expected)])
    return float(_TOLERANCE * finite.max()) if finite.size else 0.0


def factor(found: list[Array], expected: list[Array]) -> list[float] | None:
    """The factor by which all numbers of a case differ, for each; None where there is none."""
    factors = []
    for one, other in zip(found, expected, strict=True):
        if one.shape != other.shape or not one.size or not np.isfinite(one).all():
            return None
        if not np.isfinite(other).all() or not np.abs(other).max() > 0:
            return None
        ratio = float((one * other).sum() / (other * other).sum())
        if ratio == 0 or not same(one / ratio, other):
            return None
        factors.append(ratio)
    return factors


def is_constant(factors: list[float]) -> bool:
    """Whether all cases have the same factor."""
    return bool(np.allclose(factors, factors[0], rtol=1e-5))


def worst_place(found: Array, expected: Array) -> tuple[int, ...]:
    """Index of the number that is furthest from the right one; NaN is furthest of all."""
    distance = np.nan_to_num(np.abs(found - expected), nan=np.inf, posinf=np.inf)
    place = np.unravel_index(int(np.argmax(distance)), distance.shape)
    return tuple(int(index) for index in place)


def difference(function: Any, arguments: tuple[Any, ...], place: int, index: Any) -> float:
    """∂function/∂arguments[place][index], by a central difference."""
    step = 1e-6
    values = []
    for direction in (1, -1):
        nudged = [np.array(item, float) if i == place else item for i, item in enumerate(arguments)]
        nudged[place][index] += direction * step
        values.append(function(*nudged))
    return float((values[0] - values[1]) / (2 * step))
