"""Compiled twins of the cross-entropies in ``losses.py``: how surprising is what happened?

The targets of all but two are ``keep`` y + ``spread``: see ``SmoothedLoss``.
"""

from __future__ import annotations

import numpy as np

from chainrule.engines.compiled.elementary import (
    ONE,
    ZERO,
    logarithm_of_one_plus,
    scalar,
    sigmoid,
    smallest_step,
)
from chainrule.engines.compiled.elementwise import add_to_loss
from chainrule.engines.compiled.exponential import exponential, within
from chainrule.engines.compiled.kernel import flat, kernel, number, rows_of
from chainrule.engines.compiled.vector_activations import (
    exponentials_of,
    largest_of,
    log_probability,
)


@scalar
def inside(p):
    """Keep a probability off 0 and 1, as the reference does."""
    return within(p, smallest_step(p), ONE - smallest_step(p))


@scalar
def binary(p, y, keep, spread):
    """-y log p - (1 - y) log(1 - p)."""
    p, y = inside(p), y * keep + spread
    return -y * np.log(p) - (ONE - y) * np.log1p(-p)


@scalar
def binary_slope(p, y, keep, spread):
    """(p - y) / (p (1 - p))."""
    p, y = inside(p), y * keep + spread
    return (p - y) / (p * (ONE - p))


@scalar
def sigmoid_binary(z, y, keep, spread):
    """Y softplus(-z) + (1 - y) softplus(z)."""
    y = y * keep + spread
    steep = (ONE - y) * z if z > ZERO else -y * z
    return steep + logarithm_of_one_plus(exponential(-abs(z)))


@scalar
def sigmoid_binary_slope(z, y, keep, spread):
    """Σ(z) - y."""
    return sigmoid(z) - (y * keep + spread)


@scalar
def categorical(p, y, keep, spread):
    """-y log p."""
    return -(y * keep + spread) * np.log(inside(p))


@scalar
def categorical_slope(p, y, keep, spread):
    """-y / p."""
    return -(y * keep + spread) / inside(p)


@scalar
def likelihood(y_hat, y, s, t):
    """-y ŷ, where ŷ is a logarithm."""
    return -y * y_hat


@scalar
def likelihood_slope(y_hat, y, s, t):
    """-y."""
    return -y


@scalar
def divergence(p, y, s, t):
    """Y log(y / p); 0 log 0 counts as 0."""
    return y * (np.log(y if y > ZERO else ONE) - np.log(inside(p)))


@scalar
def divergence_slope(p, y, s, t):
    """-y / p."""
    return -y / inside(p)


@kernel
def softmax_cross_entropy(op, context, arena, parameters, gradients, first, rows):
    """-Σ y log softmax(z) and softmax(z) Σ y - y, each times the weight of its sample."""
    size, classes = op[4], op[7]
    groups = size // classes
    z = rows_of(arena, op[0] + first * size, 0, rows * groups, classes)
    y = rows_of(arena, op[1] + first * size, 0, rows * groups, classes)
    weight = flat(arena, op[2] + first, rows)
    d_z = rows_of(arena, op[3] + first * size, 0, rows * groups, classes)
    of = weight.dtype.type
    keep, spread = of(number(op[5])), of(number(op[6]))
    total = 0.0
    for group in range(rows * groups):
        largest = largest_of(z[group])
        for i in range(classes):
            d_z[group, i] = z[group, i]
        exponentials = exponentials_of(d_z[group], largest)
        logarithm = np.log(exponentials)
        per_sum = of(1) / exponentials
        weighs = weight[group // groups]
        term = of(0)
        for i in range(classes):
            certain = y[group, i] * keep + spread
            term -= certain * log_probability(z[group, i], largest, logarithm)
            d_z[group, i] = weighs * (d_z[group, i] * per_sum - certain)
        total += weighs * term
    add_to_loss(context, total)
