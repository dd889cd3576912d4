"""What the kernels of all optimizers have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.engines.compiled.elementary import ZERO
from chainrule.engines.compiled.kernel import RATE, UPDATE, flat, helper, number
from chainrule.engines.compiled.native import pointer_like, quotient

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
