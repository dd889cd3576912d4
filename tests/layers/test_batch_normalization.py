"""Batch normalization by hand, by its definition, by differences, and in the life of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.reference import NetworkTrace
from chainrule.errors import InvalidData, InvalidSetting, InvalidShape, LossNotFinite
from chainrule.layer import Array, Pass, Shape, Trace
from chainrule.layers import BatchNorm
from chainrule.saving import load, save

SHAPES: list[Shape] = [(5,), (6, 3), (4, 3, 2), (3, 3, 1)]


def built(layer: BatchNorm, input_shape: Shape, dtype: str = "float64", seed: int = 0) -> BatchNorm:
    """Give the layer parameters and statistics that are not those it starts with."""
    net = cr.NeuralNetwork(layer, inputs=input_shape, dtype=dtype)
    random = np.random.default_rng(seed)
    storage = net.parameter_vector.storage
    storage[...] = random.uniform(0.5, 1.5, len(storage))
    return layer


def training_trace() -> Trace:
    return Trace(Pass(training=True))


def by_definition(layer: BatchNorm, x: Array, mean: Array, variance: Array) -> Array:
    """The equations, one channel after the other."""
    z = np.empty_like(x)
    for c in range(x.shape[-1]):
        x_hat = (x[..., c] - mean[c]) / np.sqrt(variance[c] + layer.epsilon)
        z[..., c] = layer.scale[c] * x_hat + layer.shift[c]
    return z


# --- the mathematics ------------------------------------------------------------------------


def test_forwards_and_back_by_hand() -> None:
    """Numbers 0 and 4: μ = 2, v = 4, and with ε = 2.25 σ = 2.5, so x̂ = -0.8 and 0.8."""
    layer = BatchNorm(epsilon=2.25)
    cr.NeuralNetwork(layer, inputs=1, dtype="float64")
    layer.scale, layer.shift = [2.0], [1.0]
    trace = training_trace()
    z = layer.feedforward(np.array([[0.0], [4.0]]), trace)
    np.testing.assert_allclose(z, [[-0.6], [2.6]])
    np.testing.assert_allclose([trace.mean, trace.variance, trace.deviation], [[2], [4], [2.5]])
    np.testing.assert_allclose(trace.x_hat, [[-0.8], [0.8]])

    d_x = layer.backprop(np.array([[1.0], [0.0]]), trace)
    np.testing.assert_allclose(trace.d_shift, [1.0])  # Σ δ
    np.testing.assert_allclose(trace.d_scale, [-0.8])  # Σ δ x̂
    # γ/σ · (δ - Σ δ / 2 - x̂ · Σ δ x̂ / 2) = 0.8 · (1 - 0.5 - 0.32), and the same with a minus
    np.testing.assert_allclose(d_x, [[0.144], [-0.144]])


def test_running_averages_by_hand() -> None:
    """From 0 and 1 a tenth of the way to the mean 2 and the unbiased variance 8."""
    layer = BatchNorm()
    cr.NeuralNetwork(layer, inputs=1, dtype="float64")
    trace = training_trace()
    layer.feedforward(np.array([[0.0], [4.0]]), trace)
    assert (layer.running_mean, layer.running_variance) == (0, 1)
    layer.update_statistics(trace)
    np.testing.assert_allclose(layer.running_mean, [0.2])
    np.testing.assert_allclose(layer.running_variance, [0.9 * 1 + 0.1 * 8])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_it_is_its_definition(shape: Shape, dtype: str, tolerance: float) -> None:
    layer = built(BatchNorm(), shape, dtype)
    x = np.random.default_rng(1).normal(3, 2, (4, *shape)).astype(dtype)
    others = tuple(range(x.ndim - 1))
    z = layer.feedforward(x, training_trace())
    expected = by_definition(layer, x, x.mean(axis=others), x.var(axis=others))
    np.testing.assert_allclose(z, expected, rtol=tolerance, atol=tolerance)
    z = layer.feedforward(x, Trace())
    expected = by_definition(layer, x, layer.running_mean, layer.running_variance)
    np.testing.assert_allclose(z, expected, rtol=tolerance, atol=tolerance)
    assert z.dtype == dtype


def differences(function: Any, place: Array, step: float = 1e-6) -> Array:
    """Central differences of a number that depends on the array ``place``, moved in place."""
    gradient = np.empty_like(place)
    for index in np.ndindex(place.shape):
        start = place[index]
        place[index] = start + step
        above = function()
        place[index] = start - step
        gradient[index] = (above - function()) / (2 * step)
        place[index] = start
    return gradient


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_backprop_is_what_finite_differences_say(shape: Shape, training: bool) -> None:
    """In training, where every x moves the mean and the variance, and in prediction."""
    layer = built(BatchNorm(epsilon=0.01), shape)
    random = np.random.default_rng(2)
    x, d_z = random.normal(size=(2, 4, *shape))

    def loss() -> float:
        return float((layer.feedforward(x, Trace(Pass(training=training))) * d_z).sum())

    trace = Trace(Pass(training=training))
    layer.feedforward(x, trace)
    d_x = layer.backprop(d_z, trace)
    assert d_x is not None
    np.testing.assert_allclose(d_x, differences(loss, x), atol=1e-8)
    np.testing.assert_allclose(trace.d_scale, differences(loss, layer.scale), atol=1e-8)
    np.testing.assert_allclose(trace.d_shift, differences(loss, layer.shift), atol=1e-8)


def test_a_whole_network_in_training_is_what_finite_differences_say() -> None:
    """Every parameter, through layers before and after, with the loss of the network."""
    net = cr.NeuralNetwork(
        cr.Dense(4, activation="tanh"), BatchNorm(), cr.Dense(2), inputs=3, dtype="float64"
    )
    random = np.random.default_rng(3)
    x, y = random.normal(size=(6, 3)), random.normal(size=(6, 2))

    def trained() -> NetworkTrace:
        trace = net.new_trace()
        trace.shared.training = True
        net.feedforward(x, trace)
        return trace

    trace = trained()
    found = net.backprop(y, trace)
    assert trace.d_x is not None
    expected = differences(lambda: net.measure(y, trained()), net.parameters)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    np.testing.assert_allclose(
        trace.d_x, differences(lambda: net.measure(y, trained()), x), atol=1e-8
    )


def test_backprop_leaves_out_what_the_layer_would_undo() -> None:
    """No push of all numbers of a channel together, and (with ε = 0) no stretching of them."""
    layer = built(BatchNorm(epsilon=1e-12), (4, 4, 3))
    x, d_z = np.random.default_rng(4).normal(size=(2, 5, 4, 4, 3))
    trace = training_trace()
    layer.feedforward(x, trace)
    d_x = layer.backprop(d_z, trace)
    assert d_x is not None
    np.testing.assert_allclose(d_x.sum(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose((d_x * trace.x_hat).sum(axis=(0, 1, 2)), 0, atol=1e-10)


def test_the_first_layer_need_not_tell_the_data_anything() -> None:
    layer = built(BatchNorm(), (3,))
    x, d_z = np.random.default_rng(5).normal(size=(2, 4, 3))
    trace = training_trace()
    trace.needs_d_x = False
    layer.feedforward(x, trace)
    assert layer.backprop(d_z, trace) is None
    np.testing.assert_allclose(trace.d_shift, d_z.sum(axis=0))


@pytest.mark.parametrize(("shape", "tolerance"), [((8,), 5e-3), ((28, 28, 3), 1e-3)])
def test_float32_keeps_its_digits_beside_a_large_mean(shape: Shape, tolerance: float) -> None:
    """Mean of squares less square of mean would leave nothing of them: 1e8 + 1 is 1e8."""
    x = np.random.default_rng(6).normal(1e4, 1, (64, *shape)).astype(np.float32)
    single, double = BatchNorm(), BatchNorm()
    cr.NeuralNetwork(single, inputs=shape, dtype="float32")
    cr.NeuralNetwork(double, inputs=shape, dtype="float64")
    found = single.feedforward(x, training_trace())
    expected = double.feedforward(x.astype(np.float64), training_trace())
    np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize(("shape", "kind"), [((5,), "BatchNorm1d"), ((6, 4, 3), "BatchNorm2d")])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("momentum", [0.9, 0.0, 0.6])
def test_pytorch_agrees(
    shape: Shape, kind: str, dtype: str, tolerance: float, momentum: float
) -> None:
    """Outputs, gradients and running statistics over several steps, then predictions."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed to compare with")
    layer = built(BatchNorm(momentum, epsilon=1e-3), shape, dtype)
    peer = getattr(torch.nn, kind)(shape[-1], eps=1e-3, momentum=1 - momentum)
    peer = peer.to(getattr(torch, dtype))
    with torch.no_grad():
        for ours, theirs in (
            (layer.scale, peer.weight),
            (layer.shift, peer.bias),
            (layer.running_mean, peer.running_mean),
            (layer.running_variance, peer.running_var),
        ):
            theirs.copy_(torch.from_numpy(ours.copy()))

    def to_torch(array: Array) -> Any:
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))

    def from_torch(tensor: Any) -> Array:
        return np.moveaxis(tensor.detach().numpy(), 1, -1)

    def assert_near(found: Array, expected: Array) -> None:
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)

    random = np.random.default_rng(7)
    for step in range(5):
        x = random.normal(step, 2, (8, *shape)).astype(dtype)
        d_z = random.normal(size=x.shape).astype(dtype)
        trace = training_trace()
        z = layer.feedforward(x, trace)
        d_x = layer.backprop(d_z, trace)
        layer.update_statistics(trace)
        their_x = to_torch(x).requires_grad_()
        their_z = peer(their_x)
        peer.zero_grad()
        their_z.backward(to_torch(d_z))
        assert d_x is not None
        assert_near(z, from_torch(their_z))
        assert_near(d_x, from_torch(their_x.grad))
        assert_near(trace.d_scale, peer.weight.grad.numpy())
        assert_near(trace.d_shift, peer.bias.grad.numpy())
        assert_near(layer.running_mean, peer.running_mean.numpy())
        assert_near(layer.running_variance, peer.running_var.numpy())
    peer.eval()
    assert_near(layer.feedforward(x, Trace()), from_torch(peer(to_torch(x))))


