"""Tiny networks: the whole step, forward, loss and back, in one kernel.

Where a layer has a dozen weights, calling a kernel for each of its parts costs more than the
mathematics. So for small dense networks there is this one. It takes a few samples at a time and
keeps the numbers of one unit for all of them side by side (a *lane* for each sample), so that the
processor does the same to several samples in one instruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.activations import Identity, ReLU, Sigmoid, Tanh
from chainrule.engines.compiled.elementary import hyperbolic_tangent, sigmoid
from chainrule.engines.compiled.elementwise import add_to_loss
from chainrule.engines.compiled.exponential import exponential
from chainrule.engines.compiled.kernel import (
    LABELS,
    LOSS_SCALE,
    ORDER,
    SAMPLE,
    SCRATCH,
    START,
    WEIGHT,
    X,
    Y,
    flat,
    helper,
    kernel,
    number,
)
from chainrule.engines.compiled.native import int64_at, pointer_like, shift
from chainrule.engines.compiled.plan import Plan
from chainrule.layer import Array, Layer, Shape
from chainrule.layers.dense import Dense
from chainrule.loss import Loss
from chainrule.losses import MeanSquaredError, SoftmaxCrossEntropy, SumOfSquares

_MOST_WORK = 30_000  # multiplications in a step, forward and back, above which BLAS is faster
_LANES = 4

_ACTIVATIONS = {Identity: 0, Sigmoid: 1, Tanh: 2, ReLU: 3}
_LOSSES = {SumOfSquares: 0, MeanSquaredError: 0, SoftmaxCrossEntropy: 1}

# One row of the table for each layer.
_INPUTS, _OUTPUTS, _WEIGHTS, _BIAS, _ACTIVATION, _FROM, _A, _D = range(8)
_ROW = 8


@kernel
def tiny_step(op, context, arena, parameters, gradients, first, rows):
    """Loss and gradients of a dense network over some samples."""
    table, layers, inputs, outputs = int64_at(op[0]), op[1], op[2], op[3]
    room = pointer_like(context[SCRATCH], arena)
    x_at, y_at, weight_at = op[4], op[5], op[6]
    if context[SAMPLE] == 0:
        for i in range(op[7]):
            gradients[i] = 0
    total = 0.0
    for group in range(0, rows, _LANES):
        _take(context, room, x_at, y_at, weight_at, inputs, outputs, group, rows)
        for layer in range(layers):
            _forward(shift(table, layer * _ROW), room, parameters)
        last = shift(table, (layers - 1) * _ROW)
        a, d = shift(room, last[_A]), shift(room, last[_D])
        y, weight = shift(room, y_at), shift(room, weight_at)
        if op[8] == 0:
            total += _squares(a, y, weight, d, outputs)
        else:
            total += _softmax_cross_entropy(a, y, weight, d, outputs, number(op[9]))
        for layer in range(layers - 1, -1, -1):
            _backward(shift(table, layer * _ROW), room, parameters, gradients, layer)
    add_to_loss(context, total)


@helper
def _take(context, room, x_at, y_at, weight_at, inputs, outputs, group, rows):
    """Bring a group of samples, a lane each; a lane without a sample weighs nothing."""
    x, y = pointer_like(context[X], room), pointer_like(context[Y], room)
    labels, order = int64_at(context[Y]), int64_at(context[ORDER])
    weights = pointer_like(context[WEIGHT], room)
    scale = number(context[LOSS_SCALE])
    for lane in range(_LANES):
        here = min(group + lane, rows - 1)
        sample = context[START] + context[SAMPLE] + here
        if context[ORDER] != 0:
            sample = order[sample]
        for i in range(inputs):
            room[x_at + i * _LANES + lane] = x[sample * inputs + i]
        for i in range(outputs):
            if context[LABELS] != 0:
                room[y_at + i * _LANES + lane] = 1 if labels[sample] == i else 0
            else:
                room[y_at + i * _LANES + lane] = y[sample * outputs + i]
        weight = scale * weights[sample] if context[WEIGHT] != 0 else scale
        room[weight_at + lane] = weight if group + lane < rows else 0.0


# What follows reads all lanes before it writes the first one, and so needs no loop: that is what
# compilers turn into vector instructions, because they cannot know that the rooms do not overlap.


@helper
def _set(z, value):
    """Set every lane to a value: z = value."""
    z[0] = value
    z[1] = value
    z[2] = value
    z[3] = value


@helper
def _add_times(z, x, factor):
    """Add in every lane: z += factor · x."""
    z0 = z[0] + factor * x[0]
    z1 = z[1] + factor * x[1]
    z2 = z[2] + factor * x[2]
    z3 = z[3] + factor * x[3]
    z[0] = z0
    z[1] = z1
    z[2] = z2
    z[3] = z3


@helper
def _dot(x, y):
    """Σ x y over the lanes."""
    return (x[0] * y[0] + x[1] * y[1]) + (x[2] * y[2] + x[3] * y[3])


@helper
def _forward(row, room, parameters):
    """Compute a = f(x W + b) of one layer."""
    inputs, outputs = row[_INPUTS], row[_OUTPUTS]
    x = shift(room, row[_FROM])
    weights = shift(parameters, row[_WEIGHTS])
    z = shift(room, row[_A])
    for j in range(outputs):
        _set(shift(z, j * _LANES), parameters[row[_BIAS] + j] if row[_BIAS] >= 0 else 0)
    for i in range(inputs):
        for j in range(outputs):
            _add_times(shift(z, j * _LANES), shift(x, i * _LANES), weights[i * outputs + j])
    count = outputs * _LANES
    numbers = flat(z, 0, count)
    if row[_ACTIVATION] == 1:
        for k in range(count):
            numbers[k] = sigmoid(numbers[k])
    elif row[_ACTIVATION] == 2:
        for k in range(count):
            numbers[k] = hyperbolic_tangent(numbers[k])
    elif row[_ACTIVATION] == 3:
        for k in range(count):
            numbers[k] = 0 if numbers[k] < 0 else numbers[k]


@helper
def _backward(row, room, parameters, gradients, layer):
    """∂L/∂W = xᵀ δ, ∂L/∂b = Σ δ and ∂L/∂x = δ Wᵀ of one layer, with δ = ∂L/∂a f'(z)."""
    inputs, outputs = row[_INPUTS], row[_OUTPUTS]
    x = shift(room, row[_FROM])
    weights = shift(parameters, row[_WEIGHTS])
    d_weights = shift(gradients, row[_WEIGHTS])
    count = outputs * _LANES
    a = flat(shift(room, row[_A]), 0, count)
    d = flat(shift(room, row[_D]), 0, count)
    one = a.dtype.type(1)
    if row[_ACTIVATION] == 1:
        for k in range(count):
            d[k] *= a[k] * (one - a[k])
    elif row[_ACTIVATION] == 2:
        for k in range(count):
            d[k] *= one - a[k] * a[k]
    elif row[_ACTIVATION] == 3:
        for k in range(count):
            d[k] = d[k] if a[k] > 0 else 0
    delta = shift(room, row[_D])
    if row[_BIAS] >= 0:
        for j in range(outputs):
            error = shift(delta, j * _LANES)
            gradients[row[_BIAS] + j] += (error[0] + error[1]) + (error[2] + error[3])
    for i in range(inputs):
        for j in range(outputs):
            d_weights[i * outputs + j] += _dot(shift(x, i * _LANES), shift(delta, j * _LANES))
    if layer > 0:
        d_x = shift(room, row[_D - _ROW])
        for i in range(inputs):
            _set(shift(d_x, i * _LANES), 0)
            for j in range(outputs):
                _add_times(
                    shift(d_x, i * _LANES), shift(delta, j * _LANES), weights[i * outputs + j]
                )


