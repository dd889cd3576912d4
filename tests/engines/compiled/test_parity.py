"""Parity: the compiled engine gives the numbers of the reference engine, field by field.

"The same" means: apart by no more than 1e-5 (float32) or 1e-12 (float64) of the field's length.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from contracts.examples import layer_examples, random_for

import chainrule as cr
from chainrule.engines.compiled.tracing import TracedPass
from chainrule.layer import Array, Shape

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
EXAMPLES = layer_examples()
ALL = pytest.mark.parametrize(
    ("layer", "input_shape"), EXAMPLES, ids=[f"{layer!r} {shape}" for layer, shape in EXAMPLES]
)


def assert_close(found: Array, expected: Array, name: str) -> None:
    """Compare two arrays by the length of their difference."""
    assert found.shape == expected.shape, name
    difference = np.linalg.norm((found - expected).astype(np.float64))
    allowed = TOLERANCE[str(expected.dtype)] * max(np.linalg.norm(expected), 1e-30)
    assert difference <= allowed, f"{name}: apart by {difference:.3g}, allowed {allowed:.3g}"


def both(
    net: cr.NeuralNetwork, x: Array, y: Array, weight: Array | None = None, threads: int = 1
) -> tuple[Any, TracedPass]:
    """Forward and back by the reference engine, and by the compiled one."""
    trace = net.new_trace(training=True)
    net.feedforward(x, trace)
    net.backprop(y, trace, weight)
    encoded = net.loss.check_targets(y, net.output_shape, net.dtype)
    return trace, TracedPass(
        net.layers, net.shapes, net.parameter_vector, net.loss, x, encoded, weight,
        seed=net.seed, threads=threads,
    )  # fmt: skip


def assert_same_numbers(net: cr.NeuralNetwork, x: Array, y: Array, **options: Any) -> None:
    """Compare everything that both engines have computed."""
    trace, found = both(net, x, y, **options)
    assert found.loss == pytest.approx(trace.loss, rel=TOLERANCE[str(net.dtype)])
    assert_close(found.output, trace.output, "output")
    assert_close(found.d_output, trace.d_output, "d_output")
    for (path, name), value in found.fields.items():
        assert_close(value, getattr(trace.at(path), name), f"{path} {name}")
    for slot in net.parameter_vector.slots:
        assert_close(slot.view(found.gradients), slot.view(trace.gradients), f"d of {slot.label}")
    assert_close(found.d_x, trace.d_x, "d_x")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ALL
def test_every_layer(layer: cr.Layer, input_shape: Shape, dtype: str) -> None:
    net = cr.NeuralNetwork(copy.deepcopy(layer), inputs=input_shape, dtype=dtype)
    random = random_for(repr(layer))
    x = random.normal(size=(6, *input_shape)).astype(dtype)
    y = random.normal(size=(6, *net.output_shape)).astype(dtype)
    assert_same_numbers(net, x, y)
