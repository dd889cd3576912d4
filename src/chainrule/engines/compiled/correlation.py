"""Compiled twin of ``layers/correlation.py``: ``correlate``, ``d_kernel`` and ``d_image``.

Each writes the windows of a few samples into a matrix (im2col) in the thread's working memory, or
reads one from there, and leaves the sums to a matrix product. The matrix has a row for every window
and, in the order of the kernel, a column for every pixel in it. With few channels ``im2col`` lets
it stand in memory column by column: then what is copied together is a row of the image, not a
pixel.
"""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.blas import gemm
from chainrule.engines.compiled.geometry import (
    BIAS,
    CHANNELS,
    COLUMN_STEP,
    COLUMNS,
    DOWN,
    FILTERS,
    FORM,
    GROUPS,
    HEIGHT,
    IMAGE,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUT,
    PADDED_WIDTH,
    PIECE,
    PIECE_STEP,
    PIECES,
    RIGHT,
    ROW_STEP,
    TOGETHER,
    WEIGHTS,
    WIDTH,
)
from chainrule.engines.compiled.kernel import SCRATCH, helper, kernel
from chainrule.engines.compiled.lanes import lanes_at, load_first, plus, store_first
from chainrule.engines.compiled.native import pointer_like, shift
from chainrule.engines.compiled.padding import (
    crop_image,
    image_sizes,
    pad_image,
    zeros,
)
from chainrule.engines.compiled.summing import add_rows, fill_rows
from chainrule.layers.windows import Windows

# Forms of the matrix: a row for each window, a column for each, or the image as it stands.
BY_WINDOWS, BY_COLUMNS, IMAGE_ITSELF = range(3)
_FEW_CHANNELS = 4  # of a group, below which the matrix stands column by column


def matrix_settings(windows: Windows, channels: int, groups: int, is_padded: bool) -> Any:
    """Return the settings from ``COLUMNS`` on.

    Parameters
    ----------
    windows : Windows
    channels, groups : int
    is_padded : bool
        Whether the image needs zeros around it.
    """
    part = channels // groups
    form = BY_COLUMNS if part < _FEW_CHANNELS else BY_WINDOWS
    if windows.size == windows.stride == (1, 1) and not is_padded:
        form = IMAGE_ITSELF
    columns = windows.size[0] * windows.size[1] * part
    if windows.dilation[1] == groups == 1:
        return columns, form, 1, windows.size[1] * part, 0
    return columns, form, windows.size[1], part, windows.dilation[1] * channels


@helper
def _copy(source, target, count):
    """Copy a short piece."""
    for at in range(0, count, lanes_at(source)):
        lanes = min(count - at, lanes_at(source))
        store_first(shift(target, at), load_first(shift(source, at), lanes), lanes)


@helper
def _add(source, target, count):
    """Add a short piece."""
    for at in range(0, count, lanes_at(source)):
        lanes = min(count - at, lanes_at(source))
        into = shift(target, at)
        total = plus(load_first(into, lanes), load_first(shift(source, at), lanes))
        store_first(into, total, lanes)


@helper
def _write_windows(op, image, matrix):
    """Write a sample's matrix, window by window."""
    channels, row = op[CHANNELS], op[PADDED_WIDTH] * op[CHANNELS]
    pieces, length, step = op[PIECES], op[PIECE], op[PIECE_STEP]
    for p in range(op[OUT_HEIGHT]):
        for q in range(op[OUT_WIDTH]):
            window = shift(image, p * op[DOWN] * row + q * op[RIGHT] * channels)
            for i in range(op[KERNEL_HEIGHT]):
                source = shift(window, i * op[ROW_STEP] * row)
                for j in range(pieces):
                    _copy(shift(source, j * step), matrix, length)
                    matrix = shift(matrix, length)


@helper
def _add_windows(op, matrix, image):
    """The same backwards: add what stands in the matrix to the windows' pixels."""
    channels, row = op[CHANNELS], op[PADDED_WIDTH] * op[CHANNELS]
    pieces, length, step = op[PIECES], op[PIECE], op[PIECE_STEP]
    columns, of_row = op[COLUMNS], pieces * length
    # Windows that overlap are taken at a distance in time: the processor is slow to read what it
    # has only just written as a part of something else.
    apart = 1 + (op[KERNEL_WIDTH] - 1) * op[COLUMN_STEP] // op[RIGHT]
    for i in range(op[KERNEL_HEIGHT]):
        for turn in range(apart):
            for p in range(op[OUT_HEIGHT]):
                line = shift(image, (p * op[DOWN] + i * op[ROW_STEP]) * row)
                for q in range(turn, op[OUT_WIDTH], apart):
                    source = shift(matrix, (p * op[OUT_WIDTH] + q) * columns + i * of_row)
                    target = shift(line, q * op[RIGHT] * channels)
                    for j in range(pieces):
                        _add(shift(source, j * length), shift(target, j * step), length)


