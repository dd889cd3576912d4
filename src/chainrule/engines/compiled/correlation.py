"""Compiled twin of ``layers/correlation.py``: ``correlate``, ``d_kernel`` and ``d_image``.

Each writes the windows of a few samples into a matrix (im2col) in the thread's working memory, or
reads one from there, and leaves the sums to a matrix product. The matrix has a row for every window
and, in the order of the kernel, a column for every pixel in it. With few channels it stands in
memory column by column, so that what is copied together is a row of the image, not one pixel.
"""

from __future__ import annotations

from chainrule.engines.compiled.blas import gemm
from chainrule.engines.compiled.geometry import (
    BIAS,
    CHANNELS,
    COLUMN_STEP,
    DOWN,
    FILTERS,
    GROUPS,
    HEIGHT,
    IMAGE,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    LEFT,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUT,
    RIGHT,
    ROW_STEP,
    TOGETHER,
    TOP,
    WEIGHTS,
    WIDTH,
)
from chainrule.engines.compiled.kernel import SCRATCH, helper, kernel
from chainrule.engines.compiled.native import copy_numbers, pointer_like, shift
from chainrule.engines.compiled.summing import add_rows, fill_rows

FEW_CHANNELS = 4  # of a group, below which the matrix stands column by column


@helper
def _columns(op):
    """Pixels in a window of one group's channels: columns of the matrix."""
    return op[KERNEL_HEIGHT] * op[KERNEL_WIDTH] * (op[CHANNELS] // op[GROUPS])


@helper
def _image_size(op):
    return op[HEIGHT] * op[WIDTH] * op[CHANNELS]


@helper
def _places(op):
    """Windows of a sample: rows of the matrix."""
    return op[OUT_HEIGHT] * op[OUT_WIDTH]


@helper
def _is_image_itself(op):
    """Whether every window is one pixel, and all pixels are windows in their order."""
    return (
        op[KERNEL_HEIGHT] == 1
        and op[KERNEL_WIDTH] == 1
        and op[HEIGHT] == op[OUT_HEIGHT]
        and op[WIDTH] == op[OUT_WIDTH]
        and op[DOWN] == 1
        and op[RIGHT] == 1
        and op[TOP] == 0
        and op[LEFT] == 0
    )


@helper
def _stands_by_columns(op):
    return op[CHANNELS] // op[GROUPS] < FEW_CHANNELS


@helper
def _first_inside(start, step):
    """First i with start + i · step >= 0."""
    return 0 if start >= 0 else (step - 1 - start) // step


@helper
def _end_inside(start, step, size, count):
    """First i from which on start + i · step >= size, but no more than ``count``."""
    return 0 if start >= size else min(count, (size - start + step - 1) // step)


@helper
def _write_windows(op, image, group, matrix):
    """im2col of one sample, window by window."""
    channels, width = op[CHANNELS], op[WIDTH]
    part = channels // op[GROUPS]
    image = shift(image, group * part)
    length = op[KERNEL_WIDTH] * part
    row_step, column_step = op[ROW_STEP], op[COLUMN_STEP]
    in_one_piece = column_step == 1 and part == channels
    place = 0
    for p in range(op[OUT_HEIGHT]):
        for q in range(op[OUT_WIDTH]):
            x = q * op[RIGHT] - op[LEFT]
            begin = _first_inside(x, column_step)
            end = max(begin, _end_inside(x, column_step, width, op[KERNEL_WIDTH]))
            for i in range(op[KERNEL_HEIGHT]):
                y = p * op[DOWN] - op[TOP] + i * row_step
                into = shift(matrix, place)
                place += length
                if y < 0 or y >= op[HEIGHT] or begin >= end:
                    for c in range(length):
                        into[c] = 0
                    continue
                for c in range(begin * part):
                    into[c] = 0
                row = shift(image, (y * width + x) * channels)
                if in_one_piece:
                    count = (end - begin) * part
                    copy_numbers(shift(row, begin * part), shift(into, begin * part), count)
                else:
                    for j in range(begin, end):
                        pixel = shift(row, j * column_step * channels)
                        for c in range(part):
                            into[j * part + c] = pixel[c]
                for c in range(end * part, length):
                    into[c] = 0


@helper
def _add_windows(op, matrix, group, image):
    """Add what stands at a window's pixels in the matrix to the image: im2col backwards."""
    channels, width = op[CHANNELS], op[WIDTH]
    part = channels // op[GROUPS]
    image = shift(image, group * part)
    length = op[KERNEL_WIDTH] * part
    row_step, column_step = op[ROW_STEP], op[COLUMN_STEP]
    in_one_piece = column_step == 1 and part == channels
    place = 0
    for p in range(op[OUT_HEIGHT]):
        for q in range(op[OUT_WIDTH]):
            x = q * op[RIGHT] - op[LEFT]
            begin = _first_inside(x, column_step)
            end = _end_inside(x, column_step, width, op[KERNEL_WIDTH])
            for i in range(op[KERNEL_HEIGHT]):
                y = p * op[DOWN] - op[TOP] + i * row_step
                source = shift(matrix, place)
                place += length
                if y < 0 or y >= op[HEIGHT]:
                    continue
                row = shift(image, (y * width + x) * channels)
                if in_one_piece:
                    for c in range(begin * part, end * part):
                        row[c] += source[c]
                else:
                    for j in range(begin, end):
                        pixel = shift(row, j * column_step * channels)
                        for c in range(part):
                            pixel[c] += source[j * part + c]


@helper
def _write_windows_by_columns(op, image, group, matrix, stride):
    """im2col of one sample, one pixel of all windows after the other."""
    channels, width = op[CHANNELS], op[WIDTH]
    part, right = channels // op[GROUPS], op[RIGHT]
    across = op[OUT_WIDTH]
    column = 0
    for i in range(op[KERNEL_HEIGHT]):
        for j in range(op[KERNEL_WIDTH]):
            x = j * op[COLUMN_STEP] - op[LEFT]
            begin = _first_inside(x, right)
            end = max(begin, _end_inside(x, right, width, across))
            for c in range(group * part, (group + 1) * part):
                for p in range(op[OUT_HEIGHT]):
                    y = p * op[DOWN] - op[TOP] + i * op[ROW_STEP]
                    into = shift(matrix, column * stride + p * across)
                    if y < 0 or y >= op[HEIGHT] or begin >= end:
                        for q in range(across):
                            into[q] = 0
                        continue
                    for q in range(begin):
                        into[q] = 0
                    pixel = shift(image, (y * width + x) * channels + c)
                    if right * channels == 1:
                        copy_numbers(shift(pixel, begin), shift(into, begin), end - begin)
                    else:
                        for q in range(begin, end):
                            into[q] = pixel[q * right * channels]
                    for q in range(end, across):
                        into[q] = 0
                column += 1


@helper
def _add_windows_by_columns(op, matrix, stride, group, image):
    """The same backwards."""
    channels, width = op[CHANNELS], op[WIDTH]
    part, right = channels // op[GROUPS], op[RIGHT]
    across = op[OUT_WIDTH]
    column = 0
    for i in range(op[KERNEL_HEIGHT]):
        for j in range(op[KERNEL_WIDTH]):
            x = j * op[COLUMN_STEP] - op[LEFT]
            begin = _first_inside(x, right)
            end = _end_inside(x, right, width, across)
            for c in range(group * part, (group + 1) * part):
                for p in range(op[OUT_HEIGHT]):
                    y = p * op[DOWN] - op[TOP] + i * op[ROW_STEP]
                    if y >= 0 and y < op[HEIGHT]:
                        source = shift(matrix, column * stride + p * across)
                        pixel = shift(image, (y * width + x) * channels + c)
                        for q in range(begin, end):
                            pixel[q * right * channels] += source[q]
                column += 1


@helper
def _im2col(op, images, count, group, matrix):
    """Write the windows of ``count`` samples; returns whether the matrix stands by columns."""
    places, columns = _places(op), _columns(op)
    by_columns = _stands_by_columns(op)
    for i in range(count):
        image = shift(images, i * _image_size(op))
        if by_columns:
            into = shift(matrix, i * places)
            _write_windows_by_columns(op, image, group, into, count * places)
        else:
            _write_windows(op, image, group, shift(matrix, i * places * columns))


@kernel
def correlate(op, context, arena, parameters, gradients, first, rows):
    """Z = x ⋆ W + b."""
    places, columns = _places(op), _columns(op)
    filters, groups = op[FILTERS], op[GROUPS]
    part = filters // groups
    by_columns = _stands_by_columns(op)
    scratch = pointer_like(context[SCRATCH], arena)
    for start in range(0, rows, op[TOGETHER]):
        count = min(op[TOGETHER], rows - start)
        images = shift(arena, op[IMAGE] + (first + start) * _image_size(op))
        outputs = shift(arena, op[OUTPUT] + (first + start) * places * filters)
        adds = 0
        if op[BIAS] >= 0:
            fill_rows(shift(parameters, op[BIAS]), filters, count * places, outputs)
            adds = 1
        for group in range(groups):
            matrix, step = scratch, count * places if by_columns else columns
            turned = 1 if by_columns else 0
            if _is_image_itself(op):
                matrix, step, turned = shift(images, group * columns), op[CHANNELS], 0
            else:
                _im2col(op, images, count, group, scratch)
            weights = shift(parameters, op[WEIGHTS] + group * part)
            gemm(
                turned, 0, count * places, part, columns, matrix, step, weights, filters, adds,
                shift(outputs, group * part), filters,
            )  # fmt: skip


@kernel
def d_kernel(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂W += Σ xᵀ δ over all places; ∂L/∂b += Σ δ."""
    places, columns = _places(op), _columns(op)
    filters, groups = op[FILTERS], op[GROUPS]
    part = filters // groups
    by_columns = _stands_by_columns(op)
    scratch = pointer_like(context[SCRATCH], arena)
    for start in range(0, rows, op[TOGETHER]):
        count = min(op[TOGETHER], rows - start)
        images = shift(arena, op[IMAGE] + (first + start) * _image_size(op))
        errors = shift(arena, op[OUTPUT] + (first + start) * places * filters)
        if op[BIAS] >= 0:
            add_rows(errors, count * places, filters, shift(gradients, op[BIAS]))
        for group in range(groups):
            matrix, step = scratch, count * places if by_columns else columns
            turned = 0 if by_columns else 1
            if _is_image_itself(op):
                matrix, step, turned = shift(images, group * columns), op[CHANNELS], 1
            else:
                _im2col(op, images, count, group, scratch)
            into = shift(gradients, op[WEIGHTS] + group * part)
            gemm(
                turned, 0, columns, part, count * places, matrix, step,
                shift(errors, group * part), filters, 1, into, filters,
            )  # fmt: skip


@kernel
def d_image(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = Σ δ Wᵀ over all windows that a pixel stands in, + b where there is one."""
    places, columns, channels = _places(op), _columns(op), op[CHANNELS]
    filters, groups = op[FILTERS], op[GROUPS]
    part = filters // groups
    by_columns = _stands_by_columns(op)
    matrix = pointer_like(context[SCRATCH], arena)
    size, pixels = _image_size(op), op[HEIGHT] * op[WIDTH]
    for start in range(0, rows, op[TOGETHER]):
        count = min(op[TOGETHER], rows - start)
        images = shift(arena, op[IMAGE] + (first + start) * size)
        errors = shift(arena, op[OUTPUT] + (first + start) * places * filters)
        if op[BIAS] >= 0:
            fill_rows(shift(parameters, op[BIAS]), channels, count * pixels, images)
        else:
            for i in range(count * size):
                images[i] = 0
        for group in range(groups):
            d_z = shift(errors, group * part)
            weights = shift(parameters, op[WEIGHTS] + group * part)
            if _is_image_itself(op):
                gemm(
                    0, 1, count * places, columns, part, d_z, filters, weights, filters, 1,
                    shift(images, group * columns), channels,
                )  # fmt: skip
            elif by_columns:
                gemm(
                    0, 1, columns, count * places, part, weights, filters, d_z, filters, 0,
                    matrix, count * places,
                )  # fmt: skip
                for i in range(count):
                    _add_windows_by_columns(
                        op, shift(matrix, i * places), count * places, group,
                        shift(images, i * size),
                    )  # fmt: skip
            else:
                gemm(
                    0, 1, count * places, columns, part, d_z, filters, weights, filters, 0,
                    matrix, columns,
                )  # fmt: skip
                for i in range(count):
                    _add_windows(
                        op, shift(matrix, i * places * columns), group, shift(images, i * size)
                    )


@kernel
def d_bias(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂b += Σ δ over all pixels."""
    pixels, filters = op[HEIGHT] * op[WIDTH], op[CHANNELS]
    errors = shift(arena, op[IMAGE] + first * pixels * filters)
    add_rows(errors, rows * pixels, filters, shift(gradients, op[BIAS]))
