"""Layers that only move numbers about: Flatten, Reshape, ZeroPad, UpSample.

None of them computes anything, so their backward passes only move derivatives back to where the
numbers came from. Where a number was copied, the derivatives of its copies are added.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.layers.windows import Pair, Sides, Windows, check_padding, check_pair, image_shape


class Flatten(Layer):
    """Write each sample as one row of numbers: between the images and the dense layers.

    Notes
    -----
    The backward pass gives the derivatives the shape of the images again.

    Examples
    --------
    >>> from chainrule.layers import Flatten
    >>> Flatten().output_shape((7, 7, 64))
    (3136,)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (height · width · channels,), and so for any shape."""
        return (math.prod(input_shape),)

    def equations(self, training: bool) -> dict[str, str]:
        return {"y": "reshaped(x)", "d_x": "reshaped_back(d_y)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ...) -> y (batch, inputs): a view where the memory allows it."""
        trace.x = x
        return x.reshape(len(x), -1)

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        """d_y (batch, inputs) -> d_x (batch, ...)."""
        return d_y.reshape(trace.x.shape)


class Reshape(Layer):
    """Give each sample another shape; the numbers keep their order.

    Parameters
    ----------
    shape : int or tuple of int
        Of one sample, without the batch axis. One of its numbers may be -1: what is left.

    Notes
    -----
    The backward pass gives the derivatives the shape of the inputs again.

    Examples
    --------
    >>> from chainrule.layers import Reshape
    >>> Reshape((8, 8, -1)).output_shape((64,))
    (8, 8, 1)
    """

    def __init__(self, shape: int | Sequence[int]) -> None:
        sizes = shape if isinstance(shape, tuple | list) else (shape,)
        unknown = [isinstance(size, int) and size == -1 for size in sizes]
        if not sizes or sum(unknown) > 1:
            raise InvalidSetting(
                f"shape must be the sizes of one sample, at most one of them -1; received "
                f"{shape!r}. An example: Reshape((28, 28, 1))."
            )
        self.shape = tuple(
            -1 if left else checks.whole_number("shape", size)
            for size, left in zip(sizes, unknown, strict=True)
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        """Replace -1 by what is left, if the numbers fit."""
        count = math.prod(input_shape)
        known = math.prod(size for size in self.shape if size != -1)
        fits = count % known == 0 if -1 in self.shape else count == known
        if not fits:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}, {count} numbers; expected "
                f"{'a multiple of ' if -1 in self.shape else ''}{known}."
            )
        return tuple(count // known if size == -1 else size for size in self.shape)

    def equations(self, training: bool) -> dict[str, str]:
        return {"y": "reshaped(x)", "d_x": "reshaped_back(d_y)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ...) -> y (batch, *shape): a view where the memory allows it."""
        trace.x = x
        return x.reshape(len(x), *self.shape)

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        """d_y (batch, *shape) -> d_x (batch, ...)."""
        return d_y.reshape(trace.x.shape)


class ZeroPad(Layer):
    """Put a border of zeros around each image.

    Parameters
    ----------
    padding : int, (vertical, horizontal) or ((top, bottom), (left, right))
        Its width in pixels. The tuples may be lists.

    Notes
    -----
    The backward pass cuts the border off again: nothing that can be changed stands in it.

    Examples
    --------
    >>> from chainrule.layers import ZeroPad
    >>> ZeroPad((0, 2)).output_shape((28, 28, 1))
    (28, 32, 1)
    """

    def __init__(self, padding: int | Pair | Sides) -> None:
        if isinstance(padding, str):
            raise InvalidSetting(
                "padding must be a whole number, (vertical, horizontal), or ((top, bottom), (left, "
                f"right)); received {padding!r}."
            )
        self.padding = check_padding(padding)
        self.border = Windows.of_image(1, 1, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (top + height + bottom, left + width + right, channels)."""
        height, width, channels = image_shape(input_shape, self)
        return (*self.border.output_size((height, width), self), channels)

    def equations(self, training: bool) -> dict[str, str]:
        return {"y": "padded(x)", "d_x": "cropped(d_y)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, height, width, channels) -> y, taller and wider by the border."""
        trace.x = x
        return self.border.pad(x)

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        """d_y -> d_x (batch, height, width, channels)."""
        _, height, width, _ = trace.x.shape
        return self.border.crop(d_y, (height, width))


class UpSample(Layer):
    """Enlarge each image by whole factors: a pixel becomes a block of equal pixels.

    Parameters
    ----------
    factor : int or (vertical, horizontal), default 2

    Notes
    -----
    The backward pass adds up each block: the pixel it was copied from moves all its copies::

        y[i, j]      = x[i // vertical, j // horizontal]
        ∂L/∂x[i, j]  = Σ ∂L/∂y over the block of (i, j)

    Examples
    --------
    >>> from chainrule.layers import UpSample
    >>> UpSample((2, 3)).output_shape((7, 7, 64))
    (14, 21, 64)
    """

    def __init__(self, factor: int | Pair = 2) -> None:
        self.factor = check_pair("factor", factor)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (vertical · height, horizontal · width, channels)."""
        height, width, channels = image_shape(input_shape, self)
        vertical, horizontal = self.factors
        return (vertical * height, horizontal * width, channels)

    def equations(self, training: bool) -> dict[str, str]:
        return {"y": "enlarged(x)", "d_x": "block_sum(d_y)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, height, width, channels) -> y, each pixel a block."""
        batch, height, width, channels = x.shape
        vertical, horizontal = self.factors
        blocks = (batch, height, vertical, width, horizontal, channels)
        return np.broadcast_to(x[:, :, None, :, None], blocks).reshape(
            batch, vertical * height, horizontal * width, channels
        )

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        """d_y -> d_x (batch, height, width, channels)."""
        vertical, horizontal = self.factors
        d_x = d_y[:, ::vertical, ::horizontal].copy()
        for i, j in itertools.product(range(vertical), range(horizontal)):
            if (i, j) != (0, 0):
                d_x += d_y[:, i::vertical, j::horizontal]
        return d_x

    @property
    def factors(self) -> Pair:
        """(vertical, horizontal), also where one number was given for both."""
        return self.factor if isinstance(self.factor, tuple) else (self.factor, self.factor)
