"""Layers made of layers, layers that count, and random numbers that belong to a pass."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Layer, Parameter, Shape, Trace

X = np.random.default_rng(0).normal(size=(12, 3))
Y = X[:, :2].cumsum(axis=1)


class Chain(cr.Layer):
    """Layers one after another, as one layer."""

    def __init__(self, *layers: Layer) -> None:
        self.layers = layers

    def output_shape(self, input_shape: Shape) -> Shape:
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def inner_layers(self, input_shape: Shape) -> list[tuple[Layer, Shape]]:
        found = []
        for layer in self.layers:
            found.append((layer, input_shape))
            input_shape = layer.output_shape(input_shape)
        return found

    def feedforward(self, x: Array, trace: Trace) -> Array:
        for index, layer in enumerate(self.layers):
            x = layer.feedforward(x, trace.inner(index))
        return x

    def backprop(self, d_output: Array, trace: Trace) -> Array | None:
        d: Array | None = d_output
        for index in reversed(range(len(self.layers))):
            assert d is not None
            d = self.layers[index].backprop(d, trace.inner(index))
        return d


class Centred(cr.Layer):
    """Takes off the mean of the batch while training, and the mean it has counted afterwards."""

    mean = Parameter(trainable=False)
    scale = Parameter()

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"mean": input_shape, "scale": input_shape}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return np.zeros(shape) if name == "mean" else np.ones(shape)

    def feedforward(self, x: Array, trace: Trace) -> Array:
        trace.batch_mean = x.mean(axis=0)
        trace.centred = x - (trace.batch_mean if trace.training else self.mean)
        return trace.centred * self.scale

    def backprop(self, d_output: Array, trace: Trace) -> Array:
        trace.d_scale = (d_output * trace.centred).sum(axis=0)
        d_centred = d_output * self.scale
        return d_centred - d_centred.mean(axis=0) if trace.training else d_centred

    def update_statistics(self, trace: Trace) -> None:
        self.mean = 0.5 * self.mean + 0.5 * trace.batch_mean


def nested() -> cr.NeuralNetwork:
    shared = cr.Dense(3, activation="tanh")
    inner = Chain(shared, cr.Dense(4, activation=cr.PReLU()), cr.Dense(3))
    return cr.NeuralNetwork(Chain(shared, inner), shared, cr.Dense(2), dtype="float64", inputs=3)


def counting(**settings: object) -> cr.NeuralNetwork:
    chosen = {"optimizer": cr.Adam(0.05), "dtype": "float64"} | settings
    return cr.NeuralNetwork(cr.Dense(4, activation="tanh"), Centred(), cr.Dense(2), **chosen)


# --- layers made of layers -------------------------------------------------------------------


def test_parameters_inside_are_parameters_of_the_network() -> None:
    """The shared layer stands at 1.1, 1.2.1 and 2, and has its parameters once."""
    net = nested()
    assert [slot.label for slot in net.parameter_vector.slots] == [
        "layer 1.1 weights",
        "layer 1.1 bias",
        "layer 1.2.2 weights",
        "layer 1.2.2 bias",
        "layer 1.2.2 slope",
        "layer 1.2.3 weights",
        "layer 1.2.3 bias",
        "layer 3 weights",
        "layer 3 bias",
    ]
    shared = [use.path for use in net.parameter_vector.uses if use.slot == 0]
    assert shared == [(0, 0), (0, 1, 0), (1,)]
    assert np.shares_memory(net.layers[1].weights, net.parameters)


def test_they_agree_with_finite_differences() -> None:
    check = nested().check_gradients(X, Y)
    assert check, check


def test_every_number_inside_is_in_the_trace() -> None:
    net = nested()
    trace = net.new_trace()
    net.feedforward(X, trace)
    before = {(place, name) for place, name, _ in trace.tensors()}
    assert {("layer 1.1", "a"), ("layer 1.2.3", "z"), ("layer 2", "x")} <= before
    assert not any(name.startswith("d_") for _, name in before)
    net.backprop(Y, trace)
    after = {(place, name) for place, name, _ in trace.tensors()} - before
    assert {("layer 1.1", "d_z"), ("layer 1.2.2", "d_slope"), ("loss", "d_output")} <= after


def test_a_number_that_is_not_finite_is_found_inside() -> None:
    class Bad(cr.Activation):
        def value(self, z: Array) -> Array:
            return np.full_like(z, np.nan)

        def derivative(self, z: Array, a: Array) -> Array:
            return z

    net = cr.NeuralNetwork(Chain(cr.Dense(3), cr.Dense(2, activation=Bad())))
    with pytest.raises(cr.LossNotFinite) as caught:
        net.fit(X, Y)
    assert (caught.value.layer, caught.value.tensor) == ("layer 1.2", "a")


def test_copies_are_tied_to_their_own_vector() -> None:
    net = nested()
    for twin in (copy.deepcopy(net), net.copy()):
        np.testing.assert_array_equal(twin.predict(X), net.predict(X))
        twin.parameters[...] = 0
        assert not twin.layers[0].layers[0].weights.any()
        assert net.layers[0].layers[0].weights.any()


def test_a_layer_inside_cannot_belong_to_two_networks() -> None:
    inside = cr.Dense(3)
    first = cr.NeuralNetwork(Chain(inside), cr.Dense(1), inputs=3)
    for second in (lambda: Chain(inside), lambda: first.layers[0], lambda: inside):
        with pytest.raises(cr.InvalidSetting, match="already belongs to another network"):
            cr.NeuralNetwork(second(), cr.Dense(1), inputs=3)
    assert np.shares_memory(inside.weights, first.parameters)


# --- layers that count -----------------------------------------------------------------------


def test_what_is_counted_is_no_parameter() -> None:
    net = counting(inputs=3)
    vector = net.parameter_vector
    assert [slot.label for slot in vector.statistics] == ["layer 2 mean"]
    assert "layer 2 mean" not in [slot.label for slot in vector.slots]
    assert len(vector.storage) == len(net.parameters) + 4
    assert np.shares_memory(net.layers[1].mean, vector.storage)
    assert not np.shares_memory(net.layers[1].mean, net.parameters)
    assert net.check_gradients(X, Y)


def test_each_step_of_training_counts_once_and_nothing_else_does() -> None:
    """A rate of zero keeps the weights, so every step has the same mean m: 1/2 m, 3/4 m, 7/8 m."""
    net = counting(optimizer=cr.GradientDescent(0.0), inputs=3)
    mean = np.tanh(X @ net.layers[0].weights + net.layers[0].bias).mean(axis=0)
    net.fit(X, Y, epochs=3, validation=(X + 1, Y))
    np.testing.assert_allclose(net.layers[1].mean, 7 / 8 * mean, rtol=1e-12)
    counted = net.layers[1].mean.copy()
    net.predict(X + 2)
    net.evaluate(X + 2, Y)
    net.check_gradients(X, Y)
    trace = net.new_trace()
    net.feedforward(X + 2, trace)
    net.backprop(Y, trace)
    np.testing.assert_array_equal(net.layers[1].mean, counted)
    net.update_statistics(trace)
    assert not np.array_equal(net.layers[1].mean, counted)


@pytest.mark.parametrize("optimizer", [cr.Adam(0.05), cr.LBFGS()], ids=repr)
def test_early_stopping_takes_the_statistics_back_too(optimizer: cr.Optimizer) -> None:
    net = counting(optimizer=optimizer)
    callbacks = [cr.EarlyStopping(patience=1000)]
    history = net.fit(X, Y, epochs=60, validation=(-X, Y), callbacks=callbacks)
    assert history["validation_loss"].argmin() < len(history["validation_loss"]) - 1
    assert net.evaluate(-X, Y)["loss"] == history["validation_loss"].min()


def test_so_does_a_loss_that_is_not_finite() -> None:
    net = counting(optimizer=cr.GradientDescent(1e200))
    with pytest.raises(cr.LossNotFinite):
        net.fit(X, Y, batch_size=4)
    assert np.isfinite(net.parameter_vector.storage).all()
    assert np.isfinite(net.predict(X)).all()


def test_copies_have_the_statistics() -> None:
    net = counting()
    net.fit(X, Y, epochs=3)
    for twin in (copy.deepcopy(net), net.copy()):
        np.testing.assert_array_equal(twin.predict(X), net.predict(X))
        twin.layers[1].mean = np.zeros(4)
        assert not np.array_equal(twin.predict(X), net.predict(X))


# --- random numbers of a pass ----------------------------------------------------------------


class Noisy(cr.Layer):
    """Adds noise, while training."""

    def feedforward(self, x: Array, trace: Trace) -> Array:
        noise = trace.random("noise").normal(size=x.shape) if trace.training else 0
        return x + 0.1 * np.asarray(noise, dtype=x.dtype)

    def backprop(self, d_output: Array, trace: Trace) -> Array:
        return d_output


def noisy(seed: int = 0) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(Noisy(), cr.Dense(2), Noisy(), seed=seed)


def test_noise_belongs_to_the_seed_the_step_and_the_position() -> None:
    net = noisy()
    drawn = set()
    for step in (0, 1):
        for position in (0, 2):
            trace = net.new_trace()
            trace.shared.training, trace.shared.step = True, step
            numbers = [trace[position].random("noise").normal() for _ in range(2)]
            assert numbers[0] == numbers[1]  # whoever asks again gets the same
            drawn.add(numbers[0])
    assert len(drawn) == 4


def test_every_step_of_training_has_noise_of_its_own() -> None:
    """A rate of zero keeps the weights, so only the noise makes the losses differ."""
    net = cr.NeuralNetwork(Noisy(), cr.Dense(2), optimizer=cr.GradientDescent(0.0))
    assert len(set(net.fit(X, Y, epochs=6).losses)) == 6


def test_two_goes_see_the_same_noise_as_one() -> None:
    once, twice, other = noisy(), noisy(), noisy(seed=1)
    whole = once.fit(X, Y, epochs=5, batch_size=4)
    parts = [twice.fit(X, Y, epochs=epochs, batch_size=4) for epochs in (2, 3)]
    np.testing.assert_array_equal(whole.losses, np.concatenate([part.losses for part in parts]))
    np.testing.assert_array_equal(once.parameters, twice.parameters)
    other.build(3).parameters[...] = noisy().build(3).parameters
    assert other.fit(X, Y, epochs=1).losses[0] != noisy().fit(X, Y, epochs=1).losses[0]


def test_prediction_has_no_noise() -> None:
    net = noisy()
    net.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(net.predict(X), net.predict(X))
