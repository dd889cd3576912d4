"""Compiled twins of ``optimizers.py``: the whole update in one pass over the parameters.

Where the reference makes a pass for every operation, a kernel here reads a weight, its gradient and
what is remembered of it once, and writes them once. What is remembered stands in the vectors of the
``OptimizerState``, so either engine can take over from the other. Only those that the reference
uses within a step, and that mean nothing after it, are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.engines.compiled.elementary import ZERO
from chainrule.engines.compiled.kernel import (
    RATE,
    SHRINK,
    UPDATE,
    Kernel,
    flat,
    helper,
    kernel,
    number,
)
from chainrule.engines.compiled.native import pointer_like, quotient
from chainrule.engines.compiled.plan import NoTwin, Plan
from chainrule.layer import Array
from chainrule.optimizer import Optimizer, OptimizerState
from chainrule.optimizers import (
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    GradientDescent,
    Lion,
    Nadam,
    RMSProp,
)

PART = 8192  # parameters that one thread updates at a time

_FORGET_EVERY = 32  # see OptimizerState.forget_vanished


@helper
def vector(address: int, like: Any, first: int, rows: int) -> Any:
    """View of a part of a vector that stands at an address."""
    return flat(pointer_like(address, like), first, rows)


@helper
def decayed(op: Any, context: Any, parameters: Any, first: int, rows: int) -> Any:
    """Shrink the weights, where there is weight decay; returns this part of the parameters."""
    theta = flat(parameters, first, rows)
    decay = number(op[1])
    if decay != 0:
        penalized = vector(op[0], parameters, first, rows)
        lost = theta.dtype.type(number(context[RATE]) * decay)
        for i in range(rows):
            theta[i] -= theta[i] * penalized[i] * lost
    return theta


@helper
def forget_vanished(context: Any, remembered: Any) -> None:
    """Set to zero what has faded to almost nothing; see ``OptimizerState.forget_vanished``."""
    if context[UPDATE] % _FORGET_EVERY == 0:
        vanished = remembered.dtype.type(np.finfo(remembered.dtype).tiny * 2**20)
        for i in range(len(remembered)):
            remembered[i] = 0 if abs(remembered[i]) < vanished else remembered[i]


@helper
def ratio(a: Any, b: Any, largest: Any) -> Any:
    """A / b, quickly, and 0 where b is infinite: the square of a gradient may be too large."""
    return ZERO if b > largest else quotient(a, b)


@helper
def largest_divisor(dtype: Any) -> float:
    """Far above every root, and its inverse is no subnormal."""
    return np.finfo(dtype).max / 16


@helper
def at_least_normal(epsilon: float, dtype: Any) -> float:
    """An ε that does not vanish in the dtype."""
    return max(epsilon, np.finfo(dtype).tiny)


@kernel
def gradient_descent_update(op, context, arena, parameters, gradients, first, rows):
    """θ ← θ - η g, with momentum where there is some."""
    theta = decayed(op, context, parameters, first, rows)
    g = flat(gradients, first, rows)
    of = theta.dtype.type
    rate = of(number(context[RATE]) * number(context[SHRINK]))
    mu, nesterov = of(number(op[2])), op[3]
    if op[4] == 0:
        for i in range(rows):
            theta[i] -= g[i] * rate
        return
    velocity = vector(op[4], parameters, first, rows)
    for i in range(rows):
        step = g[i] * rate
        v = velocity[i] * mu - step
        velocity[i] = v
        theta[i] += mu * v - step if nesterov != 0 else v
    forget_vanished(context, velocity)


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
    small = of(at_least_normal(epsilon / root, theta.dtype))
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


@kernel
def lion_update(op, context, arena, parameters, gradients, first, rows):
    """θ ← θ - η sign(β₁ m + (1 - β₁) g), then m ← β₂ m + (1 - β₂) g."""
    theta = decayed(op, context, parameters, first, rows)
    g = flat(gradients, first, rows)
    mean = vector(op[4], parameters, first, rows)
    of = theta.dtype.type
    step_decay, mean_decay = number(op[2]), number(op[3])
    beta1, beta2 = of(step_decay), of(mean_decay)
    one_less1, one_less2 = of(1 - step_decay), of(1 - mean_decay)
    shrink, rate, zero = of(number(context[SHRINK])), of(number(context[RATE])), of(0)
    for i in range(rows):
        gradient = g[i] * shrink
        m = mean[i]
        direction = m * beta1 + gradient * one_less1
        mean[i] = m * beta2 + gradient * one_less2
        theta[i] -= rate if direction > zero else (-rate if direction < zero else zero)
    forget_vanished(context, mean)


def _address(array: Array) -> int:
    return int(array.ctypes.data)


def _addresses(state: OptimizerState, *names: str) -> tuple[int, ...]:
    return tuple(_address(state.vectors[name]) for name in names)


def _gradient_descent(optimizer: GradientDescent, state: OptimizerState) -> tuple[Any, ...]:
    velocity = _addresses(state, "velocity") if optimizer.momentum else (0,)
    return optimizer.momentum, optimizer.nesterov, *velocity


def _adagrad(optimizer: Adagrad, state: OptimizerState) -> tuple[Any, ...]:
    return 1.0, 1.0, optimizer.epsilon, *_addresses(state, "sum_of_squares")


def _rmsprop(optimizer: RMSProp, state: OptimizerState) -> tuple[Any, ...]:
    factor = (1 - optimizer.decay) ** -0.5
    return optimizer.decay, factor, optimizer.epsilon, *_addresses(state, "squares")


def _adadelta(optimizer: Adadelta, state: OptimizerState) -> tuple[Any, ...]:
    vectors = _addresses(state, "squares", "step_squares")
    return optimizer.decay, optimizer.epsilon, *vectors


def _adam(optimizer: Adam, state: OptimizerState) -> tuple[Any, ...]:
    vectors = _addresses(state, "gradient_sum", "squares")
    largest = _addresses(state, "largest_squares") if isinstance(optimizer, AMSGrad) else (0,)
    settings = optimizer.mean_decay, optimizer.square_decay, optimizer.epsilon
    return *settings, isinstance(optimizer, Nadam), *vectors, *largest


def _lion(optimizer: Lion, state: OptimizerState) -> tuple[Any, ...]:
    return optimizer.step_decay, optimizer.mean_decay, *_addresses(state, "mean")


_KERNELS: dict[type[Optimizer], tuple[Kernel, Callable[..., tuple[Any, ...]]]] = {
    GradientDescent: (gradient_descent_update, _gradient_descent),
    Adagrad: (root_update, _adagrad),
    RMSProp: (root_update, _rmsprop),
    Adadelta: (adadelta_update, _adadelta),
    Adam: (adam_update, _adam),
    AMSGrad: (adam_update, _adam),
    AdamW: (adam_update, _adam),
    Nadam: (adam_update, _adam),
    Lion: (lion_update, _lion),
}


def plan_update(optimizer: Optimizer, state: OptimizerState, penalized: Array, plan: Plan) -> None:
    """Plan the update of all parameters.

    Raises
    ------
    NoTwin
        When the optimizer cannot be compiled.
    """
    if type(optimizer) not in _KERNELS:
        raise NoTwin(f"{type(optimizer).__name__} has no compiled form")
    update, settings = _KERNELS[type(optimizer)]
    common = (_address(penalized), float(optimizer.weight_decay))
    count = len(plan.parameters.values)
    plan.parts(update, count, PART, *common, *settings(optimizer, state))
