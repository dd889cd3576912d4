"""Kernels of the optimizers that divide by the root of squared gradients: see ``optimizers.py``."""

from __future__ import annotations

import numpy as np

from chainrule.engines.compiled.kernel import RATE, SHRINK, UPDATE, flat, kernel, number
from chainrule.engines.compiled.updates import (
    at_least_normal,
    decayed,
    forget_vanished,
    largest_divisor,
    ratio,
    vector,
)


@kernel
def root_update(op, context, arena, parameters, gradients, first, rows):
    """S ← ρ s + g², θ ← θ - η g / (√s + ε): Adagrad, and RMSProp, whose η and ε have a factor."""
    keep, factor, epsilon = number(op[2]), number(op[3]), number(op[4])
    theta = decayed(op, context, parameters, first, rows)
    g = flat(gradients, first, rows)
    squares = vector(op[5], parameters, first, rows)
    of = theta.dtype.type
    rho, shrink = of(keep), of(number(context[SHRINK]))
    rate = of(number(context[RATE]) * factor)
    small = of(at_least_normal(epsilon * factor, theta.dtype))
    largest = of(largest_divisor(theta.dtype))
    for i in range(rows):
        gradient = g[i] * shrink
        s = squares[i] * rho + gradient * gradient
        squares[i] = s
        theta[i] -= ratio(rate * gradient, np.sqrt(s) + small, largest)
    forget_vanished(context, squares)


@kernel
def adadelta_update(op, context, arena, parameters, gradients, first, rows):
    """S ← ρ s + g², Δ = g √((d + ε) / (s + ε)), d ← ρ d + Δ², θ ← θ - η Δ."""
    keep, epsilon = number(op[2]), number(op[3])
    theta = decayed(op, context, parameters, first, rows)
    g = flat(gradients, first, rows)
    squares = vector(op[4], parameters, first, rows)
    step_squares = vector(op[5], parameters, first, rows)
    of = theta.dtype.type
    rho, shrink, rate = of(keep), of(number(context[SHRINK])), of(number(context[RATE]))
    small = of(at_least_normal(epsilon / (1 - keep), theta.dtype))
    largest = of(largest_divisor(theta.dtype))
    for i in range(rows):
        gradient = g[i] * shrink
        s = squares[i] * rho + gradient * gradient
        squares[i] = s
        d = step_squares[i]
        change = gradient * np.sqrt(ratio(d + small, s + small, largest))
        step_squares[i] = d * rho + change * change
        theta[i] -= rate * change
    forget_vanished(context, squares)
    forget_vanished(context, step_squares)


@kernel
def adam_update(op, context, arena, parameters, gradients, first, rows):
    """θ ← θ - η m̂ / (√ŝ + ε) for Adam and its kin; m and s are sums, see ``optimizers.py``.

    m̂ is a part of m, and with Nadam also a part of the gradient. With AMSGrad the largest s counts.
    Where ε is the paper's ε̂, it is added before the correction of s.
    """
    mean_decay, square_decay, epsilon, looks_ahead = (
        number(op[2]),
        number(op[3]),
        number(op[4]),
        op[5],
    )
    theta = decayed(op, context, parameters, first, rows)
    g = flat(gradients, first, rows)
    total = vector(op[6], parameters, first, rows)
    squares = vector(op[7], parameters, first, rows)
    of = theta.dtype.type
    t = context[UPDATE]
    root = np.sqrt((1 - square_decay) / (1 - square_decay**t))
    rate = number(context[RATE]) * (1 - mean_decay) / root
    on_total, on_gradient = of(rate / (1 - mean_decay**t)), of(0)
    if looks_ahead != 0:
        on_gradient = on_total
        on_total = of(rate * mean_decay / (1 - mean_decay ** (t + 1)))
    before_epsilon = np.sqrt(1 - square_decay) if op[9] != 0 else root
    small = of(at_least_normal(epsilon / before_epsilon, theta.dtype))
    largest = of(largest_divisor(theta.dtype))
    shrink = of(number(context[SHRINK]))
    beta1, beta2 = of(mean_decay), of(square_decay)
    if op[8] == 0:
        for i in range(rows):
            gradient = g[i] * shrink
            m = total[i] * beta1 + gradient
            s = squares[i] * beta2 + gradient * gradient
            total[i] = m
            squares[i] = s
            direction = on_total * m + on_gradient * gradient
            theta[i] -= ratio(direction, np.sqrt(s) + small, largest)
    else:
        largest_squares = vector(op[8], parameters, first, rows)
        for i in range(rows):
            gradient = g[i] * shrink
            m = total[i] * beta1 + gradient
            s = squares[i] * beta2 + gradient * gradient
            total[i] = m
            squares[i] = s
            s = max(s, largest_squares[i])
            largest_squares[i] = s
            theta[i] -= ratio(on_total * m, np.sqrt(s) + small, largest)
        forget_vanished(context, largest_squares)
    forget_vanished(context, total)
    forget_vanished(context, squares)
