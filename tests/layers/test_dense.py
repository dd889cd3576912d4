"""Dense by hand: a = f(x W + b), and the three products of its way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array

X = np.array([[1.0, 2.0], [3.0, -1.0]])
WEIGHTS = np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])
BIAS = np.array([0.5, 0.0, -0.5])
D_OUTPUT = np.array([[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]])


def dense(activation: str = "identity", *, use_bias: bool = True) -> cr.Dense:
    layer = cr.Dense(3, activation=activation, use_bias=use_bias)
    cr.NeuralNetwork(layer, inputs=2, dtype="float64")
    layer.weights = WEIGHTS
    if use_bias:
        layer.bias = BIAS
    return layer


def passes(layer: cr.Dense, *, needs_d_x: bool = True) -> tuple[Array, Array | None, cr.Trace]:
    trace = cr.Trace()
    trace.needs_d_x = needs_d_x
    return layer.feedforward(X, trace), layer.backprop(D_OUTPUT, trace), trace


def test_forwards_and_back_by_hand() -> None:
    a, d_x, trace = passes(dense())
    np.testing.assert_array_equal(a, [[5.5, 2.0, -1.5], [1.5, -1.0, -3.5]])
    np.testing.assert_array_equal(trace.d_weights, [[1, -3, 5], [2, 1, 3]])  # xᵀ δ
    np.testing.assert_array_equal(trace.d_bias, [1, -1, 3])  # Σ δ
    np.testing.assert_array_equal(d_x, [[-1, 2], [-1, -1]])  # δ Wᵀ


def test_an_activation_turns_d_a_into_delta_first() -> None:
    """ReLU lets through where z > 0: the first unit twice, the second once, the third never."""
    a, d_x, trace = passes(dense("relu"))
    np.testing.assert_array_equal(trace.z, [[5.5, 2.0, -1.5], [1.5, -1.0, -3.5]])
    np.testing.assert_array_equal(a, [[5.5, 2.0, 0.0], [1.5, 0.0, 0.0]])
    np.testing.assert_array_equal(trace.d_z, [[1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(trace.d_weights, [[1, 0, 0], [2, 0, 0]])
    np.testing.assert_array_equal(trace.d_bias, [1, 0, 0])
    np.testing.assert_array_equal(d_x, [[1, 2], [0, 0]])


def test_without_bias() -> None:
    layer = dense(use_bias=False)
    a, d_x, trace = passes(layer)
    np.testing.assert_array_equal(a, X @ WEIGHTS)
    np.testing.assert_array_equal(d_x, D_OUTPUT @ WEIGHTS.T)
    assert "d_bias" not in trace.fields()
    assert layer.parameter_shapes((2,)) == {"weights": (2, 3)}
    with pytest.raises(cr.NotBuilt, match="no bias"):
        _ = layer.bias


def test_the_first_layer_need_not_tell_the_data_anything() -> None:
    _, d_x, trace = passes(dense(), needs_d_x=False)
    assert d_x is None
    np.testing.assert_array_equal(trace.d_bias, [1, -1, 3])


def test_the_trace_holds_every_number_of_the_pass() -> None:
    _, _, trace = passes(dense("sigmoid"))
    assert list(trace.fields()) == ["x", "z", "a", "d_z", "d_weights", "d_bias"]
    assert trace.x is X


def test_shapes() -> None:
    layer = cr.Dense(3)
    assert layer.output_shape((5,)) == (3,)
    assert layer.parameter_shapes((5,)) == {"weights": (5, 3), "bias": (3,)}


@pytest.mark.parametrize("input_shape", [(), (4, 4), (28, 28, 1)])
def test_images_must_be_flattened_first(input_shape: tuple[int, ...]) -> None:
    with pytest.raises(cr.InvalidShape, match=r"Dense\(3\) received samples of shape .* Flatten"):
        cr.NeuralNetwork(cr.Dense(3), inputs=input_shape)


def test_starting_values() -> None:
    layer = cr.Dense(50, weights_initializer=cr.Constant(0.25), bias_initializer="he_uniform")
    cr.NeuralNetwork(layer, inputs=20)
    np.testing.assert_array_equal(layer.weights, np.full((20, 50), 0.25))
    assert len(np.unique(layer.bias)) == 50
    plain = cr.Dense(3)
    cr.NeuralNetwork(plain, inputs=2)
    np.testing.assert_array_equal(plain.bias, np.zeros(3))
    assert (plain.weights != 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"outputs": 0}, "outputs must be a whole number of at least 1; received 0"),
        ({"outputs": 2.5}, "outputs must be a whole number"),
        ({"outputs": "4"}, "outputs must be a whole number"),
        ({"outputs": 4, "use_bias": 1}, "use_bias must be True or False; received 1"),
        ({"outputs": 4, "activation": "rellu"}, "Did you mean 'relu'?"),
        ({"outputs": 4, "activation": None}, "Received None as activation"),
        ({"outputs": 4, "weights_initializer": "glorot"}, "no initializer called 'glorot'"),
        ({"outputs": 4, "bias_initializer": "auto"}, "no initializer called 'auto'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message.replace("?", "\\?")):
        cr.Dense(**settings)
