"""Compiled twin of ``layers/window_pooling.py``: largest and average of windows, and back.

Each kernel goes from window to window, and takes the pixels that lie on the image for several
channels at once.
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
    load,
    plus,
    spread,
    store,
    times,
    where_equal,
)
from chainrule.engines.compiled.native import shift


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


@kernel
def largest(op, context, arena, parameters, gradients, first, rows):
    """Z = max x of each window."""
    channels, width = op[CHANNELS], op[WIDTH]
    vectors = channels - channels % lanes_at(arena)
    z = shift(arena, op[OUTPUT] + first * _output_size(op))
    for sample in range(first, first + rows):
        x = shift(arena, op[IMAGE] + sample * _image_size(op))
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                for c in range(0, vectors, lanes_at(arena)):
                    found = load(shift(x, (top * width + left) * channels + c))
                    for m in range(top, bottom):
                        for n in range(left, right):
                            found = larger(found, load(shift(x, (m * width + n) * channels + c)))
                    store(shift(z, c), found)
                for c in range(vectors, channels):
                    best = x[(top * width + left) * channels + c]
                    for m in range(top, bottom):
                        for n in range(left, right):
                            value = x[(m * width + n) * channels + c]
                            best = value if value > best or value != value else best
                    z[c] = best
                z = shift(z, channels)


@kernel
def back_to_largest(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x += ∂L/∂z at the first pixel of each window that is as large as z."""
    channels, width = op[CHANNELS], op[WIDTH]
    vectors = channels - channels % lanes_at(arena)
    z = shift(arena, op[OUTPUT] + first * _output_size(op))
    d_z = shift(arena, op[D_OUTPUT] + first * _output_size(op))
    zero = spread(arena, 0)
    for sample in range(first, first + rows):
        x = shift(arena, op[IMAGE] + sample * _image_size(op))
        d_x = shift(arena, op[D_IMAGE] + sample * _image_size(op))
        for i in range(_image_size(op)):
            d_x[i] = 0
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                for c in range(0, vectors, lanes_at(arena)):
                    best, rest = load(shift(z, c)), load(shift(d_z, c))
                    for m in range(top, bottom):
                        for n in range(left, right):
                            at = (m * width + n) * channels + c
                            value, into = load(shift(x, at)), shift(d_x, at)
                            given = where_equal(value, best, rest, zero)
                            store(into, plus(load(into), given))
                            rest = where_equal(value, best, zero, rest)
                for c in range(vectors, channels):
                    waits = True
                    for m in range(top, bottom):
                        for n in range(left, right):
                            at = (m * width + n) * channels + c
                            if waits and x[at] == z[c]:
                                d_x[at] += d_z[c]
                                waits = False
                z = shift(z, channels)
                d_z = shift(d_z, channels)


@kernel
def average(op, context, arena, parameters, gradients, first, rows):
    """Z = Σ x / n over the n pixels of each window."""
    channels, width = op[CHANNELS], op[WIDTH]
    vectors = channels - channels % lanes_at(arena)
    z = shift(arena, op[OUTPUT] + first * _output_size(op))
    for sample in range(first, first + rows):
        x = shift(arena, op[IMAGE] + sample * _image_size(op))
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                share = 1.0 / ((bottom - top) * (right - left))
                for c in range(0, vectors, lanes_at(arena)):
                    total = spread(arena, 0)
                    for m in range(top, bottom):
                        for n in range(left, right):
                            total = plus(total, load(shift(x, (m * width + n) * channels + c)))
                    store(shift(z, c), times(total, spread(arena, share)))
                for c in range(vectors, channels):
                    z[c] = 0
                    for m in range(top, bottom):
                        for n in range(left, right):
                            z[c] += x[(m * width + n) * channels + c]
                    z[c] *= share
                z = shift(z, channels)


@kernel
def back_to_all(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x += ∂L/∂z / n at the n pixels of each window."""
    channels, width = op[CHANNELS], op[WIDTH]
    vectors = channels - channels % lanes_at(arena)
    d_z = shift(arena, op[D_OUTPUT] + first * _output_size(op))
    for sample in range(first, first + rows):
        d_x = shift(arena, op[D_IMAGE] + sample * _image_size(op))
        for i in range(_image_size(op)):
            d_x[i] = 0
        for p in range(op[OUT_HEIGHT]):
            top, bottom = _span(p, op[DOWN], op[TOP], op[KERNEL_HEIGHT], op[HEIGHT])
            for q in range(op[OUT_WIDTH]):
                left, right = _span(q, op[RIGHT], op[LEFT], op[KERNEL_WIDTH], width)
                share = 1.0 / ((bottom - top) * (right - left))
                for c in range(0, vectors, lanes_at(arena)):
                    given = times(load(shift(d_z, c)), spread(arena, share))
                    for m in range(top, bottom):
                        for n in range(left, right):
                            into = shift(d_x, (m * width + n) * channels + c)
                            store(into, plus(load(into), given))
                for c in range(vectors, channels):
                    part = share * d_z[c]
                    for m in range(top, bottom):
                        for n in range(left, right):
                            d_x[(m * width + n) * channels + c] += part
                d_z = shift(d_z, channels)
