"""Pooling by machine code: any window, equal numbers, NaN, and every cut of a batch."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from contracts.examples import random_for
from contracts.training import cut_finely, train_alike
from engines.compiled.test_parity import assert_same_numbers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines.compiled.prediction import CompiledPrediction
from chainrule.layer import Shape

CASES = [
    (cr.MaxPool2D(), (6, 8, 16)),
    (cr.MaxPool2D(2, 1), (5, 4, 18)),
    (cr.MaxPool2D(3, 2, "same"), (7, 8, 5)),
    (cr.MaxPool1D(3, 2, (1, 2)), (9, 20)),
    (cr.AveragePool2D(), (6, 4, 6)),
    (cr.AveragePool2D((3, 2), (1, 2), ((2, 0), (1, 1))), (5, 6, 17)),
    (cr.AveragePool1D(4, 3), (12, 3)),
    (cr.GlobalAveragePool(), (4, 5, 21)),
    (cr.GlobalMaxPool(), (6, 19)),
]
ALL = pytest.mark.parametrize(("layer", "shape"), CASES, ids=[repr(layer) for layer, _ in CASES])


def check(layer: cr.Layer, shape: Shape, dtype: str, rows: int = 12) -> None:
    """Compare all fields on whole numbers, of which many are equal, on two threads."""
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape, dtype=dtype)
    random = random_for(repr(layer))
    x = random.integers(-2, 3, size=(rows, *shape)).astype(dtype)
    y = random.normal(size=(rows, *net.output_shape)).astype(dtype)
    assert_same_numbers(net, x, y, threads=2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ALL
def test_field_by_field(
    layer: cr.Layer, shape: Shape, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    check(layer, shape, dtype)


numbers = st.integers(1, 4)
pairs = st.tuples(numbers, numbers)
sides = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from([cr.MaxPool2D, cr.AveragePool2D]),
    image=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    channels=st.sampled_from([1, 3, 8, 16, 19]),
    window=pairs,
    stride=pairs,
    padding=st.one_of(st.sampled_from(["valid", "same"]), st.tuples(sides, sides)),
)
def test_all_settings_together(
    kind: Any, image: Any, channels: int, window: Any, stride: Any, padding: Any
) -> None:
    try:
        layer = kind(window, stride, padding)
        layer.output_shape((*image, channels))
    except (cr.InvalidShape, cr.InvalidSetting):
        assume(False)
    check(layer, (*image, channels), "float64", rows=3)


@ALL
def test_trains_as_the_reference(
    layer: cr.Layer, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without traces, in blocks of a few samples."""
    cut_finely(monkeypatch, 40_000)
    random = random_for(repr(layer))
    x, y = random.normal(size=(30, *shape)), random.normal(size=(30, 2))
    layers: Any = (cr.BatchNorm(), cr.Tanh(), layer, cr.Dense(2))
    if not isinstance(layer, cr.GlobalAveragePool | cr.GlobalMaxPool):
        layers = (*layers[:-1], cr.Flatten(), cr.Dense(2))
    train_alike(layers, x, y, optimizer=cr.GradientDescent(0.02))


@pytest.mark.parametrize("place", [0, 1, 4, 15])
@ALL
def test_nan_shows(layer: cr.Layer, shape: Shape, place: int) -> None:
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape)
    x = np.zeros((1, *shape), np.float32)
    x.reshape(-1, shape[-1])[place % (x.size // shape[-1]), -1] = np.nan
    expected = net.layers[0].feedforward(x, cr.Trace())
    prediction = CompiledPrediction(net.layers, net.shapes, net.parameter_vector, threads=1)
    np.testing.assert_array_equal(np.isnan(prediction.outputs(x)), np.isnan(expected))
