"""Normalization over the batch and over each sample, by machine code."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from contracts.examples import random_for
from contracts.training import cut_finely, train_alike
from engines.compiled.test_parity import assert_same_numbers, both

import chainrule as cr
from chainrule.engines.compiled.channels import stretch_of
from chainrule.layer import Shape

NORMS = [cr.BatchNorm(epsilon=1e-3), cr.LayerNorm(), cr.RMSNorm(), cr.GroupNorm(1)]
SHAPES = [(7, 6), (5, 9, 6), (3, 3, 36), (30, 30, 12)]


@pytest.mark.parametrize("channels", [1, 3, 10, 16, 40, 101, 512, 1000])
def test_a_stretch_is_a_number_of_whole_positions(channels: int) -> None:
    assert stretch_of(channels) % channels == 0
    assert 128 <= stretch_of(channels) <= 1024


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(layer, shape) for layer in NORMS for shape in [(6,), *SHAPES]]
    + [(cr.GroupNorm(2), (6,)), *((cr.GroupNorm(6), shape) for shape in SHAPES)],
    ids=repr,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_of_any_size(layer: cr.Layer, shape: Shape, dtype: str) -> None:
    """Numbers far from 0, with γ and β of any sign, in more than one stretch and chunk."""
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape, dtype=dtype)
    random = random_for("norms", shape)
    net.parameters[...] = random.normal(size=net.parameters.shape)
    x = (3 * random.normal(size=(6, *shape)) + 5).astype(dtype)
    y = random.normal(size=(6, *shape)).astype(dtype)
    assert_same_numbers(net, x, y, weight=random.uniform(size=6).astype(dtype))


@pytest.mark.parametrize("layer", NORMS, ids=repr)
def test_trains_as_the_reference(layer: cr.Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several shards and blocks, a last batch that is smaller, with statistics and activations."""
    cut_finely(monkeypatch)
    random = random_for("normalized")
    x, y = random.normal(size=(30, 4, 5)), random.normal(size=(30, 3))
    other = copy.deepcopy(layer)
    train_alike(
        (layer, cr.ReLU(), cr.Flatten(), cr.Dense(8), other, cr.Tanh(), cr.Dense(3)),
        x, y, sample_weight=random.uniform(size=30), optimizer=cr.Adam(0.01), epochs=3,
    )  # fmt: skip


def test_predicts_by_what_training_has_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_finely(monkeypatch)
    random = random_for("running")
    x, y = 2 + random.normal(size=(40, 3, 4)), random.normal(size=(40, 3, 4))
    net = train_alike((cr.BatchNorm(momentum=0.7), cr.ReLU(), cr.BatchNorm()), x, y)
    expected = net.feedforward(x, net.new_trace())
    assert net.predict(x) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_shards_of_unlike_means_are_joined_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_finely(monkeypatch)
    random = random_for("shards")
    x = random.normal(size=(24, 5, 3)) + np.repeat([0.0, 1000.0, -500.0], 8)[:, None, None]
    net = cr.NeuralNetwork(cr.BatchNorm(), inputs=(5, 3), dtype="float64")
    assert_same_numbers(net, x, random.normal(size=(24, 5, 3)))


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    random = random_for("offset")
    x = (random.normal(size=(64, 6, 6, 4)) + 3000).astype(np.float32)
    net = cr.NeuralNetwork(cr.BatchNorm(), inputs=(6, 6, 4), dtype="float32")
    _, found = both(net, x, x)
    exact = x.astype(np.float64)
    exact = (exact - exact.mean(axis=(0, 1, 2))) / exact.std(axis=(0, 1, 2))
    assert np.abs(found.output - exact).max() < 1e-4


def test_one_layer_at_two_places_counts_twice() -> None:
    """The statistics of a shared layer stand once, and every place averages its batch in."""
    random = random_for("shared")
    x, y = random.normal(size=(20, 4)), random.normal(size=(20, 4))
    shared = cr.BatchNorm(momentum=0.6)
    train_alike((shared, cr.Dense(4, "tanh"), shared, cr.Dense(4)), x, y)


def test_infinity_is_noticed() -> None:
    """Squares that overflow give NaN, as the reference has it, not zeros."""
    random = random_for("overflow")
    x = (random.uniform(1, 2, size=(8, 4)) * [1e30, -1e30, 1e30, 1e30]).astype(np.float32)
    net = cr.NeuralNetwork(cr.LayerNorm(), inputs=4, dtype="float32")
    with np.errstate(all="ignore"):
        _, found = both(net, x, np.zeros_like(x))
    assert np.isnan(found.output).all()


def test_statistics_stay_where_the_loss_is_not_finite() -> None:
    random = random_for("refused")
    x, y = random.normal(size=(16, 4)), np.full((16, 4), 1e200)
    net = cr.NeuralNetwork(
        cr.BatchNorm(), cr.Dense(4), dtype="float64", loss="mean_squared_error", engine="compiled",
    )  # fmt: skip
    with pytest.raises(cr.LossNotFinite):
        net.fit(x, y, epochs=1, progress=False)
    assert not net.layers[0].running_mean.any()
