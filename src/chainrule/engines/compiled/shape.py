"""Compiled twins of ``layers/shape.py``: Flatten, Reshape, ZeroPad, UpSample.

Flatten and Reshape need no kernel: their outputs are the room of their inputs, seen in another
shape.
"""

from __future__ import annotations

from chainrule.engines.compiled.kernel import kernel, rows_of
from chainrule.engines.compiled.native import copy_numbers, shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.shape import Flatten, Reshape, UpSample, ZeroPad
from chainrule.layers.windows import Windows


class ReshapeTwin(Twin, of=Reshape):
    """Plans nothing: the same room, its rows seen in another shape."""

    def feedforward(self, x: Buffer) -> Buffer:
        self.fields["x"] = x
        return x.shaped(self.output_shape)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        return d_output.shaped(self.input_shape)


class FlattenTwin(ReshapeTwin, of=Flatten):
    """The same, into one row."""


@kernel
def zero_pad(op, context, arena, parameters, gradients, first, rows):
    """Copy each image, row by row of pixels, into the middle of zeros."""
    x_at, y_at, height, width, above, before, size = (
        op[0], op[1], op[2], op[3], op[4], op[5], op[6],
    )  # fmt: skip
    padded_width = op[7]
    y = rows_of(arena, y_at, first, rows, size)
    for row in range(rows):
        for i in range(size):
            y[row, i] = 0
        into = shift(arena, y_at + (first + row) * size + above * padded_width + before)
        image = shift(arena, x_at + (first + row) * height * width)
        for i in range(height):
            copy_numbers(shift(image, i * width), shift(into, i * padded_width), width)


@kernel
def zero_pad_backprop(op, context, arena, parameters, gradients, first, rows):
    """Copy the middle back."""
    d_x_at, d_y_at, height, width, above, before, size = (
        op[0], op[1], op[2], op[3], op[4], op[5], op[6],
    )  # fmt: skip
    padded_width = op[7]
    for row in range(rows):
        middle = shift(arena, d_y_at + (first + row) * size + above * padded_width + before)
        into = shift(arena, d_x_at + (first + row) * height * width)
        for i in range(height):
            copy_numbers(shift(middle, i * padded_width), shift(into, i * width), width)


class ZeroPadTwin(Twin, of=ZeroPad):
    """Plans a border of zeros. What is called width here counts the channels in."""

    def feedforward(self, x: Buffer) -> Buffer:
        y = self.plan.buffer(self.output_shape)
        self.fields["x"] = x
        self.plan.rows(zero_pad, x, y, *self._settings())
        return y

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        if not needs_d_x:
            return None
        d_x = self.plan.buffer(self.input_shape)
        self.plan.rows(zero_pad_backprop, d_x, d_output, *self._settings())
        self.plan.release(d_output)
        return d_x

    def _settings(self) -> tuple[int, ...]:
        height, width, channels = self.input_shape
        (above, _), (before, _) = Windows.of_image(1, 1, self.layer.padding).sides((height, width))
        padded_height, padded_width, _ = self.output_shape
        padded_row = padded_width * channels
        return (
            height, width * channels, above, before * channels, padded_height * padded_row,
            padded_row,
        )  # fmt: skip


@kernel
def up_sample(op, context, arena, parameters, gradients, first, rows):
    """y[i, j] = x[i // vertical, j // horizontal]."""
    height, width, channels, vertical, horizontal = op[2], op[3], op[4], op[5], op[6]
    line = width * channels
    long_line = line * horizontal
    for row in range(first * height, (first + rows) * height):  # every row of pixels by itself
        pixels = shift(arena, op[0] + row * line)
        into = shift(arena, op[1] + row * vertical * long_line)
        for j in range(width):
            for copy in range(horizontal):
                copy_numbers(
                    shift(pixels, j * channels),
                    shift(into, (j * horizontal + copy) * channels),
                    channels,
                )
        for copy in range(1, vertical):
            copy_numbers(into, shift(into, copy * long_line), long_line)


@kernel
def up_sample_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x[i, j] = Σ ∂L/∂y over the block of (i, j)."""
    height, width, channels, vertical, horizontal = op[2], op[3], op[4], op[5], op[6]
    pixels = rows * height * width
    d_x = rows_of(arena, op[0], first * height * width, pixels, channels)
    d_y = rows_of(
        arena,
        op[1],
        first * height * width * vertical * horizontal,
        pixels * vertical * horizontal,
        channels,
    )
    for pixel in range(pixels):
        i, j = pixel // width, pixel % width
        for c in range(channels):
            d_x[pixel, c] = 0
        for down in range(vertical):
            start = ((i * vertical + down) * width + j) * horizontal
            for right in range(horizontal):
                for c in range(channels):
                    d_x[pixel, c] += d_y[start + right, c]


class UpSampleTwin(Twin, of=UpSample):
    """Plans blocks of equal pixels."""

    def feedforward(self, x: Buffer) -> Buffer:
        y = self.plan.buffer(self.output_shape)
        self.plan.rows(up_sample, x, y, *self._settings())
        return y

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        if not needs_d_x:
            return None
        d_x = self.plan.buffer(self.input_shape)
        self.plan.rows(up_sample_backprop, d_x, d_output, *self._settings())
        self.plan.release(d_output)
        return d_x

    def _settings(self) -> tuple[int, ...]:
        height, width, channels = self.input_shape
        vertical, horizontal = (self.output_shape[0] // height, self.output_shape[1] // width)
        return height, width, channels, vertical, horizontal
