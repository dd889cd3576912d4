"""e^x in a form that compilers turn into vector instructions.

A loop over the C library's ``exp`` takes one number at a time. Here e^x = 2^k · e^r, with k the
nearest whole number to x / ln 2: 2^k is written into the exponent's bits, and e^r - 1, for
|r| <= ln 2 / 2, is the beginning of its Taylor series (Cody and Waite, "Software Manual for the
Elementary Functions", 1980). Nothing branches, so several numbers go through at once.

The results are within two units of the last digit, infinite where the exact ones are too large for
the dtype, and 0 below one and a half times its smallest normal number. NaN stays NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload, register_jitable

from chainrule.engines.compiled.native import (
    bits_of_float32,
    bits_of_float64,
    float32_of_bits,
    float64_of_bits,
)

# How functions of single numbers are compiled. A multiplication may be joined with an addition, but
# nothing may be put in another order, not even where a kernel allows it for its sums: the rounding
# below would be simplified away.
PART_OF_LOOP: dict[str, Any] = {"fastmath": {"contract"}, "forceinline": True}

# Added to a small number, this moves its whole part into the last bits, rounded to the nearest.
_ROUND_64 = 1.5 * 2.0**52
_ROUND_64_BITS = int(np.float64(_ROUND_64).view(np.int64))
_ROUND_32 = np.float32(1.5 * 2.0**23)
_ROUND_32_BITS = np.int32(_ROUND_32.view(np.int32))

_PER_LN2_64 = float(1 / np.log(2.0))
_LN2_64_HIGH = 0.6931471803691238  # its last digits are zero, so that k times this is exact
_LN2_64_LOW = 1.9082149292705877e-10
_LOW_64, _HIGH_64 = -708.5, 710.0  # k is -1022 and 1024
_PER_LN2_32 = np.float32(1 / np.log(2.0))
_LN2_32_HIGH = np.float32(0.693359375)
_LN2_32_LOW = np.float32(-2.12194440e-4)
_LOW_32, _HIGH_32 = np.float32(-87.5), np.float32(89.0)  # k is -126 and 128
_HALF_32, _TWO_32 = np.float32(0.5), np.float32(2)


@register_jitable(**PART_OF_LOOP)
def within(x: Any, low: Any, high: Any) -> Any:
    """Bring x within two bounds; NaN stays."""
    x = low if x < low else x
    return high if x > high else x


@register_jitable(**PART_OF_LOOP)
def _split_64(x: float) -> tuple[float, float]:
    """½ 2^k and e^r - 1, with e^x = 2^k · e^r.

    2^1024 is too large for the dtype, half of it is not; half of 2^-1022 comes out as 0.
    """
    near = within(x, _LOW_64, _HIGH_64)
    rounded = near * _PER_LN2_64 + _ROUND_64
    k = bits_of_float64(rounded) - _ROUND_64_BITS
    whole = rounded - _ROUND_64
    r = (near - whole * _LN2_64_HIGH) - whole * _LN2_64_LOW
    series = 1.6059043836821613e-10  # 1/13!, and so on down
    series = series * r + 2.08767569878681e-09
    series = series * r + 2.505210838544172e-08
    series = series * r + 2.755731922398589e-07
    series = series * r + 2.7557319223985893e-06
    series = series * r + 2.48015873015873e-05
    series = series * r + 0.0001984126984126984
    series = series * r + 0.001388888888888889
    series = series * r + 0.008333333333333333
    series = series * r + 0.041666666666666664
    series = series * r + 0.16666666666666666
    series = series * r + 0.5
    return float64_of_bits((k + 1022) << 52), series * r * r + r


@register_jitable(**PART_OF_LOOP)
def _split_32(x: np.float32) -> tuple[np.float32, np.float32]:
    near = within(x, _LOW_32, _HIGH_32)
    rounded = near * _PER_LN2_32 + _ROUND_32
    k = np.int32(bits_of_float32(rounded) - _ROUND_32_BITS)
    whole = rounded - _ROUND_32
    r = (near - whole * _LN2_32_HIGH) - whole * _LN2_32_LOW
    series = np.float32(0.00019841270)  # 1/7!, and so on down
    series = series * r + np.float32(0.0013888889)
    series = series * r + np.float32(0.008333334)
    series = series * r + np.float32(0.041666668)
    series = series * r + np.float32(0.16666667)
    series = series * r + np.float32(0.5)
    return float32_of_bits(np.int32((k + np.int32(126)) << np.int32(23))), series * r * r + r


def exponential(x: Any) -> Any:
    """e^x for one float32 or float64, in compiled code."""
    raise NotImplementedError("exponential works in compiled code only")


@overload(exponential, jit_options=PART_OF_LOOP)
def _choose_exponential(x: Any) -> Any:
    return {types.float32: _exponential_32, types.float64: _exponential_64}.get(x)


def _exponential_64(x: Any) -> Any:
    half, rest = _split_64(x)
    return (half + half * rest) * 2.0


def _exponential_32(x: Any) -> Any:
    half, rest = _split_32(x)
    return (half + half * rest) * _TWO_32


def exponential_minus_one(x: Any) -> Any:
    """e^x - 1, exact to the last digits also where e^x is nearly 1; in compiled code."""
    raise NotImplementedError("exponential_minus_one works in compiled code only")


@overload(exponential_minus_one, jit_options=PART_OF_LOOP)
def _choose_minus_one(x: Any) -> Any:
    return {types.float32: _minus_one_32, types.float64: _minus_one_64}.get(x)


def _minus_one_64(x: Any) -> Any:
    half, rest = _split_64(x)
    return (half * rest + (half - 0.5)) * 2.0


def _minus_one_32(x: Any) -> Any:
    half, rest = _split_32(x)
    return (half * rest + (half - _HALF_32)) * _TWO_32
