"""Expressions with numbers in them: put in the place of names, or computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Derivative,
    Expression,
    More,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    rebuilt,
)

Value: TypeAlias = Callable[[Name | Derivative], float]  # what a symbol stands for


def with_numbers(expression: Expression, value: Value) -> Expression:
    """Put the number in the place of each name."""
    match expression:
        case Name() | Derivative():
            return Number(value(expression), is_given=True)
        case More(count, more):
            return More(count, more, is_given=True)
    return rebuilt(expression, lambda part: with_numbers(part, value))


def evaluate(expression: Expression, value: Value) -> float:
    """Compute an expression of numbers, in float64."""
    match expression:
        case Number(number) | More(_, number):
            return number
        case Name() | Derivative():
            return value(expression)
        case Sum(terms):
            return _total([evaluate(term, value) for term in terms])
        case Product(factors):
            return math.prod(evaluate(factor, value) for factor in factors)
        case Negative(of):
            return -evaluate(of, value)
        case Quotient(top, bottom):
            return _divided(evaluate(top, value), evaluate(bottom, value))
        case Power(base, exponent):
            return _raised(evaluate(base, value), evaluate(exponent, value))
        case Call(function, arguments):
            return FUNCTIONS[function](*(evaluate(argument, value) for argument in arguments))
        case Cases(cases):
            for case, condition in cases:
                if condition is None or holds(condition, value):
                    return evaluate(case, value)
    raise TypeError(f"{expression!r} is no expression of single numbers.")


def holds(condition: Comparison, value: Value) -> bool:
    """Whether the condition of a case is true."""
    left, right = evaluate(condition.left, value), evaluate(condition.right, value)
    return COMPARISONS[condition.sign](left, right)


# What has no finite result is infinite or no number here, as it is in arrays, and no exception.


def _total(numbers: list[float]) -> float:
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # too large, or ∞ - ∞
        return sum(numbers)


def _divided(top: float, bottom: float) -> float:
    if bottom:
        return top / bottom
    return math.copysign(math.inf, top) if top and not math.isnan(top) else math.nan


def _raised(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf if base > 0 or exponent % 2 == 0 else -math.inf
    except ValueError:  # 0 to a negative power, or a root of a negative number
        return math.nan if base else math.inf


FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": lambda z: math.inf if z >= 709 else math.exp(z),
    "log": lambda z: math.log(z) if z > 0 else math.nan if z else -math.inf,
    "sqrt": lambda z: math.sqrt(z) if z >= 0 else math.nan,
    "tanh": math.tanh,
    "cosh": lambda z: math.inf if abs(z) >= 709 else math.cosh(z),
    "sin": lambda z: math.sin(z) if math.isfinite(z) else math.nan,
    "cos": lambda z: math.cos(z) if math.isfinite(z) else math.nan,
    "erf": math.erf,
    "Abs": abs,
    "sign": lambda z: float((z > 0) - (z < 0)),
    "Max": lambda *numbers: max(numbers),
    "Min": lambda *numbers: min(numbers),
}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
