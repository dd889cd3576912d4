"""What expressions are for whoever writes them: which are taken off, which are fractions."""

from __future__ import annotations

from chainrule.explain.expression import (
    Derivative,
    Expression,
    More,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    multiply,
)
from chainrule.explain.symbols import symbol_of


def is_derivative(expression: Expression) -> bool:
    """Whether it is written as a fraction, ∂L/∂z."""
    if isinstance(expression, Name):
        return symbol_of(expression).is_derivative
    return isinstance(expression, Derivative)


def as_number(number: Number | More) -> Number:
    """Return the number that stands for terms left out."""
    return number if isinstance(number, Number) else Number(number.value, is_given=True)


def flat_terms(expression: Expression) -> tuple[Expression, ...]:
    """Terms of a sum and of the sums in it; of anything else it alone."""
    if isinstance(expression, Sum):
        return tuple(inner for term in expression.terms for inner in flat_terms(term))
    return (expression,)


def taken_off(expression: Expression) -> Expression | None:
    """What is left of a term whose minus sign has been taken away; None if there is none.

    A number that was put in keeps its sign, to be seen.
    """
    match expression:
        case Negative(of):
            return of
        case Number(value, is_given=False) if value < 0:
            return Number(-value)
        case Product((first, *others)):
            rest = taken_off(first)
            if rest is None:
                return None
            return multiply(*others) if rest == Number(1.0) and others else multiply(rest, *others)
        case Quotient(top, bottom):
            rest = taken_off(top)
            return None if rest is None else Quotient(rest, bottom)
    return None
