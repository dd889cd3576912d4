"""Kernels that bring a block's samples into the arena: inputs, actual values, weights."""

from __future__ import annotations

from chainrule.engines.compiled.kernel import (
    LABELS,
    LOSS_SCALE,
    ORDER,
    SAMPLE,
    START,
    WEIGHT,
    X,
    Y,
    kernel,
    number,
    rows_of,
)
from chainrule.engines.compiled.native import copy_numbers, int64_at, pointer_like, shift


@kernel
def take_inputs(op, context, arena, parameters, gradients, first, rows):
    """Copy the inputs of the block's samples, in the order of the epoch."""
    x_at, size = op[0], op[1]
    x = pointer_like(context[X], arena)
    start = context[START] + context[SAMPLE]
    into = shift(arena, x_at + first * size)
    if context[ORDER] == 0:
        copy_numbers(shift(x, start * size), into, rows * size)
        return
    order = shift(int64_at(context[ORDER]), start)
    for row in range(rows):
        copy_numbers(shift(x, order[row] * size), shift(into, row * size), size)


@kernel
def take_targets(op, context, arena, parameters, gradients, first, rows):
    """Copy the actual values (class numbers as one-hot rows), and what each sample weighs."""
    y_at, weight_at, size, classes = op[0], op[1], op[2], op[3]
    y = rows_of(arena, y_at, first, rows, size)
    weight = rows_of(arena, weight_at, first, rows, 1)
    start = context[START] + context[SAMPLE]
    scale = number(context[LOSS_SCALE])
    labels = int64_at(context[Y])
    values = pointer_like(context[Y], arena)
    weights = pointer_like(context[WEIGHT], arena)
    order = int64_at(context[ORDER])
    for row in range(rows):
        sample = start + row
        if context[ORDER] != 0:
            sample = order[sample]
        if context[LABELS] != 0:
            for i in range(size):
                y[row, i] = 0
            places = size // classes
            for place in range(places):
                y[row, place * classes + labels[sample * places + place]] = 1
        else:
            for i in range(size):
                y[row, i] = values[sample * size + i]
        weight[row, 0] = scale * weights[sample] if context[WEIGHT] != 0 else scale
