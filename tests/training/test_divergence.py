"""A loss that stops being finite ends the training, and what was good before is kept."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X.sum(axis=1)


def network(optimizer: str | cr.Optimizer, **settings: Any) -> cr.NeuralNetwork:
    chosen = {"inputs": 3} | settings
    return cr.NeuralNetwork(
        cr.Dense(5, activation="relu"), cr.Dense(1), optimizer=optimizer, **chosen
    )


def diverge(net: cr.NeuralNetwork, **fit: Any) -> cr.LossNotFinite:
    with pytest.raises(cr.LossNotFinite) as caught:
        net.fit(X, Y, **({"epochs": 100} | fit))
    return caught.value


class StopAt(cr.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def after_step(self, network: Any, history: cr.History) -> None:
        if history.iterations == self.step:
            history.stop("here")


FAST = [
    cr.GradientDescent(1e6),
    cr.GradientDescent(1e4, momentum=0.9),
    cr.Adam(1e12),
    cr.Lion(1e14),
    cr.RMSProp(1e18),
]


@pytest.mark.parametrize("optimizer", FAST, ids=repr)
@pytest.mark.parametrize("batch_size", [None, 4])
def test_the_last_parameters_with_a_finite_loss_are_back(
    optimizer: cr.Optimizer, batch_size: int | None
) -> None:
    """A replay that stops one update earlier must stand at the very same parameters."""
    net = network(optimizer)
    error = diverge(net, batch_size=batch_size)
    assert error.step == error.history.iterations == net.training_state.step > 0
    assert np.isfinite(error.history.losses).all()
    assert np.isfinite(error.history.gradient_norms).all()
    assert np.isfinite(net.parameters).all()

    replay = network(optimizer)
    if error.step > 1:
        replay.fit(X, Y, epochs=100, batch_size=batch_size, callbacks=[StopAt(error.step - 1)])
    np.testing.assert_array_equal(net.parameters, replay.parameters)
    assert np.isfinite(net.predict(X)).all()
    assert np.isfinite(net.evaluate(X, Y)["loss"])


def test_it_says_when_where_and_what_to_try() -> None:
    error = diverge(network(cr.GradientDescent(1e6)), batch_size=10)
    message = str(error)
    assert f"stopped at step {error.step + 1} (epoch {error.step // 2 + 1})" in message
    assert f"{error.tensor!r} of {error.layer}" in message
    assert "last finite parameters are back" in message
    assert "(it was 1e+06)" in message
    assert "not finite" in error.history.stopped_because
    assert isinstance(error, ArithmeticError)
    assert len(error.history["loss"]) == error.step // 2


def test_training_can_go_on_with_a_smaller_step() -> None:
    net = network(cr.GradientDescent(1e6, momentum=0.5))
    diverge(net)
    assert not any(vector.any() for vector in net.training_state.optimizer.vectors.values())
    net.optimizer = cr.Adam(0.01)
    history = net.fit(X, Y, epochs=3)
    assert np.isfinite(history.losses).all()


# --- where it began --------------------------------------------------------------------------


class Fragile(cr.Activation):
    """Gives NaN once it has been asked for a while."""

    def __init__(self, asked: int) -> None:
        self.asked, self.times = asked, 0

    def value(self, z: Array) -> Array:
        self.times += 1
        return z if self.times <= self.asked else np.full_like(z, np.nan)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.ones_like(z)


@pytest.mark.parametrize("optimizer", ["gradient_descent", "lbfgs"])
def test_an_activation_of_ones_own_is_named(optimizer: str) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(4, activation="tanh"),
        cr.Dense(3, activation=Fragile(3 if optimizer == "gradient_descent" else 0)),
        cr.Dense(1),
        optimizer=optimizer,
        inputs=3,
    )
    start = net.parameters.copy()
    error = diverge(net)
    assert (error.layer, error.tensor) == ("layer 2", "a")
    assert error.step == (3 if optimizer == "gradient_descent" else 0)
    assert np.isfinite(net.parameters).all()
    if optimizer == "lbfgs":
        np.testing.assert_array_equal(net.parameters, start)


def test_a_derivative_of_ones_own_is_named() -> None:
    class Steep(cr.Activation):
        def value(self, z: Array) -> Array:
            return z

        def derivative(self, z: Array, a: Array) -> Array:
            return np.full_like(z, np.inf)

    net = cr.NeuralNetwork(cr.Dense(4, activation=Steep()), cr.Dense(1), inputs=3)
    error = diverge(net)
    assert (error.layer, error.tensor, error.step) == ("layer 1", "d_z", 0)


def test_a_weighted_sum_that_overflows_is_named() -> None:
    net = network("adam")
    net.layers[0].weights = np.full((3, 5), 3e38)
    error = diverge(net, batch_size=None)
    assert (error.layer, error.tensor, error.step) == ("layer 1", "z", 0)
    assert (net.layers[0].weights == np.float32(3e38)).all()  # as good as they were before


class Broken(cr.Loss):
    """A loss whose value, or gradient, is not a number."""

    def __init__(self, *, times: float = 1.0, gradient_times: float = 1.0) -> None:
        self.times, self.gradient_times = times, gradient_times

    def terms(self, y_hat: Array, y: Array) -> Array:
        return (y_hat - y) ** 2 * self.times

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return 2 * (y_hat - y) * self.gradient_times


def test_a_loss_that_is_the_first_to_fail_is_named() -> None:
    error = diverge(network("adam", loss=Broken(times=np.nan)))
    assert (error.layer, error.tensor) == ("loss", "loss")
    assert "the loss itself" in str(error)


def test_a_loss_whose_gradient_is_the_first_to_fail_is_named() -> None:
    error = diverge(network("adam", loss=Broken(gradient_times=np.nan)))
    assert (error.layer, error.tensor) == ("loss", "d_output")


def test_a_gradient_too_long_for_float32_is_still_measured() -> None:
    """Its squares overflow and it does not: no reason to stop."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False),
        loss="mean_absolute_error",
        optimizer=cr.GradientDescent(1e-30),
        inputs=1,
    )
    net.layers[0].weights = [[0]]
    history = net.fit([[1e25]], [1], epochs=1)
    assert history.gradient_norms[0] == pytest.approx(1e25)