# --- in a network ---------------------------------------------------------------------------


def some_data(count: int = 40) -> tuple[Array, Array]:
    random = np.random.default_rng(8)
    x = random.normal(2, 3, (count, 3))
    return x, x @ [[1.0], [-2.0], [0.5]] + random.normal(0, 0.1, (count, 1))


def network(**settings: Any) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(cr.Dense(6), BatchNorm(), cr.ReLU(), cr.Dense(1), inputs=3, **settings)


def statistics(net: cr.NeuralNetwork) -> Array:
    storage = net.parameter_vector.storage
    return storage[len(net.parameters) :].copy()


def test_statistics_are_no_parameters() -> None:
    """They have no gradient and no optimizer moves them, but they are stored beside the rest."""
    net = network()
    assert len(net.parameters) == (3 * 6 + 6) + (6 + 6) + (6 + 1)
    assert [slot.label for slot in net.parameter_vector.statistics] == [
        "layer 2 running_mean",
        "layer 2 running_variance",
    ]
    np.testing.assert_array_equal(statistics(net), [0] * 6 + [1] * 6)


def test_a_pass_changes_no_statistics() -> None:
    """Only ``update_statistics`` does, and a pass of prediction adds nothing even then."""
    net, (x, _) = network(), some_data()
    trace = net.new_trace()
    net.feedforward(x, trace)
    net.update_statistics(trace)
    trace.shared.training = True
    net.feedforward(x, trace)
    np.testing.assert_array_equal(statistics(net), [0] * 6 + [1] * 6)
    net.update_statistics(trace)
    assert (statistics(net) != [0] * 6 + [1] * 6).all()


