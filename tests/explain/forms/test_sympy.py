"""Expressions in SymPy's syntax: what SymPy computes from them is what the expression gives."""

from __future__ import annotations

import math

import hypothesis
import pytest
import sympy

from chainrule.explain.evaluation import with_numbers
from chainrule.explain.expression import (
    Derivative,
    Expression,
    More,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Sum,
)
from chainrule.explain.forms.sympy import to_sympy
from chainrule.explain.reading import read
from explain.forms.trees import EXPRESSIONS, NAMES, known_value


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x @ weights + bias", "x1*weights1 + bias1"),
        ("x.T @ d_z", "transpose(x1)*d_z1"),
        ("a * (1 - a)", "a1*(1 - a1)"),
        ("x / y * z", "(x1/y1)*z1"),
        ("x / (y * z)", "x1/(y1*z1)"),
        ("-x**2", "-x1**2"),
        ("(-x)**2", "(-x1)**2"),
        ("x**y**2", "x1**(y1**2)"),
        ("exp(-z)**2", "exp(-z1)**2"),
        ("sqrt(z)**2 + Abs(z)", "sqrt(z1)**2 + Abs(z1)"),
        ("Max(z, 0) - Min(z, 1)", "Max(z1, 0) - Min(z1, 1)"),
        ("correlate(x, weights)", "correlate(x1, weights1)"),
        ("group(mean)", "group(mean1)"),
        ("Piecewise((z, z > 0), (0, True))", "Piecewise((z1, z1 > 0), (0, True))"),
    ],
)
def test_equations_of_layers(equation: str, expected: str) -> None:
    assert to_sympy(read(equation, (0,))) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (Number(1 / 3, is_given=True), "0.3333333333333333"),
        (Number(2.0, is_given=True), "2.0"),
        (Number(2.0), "2"),
        (Number(0.044715), "0.044715"),
        (Number(1.5e-9, is_given=True), "1.5e-09"),
        (Number(-0.0, is_given=True), "0.0"),
        (Number(math.inf), "oo"),
        (Number(-math.inf), "-oo"),
        (Number(math.nan), "nan"),
        (Number(1e30), "1e+30"),
    ],
)
def test_numbers_have_all_their_digits(number: Number, expected: str) -> None:
    assert to_sympy(number) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Power(Number(-0.5, is_given=True), Number(2.0)), "(-0.5)**2"),
        (Sum((Number(1.0), Negative(Number(-0.5, is_given=True)))), "1 - (-0.5)"),
        (Product((Number(2e-8, is_given=True), Number(3.0))), "2e-08*3"),
        (Derivative(Name((), "loss"), Name((0,), "z", (0, 2))), "d_loss_by_z1_at_0_2"),
        (Sum((Number(1.0), More(779, 0.5))), "1 + more_terms"),
        (Sum((Number(1.0), More(779, 0.5, is_given=True))), "1 + 0.5"),
    ],
)
def test_what_is_special(expression: Expression, expected: str) -> None:
    assert to_sympy(expression) == expected


@hypothesis.given(EXPRESSIONS)
def test_sympy_computes_the_same(expression: Expression) -> None:
    expected = known_value(expression)
    hypothesis.assume(expected is not None)
    symbols = {name.identifier: sympy.Symbol(name.identifier, real=True) for name in NAMES}
    parsed = sympy.sympify(to_sympy(expression), locals=symbols)
    numbers = {symbols[name.identifier]: sympy.Float(value, 30) for name, value in NAMES.items()}
    assert float(parsed.subs(numbers)) == pytest.approx(expected, rel=1e-8, abs=1e-11)


@hypothesis.given(EXPRESSIONS)
def test_so_it_does_with_the_numbers_put_in(expression: Expression) -> None:
    expected = known_value(expression)
    hypothesis.assume(expected is not None)
    substituted = with_numbers(expression, lambda name: NAMES[name])
    parsed = sympy.sympify(to_sympy(substituted))
    assert float(parsed) == pytest.approx(expected, rel=1e-8, abs=1e-11)
