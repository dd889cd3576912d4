"""Compiled twin of ``layers/window_pooling.py``: largest and average of windows, and back.

Each kernel goes from window to window, and takes the pixels that lie on the image, for as many
channels at once as there are lanes.
"""

from __future__ import annotations

from chainrule.engines.compiled.geometry import (
    CHANNELS,
    D_IMAGE,
    D_OUTPUT,
    DOWN,
    HEIGHT,
    IMAGE,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    LEFT,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUT,
    RIGHT,
    TOP,
    WIDTH,
)
from chainrule.engines.compiled.kernel import helper, kernel
from chainrule.engines.compiled.lanes import (
    lanes_at,
    larger,
    load_first,
    plus,
    spread,
    store_first,
    times,
    where_equal,
)
from chainrule.engines.compiled.native import shift
from chainrule.engines.compiled.padding import zeros


@helper
def _span(place, stride, padding, size, length):
    """First pixel on the image of the window at this place, and the one after its last."""
    start = place * stride - padding
    return max(start, 0), min(start + size, length)


@helper
def _image_size(op):
    return op[HEIGHT] * op[WIDTH] * op[CHANNELS]


@helper
def _output_size(op):
    return op[OUT_HEIGHT] * op[OUT_WIDTH] * op[CHANNELS]


@helper
def _is_tiling(op):
    """Whether every pixel lies in one window."""
    return (
        op[KERNEL_HEIGHT] == op[DOWN]
        and op[KERNEL_WIDTH] == op[RIGHT]
        and op[OUT_HEIGHT] * op[DOWN] == op[HEIGHT]
        and op[OUT_WIDTH] * op[RIGHT] == op[WIDTH]
        and op[TOP] == 0
        and op[LEFT] == 0
    )


@kernel
def largest(op, context, arena, parameters, gradients, first, rows):
    """Z = max x of each window."""
    channels, width = op[CHANNELS], op[WIDTH]
    z = shift(arena, op[OUTPUT] + first * _output_size(op))
    for sample in range(first, first + rows):
        x = shift(arena, op[IMAGE] + sample * _image_size(op))
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    pixels = shift(x, c)
                    best = load_first(shift(pixels, (top * width + left) * channels), lanes)
                    for m in range(top, bottom):
                        for n in range(left, right):
                            value = load_first(shift(pixels, (m * width + n) * channels), lanes)
                            best = larger(best, value)
                    store_first(shift(z, c), best, lanes)
                z = shift(z, channels)


@kernel
def back_to_largest(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x += ∂L/∂z at the first pixel of each window that is as large as z."""
    channels, width = op[CHANNELS], op[WIDTH]
    z = shift(arena, op[OUTPUT] + first * _output_size(op))
    d_z = shift(arena, op[D_OUTPUT] + first * _output_size(op))
    is_tiling = _is_tiling(op)
    nothing = spread(arena, 0)
    for sample in range(first, first + rows):
        x = shift(arena, op[IMAGE] + sample * _image_size(op))
        d_x = shift(arena, op[D_IMAGE] + sample * _image_size(op))
        if not is_tiling:
            zeros(d_x, _image_size(op))
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    best = load_first(shift(z, c), lanes)
                    rest = load_first(shift(d_z, c), lanes)  # what no pixel has been given yet
                    for m in range(top, bottom):
                        for n in range(left, right):
                            at = (m * width + n) * channels + c
                            value = load_first(shift(x, at), lanes)
                            given = where_equal(value, best, rest, nothing)
                            rest = where_equal(value, best, nothing, rest)
                            if not is_tiling:
                                given = plus(given, load_first(shift(d_x, at), lanes))
                            store_first(shift(d_x, at), given, lanes)
                z = shift(z, channels)
                d_z = shift(d_z, channels)


@kernel
def average(op, context, arena, parameters, gradients, first, rows):
    """Z = Σ x / n over the n pixels of each window."""
    channels, width = op[CHANNELS], op[WIDTH]
    z = shift(arena, op[OUTPUT] + first * _output_size(op))
    for sample in range(first, first + rows):
        x = shift(arena, op[IMAGE] + sample * _image_size(op))
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                share = spread(arena, 1.0 / ((bottom - top) * (right - left)))
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    pixels = shift(x, c)
                    total = spread(arena, 0)
                    for m in range(top, bottom):
                        for n in range(left, right):
                            value = load_first(shift(pixels, (m * width + n) * channels), lanes)
                            total = plus(total, value)
                    store_first(shift(z, c), times(total, share), lanes)
                z = shift(z, channels)


@kernel
def back_to_all(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x += ∂L/∂z / n at the n pixels of each window."""
    channels, width = op[CHANNELS], op[WIDTH]
    d_z = shift(arena, op[D_OUTPUT] + first * _output_size(op))
    is_tiling = _is_tiling(op)
    for sample in range(first, first + rows):
        d_x = shift(arena, op[D_IMAGE] + sample * _image_size(op))
        if not is_tiling:
            zeros(d_x, _image_size(op))
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                share = spread(arena, 1.0 / ((bottom - top) * (right - left)))
                for c in range(0, channels, lanes_at(arena)):
                    lanes = min(channels - c, lanes_at(arena))
                    part = times(load_first(shift(d_z, c), lanes), share)
                    for m in range(top, bottom):
                        for n in range(left, right):
                            pixel = shift(d_x, (m * width + n) * channels + c)
                            given = part
                            if not is_tiling:
                                given = plus(given, load_first(pixel, lanes))
                            store_first(pixel, given, lanes)
                d_z = shift(d_z, channels)
