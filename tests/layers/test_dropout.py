"""Dropout by hand: y = m · x in training, nothing at all otherwise."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Layer, Pass
from chainrule.layers import Dropout, Residual, SpatialDropout

X = np.arange(1.0, 13.0).reshape(3, 4)


def training(step: int = 0, seed: int = 0, position: tuple[int, ...] = (0,)) -> cr.Trace:
    return cr.Trace(Pass(training=True, seed=seed, step=step), position)


def mask(layer: Dropout, trace: cr.Trace, shape: tuple[int, ...] = (50, 40)) -> Array:
    return layer.feedforward(np.ones(shape), trace)


def test_what_is_kept_is_scaled_up_and_the_way_back_has_the_same_mask() -> None:
    trace = training()
    y = Dropout(0.75).feedforward(X, trace)
    assert set(np.unique(trace.mask)) <= {0.0, 4.0}
    np.testing.assert_array_equal(y, X * trace.mask)
    np.testing.assert_array_equal(Dropout(0.75).backprop(X + 1, trace), (X + 1) * trace.mask)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_part_left_out_is_the_rate_and_the_mean_stays(rate: float) -> None:
    kept = mask(Dropout(rate), training(), (400, 500))
    assert (kept == 0).mean() == pytest.approx(rate, abs=0.005)
    np.testing.assert_allclose(kept[kept != 0], 1 / (1 - rate))
    assert kept.mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("layer", [Dropout(), SpatialDropout()])
def test_outside_training_it_passes_everything_on(layer: Dropout) -> None:
    trace = cr.Trace()
    assert layer.feedforward(X, trace) is X
    assert layer.backprop(X, trace) is X


def test_a_trace_that_was_used_in_training_is_clean_afterwards() -> None:
    shared = Pass(training=True)
    trace = cr.Trace(shared)
    Dropout().feedforward(X, trace)
    shared.training = False
    assert Dropout().feedforward(X, trace) is X
    assert Dropout().backprop(X, trace) is X


def test_nothing_is_left_out_at_rate_zero() -> None:
    np.testing.assert_array_equal(mask(Dropout(0), training()), np.ones((50, 40)))


def test_the_mask_belongs_to_seed_step_and_position() -> None:
    first = mask(Dropout(), training(step=3))
    np.testing.assert_array_equal(mask(Dropout(), training(step=3)), first)
    for other in (training(step=4), training(3, seed=1), training(3, position=(1,))):
        assert (mask(Dropout(), other) != first).mean() == pytest.approx(0.5, abs=0.05)


def test_both_dtypes_leave_the_same_numbers_out() -> None:
    single, double = training(), training()
    y = Dropout(0.3).feedforward(X.astype(np.float32), single)
    assert y.dtype == single.mask.dtype == np.float32
    np.testing.assert_allclose(Dropout(0.3).feedforward(X, double), y, rtol=1e-6)


def test_spatial_dropout_leaves_whole_channels_out() -> None:
    trace = training()
    x = np.ones((40, 5, 6, 30))
    y = SpatialDropout(0.25).feedforward(x, trace)
    assert trace.mask.shape == (40, 1, 1, 30)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert (y[:, 0, 0] == 0).mean() == pytest.approx(0.25, abs=0.03)
    np.testing.assert_array_equal(SpatialDropout(0.25).backprop(x, trace), y)
    assert SpatialDropout().output_shape((9, 4)) == (9, 4)  # sequences have channels too


@pytest.mark.parametrize("layer", [Dropout(0.4), Residual(cr.Dense(5), Dropout(0.4))])
def test_finite_differences_agree_while_training(layer: Layer) -> None:
    """The mask of a step does not move, so the loss is a function of the weights as ever."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(6, 3)), random.normal(size=(6, 2))
    net = cr.NeuralNetwork(
        cr.Dense(5, "tanh"), copy.deepcopy(layer), cr.Dense(2), dtype="float64", inputs=3
    )
    trace = net.new_trace()
    trace.shared.training, trace.shared.step = True, 7

    def loss() -> float:
        net.feedforward(x, trace)
        return net.measure(y, trace)

    loss()
    gradients = net.backprop(y, trace).copy()
    for place in range(len(gradients)):
        start = net.parameters[place]
        net.parameters[place] = start + 1e-6
        above = loss()
        net.parameters[place] = start - 1e-6
        below = loss()
        net.parameters[place] = start
        assert gradients[place] == pytest.approx((above - below) / 2e-6, rel=1e-6, abs=1e-9)


def test_training_twice_is_the_same_and_goes_on_where_it_stopped() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 3)), random.normal(size=(40, 1))

    def network() -> cr.NeuralNetwork:
        return cr.NeuralNetwork(cr.Dense(8, "relu"), Dropout(), cr.Dense(1), seed=3)

    once, twice, without = network(), network(), network()
    once.fit(x, y, epochs=4, batch_size=16)
    twice.fit(x, y, epochs=2, batch_size=16)
    twice.fit(x, y, epochs=2, batch_size=16)
    np.testing.assert_array_equal(once.parameters, twice.parameters)
    np.testing.assert_array_equal(once.predict(x), once.predict(x))
    without.layers[1].rate = 0.0  # type: ignore[attr-defined]  # it is the dropout layer
    without.fit(x, y, epochs=4, batch_size=16)
    assert not np.allclose(without.parameters, once.parameters)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, "half", True, float("nan")])
def test_a_rate_outside_its_range_is_refused(rate: Any) -> None:
    with pytest.raises(cr.InvalidSetting, match="rate must be a finite number of at least 0 below"):
        Dropout(rate)


def test_spatial_dropout_of_rows_is_refused() -> None:
    with pytest.raises(
        cr.InvalidShape, match=r"SpatialDropout\(\) received .* \(3,\).*use Dropout"
    ):
        cr.NeuralNetwork(SpatialDropout(), inputs=3)
