"""An image written into the middle of zeros, and taken out again."""

from __future__ import annotations

from chainrule.engines.compiled.geometry import (
    CHANNELS,
    HEIGHT,
    LEFT,
    PADDED_HEIGHT,
    PADDED_WIDTH,
    TOP,
    WIDTH,
)
from chainrule.engines.compiled.kernel import helper
from chainrule.engines.compiled.native import copy_numbers, shift


@helper
def image_sizes(op):
    """Numbers of an image, and of one with its padding: the same where there is none."""
    return (
        op[HEIGHT] * op[WIDTH] * op[CHANNELS],
        op[PADDED_HEIGHT] * op[PADDED_WIDTH] * op[CHANNELS],
    )


@helper
def zeros(pointer, count):
    """Write ``count`` zeros."""
    for i in range(count):
        pointer[i] = 0


@helper
def pad_image(op, image, padded):
    """Copy an image into the middle of zeros."""
    length = op[WIDTH] * op[CHANNELS]
    row = op[PADDED_WIDTH] * op[CHANNELS]
    before = op[LEFT] * op[CHANNELS]
    for y in range(op[PADDED_HEIGHT]):
        into = shift(padded, y * row)
        line = y - op[TOP]
        if line >= 0 and line < op[HEIGHT]:
            zeros(into, before)
            copy_numbers(shift(image, line * length), shift(into, before), length)
            zeros(shift(into, before + length), row - before - length)
        else:
            zeros(into, row)


@helper
def crop_image(op, padded, image):
    """Copy the image in the middle back."""
    length = op[WIDTH] * op[CHANNELS]
    row = op[PADDED_WIDTH] * op[CHANNELS]
    for y in range(op[HEIGHT]):
        source = (op[TOP] + y) * row + op[LEFT] * op[CHANNELS]
        copy_numbers(shift(padded, source), shift(image, y * length), length)
