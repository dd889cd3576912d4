"""Dropout by machine code leaves out the very numbers that the reference engine leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from contracts.examples import random_for
from contracts.training import cut_finely, train_alike
from engines.compiled.test_parity import both

import chainrule as cr
from chainrule.engines.compiled.tracing import TracedPass
from chainrule.layer import Shape

CASES = [
    (cr.Dropout(0.25), (7,)),
    (cr.Dropout(0.5), (3, 5, 3)),
    (cr.SpatialDropout(0.4), (4, 3, 5)),
    (cr.SpatialDropout(0.4), (6, 7)),
    (cr.Dropout(0.0), (4,)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layer", "shape"), CASES, ids=repr)
def test_the_same_numbers_are_left_out(
    layer: cr.Layer, shape: Shape, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    net = cr.NeuralNetwork(layer, inputs=shape, dtype=dtype, seed=11)
    x = random_for("dropout").uniform(1, 2, size=(13, *shape)).astype(dtype)
    trace, found = both(net, x, x, threads=2)
    np.testing.assert_array_equal(found.output, trace.output)
    np.testing.assert_array_equal(found.d_x == 0, trace.d_x == 0)


@pytest.mark.parametrize("layer", [cr.Dropout(0.3), cr.SpatialDropout(0.3)], ids=repr)
def test_trains_as_the_reference(layer: cr.Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step and every place has a mask of its own, also in a last batch that is smaller."""
    cut_finely(monkeypatch)
    random = random_for("dropping")
    x, y = random.normal(size=(30, 4, 5)), random.normal(size=(30, 3))
    train_alike(
        (layer, cr.Tanh(), layer, cr.Flatten(), cr.Dense(7, "relu"), cr.Dropout(0.2), cr.Dense(3)),
        x, y, optimizer=cr.GradientDescent(0.1), epochs=3,
    )  # fmt: skip


def test_nothing_is_left_out_in_prediction() -> None:
    x = random_for("whole").normal(size=(9, 4))
    net = cr.NeuralNetwork(cr.Dropout(0.5), inputs=4, dtype="float64", engine="compiled")
    np.testing.assert_array_equal(net.predict(x), x)


@pytest.mark.parametrize("step", [0, 1, 2**32 - 1, 2**32 + 5])
@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32, 2**64 - 1, 2**128 + 3, 2**200 + 7])
def test_the_generator_is_that_of_numpy(
    seed: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For keys of any length, from odd places on, and at the ends of a block."""
    cut_finely(monkeypatch, block_bytes=1)
    inside = cr.Residual(cr.Dropout(0.3), cr.Residual(cr.Dropout(0.6)))
    net = cr.NeuralNetwork(inside, inputs=11, dtype="float32", seed=seed)
    x = np.ones((9, 11), np.float32)
    trace = net.new_trace(training=True)
    trace.shared.step = step
    net.feedforward(x, trace)
    found = TracedPass(
        net.layers, net.shapes, net.parameter_vector, net.loss, x, x, seed=seed, step=step,
        threads=2,
    )  # fmt: skip
    for path in [(0, 0), (0, 1, 0)]:
        np.testing.assert_array_equal(found.fields[path, "mask"], trace.at(path).mask)
