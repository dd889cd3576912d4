"""One model, four forms: reference engine, compiled engine, ONNX, ejected source, proved equal.

Saved and loaded, and read back from ONNX, it is the same too. Every network with a name, and random
ones of every kind of layer, give the same predictions in all forms, each in float32 and in float64.
Differences are measured in parts of the largest prediction where that is above 1. How large they
may be:

=============================== ======== ===========================================================
saved and loaded                0        the same numbers, the same code
compiled, ejected, float64      1e-12    sums in another order; float64 rounds at 1e-16
compiled, float32               1e-5     the same; float32 rounds at 6e-8
ONNX, float32                   1e-5     other people's exponentials and sums
ONNX, float64                   1e-10    the same; what is below 1e-16 there is theirs
ONNX, float64, with attributes  1e-6     ONNX keeps numbers that are no tensors in float32: slopes,
                                         the ε of a normalization; read back they are exact again
=============================== ======== ===========================================================

The ejected module computes in float64 whatever the network did, and is compared with that.
"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path

import numpy as np
import pytest
from conftest import FULL_SWEEP
from explain.random_networks import Case, cases
from hypothesis import HealthCheck, given, settings
from saving.onnx.runners import (
    FLOAT32_OPERATORS,
    by_onnxruntime,
    by_reference,
    operators,
    relative_error,
    stir,
)

import chainrule as cr
from chainrule import saving
from chainrule.layer import Array, Shape

OURS = {"float32": 1e-5, "float64": 1e-12}
ONNX = {"float32": 1e-5, "float64": 1e-10}
ROUNDED = 1e-6
WITH_ATTRIBUTES = {
    *("BatchNormalization", "Elu", "HardSigmoid", "InstanceNormalization", "LayerNormalization"),
    *("LeakyRelu", "Selu"),
}
# onnx's own evaluator has errors of its own in these.
NOT_BY_REFERENCE = {"ConvTranspose", "MaxPool", "AveragePool"}
ROUNDED_BY_REFERENCE = {"Erf"}  # which it computes in float32, whatever comes in


def assert_same(form: str, found: Array, expected: Array, allowed: float) -> None:
    error = relative_error(found, expected)
    assert error <= allowed, f"{form}: apart by {error:.2g}, allowed {allowed:g}"


def compare_forms(network: cr.NeuralNetwork, x: Array, folder: Path) -> None:
    """Compare all forms of a network in both dtypes."""
    for dtype in ("float32", "float64"):
        reference = network.copy(dtype=dtype)
        reference.engine = "reference"
        samples = x.astype(dtype)
        expected = reference.predict(samples)
        compare_ours(reference, samples, expected, folder)
        compare_onnx(reference, samples, expected, folder)
    path = saving.to_python(reference, folder / "ejected.py")
    ejected = runpy.run_path(str(path))["NeuralNetwork"]()
    assert_same("ejected", ejected.predict(samples), expected, OURS["float64"])


def compare_ours(reference: cr.NeuralNetwork, x: Array, expected: Array, folder: Path) -> None:
    """Compare the engines, and what is saved and loaded."""
    dtype = str(reference.dtype)
    compiled = reference.copy()
    compiled.engine = "compiled"
    assert_same(f"compiled, {dtype}", compiled.predict(x), expected, OURS[dtype])
    loaded = saving.load(saving.save(reference, folder / "net.safetensors")).network
    loaded.engine = reference.engine
    assert loaded.predict(x).tobytes() == expected.tobytes()


def compare_onnx(reference: cr.NeuralNetwork, x: Array, expected: Array, folder: Path) -> None:
    """Compare what two other programs compute from the file, and the network read back from it."""
    dtype, path = str(reference.dtype), saving.to_onnx(reference, folder / "net.onnx")
    used, allowed = set(operators(path)), ONNX[dtype]
    if dtype == "float64" and used & WITH_ATTRIBUTES:
        allowed = ROUNDED
    if dtype == "float32" or not used & FLOAT32_OPERATORS:
        assert_same(f"onnxruntime, {dtype}", by_onnxruntime(path, x), expected, allowed)
    if not used & NOT_BY_REFERENCE:
        most = ROUNDED if used & ROUNDED_BY_REFERENCE else 0.0
        assert_same(
            f"onnx's evaluator, {dtype}", by_reference(path, x), expected, max(allowed, most)
        )
    read = saving.from_onnx(path)
    assert_same(f"read back, {dtype}", read.predict(x), expected, ONNX[dtype])


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mlp", (8, 8, 1)), ("lenet5", (28, 28, 1)), ("small-cnn", (8, 8, 1)), ("resnet8", (9, 8, 3))],
)
def test_the_networks_with_a_name(name: str, shape: Shape, tmp_path: Path) -> None:
    network = cr.models.named(name, 10, dtype="float64", inputs=shape)
    stir(network, np.random.default_rng(0))
    network.parameters[...] *= 0.3
    x = np.random.default_rng(1).normal(size=(4, *shape))
    compare_forms(network, x, tmp_path)


def test_every_network_with_a_name_is_compared() -> None:
    (marker,) = test_the_networks_with_a_name.pytestmark
    assert {name for name, _ in marker.args[1]} == set(cr.models.MODELS)


@given(case=cases(dtypes=("float64",)))
@settings(max_examples=200 if FULL_SWEEP else 15, suppress_health_check=[HealthCheck.too_slow])
def test_random_networks(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare_forms(case.net, case.x, Path(folder))
