"""What NumPy offers for arrays, for single numbers in compiled code.

Definitions are written for arrays and compiled for one number at a time (``definitions.py``). These
take the place of NumPy's functions there, and of the attributes that an array has and a number in
compiled code has not. Names with ``ATTRIBUTE`` before them are ours alone, so that nothing changes
for other users of numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload_attribute, overload_method
from numba.np.numpy_support import as_dtype

from chainrule import activations
from chainrule.engines.compiled.elementary import (
    ONE,
    ZERO,
    hyperbolic_tangent,
    logarithm_of_one_plus,
    probability_below,
    scalar,
    sigmoid,
)
from chainrule.engines.compiled.exponential import exponential, exponential_minus_one, within

ATTRIBUTE = "chainrule_number_"


@scalar
def _select(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


@scalar
def _ones_like(z: Any) -> Any:
    return z * ZERO + ONE


@scalar
def _zeros_like(z: Any) -> Any:
    return z * ZERO


@scalar
def _full_like(z: Any, value: Any) -> Any:
    return z * ZERO + value


@scalar
def _heaviside(z: Any, at_zero: Any) -> Any:
    return z * ZERO + (at_zero if z == ZERO else (ONE if z > ZERO else ZERO))


@scalar
def _logarithm_of_sum(x: Any, y: Any) -> Any:
    """Log(e^x + e^y)."""
    larger = x if x > y else y
    difference = x - y
    if difference != difference:  # of two infinities, or of NaN
        return x + y
    return larger + logarithm_of_one_plus(exponential(-abs(difference)))


# NumPy's and SciPy's functions of single numbers, by name. The others numba knows.
UFUNCS: dict[str, Any] = {
    "erf": math.erf,
    "erfc": math.erfc,
    "exp": exponential,
    "expit": sigmoid,
    "expm1": exponential_minus_one,
    "heaviside": _heaviside,
    "logaddexp": _logarithm_of_sum,
    "tanh": hyperbolic_tangent,
}

FUNCTIONS: dict[Any, Any] = {
    activations._normal_probability_below: probability_below,
    np.clip: within,
    np.full_like: _full_like,
    np.ones_like: _ones_like,
    np.where: _select,
    np.zeros_like: _zeros_like,
}

# Attributes of arrays that are asked for under our own name.
RENAMED = {"astype", "copy", "dtype"}


@overload_attribute(types.Float, f"{ATTRIBUTE}dtype")
def _dtype_of(z: Any) -> Any:
    dtype = as_dtype(z)

    def dtype_of(z: Any) -> Any:
        return dtype

    return dtype_of


@overload_method(types.Number, f"{ATTRIBUTE}astype")
@overload_method(types.Boolean, f"{ATTRIBUTE}astype")
def _as_type(z: Any, dtype: Any, copy: bool = True) -> Any:
    if isinstance(dtype, types.DType):
        number = dtype.dtype
    elif isinstance(dtype, types.NumberClass):
        number = dtype.instance_type
    else:  # the built-in float
        number = types.float64
    of = as_dtype(number).type

    def convert(z: Any, dtype: Any, copy: bool = True) -> Any:
        return of(z)

    return convert


@overload_method(types.Float, f"{ATTRIBUTE}copy")
def _copy_of(z: Any) -> Any:
    def copy_of(z: Any) -> Any:
        return z

    return copy_of
