"""Residual blocks by machine code: every way around, and whatever F is."""

from __future__ import annotations

import copy

import pytest
from contracts.examples import random_for
from contracts.training import cut_finely, train_alike
from engines.compiled.test_parity import assert_same_numbers

import chainrule as cr
from chainrule.layer import Array, Shape, Trace
from chainrule.models import resnet8

BARE = cr.Dense(3, use_bias=False)  # a bias before a BatchNorm has no gradient but noise
CASES = [
    (cr.Residual(cr.Dense(5, "tanh"), cr.Dense(5), activation="relu"), (5,)),
    (cr.Residual(cr.Dense(3, "tanh"), projection="auto", activation="tanh"), (5,)),
    (cr.Residual(BARE, cr.BatchNorm(), projection=cr.Dense(3), activation="relu"), (5,)),
    (cr.Residual(cr.BatchNorm(), cr.ReLU(), activation="relu"), (3, 4, 2)),
    (cr.Residual(cr.ReLU(), cr.BatchNorm()), (3, 4, 2)),
    (cr.Residual(cr.Tanh()), (4, 3)),
    (cr.Residual(cr.Reshape((4, 3))), (4, 3)),
    (cr.Residual(cr.Dropout(0.3), projection=cr.BatchNorm()), (4, 3)),
    (cr.Residual(cr.Residual(cr.Dense(4, "tanh")), cr.Residual(cr.Dense(4))), (4,)),
    (cr.Residual(cr.Flatten(), cr.Dense(6), cr.Reshape((1, 2, 3)), projection="auto"), (2, 3, 5)),
    (cr.Residual(cr.Flatten(), cr.Dense(24), cr.Reshape((2, 4, 3)), projection="auto"), (5, 4, 2)),
]  # fmt: skip
ALL = pytest.mark.parametrize(("layer", "shape"), CASES, ids=[repr(layer) for layer, _ in CASES])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ALL
def test_field_by_field(
    layer: cr.Layer, shape: Shape, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape, dtype=dtype)
    random = random_for(repr(layer))
    x = random.normal(size=(12, *shape)).astype(dtype)
    y = random.normal(size=(12, *net.output_shape)).astype(dtype)
    assert_same_numbers(net, x, y, threads=2)


@ALL
def test_trains_as_the_reference(
    layer: cr.Layer, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without traces, where buffers serve several times, between layers and as the first."""
    cut_finely(monkeypatch)
    random = random_for(repr(layer))
    x, y = random.normal(size=(30, *shape)), random.normal(size=(30, 2))
    scale = cr.BatchNorm() if len(shape) > 1 else cr.Dense(shape[0])
    train_alike((scale, layer, cr.Flatten(), cr.Dense(2)), x, y, optimizer=cr.GradientDescent(0.02))
    train_alike((layer, cr.Flatten(), cr.Dense(2)), x, y, optimizer=cr.GradientDescent(0.02))


class Halved(cr.Layer, register=False):
    """Somebody's own layer, which only Python knows."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def feedforward(self, x: Array, trace: Trace) -> Array:
        return x / 2

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        return d_y / 2


def test_a_layer_that_only_python_knows() -> None:
    """It runs by its own code, the layers beside it compiled, and the report says so."""
    net = cr.NeuralNetwork(
        cr.Residual(cr.Dense(4, "tanh"), Halved(), cr.Dense(4)), inputs=4, dtype="float64"
    )
    random = random_for("own layer")
    x, y = random.normal(size=(12, 4)), random.normal(size=(12, 4))
    assert_same_numbers(net, x, y)
    net.engine = "compiled"
    net.fit(x, y, epochs=1, progress=False)
    assert "reference (NumPy)" in net.engine.report()


def test_resnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole network of convolutions, batch normalization and all ways around."""
    cut_finely(monkeypatch)
    random = random_for("resnet")
    x, y = random.normal(size=(20, 9, 8, 1)), random.integers(0, 3, size=20)
    net = resnet8(3, width=4, inputs=(9, 8, 1), dtype="float64")
    assert_same_numbers(net, x, y, threads=2)
    train_alike(
        net.layers, x, y, loss="softmax_cross_entropy", optimizer=cr.Adam(1e-3), batch_size=8
    )
