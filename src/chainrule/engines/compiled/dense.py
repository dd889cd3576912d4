"""Compiled twin of ``layers/dense.py``: z = x W + b, and its way back."""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.activations import activation_twin
from chainrule.engines.compiled.blas import gemm
from chainrule.engines.compiled.kernel import BATCH, flat, kernel, rows_of
from chainrule.engines.compiled.native import shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.splitting import is_split, part_of, plan_split
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.dense import Dense

_SMALL = 2048  # multiplications below which calling BLAS costs more than it saves
_PART = 64  # rows of W, at least, whose gradient is one piece of work for a thread


@kernel
def dense_feedforward(op, context, arena, parameters, gradients, first, rows):
    """Z = x W + b."""
    x_at, z_at, weights_at, bias_at, inputs, outputs = op[0], op[1], op[2], op[3], op[4], op[5]
    z = rows_of(arena, z_at, first, rows, outputs)
    if rows * inputs * outputs > _SMALL:
        from_x = shift(arena, x_at + first * inputs)
        weights_from = shift(parameters, weights_at)
        into_z = shift(arena, z_at + first * outputs)
        gemm(0, 0, rows, outputs, inputs, from_x, inputs, weights_from, outputs, 0, into_z, outputs)
    else:
        x = rows_of(arena, x_at, first, rows, inputs)
        weights = rows_of(parameters, weights_at, 0, inputs, outputs)
        for row in range(rows):
            for j in range(outputs):
                z[row, j] = 0
            for i in range(inputs):
                for j in range(outputs):
                    z[row, j] += x[row, i] * weights[i, j]
    if bias_at >= 0:
        bias = flat(parameters, bias_at, outputs)
        for row in range(rows):
            for j in range(outputs):
                z[row, j] += bias[j]


@kernel
def dense_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = δ Wᵀ."""
    d_z_at, d_x_at, weights_at, inputs, outputs = op[0], op[1], op[2], op[3], op[4]
    if rows * inputs * outputs > _SMALL:
        from_d_z = shift(arena, d_z_at + first * outputs)
        weights_from = shift(parameters, weights_at)
        into_d_x = shift(arena, d_x_at + first * inputs)
        gemm(
            0, 1, rows, inputs, outputs, from_d_z, outputs, weights_from, outputs, 0, into_d_x,
            inputs,
        )  # fmt: skip
        return
    d_z = rows_of(arena, d_z_at, first, rows, outputs)
    d_x = rows_of(arena, d_x_at, first, rows, inputs)
    weights = rows_of(parameters, weights_at, 0, inputs, outputs)
    for row in range(rows):
        for i in range(inputs):
            total = d_z[row, 0] * weights[i, 0]
            for j in range(1, outputs):
                total += d_z[row, j] * weights[i, j]
            d_x[row, i] = total


@kernel
def dense_gradients(op, context, arena, parameters, gradients, first, rows):
    """Add a block's part of ∂L/∂W = xᵀ δ and ∂L/∂b = Σ δ."""
    x_at, d_z_at, weights_at, bias_at, inputs, outputs = op[0], op[1], op[2], op[3], op[4], op[5]
    from_x = shift(arena, x_at + first * inputs)
    from_d_z = shift(arena, d_z_at + first * outputs)
    into = shift(gradients, weights_at)
    gemm(1, 0, inputs, outputs, rows, from_x, inputs, from_d_z, outputs, 1, into, outputs)
    if bias_at >= 0:
        d_z = rows_of(arena, d_z_at, first, rows, outputs)
        d_bias = flat(gradients, bias_at, outputs)
        for row in range(rows):
            for j in range(outputs):
                d_bias[j] += d_z[row, j]


@kernel
def dense_gradients_of_part(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂W of ``rows`` inputs from ``first`` on, for the whole batch; ∂L/∂b with the first."""
    x_at, d_z_at, weights_at, bias_at, inputs, outputs, writes = (
        op[0], op[1], op[2], op[3], op[4], op[5], op[6],
    )  # fmt: skip
    batch = context[BATCH]
    d_z = rows_of(arena, d_z_at, 0, batch, outputs)
    if batch * rows * outputs > _SMALL:
        from_x = shift(arena, x_at + first)
        from_d_z = shift(arena, d_z_at)
        into = shift(gradients, weights_at + first * outputs)
        gemm(
            1, 0, rows, outputs, batch, from_x, inputs, from_d_z, outputs, 1 - writes, into, outputs
        )
    else:
        x = rows_of(arena, x_at, 0, batch, inputs)
        d_weights = rows_of(gradients, weights_at, 0, inputs, outputs)
        for i in range(first, first + rows):
            if writes != 0:  # instead of a factor of 0, in which NaN would stay
                for j in range(outputs):
                    d_weights[i, j] = 0
            for row in range(batch):
                for j in range(outputs):
                    d_weights[i, j] += x[row, i] * d_z[row, j]
    if bias_at >= 0 and first == 0:
        d_bias = flat(gradients, bias_at, outputs)
        if writes != 0:
            for j in range(outputs):
                d_bias[j] = 0
        for row in range(batch):
            for j in range(outputs):
                d_bias[j] += d_z[row, j]


class DenseTwin(Twin, of=Dense):
    """Plans z = x W + b and the activation, which works in z's place."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.inputs, self.outputs = self.input_shape[0], self.layer.outputs
        self.weights = self.plan.parameter(self.path, "weights")
        self.bias = self.plan.parameter(self.path, "bias")
        self.activation = activation_twin(
            self.layer.activation, self.path, self.output_shape, self.plan
        )

    def feedforward(self, x: Buffer) -> Buffer:
        plan = self.plan
        z = plan.buffer(self.output_shape)
        plan.work += 3 * self.inputs * self.outputs
        if is_split(plan, self.inputs, self.outputs):
            takes_columns = plan.samples is x
            plan_split(plan, x, z, self.weights, self.bias, takes_columns=takes_columns)
        else:
            settings = (self.weights, self.bias, self.inputs, self.outputs)
            plan.rows(dense_feedforward, x, z, *settings)
        self.fields["x"] = x
        a = self.activation.feedforward_in_place(z)
        self.fields |= self.activation.fields
        return a

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        plan, x = self.plan, self.fields["x"]
        d_z = self.activation.backprop(d_output, needs_d_x=True)
        self.fields["d_z"] = d_z
        settings = (x, d_z, self.weights, self.bias, self.inputs, self.outputs)
        if plan.wide:
            writes = plan.writes_gradient(self.weights)
            part = max(_PART, part_of(self.inputs))
            plan.defer(dense_gradients_of_part, self.inputs, part, *settings, writes)
        else:
            self.gradient(self.weights)
            self.gradient(self.bias)
            plan.rows(dense_gradients, *settings)
        if not needs_d_x:
            return None
        d_x = plan.buffer(self.input_shape)
        plan.rows(dense_backprop, d_z, d_x, self.weights, self.inputs, self.outputs)
        if not plan.wide:
            plan.release(d_z)
        return d_x
