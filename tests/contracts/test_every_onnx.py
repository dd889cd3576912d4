"""Every layer, activation and loss as an ONNX file: others compute from it what predict gives.

Layers are found through their registry. A new one is written by its equations; one whose equations
hold more than ONNX can say fails here until it has a class ``...Onnx(Onnx, of=...)`` in
``chainrule/saving/onnx``.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
from saving.onnx.runners import (
    FLOAT32_OPERATORS,
    by_onnxruntime,
    by_reference,
    operators,
    relative_error,
    stir,
)

import chainrule as cr
from chainrule.layer import Shape
from chainrule.loss import Loss
from chainrule.saving.onnx import to_onnx
from contracts.examples import examples, layer_examples, random_for

LAYERS = layer_examples()
BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])

# onnx's evaluator fails at these, by errors of its own; onnxruntime computes them.
NOT_BY_REFERENCE = {
    "ConvTranspose": lambda layer: layer.groups > 1,
    "MaxPool": lambda layer: isinstance(layer, cr.MaxPool1D) and not isinstance(layer.padding, str),
}


def network_of(layer: cr.Layer, shape: Shape, dtype: str) -> cr.NeuralNetwork:
    network = cr.NeuralNetwork(copy.deepcopy(layer), inputs=shape, dtype=dtype)
    return stir(network, random_for("onnx", layer, shape))


@BOTH
@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: str(value)[:60])
def test_both_programs_compute_what_predict_gives(
    layer: cr.Layer, shape: Shape, dtype: str, tmp_path: Path
) -> None:
    network = network_of(layer, shape, dtype)
    x = random_for("x", layer, shape).normal(0, 2, (5, *shape)).astype(dtype)
    path = to_onnx(network, tmp_path / "layer.onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    expected, used = network.predict(x), operators(path)
    if not any(NOT_BY_REFERENCE.get(name, lambda layer: False)(layer) for name in used):
        found = by_reference(path, x)
        assert found.dtype == dtype
        assert relative_error(found, expected) < 1e-5
    if dtype == "float32" or not FLOAT32_OPERATORS.intersection(used):
        found = by_onnxruntime(path, x)
        assert found.dtype == dtype
        assert relative_error(found, expected) < 1e-5


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: str(value)[:60])
def test_one_sample_and_many_pass_through_the_same_file(
    layer: cr.Layer, shape: Shape, tmp_path: Path
) -> None:
    network = network_of(layer, shape, "float32")
    path = to_onnx(network, tmp_path / "layer.onnx")
    for batch in (1, 7):
        x = np.linspace(-1, 1, batch * int(np.prod(shape)), dtype=np.float32)
        x = x.reshape(batch, *shape)
        assert relative_error(by_onnxruntime(path, x), network.predict(x)) < 1e-5


@pytest.mark.parametrize("loss", examples(Loss), ids=repr)
def test_the_output_is_the_prediction_of_every_loss(loss: Loss, tmp_path: Path) -> None:
    last = {
        "probabilities": cr.Sigmoid(),
        "logarithms of probabilities": cr.LogSoftmax(),
        "positive": cr.Softplus(),
    }
    network = cr.NeuralNetwork(last.get(loss.outputs, cr.Identity()), inputs=3, loss=loss)
    x = random_for("onnx", loss).normal(0, 2, (6, 3)).astype(np.float32)
    path = to_onnx(network, tmp_path / "loss.onnx")
    assert relative_error(by_onnxruntime(path, x), network.predict(x)) < 1e-5
    assert relative_error(by_reference(path, x), network.predict(x)) < 1e-5
