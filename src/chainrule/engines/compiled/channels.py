"""Compiled form of ``layers/channels.py``: sums for each channel, and one number for each of them.

The numbers of a block of samples are seen as one long row, in which the channels repeat from
position to position. A loop over few channels would be too short to be worth vector instructions.
So all loops here go over a *stretch*: as many whole positions as make a hundred numbers or more.
What there is for each channel stands in a *tile*, one stretch long, repeated for each position.
All of them are given by pointers, and read and written several numbers at a time (``lanes.py``).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.engines.compiled.kernel import helper
from chainrule.engines.compiled.lanes import lanes_at, load, minus, plus, store, times
from chainrule.engines.compiled.native import shift

_LANES = 32  # numbers that go through the vector registers together, at the most
_LONG = 128  # numbers that make a loop worth beginning
_TOO_LONG = 1024


def stretch_of(channels: int) -> int:
    """Length of a stretch: a multiple of ``channels``, and of the vectors' length if it can be."""
    even = math.lcm(channels, _LANES)
    if even > _TOO_LONG:
        even = channels
    return even * max(1, -(-_LONG // even))


@helper
def repeat(tile: Any, channels: int, stretch: int) -> None:
    """Repeat the first ``channels`` numbers of a tile through the rest of it."""
    for j in range(channels, stretch):
        tile[j] = tile[j - channels]


@helper
def clear(tile: Any, stretch: int) -> None:
    """Set a tile to zero."""
    for j in range(stretch):
        tile[j] = 0


@helper
def of_channel(sums: Any, channel: int, channels: int, stretch: int) -> float:
    """Sum of what stands in a tile for one channel, in float64."""
    total = np.float64(0)
    for j in range(channel, stretch, channels):
        total += sums[j]
    return total


@helper
def sum_up(x: Any, count: int, stretch: int, sums: Any) -> None:
    """Σ x over ``count`` numbers, into a tile."""
    clear(sums, stretch)
    lanes = lanes_at(x)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers = shift(x, start)
        whole = width - width % lanes
        for j in range(0, whole, lanes):
            total = shift(sums, j)
            store(total, plus(load(total), load(shift(numbers, j))))
        for j in range(whole, width):
            sums[j] += numbers[j]


@helper
def sum_up_centred(x: Any, count: int, stretch: int, mean: Any, sums: Any, squares: Any) -> None:
    """Σ (x - μ) and Σ (x - μ)². The first would be 0, were it not for the rounding of μ."""
    clear(sums, stretch)
    clear(squares, stretch)
    lanes = lanes_at(x)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers = shift(x, start)
        whole = width - width % lanes
        for j in range(0, whole, lanes):
            total, square = shift(sums, j), shift(squares, j)
            centred = minus(load(shift(numbers, j)), load(shift(mean, j)))
            store(total, plus(load(total), centred))
            store(square, plus(load(square), times(centred, centred)))
        for j in range(whole, width):
            rest = numbers[j] - mean[j]
            sums[j] += rest
            squares[j] += rest * rest


@helper
def sum_up_products(
    x: Any, d: Any, count: int, stretch: int, mean: Any, sums: Any, products: Any
) -> None:
    """Σ δ and Σ δ (x - μ)."""
    clear(sums, stretch)
    clear(products, stretch)
    lanes = lanes_at(x)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers, derivatives = shift(x, start), shift(d, start)
        whole = width - width % lanes
        for j in range(0, whole, lanes):
            total, product = shift(sums, j), shift(products, j)
            derivative = load(shift(derivatives, j))
            centred = minus(load(shift(numbers, j)), load(shift(mean, j)))
            store(total, plus(load(total), derivative))
            store(product, plus(load(product), times(derivative, centred)))
        for j in range(whole, width):
            sums[j] += derivatives[j]
            products[j] += derivatives[j] * (numbers[j] - mean[j])


@helper
def rescale(x: Any, z: Any, count: int, stretch: int, mean: Any, factor: Any, offset: Any) -> None:
    """Z = (x - mean) · factor + offset, with tiles of all three; z may stand in x's place."""
    lanes = lanes_at(x)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers, into = shift(x, start), shift(z, start)
        whole = width - width % lanes
        for j in range(0, whole, lanes):
            centred = minus(load(shift(numbers, j)), load(shift(mean, j)))
            scaled = times(centred, load(shift(factor, j)))
            store(shift(into, j), plus(scaled, load(shift(offset, j))))
        for j in range(whole, width):
            into[j] = (numbers[j] - mean[j]) * factor[j] + offset[j]


@helper
def rescale_back(
    x: Any,
    d: Any,
    d_x: Any,
    count: int,
    stretch: int,
    mean: Any,
    factor: Any,
    stretching: Any,
    moving: Any,
) -> None:
    """d_x = δ · factor - (x - mean) · stretching - moving; it may stand in δ's place."""
    lanes = lanes_at(x)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers, derivatives, into = shift(x, start), shift(d, start), shift(d_x, start)
        whole = width - width % lanes
        for j in range(0, whole, lanes):
            centred = minus(load(shift(numbers, j)), load(shift(mean, j)))
            scaled = times(load(shift(derivatives, j)), load(shift(factor, j)))
            kept = minus(scaled, load(shift(moving, j)))
            store(shift(into, j), minus(kept, times(centred, load(shift(stretching, j)))))
        for j in range(whole, width):
            rest = derivatives[j] * factor[j] - moving[j]
            into[j] = rest - (numbers[j] - mean[j]) * stretching[j]


@helper
def deviation(variance: float, epsilon: float) -> float:
    """σ = √(v + ε), and NaN for v = ∞; see ``deviation`` of the reference."""
    return np.nan if np.isinf(variance) else np.sqrt(variance + epsilon)