@helper
def _write_columns(op, image, matrix, stride):
    """Write a sample's matrix, one pixel of all windows after the other."""
    channels, row = op[CHANNELS], op[PADDED_WIDTH] * op[CHANNELS]
    apart, across = op[RIGHT] * channels, op[OUT_WIDTH]
    for i in range(op[KERNEL_HEIGHT]):
        for j in range(op[KERNEL_WIDTH]):
            for c in range(channels // op[GROUPS]):
                first = i * op[ROW_STEP] * row + j * op[COLUMN_STEP] * channels + c
                for p in range(op[OUT_HEIGHT]):
                    source = shift(image, first + p * op[DOWN] * row)
                    target = shift(matrix, p * across)
                    if apart == 1:
                        _copy(source, target, across)
                    else:
                        for q in range(across):
                            target[q] = source[q * apart]
                matrix = shift(matrix, stride)


@helper
def _im2col(op, images, count, group, padded):
    """Write the windows of ``count`` samples after the room for a padded image."""
    places, channels = op[OUT_HEIGHT] * op[OUT_WIDTH], op[CHANNELS]
    size, room = image_sizes(op)
    for i in range(count):
        image = shift(images, i * size)
        if room != size:
            pad_image(op, image, padded)
            image = padded
        image = shift(image, group * (channels // op[GROUPS]))
        if op[FORM] == BY_COLUMNS:
            _write_columns(op, image, shift(padded, room + i * places), count * places)
        else:
            _write_windows(op, image, shift(padded, room + i * places * op[COLUMNS]))


@kernel
def correlate(op, context, arena, parameters, gradients, first, rows):
    """Z = x ⋆ W + b."""
    places, columns, filters = op[OUT_HEIGHT] * op[OUT_WIDTH], op[COLUMNS], op[FILTERS]
    size, room = image_sizes(op)
    part = filters // op[GROUPS]
    padded = pointer_like(context[SCRATCH], arena)
    for start in range(0, rows, op[TOGETHER]):
        count = min(op[TOGETHER], rows - start)
        images = shift(arena, op[IMAGE] + (first + start) * size)
        outputs = shift(arena, op[OUTPUT] + (first + start) * places * filters)
        adds = 0
        if op[BIAS] >= 0:
            fill_rows(shift(parameters, op[BIAS]), filters, count * places, outputs)
            adds = 1
        for group in range(op[GROUPS]):
            matrix, step, turned = shift(padded, room), columns, 0
            if op[FORM] == IMAGE_ITSELF:
                matrix, step = shift(images, group * columns), op[CHANNELS]
            else:
                _im2col(op, images, count, group, padded)
            if op[FORM] == BY_COLUMNS:
                step, turned = count * places, 1
            weights = shift(parameters, op[WEIGHTS] + group * part)
            gemm(
                turned, 0, count * places, part, columns, matrix, step, weights, filters, adds,
                shift(outputs, group * part), filters,
            )  # fmt: skip


@kernel
def d_kernel(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂W += Σ xᵀ δ over all places; ∂L/∂b += Σ δ."""
    places, columns, filters = op[OUT_HEIGHT] * op[OUT_WIDTH], op[COLUMNS], op[FILTERS]
    size, room = image_sizes(op)
    part = filters // op[GROUPS]
    padded = pointer_like(context[SCRATCH], arena)
    for start in range(0, rows, op[TOGETHER]):
        count = min(op[TOGETHER], rows - start)
        images = shift(arena, op[IMAGE] + (first + start) * size)
        errors = shift(arena, op[OUTPUT] + (first + start) * places * filters)
        if op[BIAS] >= 0:
            add_rows(errors, count * places, filters, shift(gradients, op[BIAS]))
        for group in range(op[GROUPS]):
            matrix, step, turned = shift(padded, room), columns, 1
            if op[FORM] == IMAGE_ITSELF:
                matrix, step = shift(images, group * columns), op[CHANNELS]
            else:
                _im2col(op, images, count, group, padded)
            if op[FORM] == BY_COLUMNS:
                step, turned = count * places, 0
            into = shift(gradients, op[WEIGHTS] + group * part)
            gemm(
                turned, 0, columns, part, count * places, matrix, step,
                shift(errors, group * part), filters, 1, into, filters,
            )  # fmt: skip


@kernel
def d_image(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = Σ δ Wᵀ over all windows that a pixel stands in, + b where there is one."""
    places, columns, filters = op[OUT_HEIGHT] * op[OUT_WIDTH], op[COLUMNS], op[FILTERS]
    size, room = image_sizes(op)
    channels, part = op[CHANNELS], filters // op[GROUPS]
    padded = pointer_like(context[SCRATCH], arena)
    matrix = shift(padded, room)
    for sample in range(first, first + rows):
        image = shift(arena, op[IMAGE] + sample * size)
        errors = shift(arena, op[OUTPUT] + sample * places * filters)
        target = image if room == size else padded
        if op[BIAS] >= 0:
            fill_rows(shift(parameters, op[BIAS]), channels, room // channels, target)
        else:
            zeros(target, room)
        for group in range(op[GROUPS]):
            d_z = shift(errors, group * part)
            weights = shift(parameters, op[WEIGHTS] + group * part)
            into = shift(target, group * (channels // op[GROUPS]))
            product, step, adds = matrix, columns, 0
            if op[FORM] == IMAGE_ITSELF:
                product, step, adds = into, channels, 1
            gemm(
                0, 1, places, columns, part, d_z, filters, weights, filters, adds, product, step,
            )  # fmt: skip
            if op[FORM] != IMAGE_ITSELF:
                _add_windows(op, matrix, into)
        if room != size:
            crop_image(op, padded, image)


@kernel
def d_bias(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂b += Σ δ over all pixels."""
    pixels, filters = op[HEIGHT] * op[WIDTH], op[CHANNELS]
    errors = shift(arena, op[IMAGE] + first * pixels * filters)
    add_rows(errors, rows * pixels, filters, shift(gradients, op[BIAS]))
