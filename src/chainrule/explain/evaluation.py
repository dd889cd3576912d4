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
            return math.fsum(evaluate(term, value) for term in terms)
        case Product(factors):
            return math.prod(evaluate(factor, value) for factor in factors)
        case Negative(of):
            return -evaluate(of, value)
        case Quotient(top, bottom):
            return evaluate(top, value) / evaluate(bottom, value)
        case Power(base, exponent):
            return float(evaluate(base, value) ** evaluate(exponent, value))
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


FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": lambda z: math.exp(z) if z < 709 else math.inf,
    "log": lambda z: math.log(z) if z > 0 else -math.inf,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "cosh": lambda z: math.cosh(z) if abs(z) < 709 else math.inf,
    "sin": math.sin,
    "cos": math.cos,
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
