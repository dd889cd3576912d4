"""Random expressions of single numbers, and what their names stand for."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from chainrule.explain.evaluation import evaluate
from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
)

NAMES = {
    Name((0,), "z", (0, 2)): 0.75,
    Name((), "x", (1,)): -1.25,
    Name((1, 0), "weights", (0,)): 2.5,
    Name((), "y_hat"): 0.625,
    Name((2,), "d_bias", (3,)): -0.375,
}
# Exact in five digits, so that text holds all of each number.
NUMBERS = st.builds(
    Number, st.sampled_from([-3.5, -1.0, -0.25, 0.5, 1.0, 2.0, 4.125]), is_given=st.booleans()
)
LEAVES = NUMBERS | st.sampled_from(list(NAMES))


def value(name: Any) -> float:
    """Look the value of a name up."""
    return NAMES[name]


def arithmetic(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Sums, products, fractions, powers and functions that text and SymPy write alike."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    exponents = st.sampled_from(
        [Number(2.0), Number(3.0), Negative(Number(1.0)), Number(2.0, True)]
    )
    return (
        st.builds(Sum, several)
        | st.builds(Negative, inner)
        | st.builds(Product, several)
        | st.builds(Quotient, inner, inner)
        | st.builds(Power, inner, exponents)
        | st.builds(Call, st.sampled_from(["exp", "tanh", "sin", "cos"]), inner.map(lambda z: (z,)))
        | inner.map(lambda z: Call("sqrt", (Power(z, Number(2.0)),)))
    )


def everything(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """The same, with cases and the functions that text writes in a way of its own."""
    conditions = st.builds(Comparison, inner, st.sampled_from(["<", "<=", ">", ">="]), inner)
    return (
        arithmetic(inner)
        | st.builds(Call, st.sampled_from(["Abs", "sign", "erf"]), inner.map(lambda z: (z,)))
        | st.builds(Call, st.sampled_from(["Max", "Min"]), st.tuples(inner, inner))
        | st.builds(
            lambda first, when, other: Cases(((first, when), (other, None))),
            inner,
            conditions,
            inner,
        )
    )


ARITHMETIC = st.recursive(LEAVES, arithmetic, max_leaves=10)
EXPRESSIONS = st.recursive(LEAVES, everything, max_leaves=10)


def known_value(expression: Expression) -> float | None:
    """Value of an expression; None where it has none, or where it hangs on the last digit."""
    try:
        found = evaluate(expression, value)
        moved = evaluate(expression, lambda name: NAMES[name] * (1 + 1e-13))
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    is_steady = math.isfinite(found) and math.isclose(found, moved, rel_tol=1e-9, abs_tol=1e-12)
    return found if is_steady and abs(found) < 1e12 else None
