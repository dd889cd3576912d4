"""Starting weights and orders are those that scikit-learn draws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils import shuffle

import chainrule as cr
from chainrule.estimators.starting import Orders, draw_seed, draw_start


@pytest.mark.parametrize(("activation", "factor"), [("relu", 6), ("sigmoid", 2)])
def test_weights_and_bias_of_a_layer_come_one_after_the_other(activation: str, factor: int) -> None:
    network = cr.NeuralNetwork(cr.Dense(5, activation), cr.Dense(2), inputs=3, dtype="float64")
    draw_start(network, np.random.RandomState(1))
    random = np.random.RandomState(1)
    for layer, (inputs, outputs) in zip(network.layers, [(3, 5), (5, 2)], strict=True):
        limit = np.sqrt(factor / (inputs + outputs))
        expected = random.uniform(-limit, limit, (inputs, outputs))
        np.testing.assert_allclose(layer.weights, expected, rtol=1e-15)
        np.testing.assert_allclose(layer.bias, random.uniform(-limit, limit, outputs), rtol=1e-15)


def test_other_activations_start_from_what_suits_them() -> None:
    network = cr.NeuralNetwork(cr.Dense(5, "selu"), cr.Dense(2), inputs=3, seed=4)
    before = network.parameters.copy()
    draw_start(network, np.random.RandomState(1))
    np.testing.assert_array_equal(network.parameters, before)


def test_each_order_shuffles_the_one_before() -> None:
    orders, random, expected = Orders(7, np.random.RandomState(2)), np.random.RandomState(2), None
    for epoch in range(3):
        expected = shuffle(np.arange(7) if expected is None else expected, random_state=random)
        found = orders(epoch)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.int64


def test_seeds() -> None:
    assert draw_seed(np.random.RandomState(3)) == draw_seed(np.random.RandomState(3)) >= 0
