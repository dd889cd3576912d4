"""Kernels between the way back and the update: sums over shards, penalties, the length."""

from __future__ import annotations

import numpy as np

from chainrule.engines.compiled.kernel import (
    NORMS,
    PENALTY_SCALE,
    SHARDS,
    flat,
    kernel,
    number,
)
from chainrule.engines.compiled.native import float64_at, pointer_like

PART = 8192


@kernel
def add_shards(op, context, arena, parameters, gradients, first, rows):
    """Sum of the shards' gradients, in the order of the shards whoever computed them."""
    start, shards_at, count = op[0] + first, op[1], op[2]
    total = flat(gradients, start, rows)
    shards = pointer_like(shards_at, gradients)
    one = flat(shards, start, rows)
    for i in range(rows):
        total[i] = one[i]
    for shard in range(1, context[SHARDS]):
        other = flat(shards, shard * count + start, rows)
        for i in range(rows):
            total[i] += other[i]


@kernel
def measure_gradient(op, context, arena, parameters, gradients, first, rows):
    """Add the penalties' gradient; leave Σ g² and the penalties of this part in NORMS."""
    scale = number(context[PENALTY_SCALE])
    penalized_at, part, l1, l2 = op[0], op[1], scale * number(op[2]), scale * number(op[3])
    norms = float64_at(context[NORMS])
    place = 2 * (first // part)
    g = flat(gradients, first, rows)
    of = g.dtype.type
    norms[place + 1] = 0.0
    if l1 != 0 or l2 != 0:
        theta = flat(parameters, first, rows)
        penalized = flat(pointer_like(penalized_at, parameters), first, rows)
        one, two = of(l1), of(2 * l2)
        absolute, squared = 0.0, 0.0
        for i in range(rows):
            weight = theta[i] * penalized[i]
            g[i] += one * np.sign(weight) + two * weight
            absolute += abs(weight)
            squared += weight * weight
        norms[place + 1] = l1 * absolute + l2 * squared
    total = of(0)
    for i in range(rows):
        total += g[i] * g[i]
    if not total < np.inf:  # too large to square in float32
        exact = 0.0
        for i in range(rows):
            exact += np.float64(g[i]) * np.float64(g[i])
        norms[place] = exact
        return
    norms[place] = total


@kernel
def clip_values(op, context, arena, parameters, gradients, first, rows):
    """Cut each number of the gradient off at ±limit; leave Σ g² in NORMS."""
    part, limit = op[0], number(op[1])
    norms = float64_at(context[NORMS])
    g = flat(gradients, first, rows)
    of = g.dtype.type
    low, high = of(-limit), of(limit)
    total = 0.0
    for i in range(rows):
        g[i] = min(max(g[i], low), high)
        total += g[i] * g[i]
    norms[2 * (first // part)] = total
