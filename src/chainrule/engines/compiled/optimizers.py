"""Compiled twins of ``optimizers.py``: the whole update in one pass over the parameters.

Where the reference makes a pass for every operation, a kernel here reads a weight, its gradient and
what is remembered of it once, and writes them once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

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
from chainrule.engines.compiled.native import pointer_like
from chainrule.engines.compiled.plan import NoTwin, Plan
from chainrule.layer import Array
from chainrule.optimizer import Optimizer, OptimizerState
from chainrule.optimizers import Adam, AdamW, GradientDescent

PART = 8192  # parameters that one thread updates at a time

_FORGET_EVERY = 32  # see OptimizerState.forget_vanished


@helper
def vector(address: int, like: Any, first: int, rows: int) -> Any:
    """View of a part of a vector that stands at an address."""
    return flat(pointer_like(address, like), first, rows)


@kernel
def gradient_descent_update(op, context, arena, parameters, gradients, first, rows):
    """θ ← θ - η g, with momentum where there is some."""
    penalized = vector(op[0], parameters, first, rows)
    decay, momentum, nesterov = number(op[1]), number(op[2]), op[3]
    theta = flat(parameters, first, rows)
    g = flat(gradients, first, rows)
    of = theta.dtype.type
    rate = of(number(context[RATE]))
    shrink = of(number(context[SHRINK]))
    lost = of(number(context[RATE]) * decay)
    mu = of(momentum)
    if op[4] == 0:
        for i in range(rows):
            theta[i] -= theta[i] * penalized[i] * lost + g[i] * shrink * rate
        return
    velocity = vector(op[4], parameters, first, rows)
    for i in range(rows):
        step = g[i] * shrink * rate
        v = velocity[i] * mu - step
        velocity[i] = v
        move = mu * v - step if nesterov != 0 else v
        theta[i] += move - theta[i] * penalized[i] * lost


@kernel
def adam_update(op, context, arena, parameters, gradients, first, rows):
    """θ ← θ - η m̂ / (√ŝ + ε); m and s are kept as sums, see ``optimizers.py``."""
    penalized = vector(op[0], parameters, first, rows)
    decay, mean_decay, square_decay = number(op[1]), number(op[2]), number(op[3])
    epsilon = number(op[4])
    total = vector(op[5], parameters, first, rows)
    squares = vector(op[6], parameters, first, rows)
    theta = flat(parameters, first, rows)
    g = flat(gradients, first, rows)
    of = theta.dtype.type
    t = context[UPDATE]
    eta = number(context[RATE])
    root = np.sqrt((1 - square_decay) / (1 - square_decay**t))
    rate = of(eta * (1 - mean_decay) / (1 - mean_decay**t) / root)
    small = of(epsilon / root)
    shrink = of(number(context[SHRINK]))
    lost = of(eta * decay)
    beta1 = of(mean_decay)
    beta2 = of(square_decay)
    for i in range(rows):
        gradient = g[i] * shrink
        m = total[i] * beta1 + gradient
        s = squares[i] * beta2 + gradient * gradient
        total[i] = m
        squares[i] = s
        theta[i] -= theta[i] * penalized[i] * lost + rate * m / (np.sqrt(s) + small)
    if t % _FORGET_EVERY == 0:
        forget_vanished(total)
        forget_vanished(squares)


@helper
def forget_vanished(remembered: Any) -> None:
    """Set to zero what has faded to almost nothing; see ``OptimizerState.forget_vanished``."""
    vanished = remembered.dtype.type(np.finfo(remembered.dtype).tiny * 2**20)
    for i in range(len(remembered)):
        if abs(remembered[i]) < vanished:
            remembered[i] = 0


def _address(array: Array) -> int:
    return int(array.ctypes.data)


def _gradient_descent(optimizer: GradientDescent, state: OptimizerState) -> tuple[Any, ...]:
    velocity = _address(state.vectors["velocity"]) if optimizer.momentum else 0
    return optimizer.momentum, optimizer.nesterov, velocity


def _adam(optimizer: Adam, state: OptimizerState) -> tuple[Any, ...]:
    vectors = (_address(state.vectors[name]) for name in ("gradient_sum", "squares"))
    return optimizer.mean_decay, optimizer.square_decay, optimizer.epsilon, *vectors


_KERNELS: dict[type[Optimizer], tuple[Kernel, Callable[..., tuple[Any, ...]]]] = {
    GradientDescent: (gradient_descent_update, _gradient_descent),
    Adam: (adam_update, _adam),
    AdamW: (adam_update, _adam),
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
