"""The whole network in general form."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule import explain
from chainrule.layer import Array
from explain.small_networks import network


def test_a_network_of_two_layers() -> None:
    net = cr.NeuralNetwork(
        cr.Dense(4, activation="sigmoid"), cr.Dense(1, activation="sigmoid"),
        loss="sum_of_squares", optimizer=cr.GradientDescent(0.5), inputs=3,
    )  # fmt: skip
    lines = [line.strip() for line in net.derivation().to_text(120).splitlines()]
    expected = [
        "2 layers, 21 parameters.",
        "z₁ = x W₁ + b₁   (batch, 4)",
        "a₁ = 1/(1 + e^(-z₁))   (batch, 4)",
        "z₂ = a₁ W₂ + b₂   (batch, 1)",
        "ℓ = (ŷ - y)²",
        "∂L/∂ŷ = 2·(ŷ - y)   (batch, 1)",
        "∂L/∂W₂ = a₁ᵀ ∂L/∂z₂   (4, 1)",
        "∂L/∂a₁ = ∂L/∂z₂ W₂ᵀ   (batch, 4)",
        "∂L/∂z₁ = ∂L/∂a₁ · a₁ · (1 - a₁)   (batch, 4)",
        "∂L/∂W₁ = xᵀ ∂L/∂z₁   (3, 4)",
        "∂L/∂b₁ = Σ_batch ∂L/∂z₁   (4,)",
        "θ′ = θ - η·g",
    ]
    places = [lines.index(line) for line in expected]  # from the loss to the first weight
    assert places == sorted(places)


def test_one_layer_and_the_same_in_every_form() -> None:
    derivation = network(cr.Dense(1)).derivation()
    assert "1 layer, 4 parameters." in str(derivation)
    assert repr(derivation) == str(derivation)
    for text in (derivation.to_html(), derivation.to_latex(), derivation.to_markdown()):
        assert "W" in text
    assert isinstance(derivation, explain.Derivation)


@pytest.mark.parametrize("training", [True, False])
def test_layers_as_in_training_or_at_rest(training: bool) -> None:
    net = network(cr.BatchNorm(), cr.Dropout(0.5), cr.Dense(2))
    text = str(explain.Derivation(net, training=training))
    assert ("running mean" in text) is not training
    assert ("·m₂" in text) is training


def test_penalties_and_shared_layers() -> None:
    shared = cr.Dense(3)
    text = network(shared, shared, l1=0.1, l2=0.2).derivation().to_text(120)
    weights = [line for line in text.splitlines() if line.strip().startswith("∂L/∂W₁ =")]
    assert len(weights) == 1  # one sum of both places and of the penalty
    assert "sign(W₁)" in weights[0]
    assert "·W₁" in weights[0]
    assert "+ penalty" in text


def test_what_has_no_equations_names_its_code() -> None:
    class Own(cr.Layer, register=False):
        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return 2 * x

        def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
            return 2 * d_y

    class FourthPower(cr.Loss, register=False):
        name = "own_fourth_power"

        def terms(self, y_hat: Array, y: Array) -> Array:
            return (y_hat - y) ** 4

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            return 4 * (y_hat - y) ** 3

    net = network(cr.Dense(2), Own(), loss=FourthPower(), optimizer="lbfgs")
    text = " ".join(str(net.derivation()).split())
    for code in ("Own.feedforward", "Own.backprop", "FourthPower.terms", "terms_gradient"):
        assert f"{code} says" in text
    assert "no rule for single parameters" in text


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "amsgrad", "adadelta", "rmsprop", "lion"])
def test_every_optimizers_rule_ends_in_the_new_parameter(optimizer: str) -> None:
    text = network(optimizer=optimizer).derivation().to_text(120)
    assert "θ′ = θ - η" in text


def test_a_network_without_weights_has_none() -> None:
    with pytest.raises(cr.NotBuilt, match="no weights yet"):
        cr.NeuralNetwork(cr.Dense(1)).derivation()


def test_an_explanation_has_the_same_equations() -> None:
    net = network(cr.Dense(2, activation="tanh"))
    explanation = net.explain(np.ones((2, 3)), np.ones((2, 2)))
    text = net.derivation().to_text(120)
    for name in ("z", "a", "d_z", "d_weights", "d_bias", "d_x"):
        tensor = getattr(explanation["layer 1"], name)
        title = f"{tensor.name} = "
        assert title in text
        assert title in tensor.to_text(120)


def test_the_package_lists_what_it_has() -> None:
    assert "Explanation" in dir(explain)
    with pytest.raises(AttributeError, match="it has Derivation, Explanation"):
        explain.Explanations  # noqa: B018 - asking is what fails
