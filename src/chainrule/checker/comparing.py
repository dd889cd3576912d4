"""Comparing arrays: the same but for rounding, in whatever layout, or multiplied by a factor."""

from __future__ import annotations

import bisect
from collections import defaultdict

import numpy as np

from chainrule.layer import Array

_TOLERANCE = 1e-8


def same(a: Array, b: Array, tolerance: float = _TOLERANCE) -> bool:
    """Whether two arrays of one shape are equal but for rounding."""
    scale = max(float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)))
    return bool(np.abs(a - b).max(initial=0) <= tolerance * scale)


class Pool:
    """Values, searchable by their numbers; each goes by its place in the list."""

    def __init__(self, values: list[Array]) -> None:
        self._values = values
        by_size: dict[int, list[int]] = defaultdict(list)
        for number, value in enumerate(values):
            by_size[value.size].append(number)
        self._by_size = {
            size: (np.array(numbers), *_fingerprints([values[n] for n in numbers]))
            for size, numbers in by_size.items()
        }
        self._scalars = sorted(float(values[n].reshape(-1)[0]) for n in by_size[1])

    def has_size(self, size: int) -> bool:
        """Whether any value has so many numbers."""
        return size in self._by_size

    def like(self, wanted: Array, *, scaled: bool) -> list[int]:
        """Numbers of the values that are ``wanted`` in any layout, or a multiple if ``scaled``."""
        if wanted.size not in self._by_size or not np.isfinite(wanted).all():
            return []
        numbers, lengths, shapes = self._by_size[wanted.size]
        (length,), (shape,) = _fingerprints([wanted])
        if scaled:
            if length == 0:
                return []
            near = np.abs(shapes - shape) <= 1e-7 * max(shape, 1e-9)
        else:
            near = (np.abs(lengths - length) <= 1e-8 * max(length, 1e-300)) & (
                np.abs(shapes - shape) <= 1e-7 * max(shape, 1e-9)
            )
        return [
            int(n) for n in numbers[near] if _matches(self._values[int(n)], wanted, scaled=scaled)
        ]

    def factor(self, number: int, wanted: Array) -> float:
        """How many times ``wanted`` a value is."""
        return _factor(self._values[number], wanted)

    def has_numbers(self, wanted: Array) -> bool:
        """Whether every number of ``wanted`` is there by itself, one of them not by chance."""
        telling = 0
        for number in wanted.reshape(-1).tolist():
            near = 1e-10 * max(abs(number), 1e-6)
            at = bisect.bisect_left(self._scalars, number - near)
            if at == len(self._scalars) or self._scalars[at] > number + near:
                return False
            telling += number not in (0.0, 1.0, 0.5, 2.0, -1.0)  # those are everywhere
        return telling > 0


def _fingerprints(values: list[Array]) -> tuple[Array, Array]:
    """Length of each array, and its sum of absolute numbers over that length."""
    flat = np.stack([value.reshape(-1) for value in values])
    with np.errstate(all="ignore"):
        lengths = np.sqrt((flat * flat).sum(axis=1))
        sums = np.abs(flat).sum(axis=1)
        return lengths, np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), 0)


def _layouts(value: Array) -> list[Array]:
    layouts = [value.reshape(-1)]
    if value.ndim == 2 and 1 not in value.shape:
        layouts.append(value.T.reshape(-1))
    return layouts


def _matches(value: Array, wanted: Array, *, scaled: bool) -> bool:
    flat = value.reshape(-1)
    for layout in _layouts(wanted):
        if scaled:
            length = float(layout @ layout)
            if length == 0:
                return False
            factor = float(flat @ layout) / length
            if factor != 0 and same(flat, factor * layout):
                return True
        elif same(flat, layout):
            return True
    return False


def _factor(value: Array, wanted: Array) -> float:
    flat = value.reshape(-1)
    best = 0.0
    for layout in _layouts(wanted):
        factor = float(flat @ layout) / float(layout @ layout)
        if same(flat, factor * layout):
            return factor
        best = factor
    return best
