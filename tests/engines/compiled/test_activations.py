"""Activations by machine code: in blocks, shards and threads, in a layer and by themselves."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from contracts.examples import examples, random_for
from contracts.training import cut_finely, train_alike
from engines.compiled.test_parity import assert_close, assert_same_numbers, both

import chainrule as cr
from chainrule.engines.compiled.tracing import TracedPass
from chainrule.layer import Shape, Trace

ACTIVATIONS = pytest.mark.parametrize("activation", examples(cr.Activation), ids=repr)
VECTORS = (cr.Softmax, cr.LogSoftmax)


@ACTIVATIONS
def test_shards_and_threads(activation: cr.Activation, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_finely(monkeypatch)
    net = cr.NeuralNetwork(
        cr.Dense(5, activation=copy.deepcopy(activation)), cr.Dense(2), inputs=4, dtype="float32"
    )
    random = random_for(repr(activation))
    x = random.normal(0, 3, size=(37, 4)).astype(np.float32)
    y = random.normal(size=(37, 2)).astype(np.float32)
    assert_same_numbers(net, x, y, threads=2)
    one, two = (both(net, x, y, threads=threads)[1] for threads in (1, 2))
    assert one.gradients.tobytes() == two.gradients.tobytes()
    assert one.d_x.tobytes() == two.d_x.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ACTIVATIONS
def test_far_from_zero(activation: cr.Activation, dtype: str) -> None:
    """Also where exponentials overflow, and at zero itself."""
    net = cr.NeuralNetwork(copy.deepcopy(activation), inputs=(4, 3), dtype=dtype)
    far = 300.0 if isinstance(activation, VECTORS) else 1e3
    x = np.array([0.0, -0.0, 1, -1, 20, -20, 90, -90, 110, -110, far, -far], dtype)
    random = random_for(dtype)
    assert_same_numbers(net, x.reshape(1, 4, 3), random.normal(size=(1, 4, 3)).astype(dtype))


@ACTIVATIONS
def test_what_is_not_finite_stays_so(activation: cr.Activation) -> None:
    net = cr.NeuralNetwork(copy.deepcopy(activation), inputs=3, dtype="float32")
    x = np.array([[np.nan, 1, 2], [0, np.nan, -1]], np.float32)
    with np.errstate(invalid="ignore"):
        expected = net.layers[0].feedforward(x, Trace())
    found = TracedPass(net.layers, net.shapes, net.parameter_vector, net.loss, x, x)
    np.testing.assert_array_equal(np.isnan(found.output), np.isnan(expected))


@pytest.mark.parametrize("shape", [(3,), (4, 2, 3)], ids=str)
def test_slopes_that_are_learned(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    """PReLU has one for each channel, and its gradient is a sum over everything else."""
    cut_finely(monkeypatch)
    random = random_for("prelu", shape)
    x, y = random.normal(size=(29, *shape)), random.normal(size=(29, *shape))
    train_alike([cr.PReLU(), cr.PReLU(0.5)], x, y)
    net = train_alike([cr.Dense(4, cr.PReLU()), cr.Dense(3)], x, y) if len(shape) == 1 else None
    assert net is None or len(net.parameter_vector.slots) == 5


@pytest.mark.parametrize("activation", ["elu", "gelu", "mish", "prelu", "softmax"])
def test_trains_as_the_reference(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is traced here, so values stand in each other's places."""
    cut_finely(monkeypatch)
    random = random_for("train", activation)
    x, y = random.normal(size=(25, 6)), random.normal(size=(25, 2))
    layers = [cr.Dense(9, activation), cr.Dense(5), cr.Activation.get(activation), cr.Dense(2)]
    train_alike(layers, x, y, optimizer=cr.Adam(0.01))


@pytest.mark.parametrize("kind", VECTORS)
def test_large_logits_keep_their_digits(kind: type[cr.Activation]) -> None:
    net = cr.NeuralNetwork(kind(), inputs=3, dtype="float32")
    x = np.array([[8192.5, 8192.0, 8190.0], [-1e15, 1e15, 0.0]], np.float32)
    trace, found = both(net, x, np.zeros_like(x))
    assert_close(found.output, trace.output, "output")
    assert_close(found.output[:1], trace.output[:1], "output")
