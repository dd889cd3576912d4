"""Dense layers whose weights are shared out among the threads, each thread with its own inputs.

Where a layer has many weights and a batch few samples, moving weights between the caches of two
cores takes longer than multiplying with them. So every thread keeps the same rows of W from step to
step: it multiplies them with their inputs, computes their gradient and updates them. What the
threads hand to each other are partial sums, which are small::

    z = Σ x[:, part] W[part] + b      over the parts, in their order
"""

from __future__ import annotations

from chainrule.engines.compiled.blas import gemm
from chainrule.engines.compiled.kernel import BATCH, ORDER, START, X, flat, kernel, rows_of
from chainrule.engines.compiled.native import copy_numbers, int64_at, pointer_like, shift
from chainrule.engines.compiled.plan import PARTS, ROWS, Buffer, Plan

_PARTS = 4  # that the inputs are cut into
_WORTH = 30_000  # weights from which on it is worth two more meetings of the threads


@kernel
def take_columns(op, context, arena, parameters, gradients, first, rows):
    """Copy ``rows`` inputs from ``first`` on, of every sample of the batch."""
    x_at, size = op[0], op[1]
    x = shift(pointer_like(context[X], arena), first)
    into = shift(arena, x_at + first)
    order = int64_at(context[ORDER])
    for row in range(context[BATCH]):
        sample = context[START] + row
        if context[ORDER] != 0:
            sample = order[sample]
        copy_numbers(shift(x, sample * size), shift(into, row * size), rows)


@kernel
def dense_partial(op, context, arena, parameters, gradients, first, rows):
    """x[:, part] W[part] for the ``rows`` inputs from ``first`` on, over the whole batch."""
    x_at, partial_at, weights_at, inputs, outputs, part = op[0], op[1], op[2], op[3], op[4], op[5]
    width = _PARTS * outputs
    from_x = shift(arena, x_at + first)
    weights_from = shift(parameters, weights_at + first * outputs)
    into = shift(arena, partial_at + first // part * outputs)
    gemm(0, 0, context[BATCH], outputs, rows, from_x, inputs, weights_from, outputs, 0, into, width)


@kernel
def dense_sum(op, context, arena, parameters, gradients, first, rows):
    """Z = the sum of the parts, plus b."""
    partial_at, z_at, bias_at, outputs = op[0], op[1], op[2], op[3]
    partial = rows_of(arena, partial_at, first, rows, _PARTS * outputs)
    z = rows_of(arena, z_at, first, rows, outputs)
    for row in range(rows):
        for j in range(outputs):
            z[row, j] = (partial[row, j] + partial[row, outputs + j]) + (
                partial[row, 2 * outputs + j] + partial[row, 3 * outputs + j]
            )
    if bias_at >= 0:
        bias = flat(parameters, bias_at, outputs)
        for row in range(rows):
            for j in range(outputs):
                z[row, j] += bias[j]


def part_of(inputs: int) -> int:
    """How many inputs one part has."""
    return -(-inputs // _PARTS)


def is_split(plan: Plan, inputs: int, outputs: int) -> bool:
    """Whether a dense layer of that size is shared out by its inputs."""
    four_parts = -(-inputs // part_of(inputs)) == _PARTS
    worthy = inputs * outputs >= _WORTH and inputs > _PARTS * plan.batch and four_parts
    return plan.wide and plan.training and not plan.traced and plan.batch > 0 and worthy


def plan_split(
    plan: Plan, x: Buffer, z: Buffer, weights: int, bias: int, *, takes_columns: bool
) -> None:
    """Plan z = x W + b part by part; ``takes_columns`` where x are the samples themselves."""
    inputs, outputs = x.size, z.size
    part = part_of(inputs)
    partial = plan.buffer((_PARTS * outputs,))
    plan.barrier(PARTS)
    if takes_columns:
        plan.parts(take_columns, inputs, part, x, inputs)
    plan.parts(dense_partial, inputs, part, x, partial, weights, inputs, outputs, part)
    plan.barrier(ROWS)
    plan.rows(dense_sum, partial, z, bias, outputs)
