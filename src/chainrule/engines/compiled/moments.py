"""Mean and variance of each channel over the whole batch, put together from what blocks have found.

Each block joins its numbers to those of its shard, by pieces that stay in the nearest cache: there
it takes the mean of a piece first, and then the squares of the distances from that. So no digits
are lost where the mean is far from zero, and the numbers come from memory only once.
"""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.channels import of_channel, repeat, sum_up, sum_up_centred
from chainrule.engines.compiled.kernel import (
    PARTIALS,
    PARTIALS_LENGTH,
    SCRATCH,
    SHARD,
    SHARDS,
    flat,
    helper,
    kernel,
)
from chainrule.engines.compiled.native import float64_at, pointer_like, shift

CHUNK = 8192  # numbers that are one piece


@helper
def partials_of(context: Any, shard: int, start: int, count: int) -> Any:
    """View of some of a shard's sums."""
    return flat(float64_at(context[PARTIALS]), shard * context[PARTIALS_LENGTH] + start, count)


@helper
def merge_moments(
    moments: Any, channels: int, c: int, part: float, mean: float, squares: float
) -> None:
    """Join μ and Σ (x - μ)² of further numbers of a channel, ``part`` of all, to what is known.

    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances", 1979. The count itself is left for when all channels are done.
    """
    distance = mean - moments[1 + c]
    moments[1 + c] += distance * part
    moments[1 + channels + c] += squares + distance * distance * moments[0] * part


@kernel
def batch_moments(op, context, arena, parameters, gradients, first, rows):
    """Join a block's counts, means and Σ (x - μ)² to those of its shard."""
    moments_at, size, channels, stretch = op[1], op[2], op[3], op[4]
    moments = partials_of(context, context[SHARD], moments_at, 1 + 2 * channels)
    x = shift(arena, op[0] + first * size)
    scratch = pointer_like(context[SCRATCH], arena)
    sums, squares, mean = scratch, shift(scratch, stretch), shift(scratch, 2 * stretch)
    chunk = stretch * max(1, CHUNK // stretch)
    for begin in range(0, rows * size, chunk):
        length = min(chunk, rows * size - begin)
        count = length // channels
        one, part = 1 / count, count / (moments[0] + count)
        numbers = shift(x, begin)
        sum_up(numbers, length, stretch, sums)
        for c in range(channels):
            mean[c] = of_channel(sums, c, channels, stretch) * one
        repeat(mean, channels, stretch)
        sum_up_centred(numbers, length, stretch, mean, sums, squares)
        for c in range(channels):
            rest = of_channel(sums, c, channels, stretch)
            squared = of_channel(squares, c, channels, stretch) - rest * rest * one
            merge_moments(moments, channels, c, part, mean[c] + rest * one, squared)
        moments[0] += count


@helper
def merge_shards(context: Any, moments_at: int, channels: int) -> Any:
    """Join the moments of all shards to those of the first, in their order; returns a view."""
    moments = partials_of(context, 0, moments_at, 1 + 2 * channels)
    for shard in range(1, context[SHARDS]):
        others = partials_of(context, shard, moments_at, 1 + 2 * channels)
        part = others[0] / (moments[0] + others[0])
        for c in range(channels):
            merge_moments(moments, channels, c, part, others[1 + c], others[1 + channels + c])
        moments[0] += others[0]
    return moments
