"""The gradient check checked: it must find every error that a learner makes, and name its place.

That backprop itself is right for every layer, activation and loss is proved in ``contracts``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
from chainrule.gradient_check import Comparison
from chainrule.layer import Array

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(4, 3))


class WrongFactor(cr.Dense, register=False):
    def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
        d_x = super().backprop(d_a, trace)
        trace.d_weights = 1.001 * trace.d_weights
        return d_x


class MissingBiasSum(cr.Dense, register=False):
    """Takes the first sample's error where all of the batch's belong."""

    def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
        d_x = super().backprop(d_a, trace)
        trace.d_bias = trace.d_z[0]
        return d_x


class TransposedProduct(cr.Dense, register=False):
    """Multiplies by W where Wᵀ belongs; with as many outputs as inputs the shapes do not tell."""

    def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
        super().backprop(d_a, trace)
        return np.dot(trace.d_z, self.weights)


class ForgottenDerivative(cr.Dense, register=False):
    """Passes ∂L/∂a on as if it were ∂L/∂z."""

    def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
        trace.d_weights = trace.x.T @ d_a
        trace.d_bias = d_a.sum(axis=0)
        return d_a @ self.weights.T


class OneNumberOff(cr.Dense, register=False):
    def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
        d_x = super().backprop(d_a, trace)
        trace.d_weights = trace.d_weights.copy()
        trace.d_weights[2, 1] += 0.5
        return d_x


class NotANumber(cr.Dense, register=False):
    def backprop(self, d_a: Array, trace: cr.Trace) -> Array | None:
        d_x = super().backprop(d_a, trace)
        trace.d_weights = np.full_like(trace.d_weights, np.nan)
        return d_x


class OppositeSign(cr.Loss, register=False):
    name = "opposite_sign"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return (y_hat - y) ** 2

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return 2 * (y - y_hat)


class ForgottenSquare(cr.Activation, register=False):
    name = "forgotten_square"

    def value(self, z: Array) -> Array:
        return np.tanh(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return 1 - a


def network(middle: cr.Layer) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(cr.Dense(3, activation="tanh"), middle, cr.Dense(3), inputs=3)


def wrong_arrays(result: cr.GradientCheck) -> list[str]:
    return [c.name for c in result.comparisons if not c.error < 1e-6]


def test_a_right_network_passes() -> None:
    result = network(cr.Dense(3, activation="sigmoid")).check_gradients(X, Y)
    assert result
    assert result.passed
    assert result.worst.error < 1e-7
    assert [comparison.name for comparison in result.comparisons] == [
        "layer 1 weights",
        "layer 1 bias",
        "layer 2 weights",
        "layer 2 bias",
        "layer 3 weights",
        "layer 3 bias",
        "x",
    ]


BEFORE = ["layer 1 weights", "layer 1 bias"]  # what an error on the way back reaches


@pytest.mark.parametrize(
    ("middle", "wrong"),
    [
        (WrongFactor(3), ["layer 2 weights"]),
        (MissingBiasSum(3), ["layer 2 bias"]),
        (TransposedProduct(3), [*BEFORE, "x"]),
        (ForgottenDerivative(3, "tanh"), [*BEFORE, "layer 2 weights", "layer 2 bias", "x"]),
        (OneNumberOff(3), ["layer 2 weights"]),
        (cr.Dense(3, ForgottenSquare()), [*BEFORE, "layer 2 weights", "layer 2 bias", "x"]),
        (NotANumber(3), ["layer 2 weights"]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_an_injected_error_is_found_and_its_place_named(middle: cr.Layer, wrong: list[str]) -> None:
    result = network(middle).check_gradients(X, Y)
    assert not result
    assert wrong_arrays(result) == wrong
    assert result.worst.name in wrong
    assert f"backprop is wrong for {result.worst.name} at " in repr(result)


def test_a_loss_with_a_wrong_gradient_is_found() -> None:
    net = cr.NeuralNetwork(cr.Dense(3), loss=OppositeSign(), inputs=3)
    result = net.check_gradients(X, Y)
    assert wrong_arrays(result) == ["layer 1 weights", "layer 1 bias", "x"]
    assert result.worst.by_backprop == pytest.approx(-result.worst.by_differences)


def test_the_worst_number_is_named_with_both_derivatives() -> None:
    worst = network(OneNumberOff(3)).check_gradients(X, Y).worst
    assert (worst.name, worst.index) == ("layer 2 weights", (2, 1))
    assert worst.by_backprop == pytest.approx(worst.by_differences + 0.5)


def test_the_error_is_relative_to_the_largest_derivative_of_the_array() -> None:
    """Tiny derivatives beside large ones are lost in rounding, not wrong."""
    result = network(WrongFactor(3)).check_gradients(X, Y)
    assert result.worst.error == pytest.approx(0.001, rel=0.01)


def test_repr_lists_every_array() -> None:
    shown = repr(network(cr.Dense(3)).check_gradients(X, Y)).splitlines()
    assert shown[0] == "GradientCheck: backprop agrees with finite differences"
    assert shown[1].startswith("  layer 1 weights  relative difference ")
    assert len(shown) == 8


def test_worst_and_passed_of_given_comparisons() -> None:
    good = Comparison("a", 1e-9, (0,), 1.0, 1.0)
    bad = Comparison("b", 1e-3, (0,), 1.0, 1.001)
    no_number = Comparison("c", float("nan"), (0,), float("nan"), 1.0)
    assert cr.GradientCheck([good]).passed
    assert cr.GradientCheck([good, bad]).worst is bad
    for comparisons in ([no_number, good], [good, no_number], [bad, no_number]):
        assert not cr.GradientCheck(comparisons).passed
        assert cr.GradientCheck(comparisons).worst is no_number


def test_the_network_stays_as_it_was() -> None:
    net = network(cr.Dense(3))
    net.fit(X, Y, epochs=1)
    parameters, step = net.parameters.copy(), net.training_state.step
    x = X.copy()
    net.check_gradients(x, Y)
    np.testing.assert_array_equal(net.parameters, parameters)
    np.testing.assert_array_equal(x, X)
    assert net.dtype == np.float32
    assert net.training_state.step == step


def test_a_network_that_is_not_built_yet_is_built() -> None:
    net = cr.NeuralNetwork(cr.Dense(3))
    assert net.check_gradients(X, Y)
    assert net.input_shape == (3,)


@pytest.mark.parametrize(
    "x",
    [X.tolist(), np.asfortranarray(X), pd.DataFrame(X), X[:, ::-1][:, ::-1], X.astype("f4")],
    ids=["list", "columns first", "DataFrame", "strided", "float32"],
)
def test_x_may_come_in_any_form(x: object) -> None:
    assert network(cr.Dense(3, activation="tanh")).check_gradients(x, Y)


def test_inputs_without_a_derivative_are_left_out() -> None:
    """A layer may take whole numbers, such as rows of a table to look up."""

    class Rounded(cr.Layer):
        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return np.round(x)

        def backprop(self, d_output: Array, trace: cr.Trace) -> None:
            return None

    result = cr.NeuralNetwork(Rounded(), cr.Dense(3), inputs=3).check_gradients(X, Y)
    assert result
    assert [comparison.name for comparison in result.comparisons] == [
        "layer 2 weights",
        "layer 2 bias",
    ]


def test_whole_numbers_as_inputs_and_labels_as_targets() -> None:
    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(3), loss="softmax_cross_entropy")
    assert net.check_gradients([[1, 0], [0, 1], [2, 2]], [0, 2, 1], sample_weight=[1, 2, 3])


def test_a_few_numbers_of_each_array_are_enough_for_a_large_network() -> None:
    net = cr.NeuralNetwork(cr.Dense(50, "tanh"), OneNumberOff(50), cr.Dense(3), inputs=3)
    right = cr.NeuralNetwork(cr.Dense(50, "tanh"), cr.Dense(3), inputs=3)
    assert right.check_gradients(X, Y, at_most=5)
    found = [net.check_gradients(X, Y, at_most=count).passed for count in (1, 2500)]
    assert found == [True, False]  # one number in 2,500 is seen only when all are tried
    again = [right.check_gradients(X, Y, at_most=2).worst for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize("at_most", [0, -1, 2.5, "all"])
def test_at_most_must_be_a_whole_number(at_most: Any) -> None:
    with pytest.raises(cr.InvalidSetting, match="at_most must be a whole number of at least 1"):
        network(cr.Dense(3)).check_gradients(X, Y, at_most=at_most)


def test_wrong_samples_are_refused_before_anything_is_built() -> None:
    net = cr.NeuralNetwork(cr.Dense(3))
    with pytest.raises(cr.InvalidShape):
        net.check_gradients(X, Y[:2])
    assert not net.is_built
