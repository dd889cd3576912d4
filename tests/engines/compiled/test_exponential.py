"""e^x and its kin in compiled code: right to the last digits, and several numbers at once."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from contracts.examples import random_for
from numba import cfunc, njit
from scipy import special

from chainrule.engines.compiled import elementary
from chainrule.engines.compiled.elementwise import value_kernel
from chainrule.engines.compiled.exponential import exponential, exponential_minus_one, within
from chainrule.engines.compiled.kernel import _OPTIONS, _signature
from chainrule.layer import Array

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# Function, NumPy's, where from and to, and how many units of the last digit it may be off.
FUNCTIONS: list[tuple[Any, Callable[[Array], Array], float, float, float]] = [
    (exponential, np.exp, -86.9, 88.7, 2),
    (exponential, np.exp, -1, 1, 2),
    (exponential_minus_one, np.expm1, -86.9, 88.7, 2),
    (exponential_minus_one, np.expm1, -0.4, 0.4, 2),
    (exponential_minus_one, np.expm1, -1e-6, 1e-6, 2),
    (elementary.sigmoid, special.expit, -30, 30, 3),
    (elementary.hyperbolic_tangent, np.tanh, -10, 10, 3),
    (elementary.hyperbolic_tangent, np.tanh, -1e-3, 1e-3, 3),
    (elementary.softplus, lambda z: np.logaddexp(z, 0), -30, 30, 4),
    (elementary.logarithm_of_one_plus, np.log1p, 0, 1, 4),
    (elementary.logarithm_of_one_plus, np.log1p, 0, 1e-5, 4),
    (elementary.probability_below, special.ndtr, -2, 8, 16),
]


@functools.cache
def looped(function: Any) -> Any:
    """Compile a loop over a function of compiled code."""

    @njit(error_model="numpy", fastmath=_OPTIONS["fastmath"])
    def loop(x: Array, found: Array) -> None:
        for i in range(len(x)):
            found[i] = function(x[i])

    return loop


def applied(function: Any, x: Array) -> Array:
    """Call a function of compiled code on each number."""
    found = np.empty_like(x)
    looped(function)(x, found)
    return found


@DTYPES
@pytest.mark.parametrize(
    ("function", "exact", "low", "high", "units"), FUNCTIONS,
    ids=[f"{case[0].__name__} from {case[2]} to {case[3]}" for case in FUNCTIONS],
)  # fmt: skip
def test_last_digits(
    function: Any, exact: Any, low: float, high: float, units: float, dtype: Any
) -> None:
    if dtype is np.float64 and high > 80:
        low, high = -708.0, 709.7
    x = random_for(low, high).uniform(low, high, 100_000).astype(dtype)
    expected = exact(x.astype(np.float64))
    last_digit = np.spacing(np.abs(expected).astype(dtype)).astype(np.float64)
    # In float64 what it is compared with is off by a unit itself.
    allowed = units + (dtype is np.float64)
    assert (np.abs(applied(function, x) - expected) / last_digit).max() <= allowed


@DTYPES
def test_ends_of_the_range(dtype: Any) -> None:
    limits = np.finfo(dtype)
    largest = np.nextafter(np.log(limits.max, dtype=dtype), dtype(0))
    smallest = np.log(limits.tiny * 2, dtype=dtype)
    x = np.array(
        [
            np.nan, np.inf, limits.max, np.nextafter(largest, dtype(np.inf)) + 1, largest, smallest,
            smallest - 30, limits.min, -np.inf, 0.0, limits.smallest_subnormal, -limits.tiny,
        ],
        dtype,
    )  # fmt: skip
    found = applied(exponential, x)
    with np.errstate(all="ignore"):
        exact = np.exp(x)
    exact[np.abs(exact) < limits.tiny] = 0
    np.testing.assert_allclose(found, exact, rtol=4 * limits.eps)
    np.testing.assert_array_equal(np.isinf(found), np.isinf(exact))
    with np.errstate(all="ignore"):
        less_one = np.expm1(x)
    np.testing.assert_allclose(
        applied(exponential_minus_one, x), less_one, rtol=4 * limits.eps, atol=limits.tiny
    )


@DTYPES
@pytest.mark.parametrize("function", [case[0] for case in FUNCTIONS[5:]], ids=lambda f: f.__name__)
def test_what_is_not_finite(function: Any, dtype: Any) -> None:
    exact = next(case[1] for case in FUNCTIONS if case[0] is function)
    x = np.array([np.nan, 0.0, 1.0, 0.5], dtype)
    if function is not elementary.logarithm_of_one_plus:
        x = np.append(x, np.array([np.inf, -np.inf, 1e30, -1e30], dtype))
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(applied(function, x), exact(x), rtol=1e-6)


@DTYPES
def test_bounds(dtype: Any) -> None:
    low, high = dtype(-2), dtype(3)
    x = np.array([-5, -2, 0, 3, 7, np.nan, np.inf, -np.inf], dtype)

    @njit
    def bounded(x: float) -> float:
        return within(x, low, high)

    np.testing.assert_array_equal([bounded(value) for value in x], np.clip(x, low, high))


@DTYPES
@pytest.mark.parametrize(
    "function",
    [exponential, exponential_minus_one, *(case[0] for case in FUNCTIONS[5:])],
    ids=lambda f: f.__name__,
)
def test_several_numbers_go_through_at_once(function: Any, dtype: Any) -> None:
    """The loop of a kernel multiplies vectors, and calls nothing."""

    @elementary.scalar
    def value(z: Any, s: Any, t: Any) -> Any:
        return function(z)

    options = _OPTIONS | {"cache": False}
    loop = cfunc(_signature(np.dtype(dtype)), **options)(value_kernel(value).function)
    kind = "float" if dtype is np.float32 else "double"
    code = loop.inspect_llvm()
    assert re.search(rf"= fadd [\w ]*<\d+ x {kind}>", code)
    assert not re.search(r"call [^\n]*@(exp|log|erfc|tanh)", code)
