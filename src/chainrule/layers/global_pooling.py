"""Global pooling: one number for each channel, whatever the size of the image."""

from __future__ import annotations

import math

import numpy as np

from chainrule.errors import InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace


class GlobalPooling(Layer, register=False):
    """Base of the two: all axes between batch and channels become one axis of positions."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """(..., channels) -> (channels,)."""
        if len(input_shape) < 2:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}; expected positions and "
                "channels, as (height, width, channels) or (length, channels). Leave it out where "
                "the samples are rows of numbers already."
            )
        return input_shape[-1:]


class GlobalAveragePool(GlobalPooling):
    """Average each channel over all positions: how much of it there is in the whole image.

    z = Σ x / n over the n positions of a sample (Lin, Chen and Yan, 2014).

    Notes
    -----
    Every position has the share 1/n in the average and takes back as much: ∂L/∂x = ∂L/∂z / n.
    """

    def equations(self, training: bool) -> dict[str, str]:
        return {"z": "position_mean(x)", "d_x": "everywhere(d_z) / positions"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ..., channels) -> z (batch, channels)."""
        trace.x = x
        sums = np.einsum("bpc->bc", _by_position(x))
        return sums / _positions(x)

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, channels) -> d_x (batch, ..., channels)."""
        if not trace.needs_d_x:
            return None
        d_x = np.empty(trace.x.shape, d_z.dtype)
        _by_position(d_x)[...] = (d_z / _positions(d_x))[:, np.newaxis]
        return d_x


class GlobalMaxPool(GlobalPooling):
    """Take each channel's largest number over all positions: whether it is anywhere in the image.

    Notes
    -----
    The whole of ∂L/∂z goes back to the position of the largest number, the first where several
    are. ``trace.chosen`` (batch, channels) holds it, counted row by row: y · width + x in an image.
    """

    def equations(self, training: bool) -> dict[str, str]:
        return {"z": "position_largest(x)", "d_x": "back_to_position(d_z)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ..., channels) -> z (batch, channels)."""
        trace.x = x
        numbers = _by_position(x)
        trace.chosen = numbers.argmax(axis=1)
        return np.take_along_axis(numbers, trace.chosen[:, np.newaxis], axis=1)[:, 0]

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, channels) -> d_x (batch, ..., channels)."""
        if not trace.needs_d_x:
            return None
        d_x = np.zeros(trace.x.shape, d_z.dtype)
        np.put_along_axis(_by_position(d_x), trace.chosen[:, np.newaxis], d_z[:, np.newaxis], 1)
        return d_x


def _positions(x: Array) -> int:
    return math.prod(x.shape[1:-1])


def _by_position(x: Array) -> Array:
    """(batch, ..., channels) -> (batch, positions, channels), a view of a contiguous array."""
    return x.reshape(len(x), -1, x.shape[-1])
