"""Formulas made concrete: from the string beside the code to a function of numbers.

The numbers are mpmath's, with forty digits, so that "equal" can mean equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import sympy

from chainrule.layer import Array

DIGITS = 40
CLASSES = 3  # what K is where a formula sums over the classes of a sample

_VARIABLES = ("z", "a", "y", "y_hat")
_INDICES = {name: sympy.Symbol(name, integer=True) for name in ("i", "j", "k")}


def is_indexed(formula: str) -> bool:
    """Whether a formula mixes the numbers of one sample: written in ``z[j]``, not in ``z``."""
    return re.search(r"\w\[", formula) is not None


def parse(formula: str, owner: object) -> sympy.Expr:
    """Read a formula: variables and the names of the owner's settings are real symbols."""
    words = set(re.findall(r"[A-Za-z_]\w*", formula))
    bases = set(re.findall(r"(\w+)\[", formula))
    symbols = {
        word: sympy.IndexedBase(word, real=True) if word in bases else real(word)
        for word in words
        if word in _VARIABLES or hasattr(owner, word)
    }
    if not bases:
        return sympy.sympify(formula, locals=symbols)
    count = sympy.Symbol("K", integer=True, positive=True)
    parsed = sympy.sympify(formula, locals=symbols | _INDICES | {"K": count})
    return parsed.subs(count, CLASSES)


def at(expression: sympy.Expr, **indices: int) -> sympy.Expr:
    """Give the free indices (from 1) their numbers, write sums out, and make z[2] the symbol z2."""
    chosen = expression.subs({_INDICES[name]: index for name, index in indices.items()}).doit()
    return chosen.replace(
        lambda part: isinstance(part, sympy.Indexed),
        lambda part: real(f"{part.base}{part.indices[0]}"),
    )


def real(name: str) -> sympy.Symbol:
    """Return the real symbol of that name."""
    return sympy.Symbol(name, real=True)


def components(name: str) -> list[sympy.Symbol]:
    """Symbols of one sample's numbers: z1, z2, z3."""
    return [real(f"{name}{index}") for index in range(1, CLASSES + 1)]


def number_of(expression: sympy.Expr, owner: object) -> Callable[[Mapping[str, Any]], mpmath.mpf]:
    """Make a function that puts numbers in the place of symbols; settings are the owner's own."""
    symbols = sorted(expression.free_symbols, key=str)
    function = sympy.lambdify(symbols, expression, "mpmath")

    def setting(name: str) -> float:
        return np.asarray(getattr(owner, name), dtype=np.float64).item()

    def evaluate(values: Mapping[str, Any]) -> mpmath.mpf:
        with mpmath.workdps(DIGITS):
            numbers = [values[s.name] if s.name in values else setting(s.name) for s in symbols]
            return mpmath.mpf(function(*map(mpmath.mpf, numbers)))

    return evaluate


def assert_same(left: mpmath.mpf, right: mpmath.mpf) -> None:
    """Compare two numbers of forty digits, leaving ten of them to rounding."""
    with mpmath.workdps(DIGITS):
        assert mpmath.almosteq(left, right, rel_eps=mpmath.mpf(10) ** -30), f"{left} != {right}"


def assert_code_equals(code: Array, numbers: Any) -> None:
    """Compare what the code computes in float64 with the formula's numbers."""
    expected = np.array(numbers, dtype=np.float64).reshape(code.shape)
    np.testing.assert_allclose(code, expected, rtol=1e-12, atol=1e-14)
