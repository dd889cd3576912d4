"""L-BFGS on the whole data set, through SciPy."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.optimize import minimize

import chainrule as cr
from chainrule.layer import Array

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(30, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * RANDOM.normal(size=30)


def line(**settings: object) -> cr.NeuralNetwork:
    chosen = {"optimizer": "lbfgs", "dtype": "float64", "inputs": 3} | settings
    return cr.NeuralNetwork(cr.Dense(1), **chosen)


def curve(**settings: object) -> cr.NeuralNetwork:
    chosen = {"optimizer": "lbfgs", "dtype": "float64", "inputs": 3} | settings
    return cr.NeuralNetwork(cr.Dense(8, activation="tanh"), cr.Dense(1), **chosen)


def test_it_finds_the_least_squares_solution() -> None:
    net = line()
    net.fit(X, Y, epochs=100)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(30)]), Y, rcond=None)[0]
    np.testing.assert_allclose(net.parameters, exact, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_stands_where_scipy_alone_would_stand(dtype: str) -> None:
    net, twin = curve(dtype=dtype), curve()
    twin.parameters[...] = net.parameters
    trace = twin.new_trace()

    def loss(parameters: Array) -> tuple[float, Array]:
        twin.parameters[...] = parameters
        twin.feedforward(X, trace)
        gradients = twin.backprop(Y, trace)
        return trace.loss, gradients

    found = minimize(
        loss,
        twin.parameters.copy(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 8, "maxcor": 10, "gtol": 1e-7},
    )
    history = net.fit(X, Y, epochs=8)
    assert history.iterations == 8
    tolerance = 1e-10 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(net.parameters, found.x, atol=tolerance)
    assert net.parameters.dtype == dtype


def test_the_history_has_each_loss_before_its_iteration() -> None:
    net = curve()
    before = net.evaluate(X, Y)["loss"]
    measured: list[float] = []
    callback = cr.OnEpoch(lambda net, history: measured.append(net.evaluate(X, Y)["loss"]))
    history = net.fit(X, Y, epochs=12, callbacks=[callback])
    assert history.losses[0] == pytest.approx(before, rel=1e-14)
    np.testing.assert_allclose(history.losses[1:], measured[:-1], rtol=1e-12)
    assert (np.diff(history.losses) < 0).all()
    np.testing.assert_array_equal(history["loss"], history.losses)
    assert history.settings["batch_size"] == 30
    assert net.training_state.step == net.training_state.epoch == 12


def test_the_batch_size_plays_no_part() -> None:
    runs = [curve().fit(X, Y, epochs=5, batch_size=size).losses for size in (1, 7, None)]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_epochs_are_iterations(epochs: int) -> None:
    history = curve().fit(X, Y, epochs=epochs)
    assert history.iterations == epochs
    assert len(history["loss"]) == epochs
    assert history.stopped_because == "L-BFGS: all iterations done"


def test_no_epochs_change_nothing() -> None:
    net = curve()
    before = net.parameters.copy()
    history = net.fit(X, Y, epochs=0)
    assert history.iterations == 0
    np.testing.assert_array_equal(net.parameters, before)


def test_it_ends_where_there_is_nothing_left_to_gain() -> None:
    history = line().fit(X, Y, epochs=1000)
    assert history.iterations < 100
    assert history.stopped_because == "L-BFGS: the gradient is below its tolerance"
    loose = line(optimizer=cr.LBFGS(tolerance=1.0)).fit(X, Y, epochs=1000)
    assert loose.iterations < history.iterations


def test_penalties_and_weights_count() -> None:
    weight = np.linspace(0, 2, 30)
    net = line(l2=0.3, loss="sum_of_squares")
    net.fit(X, Y, sample_weight=weight, epochs=200)
    columns = np.column_stack([X, np.ones(30)])
    ridge = columns.T @ (columns * weight[:, np.newaxis]) + 0.3 * np.diag([1, 1, 1, 0])
    exact = np.linalg.solve(ridge, columns.T @ (weight * Y))
    np.testing.assert_allclose(net.parameters, exact, atol=1e-6)


def test_a_callback_ends_it_with_the_parameters_of_that_iteration() -> None:
    kept: list[Array] = []

    def stop(net: cr.NeuralNetwork, history: cr.History) -> None:
        kept.append(net.parameters.copy())
        if history.iterations == 4:
            history.stop("far enough")

    net = curve()
    history = net.fit(X, Y, epochs=50, callbacks=[cr.OnEpoch(stop)])
    assert (history.iterations, history.stopped_because) == (4, "far enough")
    np.testing.assert_array_equal(net.parameters, kept[-1])


def test_without_scipy_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    net = curve()
    before = net.parameters.copy()
    with pytest.raises(cr.MissingPackage, match="'lbfgs' needs the package 'scipy'"):
        net.fit(X, Y)
    np.testing.assert_array_equal(net.parameters, before)
