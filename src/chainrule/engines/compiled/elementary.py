"""Functions of one number that activations and losses are made of, as vector instructions.

They are for compiled code, take a float32 or a float64, and stay in that dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload, register_jitable

from chainrule.engines.compiled.exponential import PART_OF_LOOP, exponential, exponential_minus_one

# As small integers these do not turn a float32 that they meet into a float64.
ZERO, ONE, TWO = np.int8(0), np.int8(1), np.int8(2)

_NUMPY: dict[Any, Any] = {types.float32: np.float32, types.float64: np.float64}

# Marks a function of single numbers. A call to it would keep the loop over the numbers from going
# through several at once, so its instructions become a part of the loop, however many they are.
scalar = register_jitable(error_model="numpy", **PART_OF_LOOP)


@scalar
def sigmoid(z: Any) -> Any:
    """1 / (1 + e^-z)."""
    return ONE / (ONE + exponential(-z))


@scalar
def hyperbolic_tangent(z: Any) -> Any:
    """Tanh z = ±(1 - e^-2|z|) / (1 + e^-2|z|)."""
    e_minus_one = exponential_minus_one(-(abs(z) + abs(z)))
    distance = -e_minus_one / (TWO + e_minus_one)
    return -distance if z < ZERO else distance


@scalar
def softplus(z: Any) -> Any:
    """Log(1 + e^z), as max(z, 0) + log(1 + e^-|z|) so that nothing overflows."""
    return (z if z > ZERO else ZERO) + logarithm_of_one_plus(exponential(-abs(z)))


def like(z: Any, value: float) -> Any:
    """Value in the dtype of z; constants are written so, for one float64 would slow down all."""
    raise NotImplementedError("like works in compiled code only")


@overload(like, jit_options=PART_OF_LOOP)
def _choose_like(z: Any, value: float) -> Any:
    of = _NUMPY[z]

    def converted(z: Any, value: float) -> Any:
        return of(value)

    return converted


def smallest_step(z: Any) -> Any:
    """What 1 must grow by to become another number of the dtype of z."""
    raise NotImplementedError("smallest_step works in compiled code only")


@overload(smallest_step, jit_options=PART_OF_LOOP)
def _choose_smallest_step(z: Any) -> Any:
    step = np.finfo(_NUMPY[z]).eps

    def smallest(z: Any) -> Any:
        return step

    return smallest


def logarithm_of_one_plus(u: Any) -> Any:
    """Log(1 + u) for u from 0 to 1.

    It is 2 artanh s with s = u / (2 + u), and s <= 1/3 makes artanh's series s + s³/3 + s⁵/5 + ...
    short.
    """
    raise NotImplementedError("logarithm_of_one_plus works in compiled code only")


@overload(logarithm_of_one_plus, jit_options=PART_OF_LOOP)
def _choose_logarithm(u: Any) -> Any:
    terms, of = 7 if u == types.float32 else 16, _NUMPY[u]

    def logarithm(u: Any) -> Any:
        s = u / (TWO + u)
        square = s * s
        series = of(1) / of(2 * terms - 1)
        for n in range(terms - 1, 0, -1):
            series = series * square + of(1) / of(2 * n - 1)
        return TWO * s * series

    return logarithm


# Chebyshev coefficients of log(e^(x²) erfc(x) / t) in 2 t - 1, with t = 2 / (2 + x), found with 50
# digits.
_ERFC = np.array([
    -0.651326859890854717, 0.64196979235649026, 0.0194764732041858363, -0.00956151478680863164,
    -0.000946595344482036866, 0.000366839497852761452, 4.25233248069077716e-5,
    -2.02785781125342432e-5, -1.62429000464702551e-6, 1.3036558355805232e-6,
    1.56264417220661432e-8, -8.52380959149265425e-8, 6.5290544390988515e-9,
    5.05934349555146894e-9, -9.91364156493033087e-10, -2.27365122293183586e-10,
    9.6467911020155268e-11, 2.39403808303911474e-12, -6.8860275264975534e-12,
    8.94487927309072572e-13, 3.13092139934295808e-13, -1.12708223613672524e-13,
    3.81090525518923206e-16, 7.10609761360923699e-15, -1.5230282014571043e-15,
    -9.457494571291234e-17, 1.21023718922427899e-16,
])  # fmt: skip


def probability_below(z: Any) -> Any:
    """Φ(z), the chance that a standard normal number is below z.

    It is erfc(x) / 2 with x = |z| / √2, or what is missing from that to 1; and erfc(x) is
    t e^(-x² + P(t)), P being smooth enough for a few Chebyshev polynomials.
    """
    raise NotImplementedError("probability_below works in compiled code only")


@overload(probability_below, jit_options=PART_OF_LOOP)
def _choose_probability(z: Any) -> Any:
    of = _NUMPY[z]
    half, root = of(0.5), of(np.sqrt(0.5))

    def probability(z: Any) -> Any:
        x = abs(z) * root
        t = TWO / (TWO + x)
        tail = half * t * exponential(_erfc_series(t + t - ONE) - x * x)
        return tail if z < ZERO else ONE - tail

    return probability


@intrinsic
def _erfc_series(typing: Any, u: Any) -> Any:
    """Σ c T(u) by Clenshaw's recurrence, with as many terms as the dtype can tell from nothing.

    The instructions are written one after the other: a loop within the loop over the numbers would
    keep those from going through several at once.
    """
    table = _ERFC[:11] if u == types.float32 else _ERFC

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def constant(value: float) -> Any:
            return context.get_constant(u, value)

        def times_plus(a: Any, b: Any, c: Any) -> Any:
            product = builder.fmul(a, b, flags=("contract",))
            return builder.fadd(product, c, flags=("contract",))

        twice = builder.fadd(arguments[0], arguments[0])
        now, before = constant(table[-1]), constant(0.0)
        for coefficient in table[-2:0:-1]:
            rest = builder.fsub(constant(coefficient), before)
            now, before = times_plus(twice, now, rest), now
        return times_plus(arguments[0], now, builder.fsub(constant(table[0]), before))

    return u(u), build
