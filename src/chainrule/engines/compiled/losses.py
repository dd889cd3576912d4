"""Compiled twins of ``losses.py``: the value of the loss, and ∂L/∂ŷ where the way back begins.

Every term of the loss has the weight of its sample, which ``samples.py`` has put beside them.
The sum of the terms is kept in float64, for each shard by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.engines.compiled.exponential import exponential
from chainrule.engines.compiled.kernel import (
    PARTIALS,
    PARTIALS_LENGTH,
    SHARD,
    Kernel,
    flat,
    helper,
    kernel,
    number,
    rows_of,
)
from chainrule.engines.compiled.native import float64_at
from chainrule.engines.compiled.plan import Buffer, NoTwin, Plan
from chainrule.loss import Loss
from chainrule.losses import MeanSquaredError, SoftmaxCrossEntropy, SumOfSquares


@helper
def add_to_loss(context: Any, amount: float) -> None:
    """Add to the loss of this shard."""
    sums = float64_at(context[PARTIALS])
    sums[context[SHARD] * context[PARTIALS_LENGTH]] += amount


@kernel
def squares_loss(op, context, arena, parameters, gradients, first, rows):
    """Σ (ŷ - y)² and 2 (ŷ - y), each times the weight of its sample."""
    size = op[4]
    y_hat = rows_of(arena, op[0], first, rows, size)
    y = rows_of(arena, op[1], first, rows, size)
    weight = flat(arena, op[2] + first, rows)
    d_y_hat = rows_of(arena, op[3], first, rows, size)
    total = 0.0
    for row in range(rows):
        for i in range(size):
            difference = y_hat[row, i] - y[row, i]
            weighted = weight[row] * difference
            total += weighted * difference
            d_y_hat[row, i] = weighted + weighted
    add_to_loss(context, total)


@kernel
def softmax_cross_entropy_loss(op, context, arena, parameters, gradients, first, rows):
    """-Σ y log softmax(z) and softmax(z) Σ y - y, each times the weight of its sample."""
    size, smoothing = op[4], number(op[5])
    z = rows_of(arena, op[0], first, rows, size)
    y = rows_of(arena, op[1], first, rows, size)
    weight = flat(arena, op[2] + first, rows)
    d_z = rows_of(arena, op[3], first, rows, size)
    zero = weight.dtype.type(0)
    keep = weight.dtype.type(1 - smoothing)
    spread = weight.dtype.type(smoothing / size)
    total = 0.0
    for row in range(rows):
        largest = z[row, 0]
        for i in range(1, size):
            largest = max(largest, z[row, i])
        for i in range(size):
            d_z[row, i] = exponential(z[row, i] - largest)
        exponentials = zero
        for i in range(size):
            exponentials += d_z[row, i]
        logarithm = np.log(exponentials) + largest
        per_sum = 1 / exponentials
        term = zero
        for i in range(size):
            certain = y[row, i] * keep + spread
            term += certain * (logarithm - z[row, i])
            d_z[row, i] = weight[row] * (d_z[row, i] * per_sum - certain)
        total += weight[row] * term
    add_to_loss(context, total)


_KERNELS: dict[type[Loss], Kernel] = {
    SumOfSquares: squares_loss,
    MeanSquaredError: squares_loss,
    SoftmaxCrossEntropy: softmax_cross_entropy_loss,
}


def plan_loss(loss: Loss, y_hat: Buffer, y: Buffer, weight: Buffer, plan: Plan) -> Buffer:
    """Plan the loss; returns where ∂loss/∂ŷ will stand.

    Raises
    ------
    NoTwin
        When the loss cannot be compiled.
    """
    if type(loss) not in _KERNELS:
        raise NoTwin(f"{type(loss).__name__} has no compiled form")
    d_y_hat = plan.buffer(y_hat.shape)
    settings = [float(value) for value in loss.settings().values()]
    plan.rows(_KERNELS[type(loss)], y_hat, y, weight, d_y_hat, y_hat.size, *settings)
    return d_y_hat
