"""Copies of a network: those that go on where it stands, and those that start anew."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array

Way = Callable[[cr.NeuralNetwork], cr.NeuralNetwork]
WAYS: list[Way] = [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]  # noqa: S301  # our own bytes
COPIES = pytest.mark.parametrize("way", WAYS, ids=["deepcopy", "pickle"])


def samples(rows: int = 40) -> tuple[Array, Array]:
    """Three columns, and three classes by the largest of them."""
    x = np.random.default_rng(3).normal(size=(rows, 3))
    return x, x.argmax(axis=1)


def classifier(**settings: object) -> cr.NeuralNetwork:
    chosen = {"loss": "softmax_cross_entropy", "optimizer": cr.Adam(0.01), "inputs": 3} | settings
    return cr.NeuralNetwork(cr.Dense(8, activation="tanh"), cr.Dense(3), **chosen)


@COPIES
def test_a_copy_goes_on_training_where_the_original_stands(way: Way) -> None:
    x, y = samples()
    net = classifier(optimizer=cr.Adam(cr.ReduceOnPlateau(0.05, patience=1)))
    net.fit(x, y, epochs=3)
    twin = way(net)
    assert repr(twin) == repr(net)
    np.testing.assert_array_equal(twin.predict(x), net.predict(x))
    ours, theirs = net.fit(x, y, epochs=4), twin.fit(x, y, epochs=4)
    np.testing.assert_array_equal(ours.losses, theirs.losses)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


@COPIES
def test_a_copy_shares_nothing_with_the_original(way: Way) -> None:
    x, y = samples()
    net = classifier()
    net.fit(x, y, epochs=1)
    before = net.predict(x)
    twin = way(net)
    twin.fit(x, y, epochs=1)
    twin.layers[0].weights = np.zeros((3, 8))
    np.testing.assert_array_equal(net.predict(x), before)
    assert net.training_state.step == 2
    assert not twin.parameters[:24].any()


@COPIES
def test_what_is_not_built_is_copied_too(way: Way) -> None:
    twin = way(classifier(inputs=None))
    assert not twin.is_built
    np.testing.assert_array_equal(twin.build(3).parameters, classifier().parameters)


def test_copy_keeps_the_parameters_and_starts_training_anew() -> None:
    x, y = samples()
    net = classifier(l1=0.1, l2=0.2, seed=7)
    net.fit(x, y, epochs=2)
    twin = net.copy()
    np.testing.assert_array_equal(twin.parameters, net.parameters)
    assert repr(twin) == repr(net)
    assert (twin.l1, twin.l2) == (net.l1, net.l2)
    assert (twin.training_state.epoch, twin.training_state.step) == (0, 0)
    assert twin.training_state.optimizer.step == 0
    assert net.training_state.epoch == 2
    assert twin.layers[0] is not net.layers[0]
    assert not np.shares_memory(twin.parameters, net.parameters)
    double = net.copy(dtype="float64")
    np.testing.assert_array_equal(double.parameters, net.parameters.astype(np.float64))
    assert not classifier(inputs=None).copy().is_built


def test_a_layer_can_be_given_away_as_a_copy() -> None:
    layer = cr.Dense(2)
    cr.NeuralNetwork(layer, inputs=3)
    other = cr.NeuralNetwork(copy.deepcopy(layer), inputs=5)
    assert other.layers[0].weights.shape == (5, 2)
    assert layer.weights.shape == (3, 2)


# --- how large a pickle is ------------------------------------------------------------------------


def size(net: cr.NeuralNetwork) -> float:
    """The pickle's bytes, in parts of the parameters' own."""
    return len(pickle.dumps(net)) / net.parameters.nbytes


def test_a_pickle_holds_the_parameters_once() -> None:
    """Plain descent remembers nothing, so there is nothing else to keep."""
    x, y = samples()
    net = cr.NeuralNetwork(cr.Dense(2000, "relu"), cr.Dense(1), optimizer="gradient_descent")
    net.fit(x, y, epochs=1)
    net.predict(x)
    assert size(net) < 1.1


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_pickle_holds_what_the_optimizer_remembers_once(engine: str) -> None:
    """Adam has two averages for each parameter; before the first step both are zero."""
    x, y = samples()
    net = cr.NeuralNetwork(cr.Dense(2000, "relu"), cr.Dense(1), optimizer="adam", inputs=3)
    net.engine = engine
    assert size(net) < 1.1
    net.fit(x, y, epochs=1)
    assert size(net) < 3.1


@COPIES
def test_what_a_copy_leaves_out_is_there_again(way: Way) -> None:
    net = classifier(optimizer=cr.RMSProp(0.01))
    twin = way(net)
    np.testing.assert_array_equal(
        twin.parameter_vector.penalized, net.parameter_vector.penalized, strict=True
    )
    assert np.shares_memory(twin.parameters, twin.parameter_vector.storage)
    ours, theirs = net.training_state.optimizer, twin.training_state.optimizer
    assert theirs.scratch.shape == ours.scratch.shape
    assert theirs.scratch.dtype == ours.scratch.dtype
    assert theirs.vectors.keys() == ours.vectors.keys() == {"squares"}
    np.testing.assert_array_equal(theirs.vectors["squares"], ours.vectors["squares"], strict=True)
