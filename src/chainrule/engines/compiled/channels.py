"""Compiled form of ``layers/channels.py``: sums for each channel, and one number for each of them.

The numbers of a block of samples are seen as one long row, in which the channels repeat from
position to position. A loop over few channels would be too short to be worth vector instructions.
So all loops here go over a *stretch*: as many whole positions as make a hundred numbers or more.
What there is for each channel stands in a *tile*, one stretch long, repeated for each position.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.engines.compiled.kernel import flat, helper

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
def repeat(tile: Any, channels: int) -> None:
    """Repeat the first ``channels`` numbers of a tile through the rest of it."""
    for j in range(channels, len(tile)):
        tile[j] = tile[j - channels]


@helper
def of_channel(sums: Any, channel: int, channels: int) -> float:
    """Sum of what stands in a tile for one channel, in float64."""
    total = np.float64(0)
    for j in range(channel, len(sums), channels):
        total += sums[j]
    return total


@helper
def sum_up(x: Any, count: int, sums: Any) -> None:
    """Σ x over ``count`` numbers, into a tile."""
    stretch = len(sums)
    for j in range(stretch):
        sums[j] = 0
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers = flat(x, start, width)
        for j in range(width):
            sums[j] += numbers[j]


@helper
def sum_up_centred(x: Any, count: int, mean: Any, sums: Any, squares: Any) -> None:
    """Σ (x - μ) and Σ (x - μ)². The first would be 0, were it not for the rounding of μ."""
    stretch = len(sums)
    for j in range(stretch):
        sums[j] = 0
        squares[j] = 0
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers = flat(x, start, width)
        for j in range(width):
            centred = numbers[j] - mean[j]
            sums[j] += centred
            squares[j] += centred * centred


@helper
def sum_up_products(x: Any, d: Any, count: int, mean: Any, sums: Any, products: Any) -> None:
    """Σ δ and Σ δ (x - μ)."""
    stretch = len(sums)
    for j in range(stretch):
        sums[j] = 0
        products[j] = 0
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers, derivatives = flat(x, start, width), flat(d, start, width)
        for j in range(width):
            sums[j] += derivatives[j]
            products[j] += derivatives[j] * (numbers[j] - mean[j])


@helper
def rescale(x: Any, z: Any, count: int, mean: Any, factor: Any, shift: Any) -> None:
    """Z = (x - mean) · factor + shift, with tiles of all three."""
    stretch = len(mean)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers, into = flat(x, start, width), flat(z, start, width)
        for j in range(width):
            into[j] = (numbers[j] - mean[j]) * factor[j] + shift[j]


@helper
def rescale_back(
    x: Any, d: Any, d_x: Any, count: int, mean: Any, factor: Any, stretching: Any, moving: Any
) -> None:
    """d_x = δ · factor - (x - mean) · stretching - moving, with tiles of all four."""
    stretch = len(mean)
    for start in range(0, count, stretch):
        width = min(stretch, count - start)
        numbers, derivatives = flat(x, start, width), flat(d, start, width)
        into = flat(d_x, start, width)
        for j in range(width):
            kept = derivatives[j] * factor[j] - moving[j]
            into[j] = kept - (numbers[j] - mean[j]) * stretching[j]


@helper
def deviation(variance: float, epsilon: float) -> float:
    """σ = √(v + ε), and NaN for v = ∞; see ``deviation`` of the reference."""
    return np.nan if np.isinf(variance) else np.sqrt(variance + epsilon)
