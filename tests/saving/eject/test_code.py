"""Formulas as code: the mathematics stays, and nothing overflows or cancels on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from contracts.examples import examples
from saving.eject import kinds

import chainrule as cr
from chainrule.explain.reading import read
from chainrule.saving.eject.code import Printer, number
from chainrule.saving.eject.functions import FUNCTIONS
from chainrule.saving.eject.layout import docstring, statement
from chainrule.saving.eject.repeats import named_parts


def written(formula: str) -> str:
    return Printer(lambda name: name).text(read(formula))


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("x @ weights + bias", "x @ weights + bias"),
        ("x.T @ d_z", "x.T @ d_z"),
        ("a - (b - c)", "a - (b - c)"),
        ("a * (b + c) / d", "a * (b + c) / d"),
        ("a / (b * c)", "a / (b * c)"),
        ("a / b / c", "a / b / c"),
        ("a - b * -c", "a - b * -c"),
        ("-(a + b)", "-(a + b)"),
        ("(a * b)**2", "(a * b) ** 2"),
        ("a**2", "a**2"),
        ("beta**(step + 1)", "beta ** (step + 1)"),
        ("exp(-z**2 / 2)", "np.exp(-(z**2) / 2)"),
        ("Abs(a) + Max(a, b) + sqrt(2 / pi)", "np.abs(a) + np.maximum(a, b) + np.sqrt(2 / pi)"),
        ("Piecewise((a, z > 0), (b, True))", "np.where(z > 0, a, b)"),
        (
            "Piecewise((0, z <= -3), (1, z >= 3), (z, True))",
            "np.where(z <= -3, 0, np.where(z >= 3, 1, z))",
        ),
    ],
)
def test_what_a_formula_becomes(formula: str, code: str) -> None:
    assert written(formula) == code
    values = {name: 0.75 + index / 7 for index, name in enumerate("abcdz")}
    values |= {"np": np, "pi": math.pi, "beta": 0.9, "step": 3}
    if "@" not in code:
        plain = (
            formula.replace("Piecewise", "piecewise").replace("Abs", "abs").replace("Max", "max")
        )
        names = values | {"exp": math.exp, "sqrt": math.sqrt, "piecewise": first_case}
        assert eval(code, values) == pytest.approx(eval(plain, names))  # noqa: S307 - our own


def first_case(*cases: tuple[float, bool]) -> float:
    return next(value for value, condition in cases if condition)


def test_functions_that_stand_for_forms_which_overflow() -> None:
    assert written("logaddexp(0, z) - Max(z, 0)") == "np.logaddexp(0, z) - np.maximum(z, 0)"
    assert written("sigmoid(z) * expm1(z) / erfc(z)") == "sigmoid(z) * np.expm1(z) / erfc(z)"
    assert written("softmax(z) + maximum(z, 0)") == "softmax(z) + np.maximum(z, 0)"


def test_what_is_said_twice_gets_a_name() -> None:
    found, rest = named_parts(read("tanh(2 * z) + z * (1 - tanh(2 * z)**2)"), {"z"})
    printer = Printer(lambda name: name)
    assert [(name, printer.text(part)) for name, part in found] == [("tanh", "np.tanh(2 * z)")]
    assert printer.text(rest) == "tanh + z * (1 - tanh**2)"
    found, rest = named_parts(read("(y_hat - y)**2 + Abs(y_hat - y)"), {"y_hat", "y", "error"})
    assert found[0][0] == "error_2"  # the name "error" is taken


def test_numbers_as_a_person_writes_them() -> None:
    assert [number(n) for n in (2.0, 0.5, 1e-8, -3.0, 1e30, True)] == [
        *("2", "0.5", "1e-8", "-3", "1e30", "1")
    ]
    assert float(number(0.1 + 0.2)) == 0.1 + 0.2


def test_long_statements_break_where_ruff_breaks_them() -> None:
    printer = Printer(lambda name: name * 30)
    a, b, c, d = (letter * 30 for letter in "abcd")
    assert statement("z = ", printer, read("a + b * c - d")) == [
        *("z = (", f"    {a}", f"    + {b} * {c}", f"    - {d}", ")")
    ]
    assert statement("z = ", printer, read("exp(a + b)"), 4) == [
        *("z = np.exp(", f"    {a} + {b}", ")")
    ]
    assert statement("z = ", printer, read("d * exp(a + b)"), 1) == [
        *(f"z = {d} * np.exp(", f"    {a} + {b}", ")")
    ]
    assert statement("z = ", printer, read("Max(a + b, c)"), 2) == [
        *("z = np.maximum(", f"    {a} + {b},", f"    {c},", ")")
    ]


def test_docstrings_hold_any_text() -> None:
    for text in ('ends in "', "\\", '"""', 'a\\"""b', "two\n\nparagraphs"):
        code = "\n".join(docstring(text, 0))
        assert isinstance(eval(code), str)  # noqa: S307 - our own


def test_functions_name_all_that_they_call() -> None:
    for name, function in FUNCTIONS.items():
        called = {other for other in FUNCTIONS if re.search(rf"\b{other}\(", function.text)}
        assert called - {name} <= {*function.needs}, name


@pytest.mark.parametrize("activation", examples(cr.Activation), ids=repr)
def test_activations_of_very_large_and_very_small_numbers(
    eject: Callable[..., Any], activation: cr.Activation
) -> None:
    """Nothing overflows to NaN, nothing warns, and small results keep their digits."""
    net = kinds.network(activation, inputs=3)
    sizes = np.array([1e-12, 1e-3, 0.5, 5, 40, 800, 1e4])
    x = np.column_stack([sizes, -sizes, sizes[::-1]])
    twin = eject(net)
    np.testing.assert_allclose(twin.predict(x), net.predict(x), rtol=1e-10, atol=1e-15)
    net = kinds.network(cr.PReLU(1.0), activation, inputs=3)  # so that there is a way back
    trace = net.new_trace(training=True)
    net.feedforward(x, trace)
    twin = eject(net)
    twin.feedforward(x)
    expected = net.backprop(np.zeros((7, 3)), trace)
    twin.backprop(np.zeros((7, 3)))
    found = np.concatenate([np.ravel(getattr(twin, f"d_{slot.name}_{slot.layer + 1}"))
                            for slot in net.parameter_vector.slots])  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15 * np.abs(expected).max())
