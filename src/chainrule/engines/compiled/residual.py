"""Compiled twin of ``layers/residual.py``: y = f(F(x) + x), or with x W on the way around.

The layers of F have twins of their own. Where they begin, x has two readers; so has ∂L/∂z on the
way back.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.compiled.activations import activation_twin
from chainrule.engines.compiled.blas import gemm
from chainrule.engines.compiled.kernel import SCRATCH, flat, helper, kernel
from chainrule.engines.compiled.native import copy_numbers, pointer_like, shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.python_layer import twin_or_python
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.residual import Residual


@kernel
def add(op, context, arena, parameters, gradients, first, rows):
    """Z = f + x."""
    size = op[3]
    f = flat(arena, op[0] + first * size, rows * size)
    x = flat(arena, op[1] + first * size, rows * size)
    z = flat(arena, op[2] + first * size, rows * size)
    if op[0] == op[2]:  # said in so many words, or it goes number by number
        for i in range(rows * size):
            z[i] += x[i]
    else:
        for i in range(rows * size):
            z[i] = f[i] + x[i]


@kernel
def copy(op, context, arena, parameters, gradients, first, rows):
    """Copy a block, for a reader who will overwrite it."""
    size = op[2]
    source, target = shift(arena, op[0] + first * size), shift(arena, op[1] + first * size)
    copy_numbers(source, target, rows * size)


@helper
def gather(x: Any, pixels: Any, op: Any) -> None:
    """Copy every second, third, ... pixel of one sample; ``op`` begins with its sizes."""
    width, inputs, down, right, new_height, new_width = op[0], op[1], op[2], op[3], op[4], op[5]
    for i in range(new_height):
        for j in range(new_width):
            source = shift(x, (i * down * width + j * right) * inputs)
            copy_numbers(source, shift(pixels, (i * new_width + j) * inputs), inputs)


@kernel
def project(op, context, arena, parameters, gradients, first, rows):
    """Z = f + x W at the pixels that the strides leave."""
    weights, size, outputs, strided = shift(parameters, op[3]), op[4], op[5], op[6]
    inputs, pixels = op[8], op[11] * op[12]
    count = rows * pixels
    f = shift(arena, op[1] + first * pixels * outputs)
    z = shift(arena, op[2] + first * pixels * outputs)
    if op[1] != op[2]:
        copy_numbers(f, z, count * outputs)
    x = shift(arena, op[0] + first * size)
    if strided == 0:
        gemm(0, 0, count, outputs, inputs, x, inputs, weights, outputs, 1, z, outputs)
        return
    few = pointer_like(context[SCRATCH], arena)
    for row in range(rows):
        gather(shift(x, row * size), few, shift(op, 7))
        into = shift(z, row * pixels * outputs)
        gemm(0, 0, pixels, outputs, inputs, few, inputs, weights, outputs, 1, into, outputs)


@kernel
def project_backprop(op, context, arena, parameters, gradients, first, rows):
    """Add a block's part of ∂L/∂W = xᵀ δ, and compute δ Wᵀ at the pixels that x gave."""
    d_weights, size, outputs, strided = shift(gradients, op[3]), op[4], op[5], op[6]
    inputs, pixels = op[8], op[11] * op[12]
    count = rows * pixels
    x = shift(arena, op[0] + first * size)
    d_z = shift(arena, op[1] + first * pixels * outputs)
    if strided == 0:
        gemm(1, 0, inputs, outputs, count, x, inputs, d_z, outputs, 1, d_weights, outputs)
    else:
        few = pointer_like(context[SCRATCH], arena)
        for row in range(rows):
            gather(shift(x, row * size), few, shift(op, 7))
            of = shift(d_z, row * pixels * outputs)
            gemm(1, 0, inputs, outputs, pixels, few, inputs, of, outputs, 1, d_weights, outputs)
    if op[2] >= 0:
        weights = shift(parameters, op[3])
        d_pixels = shift(arena, op[2] + first * pixels * inputs)
        gemm(0, 1, count, inputs, outputs, d_z, outputs, weights, outputs, 0, d_pixels, inputs)


