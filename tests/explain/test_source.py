"""Sources: the line named is in the file, and it is the one that computes the number."""

from __future__ import annotations

import copy
import linecache
from typing import Any

import numpy as np
import pytest
from contracts.examples import layer_examples, random_for

import chainrule as cr
from chainrule.explain import Explanation, Tensor
from chainrule.layer import Shape
from explain.agreement import arrays

LAYERS = layer_examples()


def explain(layer: cr.Layer, shape: Shape, *, training: bool = True) -> Explanation:
    random = random_for("source", repr(layer), shape)
    net = cr.NeuralNetwork(
        copy.deepcopy(layer), loss="sum_of_squares", optimizer="gradient_descent", inputs=shape
    )
    x = random.normal(size=(3, *shape))
    return net.explain(x, random.normal(size=(3, *net.output_shape)), training=training)


def statement(file: str, line: int, characters: int) -> str:
    """What stands in a file from a line on, in one line."""
    found = ""
    while len(found) < characters:
        found = f"{found} {linecache.getline(file, line).strip()}".strip()
        line += 1
    return found[:characters]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[f"{x!r} {s}" for x, s in LAYERS])
@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
def test_every_computed_array_has_a_line_that_is_in_the_file(
    layer: cr.Layer, shape: Shape, training: bool
) -> None:
    for tensor in arrays(explain(layer, shape, training=training)):
        source = tensor.source
        if tensor[tensor.first].expression is None or tensor.symbol.field == "penalty":
            assert source is None  # given, or, as the penalty, no layer's and no loss's
            continue
        assert source is not None, tensor.symbol.field
        assert statement(source.file, source.line, len(source.code)) == source.code
        assert source.place.startswith("chainrule/")
        assert source.function in str(source)
        assert source.code in str(source)


def code(tensor: Tensor) -> str:
    assert tensor.source is not None
    return tensor.source.code


def test_the_lines_of_a_dense_layer() -> None:
    layer = explain(cr.Dense(2, activation="sigmoid"), (3,))["layer 1"]
    assert code(layer.z) == "z = np.dot(x, self.weights)"
    assert code(layer.a) == "return np.reciprocal(1 + np.exp(-z))"
    assert code(layer.d_z) == "return a * (1 - a)"
    assert code(layer.d_weights).startswith("trace.d_weights = np.dot(trace.x.T, d_z")
    assert code(layer.d_bias).startswith("trace.d_bias = d_z.sum(axis=0")
    assert code(layer.d_x) == "return np.dot(d_z, self.weights.T)"
    assert layer.z.source is not None
    assert layer.z.source.function == "Dense.feedforward"
    assert layer.z.source.place == "chainrule/layers/dense.py"
    assert layer.weights.source is None


def test_the_lines_of_the_loss_and_the_update() -> None:
    explanation = explain(cr.Dense(2), (3,))
    assert code(explanation.terms) == "return (y_hat - y) ** 2"
    assert code(explanation.output.gradient) == "return 2 * (y_hat - y)"
    new = explanation["layer 1"].weights.updated
    assert code(new) == "def update"  # which line depends on the settings


def test_what_helpers_compute_is_found_in_them() -> None:
    convolution = explain(cr.Conv2D(2, 2), (3, 3, 1))["layer 1"]
    assert code(convolution.z).startswith("z = correlate(")
    assert code(convolution.d_weights).startswith("d_kernel(x, error,")
    assert convolution.d_bias.source is not None
    assert convolution.d_bias.source.function == "KernelLayer.backprop_bias"
    block = explain(cr.Residual(cr.Dense(2), projection="auto"), (3,))["layer 1"]
    assert block.d_projection_weights.source is not None
    assert block.d_projection_weights.source.function == "Residual._back_around"
    pooling = explain(cr.MaxPool2D(), (2, 2, 1))["layer 1"]
    assert code(pooling.z) == "z, trace.chosen = largest(x, self.windows, output)"


def test_the_branch_is_the_one_that_ran() -> None:
    training, prediction = (
        explain(cr.BatchNorm(), (2,), training=training)["layer 1"] for training in (True, False)
    )
    assert code(training.mean) == "trace.mean = channel_sum(x) / count"
    assert "self.running_mean.copy()" in code(prediction.mean)
    assert code(training.d_x) == "return channelwise(np.multiply, d_x, factor, out=d_x)"
    assert code(prediction.d_x) == "return channelwise(np.multiply, d_z, factor)"
    training, prediction = (
        explain(cr.Dropout(), (2,), training=training)["layer 1"] for training in (True, False)
    )
    assert code(training.y) == "return x * trace.mask"
    assert code(prediction.y) == "return x"


def test_a_parameter_of_someones_own_activation() -> None:
    class Bent(cr.Activation):
        formula = "bend * z**3"
        derivative_formula = "3 * bend * z**2"
        bend = cr.Parameter()

        def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
            return {"bend": input_shape[-1:]}

        def initial_value(self, name: str, shape: Shape, random: Any) -> Any:
            return np.full(shape, 0.5)

        def value(self, z: Any) -> Any:
            return self.bend * z**3

        def derivative(self, z: Any, a: Any) -> Any:
            return 3 * self.bend * z**2

        def equations(self, training: bool) -> dict[str, str]:
            return {**super().equations(training), "d_bend": "channel_sum(d_a * z**3)"}

        def backprop(self, d_a: Any, trace: cr.Trace) -> Any:
            trace.d_bend = (d_a * trace.z**3).sum(axis=0)
            return super().backprop(d_a, trace)

    layer = explain(cr.Dense(2, activation=Bent()), (3,))["layer 1"]
    assert code(layer.d_bend) == "trace.d_bend = (d_a * trace.z**3).sum(axis=0)"
    assert layer.d_bend.source is not None
    assert layer.d_bend.source.place == "test_source.py"
    assert layer.d_bend[1].computed == pytest.approx(layer.d_bend.values[1], rel=1e-5)
    assert code(layer.d_z) == "return 3 * self.bend * z**2"


def test_code_that_was_typed_in_has_no_line() -> None:
    """As in a Python session without files."""
    typed: dict[str, Any] = {"cr": cr}
    exec(  # noqa: S102 - source that no file holds
        "class Typed(cr.Activation):\n"
        "    formula, derivative_formula = '2 * z', '2'\n"
        "    def value(self, z): return 2 * z\n"
        "    def derivative(self, z, a): return 2 + 0 * z\n",
        typed,
    )
    layer = explain(typed["Typed"](), (3,))["layer 1"]
    assert layer.output.source is None
    assert "Computed by" not in str(layer.output)
