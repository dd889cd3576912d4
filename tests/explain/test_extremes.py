"""Numbers too large, too small, or of which there are none: told, never an exception."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.evaluation import evaluate
from chainrule.explain.expression import Call, Expression, Number, Power, Quotient, Sum
from explain.agreement import arrays, assert_every_number, assert_sympy_agrees
from explain.small_networks import network

INF, NAN = math.inf, math.nan


def number(value: float) -> Number:
    return Number(value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Quotient(number(1), number(0)), INF),
        (Quotient(number(-1), number(0)), -INF),
        (Quotient(number(0), number(0)), NAN),
        (Quotient(number(NAN), number(0)), NAN),
        (Sum((number(INF), number(-INF))), NAN),
        (Sum((number(1e308), number(1e308))), INF),
        (Power(number(0), number(-1)), INF),
        (Power(number(-8), number(0.5)), NAN),
        (Power(number(1e200), number(2)), INF),
        (Power(number(-1e200), number(3)), -INF),
        (Call("sqrt", (number(-1),)), NAN),
        (Call("exp", (number(1e4),)), INF),
        (Call("exp", (number(NAN),)), NAN),
        (Call("cosh", (number(-1e4),)), INF),
        (Call("log", (number(0),)), -INF),
        (Call("log", (number(-1),)), NAN),
        (Call("sin", (number(INF),)), NAN),
    ],
    ids=str,
)
def test_arithmetic_without_a_finite_result(expression: Expression, expected: float) -> None:
    found = evaluate(expression, lambda name: NAN)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


ENDINGS: list[tuple[str, str, Any]] = [
    ("mean_squared_error", "identity", [[1.0, 2.0]]),
    ("log_cosh", "identity", [[1.0, 2.0]]),
    ("softmax_cross_entropy", "identity", [1]),
    ("sigmoid_cross_entropy", "identity", [[0, 1]]),
    ("binary_cross_entropy", "sigmoid", [[0, 1]]),
    ("categorical_cross_entropy", "softmax", [1]),
    ("kl_divergence", "softmax", [1]),
    ("poisson", "softplus", [[1, 2]]),
]


@pytest.mark.parametrize(("loss", "last", "y"), ENDINGS, ids=[loss for loss, _, _ in ENDINGS])
@pytest.mark.parametrize("size", [0.0, 1e3, 1e30, 1e200])
def test_exploding_networks_are_explained_like_others(
    loss: str, last: str, y: Any, size: float
) -> None:
    """In every form, without a warning; whether the numbers mean anything is theirs to tell."""
    layers = cr.Dense(2, activation="relu"), cr.Dense(2, activation=last)
    net = network(*layers, loss=loss, inputs=2, dtype="float64" if size == 1e200 else "float32")
    signs = np.sign(np.random.default_rng(0).normal(size=net.parameters.size))
    net.parameters[...] = size * signs
    explanation = net.explain([[1.0, 3.0]], y)
    for tensor in arrays(explanation):
        assert str(tensor)
        assert str(tensor[tensor.first])
    assert json.loads(explanation.to_json())  # which has no infinity and no NaN
    for text in (str(explanation), explanation.to_html(), explanation.to_latex()):
        assert text


def test_classes_of_probability_zero_add_nothing() -> None:
    """0 log 0 counts as 0: with class labels, all targets but one are 0."""
    net = network(cr.Dense(3, activation="softmax"), loss="kl_divergence", inputs=2)
    explanation = net.explain([[1.0, 2.0]], [1])
    p = explanation.output[0, 1].value
    assert explanation.terms[0].value == pytest.approx(-math.log(p))
    assert explanation.terms[0].computed == pytest.approx(-math.log(p))
    assert_sympy_agrees(explanation.terms[0])
    assert_every_number(explanation)


def test_large_logits_are_within_the_reach_of_sympy() -> None:
    """Its exponentials have no largest one."""
    net = network(cr.Dense(3), loss="softmax_cross_entropy", inputs=1)
    net.layers[0].weights = [[900.0, -900.0, 3.0]]
    explanation = net.explain([[1.0]], [1])
    assert explanation.terms[0].value == 1800
    assert_sympy_agrees(explanation.terms[0], rounding=1e-6)


def test_units_at_rest_pass_nothing_on() -> None:
    net = network(cr.Dense(2, activation="relu"), cr.Dense(1))
    net.layers[0].bias = [-100.0, 100.0]
    explanation = net.explain([[1.0, 2.0, 3.0]], [1.0])
    gradient = explanation["layer 1"].weights[0, 0].gradient
    assert gradient.value == gradient.computed == gradient.finite_difference == 0
    chain = gradient.chain
    assert chain is not None
    assert chain.product == 0
    assert str(gradient)


def test_pixels_that_no_window_chose() -> None:
    net = network(cr.MaxPool2D(), cr.Flatten(), cr.Dense(1), inputs=(2, 2, 1))
    explanation = net.explain(np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1), [1.0])
    gradient = explanation.x[0, 0, 0, 0].gradient
    assert gradient.formula == "0"
    assert gradient.chain is None
    assert "nothing of it reaches the loss" in str(gradient)