def test_a_trace_keeps_the_statistics_that_its_pass_used() -> None:
    net, (x, _) = network(), some_data()
    earlier, later = net.new_trace(), net.new_trace()
    later.shared.training = True
    net.feedforward(x, earlier)
    net.feedforward(x, later)
    net.update_statistics(later)
    np.testing.assert_array_equal(earlier[1].mean, [0] * 6)
    np.testing.assert_array_equal(earlier[1].variance, [1] * 6)


def test_a_layer_at_two_places_counts_both_in_order() -> None:
    layer, (x, _) = BatchNorm(momentum=0.5), some_data()
    net = cr.NeuralNetwork(layer, layer, inputs=3, dtype="float64")
    trace = net.new_trace()
    trace.shared.training = True
    net.feedforward(x, trace)
    net.update_statistics(trace)
    first, second = trace[0].mean, trace[1].mean
    np.testing.assert_allclose(layer.running_mean, first / 4 + second / 2)


def test_training_counts_every_batch_once_and_validation_not_at_all() -> None:
    """The averages of four steps, followed by hand, with a validation set of other numbers."""
    x, y = some_data(20)
    net = cr.NeuralNetwork(BatchNorm(momentum=0.5), cr.Dense(1), inputs=3, dtype="float64")
    net.fit(x, y, epochs=2, batch_size=10, shuffle=False, validation=(x + 100, y))
    mean, variance = np.zeros(3), np.ones(3)
    for batch in (x[:10], x[10:]) * 2:
        mean = mean / 2 + batch.mean(axis=0) / 2
        variance = variance / 2 + batch.var(axis=0, ddof=1) / 2
    np.testing.assert_allclose(statistics(net), [*mean, *variance], rtol=1e-12)


def test_predictions_do_not_depend_on_what_else_is_in_the_batch() -> None:
    net, (x, y) = network(dtype="float64"), some_data()
    net.fit(x, y, epochs=3, batch_size=8)
    together = net.predict(x)
    np.testing.assert_allclose(net.predict(x[:1]), together[:1], rtol=1e-12)
    np.testing.assert_allclose(net.predict(x[::-1]), together[::-1], rtol=1e-12)
    np.testing.assert_allclose(net.predict(np.r_[x[:2], x[:2] + 50])[:2], together[:2], rtol=1e-12)


