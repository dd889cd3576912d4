"""One network, three forms: itself, its ONNX file run by others, and what is read back from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from conftest import FULL_SWEEP
from explain.random_networks import Case, cases
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from saving.onnx.runners import (
    FLOAT32_OPERATORS,
    by_onnxruntime,
    by_reference,
    operators,
    relative_error,
)

import chainrule as cr
from chainrule.saving.onnx import from_onnx, to_onnx

# onnx's own evaluator has errors of its own in these.
NOT_BY_REFERENCE = {"ConvTranspose", "MaxPool", "AveragePool"}


@for_all(case=cases())
@settings(max_examples=2000 if FULL_SWEEP else 100, suppress_health_check=[HealthCheck.too_slow])
def test_three_forms_predict_the_same(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = to_onnx(case.net, Path(folder) / "net.onnx")
        expected, used = case.net.predict(case.x), set(operators(path))
        if case.net.dtype == np.float32 or not used & FLOAT32_OPERATORS:
            assert relative_error(by_onnxruntime(path, case.x), expected) < 1e-5
        if not used & NOT_BY_REFERENCE:
            assert relative_error(by_reference(path, case.x), expected) < 1e-5
        read = from_onnx(path)
    assert read.predict(case.x).dtype == case.net.dtype or not case.net.parameters.size
    assert relative_error(read.predict(case.x), expected) < 1e-5
    again = cr.NeuralNetwork.copy(read)
    assert np.array_equal(again.predict(case.x), read.predict(case.x))
