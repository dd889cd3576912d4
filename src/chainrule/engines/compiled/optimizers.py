"""Compiled twins of ``optimizers.py``: the whole update in one pass over the parameters.

Where the reference makes a pass for every operation, a kernel here reads a weight, its gradient and
what is remembered of it once, and writes them once. What is remembered stands in the vectors of the
``OptimizerState``, so either engine can take over from the other. Only those that the reference
uses within a step, and that mean nothing after it, are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.engines.compiled.adaptive import adadelta_update, adam_update, root_update
from chainrule.engines.compiled.kernel import RATE, SHRINK, Kernel, flat, kernel, number
from chainrule.engines.compiled.plan import NoTwin, Plan
from chainrule.engines.compiled.updates import decayed, forget_vanished, vector
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
    return *settings, isinstance(optimizer, Nadam), *vectors, *largest, optimizer.epsilon_hat


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