def test_it_learns_where_features_are_of_very_different_size() -> None:
    x, y = some_data()
    x = x * [1e-3, 1.0, 1e3]
    net = cr.NeuralNetwork(BatchNorm(), cr.Dense(1), optimizer=cr.Adam(0.05), inputs=3)
    net.fit(x, y, epochs=200)
    assert net.evaluate(x, y)["loss"] < 0.05 * y.var()


def test_training_twice_is_training_on() -> None:
    (x, y), once, twice = some_data(), network(), network()
    once.fit(x, y, epochs=4)
    twice.fit(x, y, epochs=2)
    twice.fit(x, y, epochs=2)
    np.testing.assert_array_equal(once.parameter_vector.storage, twice.parameter_vector.storage)


class Snapshots(cr.Callback):
    """Keeps parameters and statistics after every step and every epoch."""

    def __init__(self) -> None:
        self.steps: list[Array] = []
        self.epochs: list[Array] = []

    def after_step(self, network: Any, history: cr.History) -> None:
        self.steps.append(network.parameter_vector.storage.copy())

    def after_epoch(self, network: Any, history: cr.History) -> None:
        self.epochs.append(network.parameter_vector.storage.copy())


def test_early_stopping_takes_the_statistics_of_the_best_epoch_back() -> None:
    x, y = some_data()
    net = network(optimizer=cr.Adam(learning_rate=0.3))
    snapshots, stopping = Snapshots(), cr.EarlyStopping(patience=3)
    net.fit(x, y, epochs=200, validation=(x[:9] + 0.5, y[:9]), callbacks=[stopping, snapshots])
    assert stopping.best_epoch < len(snapshots.epochs) < 200
    np.testing.assert_array_equal(
        net.parameter_vector.storage, snapshots.epochs[stopping.best_epoch - 1]
    )
    assert not np.array_equal(statistics(net), snapshots.epochs[-1][len(net.parameters) :])


def test_divergence_takes_the_last_finite_statistics_back() -> None:
    x, y = some_data()
    net = network(optimizer=cr.GradientDescent(learning_rate=1e6))
    snapshots = Snapshots()
    with pytest.raises(LossNotFinite):
        net.fit(x, y, epochs=50, callbacks=[snapshots])
    assert len(snapshots.steps) >= 2
    # The last step's parameters are those whose loss was not finite.
    np.testing.assert_array_equal(net.parameter_vector.storage, snapshots.steps[-2])
    assert np.isfinite(statistics(net)).all()


def test_squares_too_large_for_float32_stop_training() -> None:
    """An infinite variance would make all numbers zero, and nobody would notice."""
    x, y = some_data()
    net = cr.NeuralNetwork(BatchNorm(), cr.Dense(1), inputs=3)
    with pytest.raises(LossNotFinite, match="'variance' of layer 1"):
        net.fit(x * 1e25, y, epochs=2)
    np.testing.assert_array_equal(statistics(net), [0] * 3 + [1] * 3)


def test_files_and_copies_hold_the_statistics(tmp_path: Path) -> None:
    net, (x, y) = network(), some_data()
    net.fit(x, y, epochs=3)
    stored = load(save(net, tmp_path / "net.safetensors")).network
    for twin in (stored, net.copy()):
        np.testing.assert_array_equal(statistics(twin), statistics(net))
        np.testing.assert_array_equal(twin.predict(x), net.predict(x))


# --- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (1, 1, 3)])
def test_one_number_per_channel_has_no_variance(shape: Shape) -> None:
    layer = built(BatchNorm(), shape)
    with pytest.raises(InvalidData, match=r"training batch of shape .*one number per channel"):
        layer.feedforward(np.ones((1, *shape)), training_trace())
    layer.feedforward(np.ones((1, *shape)), Trace())  # to predict one sample is fine


def test_one_image_has_many_numbers_per_channel() -> None:
    layer = built(BatchNorm(), (2, 1, 3))
    z = layer.feedforward(np.ones((1, 2, 1, 3)), training_trace())
    np.testing.assert_allclose(z, np.broadcast_to(layer.shift, z.shape))


def test_single_numbers_have_no_channels() -> None:
    with pytest.raises(InvalidShape, match="single numbers"):
        BatchNorm().output_shape(())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": 1}, "momentum must be a finite number of at least 0 below 1; received 1"),
        ({"momentum": -0.1}, "momentum must be"),
        ({"momentum": "0.9"}, "momentum must be"),
        ({"epsilon": 0}, "epsilon must be a finite number above 0; received 0"),
        ({"epsilon": float("nan")}, "epsilon must be"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        BatchNorm(**settings)
