"""Windows that slide over an image: the arithmetic that convolution and pooling share.

A window of ``size`` stands first in the top left corner of the padded image and moves on by
``stride`` pixels; its own pixels lie ``dilation`` apart. Along one axis, n pixels with p of
padding and a window of k pixels that spans e = (k - 1) · dilation + 1 give ::

    positions = (n + p - e) // stride + 1

Images are channels-last, (batch, height, width, channels). A sequence (batch, length, channels)
is an image of height 1: ``of_length`` makes the windows for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from chainrule import checks
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Shape

Pair: TypeAlias = tuple[int, int]
Sides: TypeAlias = tuple[Pair, Pair]
Padding: TypeAlias = Literal["valid", "same"] | int | Pair | Sides
LengthPadding: TypeAlias = Literal["valid", "same"] | int | Pair


@dataclass(frozen=True)
class Windows:
    """How a window slides over an image; everything is (height, width).

    Attributes
    ----------
    size, stride, dilation : tuple of int
    padding : "valid", "same" or ((top, bottom), (left, right))
        Pixels added around the image. "valid" adds none: windows stay inside the image. "same"
        adds so many that ceil(n / stride) windows fit, half on either side and an odd one at
        the end, as TensorFlow does; with stride 1 the output has the size of the input.
    """

    size: Pair
    stride: Pair
    padding: Literal["valid", "same"] | Sides
    dilation: Pair = (1, 1)

    @classmethod
    def of_image(
        cls, size: int | Pair, stride: int | Pair, padding: Padding, dilation: int | Pair = 1
    ) -> Windows:
        """Make the windows from checked settings of a layer on images."""
        sides: Any = padding
        if isinstance(padding, int):
            sides = ((padding, padding), (padding, padding))
        elif not isinstance(padding, str):
            sides = tuple((side, side) if isinstance(side, int) else side for side in padding)
        return cls(_both(size), _both(stride), sides, _both(dilation))

    @classmethod
    def of_length(
        cls, size: int, stride: int, padding: LengthPadding, dilation: int = 1
    ) -> Windows:
        """Make the windows from checked settings of a layer on sequences, as images of height 1."""
        sides: Any = padding
        if not isinstance(padding, str):
            sides = ((0, 0), _both(padding))
        return cls((1, size), (1, stride), sides, (1, dilation))

    @property
    def span(self) -> Pair:
        """Pixels from the first to the last of a window, those skipped by dilation included."""
        height, width = ((k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True))
        return height, width

    def sides(self, image: Pair) -> Sides:
        """((top, bottom), (left, right)): pixels to add around an image (height, width)."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if self.padding == "same":
            height, width = map(_same_padding, image, self.span, self.stride)
            return height, width
        return self.padding

    def padded_size(self, image: Pair) -> Pair:
        """Size (height, width) of an image with its padding."""
        rows, columns = self.sides(image)
        return image[0] + sum(rows), image[1] + sum(columns)

    def output_size(self, image: Pair, owner: object) -> Pair:
        """Number of windows (out_height, out_width) that fit on an image (height, width).

        Raises
        ------
        InvalidShape
            When not even one does; the message begins with ``owner``, the layer.
        """
        padded = self.padded_size(image)
        if padded[0] < self.span[0] or padded[1] < self.span[1]:
            raise InvalidShape(
                f"{owner!r} received samples of {image[0]} x {image[1]}, with padding "
                f"{padded[0]} x {padded[1]}; expected at least {self.span[0]} x {self.span[1]}, "
                'what its window spans. Use a smaller window or dilation, or padding="same".'
            )
        height, width = (
            (n - span) // stride + 1
            for n, span, stride in zip(padded, self.span, self.stride, strict=True)
        )
        return height, width

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """X (batch, height, width, channels) -> x padded; x itself where padding is none."""
        batch, height, width, channels = x.shape
        size = self.padded_size((height, width))
        if size == (height, width):
            return x
        padded = np.full((batch, *size, channels), value, x.dtype)
        self.crop(padded, (height, width))[...] = x
        return padded

    def crop(self, padded: Array, image: Pair) -> Array:
        """Take the padding off again: a view of the image (height, width) in the middle."""
        (top, _), (left, _) = self.sides(image)
        return padded[:, top : top + image[0], left : left + image[1]]

    def view(self, padded: Array) -> Array:
        """See the padded image as all its windows, without copying; read-only.

        (batch, padded height, padded width, channels)
        -> (batch, out_height, out_width, window height, window width, channels)
        """
        (down, right), (row, column) = self.stride, self.dilation
        spans = sliding_window_view(padded, self.span, axis=(1, 2))
        return spans[:, ::down, ::right, :, ::row, ::column].transpose(0, 1, 2, 4, 5, 3)

    def positions(self, output: Pair) -> Iterator[tuple[Pair, tuple[slice, slice, slice]]]:
        """Go through the places (i, j) inside a window.

        With each comes an index: ``padded[index]``, (batch, out_height, out_width, channels),
        holds the pixels that stand at (i, j) of all the windows, as a view.
        """
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                rows, columns = (
                    slice(start, start + (count - 1) * stride + 1, stride)
                    for start, count, stride in zip(
                        (i * self.dilation[0], j * self.dilation[1]),
                        output,
                        self.stride,
                        strict=True,
                    )
                )
                yield (i, j), (slice(None), rows, columns)