@helper
def _squares(a, y, weight, d, outputs):
    """Σ (ŷ - y)², and 2 (ŷ - y)."""
    total = 0.0
    for j in range(outputs):
        for lane in range(_LANES):
            difference = a[j * _LANES + lane] - y[j * _LANES + lane]
            weighted = weight[lane] * difference
            total += weighted * difference
            d[j * _LANES + lane] = weighted + weighted
    return total


@helper
def _softmax_cross_entropy(z, y, weight, d, outputs, smoothing):
    """-Σ y log softmax(z), and softmax(z) - y."""
    one = flat(weight, 0, 1).dtype.type(1)
    keep = flat(weight, 0, 1).dtype.type(1 - smoothing)
    spread = flat(weight, 0, 1).dtype.type(smoothing / outputs)
    total = 0.0
    for lane in range(_LANES):
        largest = z[lane]
        for j in range(1, outputs):
            largest = max(largest, z[j * _LANES + lane])
        exponentials = one - one
        for j in range(outputs):
            e = exponential(z[j * _LANES + lane] - largest)
            d[j * _LANES + lane] = e
            exponentials += e
        logarithm = np.log(exponentials) + largest
        per_sum = one / exponentials
        term = one - one
        for j in range(outputs):
            certain = y[j * _LANES + lane] * keep + spread
            term += certain * (logarithm - z[j * _LANES + lane])
            d[j * _LANES + lane] = weight[lane] * (d[j * _LANES + lane] * per_sum - certain)
        total += weight[lane] * term
    return total


def is_tiny(layers: Sequence[Layer], shapes: Sequence[Shape], loss: Loss, batch: int) -> bool:
    """Whether ``tiny_step`` can train such a network, and is the faster way."""
    if type(loss) not in _LOSSES or len(shapes[0]) != 1:
        return False
    work = 0
    for layer, shape in zip(layers, shapes, strict=False):
        if type(layer) is not Dense or type(layer.activation) not in _ACTIVATIONS:
            return False
        work += 3 * shape[0] * layer.outputs
    return work * batch <= _MOST_WORK and len(set(map(id, layers))) == len(layers)


def plan_tiny(layers: Sequence[Any], shapes: Sequence[Shape], loss: Loss, plan: Plan) -> None:
    """Plan the step of a tiny network."""
    lanes = _LANES
    inputs, outputs = shapes[0][0], shapes[-1][0]
    table: Array = np.zeros((len(layers), _ROW), np.int64)
    stop = x_at = 0
    stop += inputs * lanes
    y_at, stop = stop, stop + outputs * lanes
    weight_at, stop = stop, stop + lanes
    before = x_at
    for position, layer in enumerate(layers):
        row = table[position]
        row[_INPUTS], row[_OUTPUTS] = shapes[position][0], layer.outputs
        row[_WEIGHTS] = plan.parameter((position,), "weights")
        row[_BIAS] = plan.parameter((position,), "bias")
        row[_ACTIVATION] = _ACTIVATIONS[type(layer.activation)]
        size = layer.outputs * lanes
        row[_A], row[_D], stop = stop, stop + size, stop + 2 * size
        row[_FROM] = before
        plan.work += 3 * shapes[position][0] * layer.outputs
        before = row[_A]
    plan.keep(table)
    plan.need_scratch(stop)
    count = len(plan.parameters.values)
    smoothing = [float(value) for value in loss.settings().values()] or [0.0]
    plan.rows(
        tiny_step, table.ctypes.data, len(layers), inputs, outputs, x_at, y_at, weight_at, count,
        _LOSSES[type(loss)], *smoothing,
    )  # fmt: skip
