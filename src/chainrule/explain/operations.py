"""Operations that equations may name beside arithmetic: what one number of their result is made of.

Each takes the place in the network, ``at`` (which gives the expression of one number of an
argument), the arguments and the index of the number. Sums over windows stand in
``chainrule.explain.windows``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from chainrule.explain import windows
from chainrule.explain.expression import (
    ZERO,
    Call,
    Expression,
    Index,
    Number,
    Quotient,
    add,
)
from chainrule.explain.windows import Arguments, At
from chainrule.layer import Shape
from chainrule.layers.residual import strides_between

Operation: TypeAlias = Callable[[Any, At, Arguments, Index], Expression]


def _indices(shape: Iterable[int]) -> Iterable[Index]:
    return itertools.product(*map(range, shape))


def _mean(terms: Iterable[Expression]) -> Expression:
    listed = list(terms)
    return Quotient(add(listed), Number(float(len(listed))))


# --- sums ---------------------------------------------------------------------------------------


def batch_sum(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Sum over the batch alone."""
    batch = place.shape_of(arguments[0])[0]
    return add(at(arguments[0], (sample, *index)) for sample in range(batch))


def channel_sum(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Sum over batch and positions, for the channel that the index ends in."""
    leading = place.shape_of(arguments[0])[:-1]
    return add(at(arguments[0], (*other, index[-1])) for other in _indices(leading))


def channel_mean(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Average over batch and positions, for the channel that the index ends in."""
    leading = place.shape_of(arguments[0])[:-1]
    return _mean(at(arguments[0], (*other, index[-1])) for other in _indices(leading))


def total(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Sum over the last axis."""
    count = place.shape_of(arguments[0])[-1]
    return add(at(arguments[0], (*index[:-1], last)) for last in range(count))


def channel_average(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Average over the last axis."""
    count = place.shape_of(arguments[0])[-1]
    return _mean(at(arguments[0], (*index[:-1], last)) for last in range(count))


def position_mean(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Average over all positions of a sample's channel."""
    return _mean(at(arguments[0], other) for other in _positions(place, index))


def position_largest(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Return the largest number of all positions of a sample's channel."""
    return Call("Max", tuple(at(arguments[0], other) for other in _positions(place, index)))


def everywhere(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take the same number at each position of a sample's channel."""
    return at(arguments[0], (index[0], index[-1]))


def back_to_position(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Give the position that was chosen everything, and the others nothing."""
    sides = place.shape(place.input)[1:-1]
    chosen = int(place.array("chosen")[index[0], index[-1]])
    return at(arguments[0], (index[0], index[-1])) if _flat(index[1:-1], sides) == chosen else ZERO


def _positions(place: Any, index: Index) -> Iterable[Index]:
    for position in _indices(place.shape(place.input)[1:-1]):
        yield index[0], *position, index[-1]


# --- groups of numbers that are normalized together ----------------------------------------------


def group(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take the mean or deviation of the group that a number belongs to."""
    return at(arguments[0], _by_position(index, place.shape(place.input)))


def group_mean(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Average over the group that a number belongs to."""
    shape = place.shape(place.input)
    batch, *sides, channels = shape
    places = (batch, math.prod(sides), channels)
    return _mean(
        at(arguments[0], (sample, *map(int, np.unravel_index(position, sides)), channel))
        for sample, position, channel in place.layer.together(_by_position(index, shape), places)
    )


def _by_position(index: Index, shape: Shape) -> Index:
    """Index into (batch, ..., channels) -> index into (batch, positions, channels)."""
    if len(index) == 3 and len(shape) != 3:
        return index  # of a mean, which has that shape already
    return index[0], _flat(index[1:-1], shape[1:-1]), index[-1]


def _flat(index: Index, shape: Shape) -> int:
    return int(np.ravel_multi_index(index, shape)) if index else 0


# --- numbers that only move ---------------------------------------------------------------------


def reshaped(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take the number that stands at the same place in a sample of another shape."""
    flat = _flat(index[1:], place.shape(place.output)[1:])
    inside = np.unravel_index(flat, place.shape(place.input)[1:])
    return at(arguments[0], (index[0], *map(int, inside)))


def reshaped_back(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take it back to where it came from."""
    flat = _flat(index[1:], place.shape(place.input)[1:])
    inside = np.unravel_index(flat, place.shape(place.output)[1:])
    return at(arguments[0], (index[0], *map(int, inside)))


def padded(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take the pixel of the image, or zero in the border around it."""
    sample, row, column, channel = index
    _, height, width, _ = place.shape(place.input)
    top, left = _border(place)
    row, column = row - top, column - left
    inside = 0 <= row < height and 0 <= column < width
    return at(arguments[0], (sample, row, column, channel)) if inside else ZERO


def cropped(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take the pixel that stands inside the border."""
    top, left = _border(place)
    return at(arguments[0], (index[0], index[1] + top, index[2] + left, index[3]))


def _border(place: Any) -> tuple[int, int]:
    _, height, width, _ = place.shape(place.input)
    (top, _), (left, _) = place.layer.border.sides((height, width))
    return top, left


def enlarged(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Take the pixel that a block of equal pixels was copied from."""
    vertical, horizontal = place.layer.factors
    return at(arguments[0], (index[0], index[1] // vertical, index[2] // horizontal, index[3]))


def block_sum(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Sum over the block that was copied from a pixel."""
    vertical, horizontal = place.layer.factors
    sample, row, column, channel = index
    return add(
        at(arguments[0], (sample, row * vertical + i, column * horizontal + j, channel))
        for i, j in _indices((vertical, horizontal))
    )


# --- the way around a residual block --------------------------------------------------------------


def as_rows(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """See pixels (batch, ..., channels) as the rows of a matrix."""
    leading = place.shape_of(arguments[0])[:-1]
    return at(arguments[0], (*map(int, np.unravel_index(index[0], leading)), index[1]))


def pixels(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """See those pixels of the input that the stride takes as the rows of a matrix."""
    input_shape, output_shape = place.shape(place.input), place.shape(place.output)
    strides = strides_between(input_shape[1:], output_shape[1:]) or ()
    sample, *inside = map(int, np.unravel_index(index[0], output_shape[:-1]))
    taken = (i * stride for i, stride in zip(inside, strides, strict=True))
    return at(arguments[0], (sample, *taken, index[1]))


def placed(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """See the rows of a matrix as the pixels of the output."""
    return at(arguments[0], (_flat(index[:-1], place.shape(place.output)[:-1]), index[-1]))


def spread(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """See the rows of a matrix as those pixels of the input that the stride takes; others are 0."""
    input_shape, output_shape = place.shape(place.input), place.shape(place.output)
    strides = strides_between(input_shape[1:], output_shape[1:]) or ()
    inside = list(zip(index[1:-1], strides, strict=True))
    if any(place_in % stride for place_in, stride in inside):
        return ZERO
    row = _flat((index[0], *(i // stride for i, stride in inside)), output_shape[:-1])
    return at(arguments[0], (row, index[-1]))


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        batch_sum,
        channel_sum,
        channel_mean,
        total,
        channel_average,
        position_mean,
        position_largest,
        everywhere,
        back_to_position,
        group,
        group_mean,
        reshaped,
        reshaped_back,
        padded,
        cropped,
        enlarged,
        block_sum,
        as_rows,
        pixels,
        placed,
        spread,
        windows.correlate,
        windows.d_kernel,
        windows.d_image,
        windows.largest,
        windows.back_to_largest,
        windows.window_mean,
        windows.back_to_all,
    )
}