# --- the last update counts too --------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e37, 3e38])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_the_network_gives_finite_numbers_however_the_training_ends(
    epochs: int, rate: float
) -> None:
    """No step follows the last update and would notice what it did."""
    net = network(cr.GradientDescent(rate))
    with suppress(cr.LossNotFinite):
        net.fit(X, 100 * Y, epochs=epochs)
    assert np.isfinite(net.parameters).all()
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.isfinite(net.predict(X)).all()


@pytest.mark.parametrize(
    "measured",
    [{"validation": 0.25}, {"metrics": ["r2"]}, {"validation": 0.25, "metrics": ["mae"]}],
    ids=["validation", "metrics", "both"],
)
def test_measuring_at_the_end_of_an_epoch_tells_it_in_the_same_way(measured: Any) -> None:
    net = network(cr.GradientDescent(1e30))
    start = net.parameters.copy()
    error = diverge(net, epochs=1, batch_size=None, **measured)
    assert error.history.iterations == 1
    np.testing.assert_array_equal(net.parameters, start)


# --- L-BFGS ----------------------------------------------------------------------------------


class Logarithm(cr.Activation):
    """Not a number below zero, where a line search may well look."""

    def value(self, z: Array) -> Array:
        return np.log(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return 1 / z


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lbfgs_keeps_finite_parameters_where_its_search_leaves_the_domain(dtype: str) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(1, activation=Logarithm()), optimizer="lbfgs", dtype=dtype, inputs=1
    )
    net.layers[0].weights, net.layers[0].bias = [[1.0]], [1.0]
    x = np.linspace(0.1, 1, 10).reshape(-1, 1)
    try:
        history = net.fit(x, np.full(10, -60.0), epochs=50)
    except cr.LossNotFinite as error:
        history = error.history
    assert np.isfinite(history.losses).all()
    assert np.isfinite(net.parameters).all()
    assert np.isfinite(net.predict(x)).all()


def test_lbfgs_goes_back_to_the_last_iteration_that_was_finite() -> None:
    def fragile(asked: int) -> cr.NeuralNetwork:
        return cr.NeuralNetwork(
            cr.Dense(4, activation="tanh"),
            cr.Dense(3, activation=Fragile(asked)),
            cr.Dense(1),
            optimizer="lbfgs",
            inputs=3,
        )

    net, healthy = fragile(6), fragile(10**6)
    start = net.parameters.copy()
    error = diverge(net)
    assert error.step == error.history.iterations > 1
    healthy.fit(X, Y, epochs=error.step)
    np.testing.assert_array_equal(net.parameters, healthy.parameters)
    assert not np.array_equal(net.parameters, start)


def test_lbfgs_tells_data_that_overflow_at_once() -> None:
    error = diverge_on(network("lbfgs"), X * 1e38)
    assert (error.step, error.history.iterations) == (0, 0)
    assert error.tensor in {"z", "a"}


def diverge_on(net: cr.NeuralNetwork, x: Array) -> cr.LossNotFinite:
    start = net.parameters.copy()
    with pytest.raises(cr.LossNotFinite) as caught:
        net.fit(x, Y, epochs=10)
    np.testing.assert_array_equal(net.parameters, start)
    return caught.value
