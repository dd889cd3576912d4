"""Functions of one number that activations and losses are made of, as vector instructions.

They are for compiled code, take a float32 or a float64, and stay in that dtype.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from chainrule.engines.compiled.exponential import exponential, exponential_minus_one
from chainrule.engines.compiled.kernel import helper

# As small integers these do not turn a float32 that they meet into a float64.
ZERO, ONE, TWO = np.int8(0), np.int8(1), np.int8(2)


@helper
def sigmoid(z: Any) -> Any:
    """1 / (1 + e^-z)."""
    return ONE / (ONE + exponential(-z))


@helper
def hyperbolic_tangent(z: Any) -> Any:
    """Tanh z = ±(1 - e^-2|z|) / (1 + e^-2|z|)."""
    e_minus_one = exponential_minus_one(-(abs(z) + abs(z)))
    distance = -e_minus_one / (TWO + e_minus_one)
    return -distance if z < ZERO else distance


@helper
def softplus(z: Any) -> Any:
    """Log(1 + e^z), as max(z, 0) + log(1 + e^-|z|) so that nothing overflows."""
    return (z if z > ZERO else ZERO) + logarithm_of_one_plus(exponential(-abs(z)))


@helper
def probability_below(z: Any) -> Any:
    """Φ(z), the chance that a standard normal number is below z."""
    return math.erfc(-z * like(z, math.sqrt(0.5))) / TWO


def like(z: Any, value: float) -> Any:
    """Value in the dtype of z; constants are written so, for one float64 would slow down all."""
    raise NotImplementedError("like works in compiled code only")


@overload(like)
def _choose_like(z: Any, value: float) -> Any:
    of = {types.float32: np.float32, types.float64: np.float64}[z]

    def converted(z: Any, value: float) -> Any:
        return of(value)

    return converted


def logarithm_of_one_plus(u: Any) -> Any:
    """Log(1 + u) for u from 0 to 1.

    It is 2 artanh s with s = u / (2 + u), and s <= 1/3 makes artanh's series s + s³/3 + s⁵/5 + ...
    short.
    """
    raise NotImplementedError("logarithm_of_one_plus works in compiled code only")


@overload(logarithm_of_one_plus, jit_options={"fastmath": {"contract"}})
def _choose_logarithm(u: Any) -> Any:
    terms, of = {types.float32: (7, np.float32), types.float64: (16, np.float64)}[u]

    def logarithm(u: Any) -> Any:
        s = u / (TWO + u)
        square = s * s
        series = of(1) / of(2 * terms - 1)
        for n in range(terms - 1, 0, -1):
            series = series * square + of(1) / of(2 * n - 1)
        return TWO * s * series

    return logarithm
