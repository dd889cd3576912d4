"""Layers, activations and losses of one's own, with and without equations."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Shape
from explain.agreement import assert_every_number, explained
from explain.small_networks import X, Y, network


class Scale(cr.Layer, register=False):
    """Without equations."""

    factors = cr.Parameter(penalized=True)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"factors": input_shape}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return np.arange(1.0, 1.0 + shape[0])

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        trace.x = x
        return x * self.factors

    def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
        trace.d_factors = (d_y * trace.x).sum(axis=0)
        return d_y * self.factors


class ExplainedScale(Scale, register=False):
    """With them."""

    def equations(self, training: bool) -> dict[str, str]:
        return {"y": "x * factors", "d_factors": "channel_sum(d_y * x)", "d_x": "d_y * factors"}


def test_ones_own_layer_with_equations() -> None:
    explanation = explained(network(ExplainedScale(), cr.Dense(2)), X, Y)
    assert_every_number(explanation)
    layer = explanation["layer 1"]
    assert layer.y[1, 2].formula == "x_at_1_2*factors1_at_2"
    assert layer.factors[0].gradient.expression is not None


def test_ones_own_layer_without_equations_is_asked_for_its_local_derivatives() -> None:
    explanation = explained(network(Scale(), cr.Dense(2)), X, Y)
    assert_every_number(explanation)
    layer = explanation["layer 1"]
    assert layer.y[1, 2].expression is None
    gradient = layer.factors[1].gradient
    assert gradient.formula == " + ".join(
        f"d_y1_at_{sample}_1*d_y1_at_{sample}_1_by_factors1_at_1" for sample in range(4)
    )
    assert gradient.computed == pytest.approx(gradient.value, rel=1e-12)
    chain = gradient.chain
    assert chain is not None
    assert chain.together == pytest.approx(gradient.value, rel=1e-12)
    assert "This layer gives no equations" in str(layer)


def test_a_layer_too_wide_to_be_asked_has_no_formula() -> None:
    explanation = network(cr.Dense(300), Scale(), cr.Dense(2)).explain(X, Y)
    gradient = explanation["layer 2"].factors[1].gradient
    assert gradient.expression is None
    assert gradient.chain is None
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-6)
    assert "nothing of it" not in str(gradient)


def test_another_feedforward_is_not_explained_by_inherited_equations() -> None:
    class Twofold(cr.Dense):
        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return super().feedforward(2 * x, trace)

        def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
            d_x = super().backprop(d_a, trace)
            return None if d_x is None else 2 * d_x

    explanation = network(Twofold(2)).explain(X, Y)
    layer = explanation["layer 1"]
    assert layer.z[0, 0].expression is None  # not x W + b
    gradient = layer.weights[0, 1].gradient
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-6)
    assert gradient.computed == pytest.approx(gradient.value, rel=1e-12)
    assert "by_weights1_at_0_1" in gradient.formula
    assert_every_number(explanation)


def test_another_derivative_is_not_explained_by_an_inherited_formula() -> None:
    class Steeper(cr.Sigmoid):
        def derivative(self, z: Array, a: Array) -> Array:
            return 2 * a * (1 - a)  # wrong, and told so below

    explanation = network(cr.Dense(2, activation=Steeper())).explain(X, Y)
    gradient = explanation["layer 1"].weights[0, 0].gradient
    assert explanation["layer 1"].a[0, 0].expression is None
    assert gradient.computed == pytest.approx(gradient.value, rel=1e-12)
    difference = gradient.finite_difference
    assert difference == pytest.approx(gradient.value / 2, rel=1e-6)
    assert "relative difference 0.5" in str(gradient) or "5·10⁻¹" in str(gradient)


def test_a_loss_without_formulas_is_told_in_numbers() -> None:
    class FourthPower(cr.Loss):
        def terms(self, y_hat: Array, y: Array) -> Array:
            return (y_hat - y) ** 4

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            return 4 * (y_hat - y) ** 3

    explanation = explained(network(cr.Dense(2), loss=FourthPower()), X, Y)
    assert explanation.terms[0, 0].expression is None
    gradient = explanation.output[0, 0].gradient
    assert gradient.expression is None
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-5)
    assert "nothing of it" not in str(gradient)
    assert_every_number(explanation)
    assert "FourthPower.terms" in str(explanation.terms[0, 0])


def test_a_formula_that_is_not_the_code_is_found_out() -> None:
    """The value is the code's; ``computed`` is the formula's."""

    class Cheating(cr.Activation):
        formula = "z**2"
        derivative_formula = "2 * z"

        def value(self, z: Array) -> Array:
            return z**3

        def derivative(self, z: Array, a: Array) -> Array:
            return 3 * z**2

    output = network(cr.Dense(2, activation=Cheating())).explain(X, Y).output[0, 0]
    z = output.parts[0].value
    assert output.value == pytest.approx(z**3)
    assert output.computed == pytest.approx(z**2)