@kernel
def add_pixels(op, context, arena, parameters, gradients, first, rows):
    """Add the derivatives of the pixels that the strides leave: d_x = d_f + d_pixels there."""
    size, width, inputs, down, right = op[3], op[4], op[5], op[6], op[7]
    new_height, new_width = op[8], op[9]
    pixels = new_height * new_width
    d_f, d_x = shift(arena, op[0] + first * size), shift(arena, op[2] + first * size)
    if op[0] != op[2]:
        copy_numbers(d_f, d_x, rows * size)
    for row in range(rows):
        for i in range(new_height):
            for j in range(new_width):
                start = row * size + (i * down * width + j * right) * inputs
                into = flat(d_x, start, inputs)
                pixel = ((first + row) * pixels + i * new_width + j) * inputs
                d_pixel = flat(arena, op[1] + pixel, inputs)
                for c in range(inputs):
                    into[c] += d_pixel[c]


class ResidualTwin(Twin, of=Residual):
    """Plans F, the way around it, their sum, and the activation in the sum's place."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        plan, layer = self.plan, self.layer
        for index, (inner, shape) in enumerate(layer.inner_layers(self.input_shape)):
            self.inner[index] = twin_or_python(inner, (*self.path, index), shape, plan)
        self.depth = len(layer.layers)
        self.projection = self.inner.get(self.depth)
        self.weights = plan.parameter(self.path, "projection_weights")
        self.activation = activation_twin(layer.activation, self.path, self.output_shape, plan)

    def feedforward(self, x: Buffer) -> Buffer:
        plan, x = self.plan, x.kept()
        self.fields["x"] = f = x
        for index in range(self.depth):
            f = self.inner[index].feedforward(f)
        around = x if self.projection is None else self.projection.feedforward(x)
        z = f.kept() if f.spare else plan.buffer(self.output_shape)
        if self.weights >= 0:
            self.matrix = self._matrix_settings()
            plan.rows(project, x, f, z, self.weights, *self.matrix)
        else:
            plan.rows(add, f, around, z, z.size)
        y = self.activation.feedforward_in_place(z)
        self.fields |= self.activation.fields
        return y

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        plan, x = self.plan, self.fields["x"]
        d_z = self.activation.backprop(d_output, True)
        self.fields["d_z"] = d_f = d_around = d_z
        if self.weights >= 0:
            self.gradient(self.weights)
            if needs_d_x:
                d_around = plan.buffer((*self.output_shape[:-1], self.input_shape[-1]))
            into = d_around if needs_d_x else -1
            plan.rows(project_backprop, x, d_z, into, self.weights, *self.matrix)
        elif needs_d_x or self.projection is not None:
            d_f = plan.buffer(d_z.shape)
            plan.rows(copy, d_z, d_f, d_z.size)
        for index in range(self.depth - 1, -1, -1):
            d_f = _passed_on(self.inner[index].backprop(d_f, index > 0 or needs_d_x))
        if self.projection is not None:
            d_around = _passed_on(self.projection.backprop(d_z, needs_d_x))
        if not needs_d_x:
            return None
        d_x = plan.buffer(x.shape) if plan.traced else d_f
        if self.weights >= 0:
            plan.rows(add_pixels, d_f, d_around, d_x, x.size, *self.matrix[3:])
        else:
            plan.rows(add, d_f, d_around, d_x, x.size)
        plan.release(d_around)
        return d_x

    def _matrix_settings(self) -> tuple[int, ...]:
        """Numbers in x, channels of z, whether pixels are left out, and the sizes of both."""
        inputs, outputs = self.input_shape[-1], self.output_shape[-1]
        height, width = (1, 1, *self.input_shape[:-1])[-2:]
        new_height, new_width = (1, 1, *self.output_shape[:-1])[-2:]
        down, right = -(-height // new_height), -(-width // new_width)
        strided = (down, right) != (1, 1)
        if strided:
            self.plan.need_scratch(new_height * new_width * inputs)
        self.plan.work += 3 * new_height * new_width * inputs * outputs
        return (
            math.prod(self.input_shape), outputs, strided, width, inputs, down, right, new_height,
            new_width,
        )  # fmt: skip


def _passed_on(d_x: Buffer | None) -> Buffer:
    return d_x  # type: ignore[return-value]  # None only where nobody will read it
