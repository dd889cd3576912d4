"""Convolutions by machine code: all settings, each way to compute them, a batch cut anyhow."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from contracts.examples import random_for
from contracts.training import cut_finely, train_alike
from engines.compiled.test_parity import assert_close, assert_same_numbers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines.choice import Compiled
from chainrule.engines.compiled.plan import Plan
from chainrule.engines.compiled.twin import Twin
from chainrule.engines.compiled.twins import twin_of
from chainrule.layer import Shape

SAME: dict[str, Any] = {"padding": "same"}
WINOGRAD = [
    (cr.Conv2D(16, 3, "relu", **SAME), (6, 8, 16)),
    (cr.Conv2D(32, 3, "tanh"), (7, 4, 16)),
    (cr.Conv2D(16, 3, padding=((2, 1), (0, 3)), use_bias=False), (3, 5, 32)),
    (cr.Conv2D(16, 3), (3, 3, 16)),
]
DEPTHWISE = [
    (cr.Conv2D(5, 3, "tanh", groups=5, **SAME), (6, 4, 5)),
    (cr.Conv2D(18, (3, 2), groups=18, stride=(2, 1), dilation=(1, 2)), (7, 6, 18)),
    (cr.Conv1D(4, 3, groups=4, padding=(2, 0), use_bias=False), (6, 4)),
    (cr.ConvTranspose2D(4, 3, "tanh", groups=4, stride=2, padding=1), (3, 4, 4)),
]
BY_MATRIX = [
    (cr.Conv2D(6, 5, "tanh", **SAME), (9, 8, 1)),
    (cr.Conv2D(4, 3, "relu", stride=2), (8, 7, 3)),
    (cr.Conv2D(17, 1), (4, 3, 5)),
    (cr.Conv2D(6, 1, groups=2, stride=(1, 2)), (4, 5, 4)),
    (cr.Conv2D(8, 3, groups=4, padding=2, dilation=2), (5, 6, 20)),
    (cr.Conv2D(5, 2, stride=3, padding=((1, 0), (0, 2))), (8, 7, 6)),
    (cr.Conv1D(7, 4, "tanh", stride=2, **SAME), (9, 5)),
    (cr.ConvTranspose2D(5, (3, 2), "tanh", stride=(2, 3), output_padding=(1, 2)), (3, 2, 6)),
    (cr.ConvTranspose2D(6, 1, groups=2, use_bias=False), (3, 2, 4)),
    (cr.ConvTranspose2D(3, 4, stride=2, **SAME), (3, 2, 5)),
]
CASES = WINOGRAD + DEPTHWISE + BY_MATRIX
ALL = pytest.mark.parametrize(("layer", "shape"), CASES, ids=[repr(layer) for layer, _ in CASES])


def twin(layer: cr.Layer, shape: Shape) -> Twin:
    """Return the layer's twin in a plan of its own."""
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape)
    plan = Plan(net.parameter_vector, training=True, wide=False)
    return twin_of(net.layers[0], (0,), shape, plan)


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_which_way_it_goes(layer: cr.Layer, shape: Shape) -> None:
    found: Any = twin(layer, shape)
    assert found.is_winograd == ((layer, shape) in WINOGRAD)
    assert found.correlate.name.startswith("depthwise") == ((layer, shape) in DEPTHWISE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ALL
def test_field_by_field(
    layer: cr.Layer, shape: Shape, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    check(layer, shape, dtype)


def check(layer: cr.Layer, shape: Shape, dtype: str, rows: int = 12) -> None:
    """Compare all fields on random samples, in several shards and on two threads."""
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape, dtype=dtype)
    random = random_for(repr(layer))
    net.parameter_vector.values[:] = random.normal(size=len(net.parameter_vector.values))
    x = random.normal(size=(rows, *shape)).astype(dtype)
    y = random.normal(size=(rows, *net.output_shape)).astype(dtype)
    assert_same_numbers(net, x, y, threads=2)


numbers = st.integers(1, 3)
pairs = st.tuples(numbers, numbers)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from([cr.Conv2D, cr.ConvTranspose2D]),
    image=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    per_group=pairs,
    groups=numbers,
    size=pairs,
    stride=pairs,
    dilation=pairs,
    padding=st.one_of(st.sampled_from(["valid", "same"]), st.tuples(pairs, pairs)),
)
def test_all_settings_together(
    kind: Any, image: Any, per_group: Any, groups: int, size: Any, stride: Any, dilation: Any,
    padding: Any,
) -> None:  # fmt: skip
    layer = kind(
        per_group[0] * groups, size, stride=stride, dilation=dilation, padding=padding,
        groups=groups,
    )  # fmt: skip
    shape = (*image, per_group[1] * groups)
    try:
        layer.output_shape(shape)
    except cr.InvalidShape:
        assume(False)
    check(layer, shape, "float64", rows=3)


@ALL
def test_trains_as_the_reference(
    layer: cr.Layer, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without traces, in blocks of a few samples; as the first layer and as a later one."""
    cut_finely(monkeypatch, 40_000)
    random = random_for(repr(layer))
    x, y = random.normal(size=(30, *shape)), random.normal(size=(30, 2))
    weight = random.uniform(0.5, 2, size=30)
    last = (cr.Flatten(), cr.Dense(2))
    train_alike((layer, *last), x, y, optimizer=cr.GradientDescent(0.02), sample_weight=weight)
    train_alike((cr.BatchNorm(), layer, *last), x, y, optimizer=cr.GradientDescent(0.02))


@pytest.mark.parametrize(("layer", "shape"), WINOGRAD[:1] + DEPTHWISE[:1] + BY_MATRIX[:1])
def test_predicts_as_the_reference(layer: cr.Layer, shape: Shape) -> None:
    x = random_for(repr(layer)).normal(size=(37, *shape)).astype(np.float32)
    outputs = []
    for engine in ("reference", Compiled(threads=1), Compiled(threads=2)):
        net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape, seed=1, engine=engine)
        outputs.append([net.predict(x), net.predict(x[:1])])
    for expected, one, two in zip(*outputs, strict=True):
        assert_close(one, expected, "prediction")
        np.testing.assert_array_equal(one, two)
