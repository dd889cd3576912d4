"""Compiled twins of ``layers/global_pooling.py``: one number for each channel."""

from __future__ import annotations

import math

from chainrule.engines.compiled.kernel import kernel, rows_of
from chainrule.engines.compiled.native import shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.summing import add_rows, fill_rows
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.global_pooling import GlobalAveragePool, GlobalMaxPool


@kernel
def global_average(op, context, arena, parameters, gradients, first, rows):
    """Z = Σ x / n over the n positions."""
    positions, channels = op[2], op[3]
    z = rows_of(arena, op[1], first, rows, channels)
    share = z.dtype.type(1 / positions)
    for row in range(rows):
        for c in range(channels):
            z[row, c] = 0
        into = shift(arena, op[1] + (first + row) * channels)
        x = shift(arena, op[0] + (first + row) * positions * channels)
        add_rows(x, positions, channels, into)
        for c in range(channels):
            z[row, c] *= share


@kernel
def global_average_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = ∂L/∂z / n at every position."""
    positions, channels = op[2], op[3]
    d_x = rows_of(arena, op[0], first, rows, positions * channels)
    d_z = rows_of(arena, op[1], first, rows, channels)
    share = d_z.dtype.type(1 / positions)
    for row in range(rows):
        for c in range(channels):
            d_x[row, c] = d_z[row, c] * share
        one = shift(arena, op[0] + (first + row) * positions * channels)
        fill_rows(one, channels, positions - 1, shift(one, channels))


@kernel
def global_max(op, context, arena, parameters, gradients, first, rows):
    """Z = max x over all positions."""
    positions, channels = op[2], op[3]
    x = rows_of(arena, op[0], first, rows, positions * channels)
    z = rows_of(arena, op[1], first, rows, channels)
    for row in range(rows):
        for c in range(channels):
            z[row, c] = x[row, c]
        for position in range(1, positions):
            start = position * channels
            for c in range(channels):
                value, best = x[row, start + c], z[row, c]
                z[row, c] = best if value <= best or best != best else value  # NaN shows


@kernel
def global_max_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = ∂L/∂z at the first position that is as large as z, 0 elsewhere."""
    positions, channels = op[2], op[3]
    x = rows_of(arena, op[0], first, rows, positions * channels)
    z = rows_of(arena, op[1], first, rows, channels)
    d_x = rows_of(arena, op[4], first, rows, positions * channels)
    d_z = rows_of(arena, op[5], first, rows, channels)
    for row in range(rows):
        for i in range(positions * channels):
            d_x[row, i] = 0
        for c in range(channels):
            for position in range(positions):
                if x[row, position * channels + c] == z[row, c]:
                    d_x[row, position * channels + c] = d_z[row, c]
                    break


class GlobalAveragePoolTwin(Twin, of=GlobalAveragePool):
    """Plans the average of each channel."""

    def feedforward(self, x: Buffer) -> Buffer:
        self.sizes = math.prod(self.input_shape[:-1]), self.input_shape[-1]
        self.fields["x"] = x
        z = self.plan.buffer(self.output_shape)
        self.plan.rows(global_average, x, z, *self.sizes)
        return z.kept(spare=not self.plan.traced)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        if not needs_d_x:
            return None
        d_x = self.plan.buffer(self.input_shape)
        self.plan.rows(global_average_backprop, d_x, d_output, *self.sizes)
        self.plan.release(d_output)
        return d_x


class GlobalMaxPoolTwin(Twin, of=GlobalMaxPool):
    """Plans each channel's largest number."""

    def feedforward(self, x: Buffer) -> Buffer:
        self.sizes = math.prod(self.input_shape[:-1]), self.input_shape[-1]
        self.fields["x"] = x
        self.z = self.plan.buffer(self.output_shape)
        self.plan.rows(global_max, x, self.z, *self.sizes)
        return self.z

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        if not needs_d_x:
            return None
        plan, x = self.plan, self.fields["x"]
        d_x = plan.buffer(self.input_shape)
        plan.rows(global_max_backprop, x, self.z, *self.sizes, d_x, d_output)
        plan.release(d_output)
        return d_x
