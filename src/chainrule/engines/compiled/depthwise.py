"""A convolution with one filter for each channel: nothing to sum over channels, so no products.

The equations are those of ``correlation.py``, taken window by window, for as many channels at once
as there are lanes.
"""

from __future__ import annotations

from chainrule.engines.compiled.geometry import (
    BIAS,
    CHANNELS,
    COLUMN_STEP,
    DOWN,
    IMAGE,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUT,
    PADDED_WIDTH,
    RIGHT,
    ROW_STEP,
    WEIGHTS,
)
from chainrule.engines.compiled.kernel import SCRATCH, helper, kernel
from chainrule.engines.compiled.lanes import lanes_at, load_first, plus, spread, store_first, times
from chainrule.engines.compiled.native import pointer_like, shift
from chainrule.engines.compiled.padding import crop_image, image_sizes, pad_image, zeros
from chainrule.engines.compiled.summing import add_rows, fill_rows


@helper
def _window(op, p, q):
    """Where the window at (p, q) begins in the padded image."""
    return (p * op[DOWN] * op[PADDED_WIDTH] + q * op[RIGHT]) * op[CHANNELS]


@helper
def _pixel(op, i, j):
    """And the pixel at (i, j) in a window."""
    return (i * op[ROW_STEP] * op[PADDED_WIDTH] + j * op[COLUMN_STEP]) * op[CHANNELS]


@kernel
def depthwise_correlate(op, context, arena, parameters, gradients, first, rows):
    """Z = x ⋆ W + b, each channel by itself."""
    channels, width = op[CHANNELS], op[KERNEL_WIDTH]
    image_size, _ = image_sizes(op)
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * channels
    padded = pointer_like(context[SCRATCH], arena)
    weights = shift(parameters, op[WEIGHTS])
    for sample in range(first, first + rows):
        pad_image(op, shift(arena, op[IMAGE] + sample * image_size), padded)
        z = shift(arena, op[OUTPUT] + sample * output_size)
        for p in range(op[OUT_HEIGHT]):
            for q in range(op[OUT_WIDTH]):
                window = shift(padded, _window(op, p, q))
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    total = spread(arena, 0)
                    if op[BIAS] >= 0:
                        total = load_first(shift(parameters, op[BIAS] + c), lanes)
                    for i in range(op[KERNEL_HEIGHT]):
                        for j in range(width):
                            x = load_first(shift(window, _pixel(op, i, j) + c), lanes)
                            weight = load_first(
                                shift(weights, (i * width + j) * channels + c), lanes
                            )
                            total = plus(total, times(x, weight))
                    store_first(shift(z, c), total, lanes)
                z = shift(z, channels)


@kernel
def depthwise_d_kernel(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂W += Σ x δ over all places; ∂L/∂b += Σ δ."""
    channels, width = op[CHANNELS], op[KERNEL_WIDTH]
    image_size, _ = image_sizes(op)
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * channels
    padded = pointer_like(context[SCRATCH], arena)
    if op[BIAS] >= 0:
        d_z = shift(arena, op[OUTPUT] + first * output_size)
        places = rows * op[OUT_HEIGHT] * op[OUT_WIDTH]
        add_rows(d_z, places, channels, shift(gradients, op[BIAS]))
    for sample in range(first, first + rows):
        pad_image(op, shift(arena, op[IMAGE] + sample * image_size), padded)
        for i in range(op[KERNEL_HEIGHT]):
            for j in range(width):
                into = shift(gradients, op[WEIGHTS] + (i * width + j) * channels)
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    d_z = shift(arena, op[OUTPUT] + sample * output_size + c)
                    total = load_first(shift(into, c), lanes)
                    for p in range(op[OUT_HEIGHT]):
                        x = shift(padded, _window(op, p, 0) + _pixel(op, i, j) + c)
                        for _ in range(op[OUT_WIDTH]):
                            product = times(load_first(x, lanes), load_first(d_z, lanes))
                            total = plus(total, product)
                            x = shift(x, op[RIGHT] * channels)
                            d_z = shift(d_z, channels)
                    store_first(shift(into, c), total, lanes)


@kernel
def depthwise_d_image(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = Σ δ W over all windows that a pixel stands in, + b where there is one."""
    channels, width = op[CHANNELS], op[KERNEL_WIDTH]
    image_size, room = image_sizes(op)
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * channels
    padded = pointer_like(context[SCRATCH], arena)
    for sample in range(first, first + rows):
        if op[BIAS] >= 0:
            fill_rows(shift(parameters, op[BIAS]), channels, room // channels, padded)
        else:
            zeros(padded, room)
        for i in range(op[KERNEL_HEIGHT]):
            for j in range(width):
                weights = shift(parameters, op[WEIGHTS] + (i * width + j) * channels)
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    weight = load_first(shift(weights, c), lanes)
                    d_z = shift(arena, op[OUTPUT] + sample * output_size + c)
                    for p in range(op[OUT_HEIGHT]):
                        d_x = shift(padded, _window(op, p, 0) + _pixel(op, i, j) + c)
                        for _ in range(op[OUT_WIDTH]):
                            product = times(weight, load_first(d_z, lanes))
                            store_first(d_x, plus(load_first(d_x, lanes), product), lanes)
                            d_x = shift(d_x, op[RIGHT] * channels)
                            d_z = shift(d_z, channels)
        crop_image(op, padded, shift(arena, op[IMAGE] + sample * image_size))
