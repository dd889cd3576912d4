"""How many digits of a number are shown."""

from __future__ import annotations

import math

import pytest

from chainrule.explain.expression import Number
from chainrule.explain.forms.text import to_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, "0.1"),
        (2.0, "2"),
        (1 / 3, "0.33333"),
        (-123.456789, "-123.46"),
        (0.000123456789, "0.00012346"),
        (1e-4, "0.0001"),
        (0.99999e-4, "9.9999·10⁻⁵"),
        (0.999999e-4, "0.0001"),
        (1.23456e-7, "1.2346·10⁻⁷"),
        (100.0, "100"),
        (123456.7, "123457"),
        (999999.7, "10⁶"),
        (-1234567.0, "-1.2346·10⁶"),
        (1e-300, "10⁻³⁰⁰"),
        (5e-324, "4.9407·10⁻³²⁴"),
        (0.0, "0"),
        (-0.0, "0"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_put_in_have_five_digits(value: float, expected: str) -> None:
    assert to_text(Number(value, is_given=True)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, "2"),
        (0.5, "0.5"),
        (0.044715, "0.044715"),
        (1.0507009873554805, "1.0507009873554805"),
        (1e-8, "10⁻⁸"),
        (1.5e-9, "1.5·10⁻⁹"),
        (-3.0, "-3"),
        (-0.0, "0"),
        (1e22, "10²²"),
    ],
)
def test_numbers_of_the_formula_are_as_written(value: float, expected: str) -> None:
    assert to_text(Number(value)) == expected