def check_pair(name: str, value: Any, *, at_least: int = 1) -> int | Pair:
    """Check a whole number, for both directions, or a pair (height, width).

    Raises
    ------
    InvalidSetting
    """
    if not isinstance(value, tuple | list):
        return checks.whole_number(name, value, at_least=at_least)
    if len(value) != 2:
        raise InvalidSetting(
            f"{name} must be a whole number or a pair (height, width); received {value!r}."
        )
    height, width = (checks.whole_number(name, part, at_least=at_least) for part in value)
    return height, width


def check_padding(padding: Any) -> Padding:
    """Check "valid", "same", pixels on all sides, (vertical, horizontal), or all four sides.

    Raises
    ------
    InvalidSetting
    """
    if isinstance(padding, str):
        return _word(padding, "((top, bottom), (left, right))")
    if isinstance(padding, tuple | list) and any(isinstance(p, tuple | list) for p in padding):
        if len(padding) == 2 and all(isinstance(p, tuple | list) and len(p) == 2 for p in padding):
            (top, bottom), (left, right) = (
                [checks.whole_number("padding", side, at_least=0) for side in sides]
                for sides in padding
            )
            return (top, bottom), (left, right)
        raise InvalidSetting(
            f"padding must be ((top, bottom), (left, right)); received {padding!r}."
        )
    return check_pair("padding", padding, at_least=0)


def check_length_padding(padding: Any) -> LengthPadding:
    """Check "valid", "same", a number of steps at both ends, or (before, after).

    Raises
    ------
    InvalidSetting
    """
    if isinstance(padding, str):
        return _word(padding, "(before, after)")
    if isinstance(padding, tuple | list) and len(padding) != 2:
        raise InvalidSetting(f"padding must be (before, after); received {padding!r}.")
    return check_pair("padding", padding, at_least=0)


def as_images(x: Array) -> Array:
    """(batch, length, channels) -> (batch, 1, length, channels), a view; images as they are."""
    return x[:, np.newaxis] if x.ndim == 3 else x


def image_shape(input_shape: Shape, owner: object) -> tuple[int, int, int]:
    """Check that samples are images, (height, width, channels).

    Raises
    ------
    InvalidShape
    """
    if len(input_shape) != 3:
        raise InvalidShape(
            f"{owner!r} received samples of shape {input_shape}; expected (height, width, "
            "channels). Grey images need one channel: x[..., np.newaxis]. Flat ones need their "
            "sides back: x.reshape(-1, height, width, channels)."
        )
    height, width, channels = input_shape
    return height, width, channels


def sequence_shape(input_shape: Shape, owner: object) -> tuple[int, int]:
    """Check that samples are sequences, (length, channels).

    Raises
    ------
    InvalidShape
    """
    if len(input_shape) != 2:
        raise InvalidShape(
            f"{owner!r} received samples of shape {input_shape}; expected (length, channels). "
            "A series of single numbers needs one channel: x[..., np.newaxis]."
        )
    length, channels = input_shape
    return length, channels


def _both(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


def _word(padding: str, sides: str) -> Literal["valid", "same"]:
    if padding not in ("valid", "same"):
        raise InvalidSetting(
            f'padding must be "valid", "same", a whole number, or {sides}; received {padding!r}.'
        )
    return "valid" if padding == "valid" else "same"


def _same_padding(n: int, span: int, stride: int) -> Pair:
    """Padding before and after so that ceil(n / stride) windows fit; an odd one comes after."""
    positions = -(-n // stride)
    total = max((positions - 1) * stride + span - n, 0)
    return total // 2, total - total // 2
