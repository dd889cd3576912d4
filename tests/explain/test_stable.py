"""Formulas as a computer should work them out: nothing overflows or cancels on the way."""

from __future__ import annotations

import pytest

from chainrule.explain.expression import Call, Name, Negative, Quotient
from chainrule.explain.reading import read, read_whole
from chainrule.explain.stable import negative, stable

Z, TWO = read("z"), read("2")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1 / (1 + exp(-z))", "sigmoid(z)"),
        ("log(1 + exp(z)) - y * z", "logaddexp(0, z) - y * z"),
        ("alpha * (exp(z) - 1)", "alpha * expm1(z)"),
        ("z * (1 + erf(z / sqrt(2))) / 2", "z * erfc(-z / sqrt(2)) / 2"),
        ("log(cosh(e))", "logaddexp(e, -e) - log(2)"),
        ("Piecewise((z, z > 0), (0, True))", "maximum(z, 0)"),
        ("exp(z[k]) / Sum(exp(z[l]), (l, 1, K)) - y[k]", "softmax(z) - y"),
        ("y[j] * (z[j] - log(Sum(exp(z[l]), (l, 1, K))))", "y * log_softmax(z)"),
        ("y * log(y / p)", "y * log(Piecewise((y / p, y > 0), (1, True)))"),
        ("1 / (1 + exp(z))", "1 / (1 + exp(z))"),  # of another form: left alone
    ],
)
def test_forms_that_a_computer_should_work_out_otherwise(formula: str, expected: str) -> None:
    assert stable(read_whole(formula, lambda name: Name((), name))) == read(expected)


def test_a_sign_is_turned_once() -> None:
    assert negative(Z) == Negative(Z)
    assert negative(Negative(Z)) == Z
    assert negative(Quotient(Z, TWO)) == Quotient(Negative(Z), TWO)
    assert negative(Quotient(Negative(Z), TWO)) == Quotient(Z, TWO)
    assert negative(Call("exp", (Z,))) == Negative(Call("exp", (Z,)))
