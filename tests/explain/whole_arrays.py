"""Equations between whole arrays, computed with NumPy: the formula shown, run as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

from chainrule.explain import Tensor
from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    MatrixProduct,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
    parts,
    rebuilt,
)
from chainrule.layer import Array

Value = Callable[[Name], Any]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "cosh": np.cosh,
    "erf": erf,
    "Abs": np.abs,
    "sign": np.sign,
    "Max": np.maximum,
    "Min": np.minimum,
    "batch_sum": lambda a: a.sum(axis=0),
    "channel_sum": lambda a: a.reshape(-1, a.shape[-1]).sum(axis=0),
    "channel_mean": lambda a: a.reshape(-1, a.shape[-1]).mean(axis=0),
    "grand_total": np.sum,
    "total": lambda a: a.sum(axis=-1, keepdims=True),
    "channel_average": lambda a: a.mean(axis=-1, keepdims=True),
}
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def numpy_knows(expression: Expression) -> bool:
    """Whether an equation holds only what is a function of NumPy or SciPy."""
    if isinstance(expression, Call) and expression.function not in FUNCTIONS:
        return False
    return all(map(numpy_knows, parts(expression)))


def computed(expression: Expression, value: Value) -> Any:
    """Compute an equation between arrays."""
    match expression:
        case Number(number):
            return number
        case Name():
            return value(expression)
        case Negative(of):
            return -computed(of, value)
        case Transposed(of):
            return computed(of, value).T
        case MatrixProduct(left, right):
            return computed(left, value) @ computed(right, value)
        case Quotient(top, bottom):
            return computed(top, value) / computed(bottom, value)
        case Power(base, exponent):
            return computed(base, value) ** computed(exponent, value)
        case Sum(terms):
            first, *others = (computed(term, value) for term in terms)
            for other in others:
                first = first + other
            return first
        case Product(factors):
            first, *others = (computed(factor, value) for factor in factors)
            for other in others:
                first = first * other
            return first
        case Call(function, arguments):
            return FUNCTIONS[function](*(computed(argument, value) for argument in arguments))
        case Comparison(left, sign, right):
            return SIGNS[sign](computed(left, value), computed(right, value))
        case Cases(cases):
            *conditional, (otherwise, _) = cases
            found = computed(otherwise, value)
            for case, condition in reversed(conditional):
                assert condition is not None
                found = np.where(computed(condition, value), computed(case, value), found)
            return found
    raise AssertionError(f"{expression!r} is no equation between arrays")


def run(tensor: Tensor) -> Array:
    """Run the general equation of an array on the arrays of its step."""
    equation, step = tensor.equation, tensor.explanation.step
    assert equation is not None

    def value(name: Name) -> Any:
        array = step.arrays.get((name.path, name.field))
        return step.value(name) if array is None else array

    if tensor.symbol.field == "loss":
        return computed(_with_grand_total(equation), value)
    found = computed(equation, value)
    if found.ndim > tensor.values.ndim:  # one term for each sample
        return found.reshape(tensor.shape)
    return np.broadcast_to(found, tensor.shape)


def _with_grand_total(expression: Expression) -> Expression:
    """Of the loss, ``total`` adds up all terms there are; elsewhere those along the last axis."""
    if isinstance(expression, Call) and expression.function == "total":
        return Call("grand_total", expression.arguments)
    return rebuilt(expression, _with_grand_total)
