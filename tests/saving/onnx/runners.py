"""Running ONNX files by the two programs that say what they mean, and numbers to run them on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

import chainrule as cr
from chainrule.layer import Array

onnxruntime.set_default_logger_severity(4)  # what it does not know it raises as well

# What onnxruntime computes on CPUs in float32 alone.
FLOAT32_OPERATORS = {
    "AveragePool",
    "Conv",
    "ConvTranspose",
    "Erf",
    "InstanceNormalization",
    "Resize",
}


def by_onnxruntime(path: Path, x: Array) -> Array:
    """Run a file by onnxruntime; its first output."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def by_reference(path: Path, x: Array) -> Array:
    """Run a file by onnx's own evaluator, operator by operator in NumPy."""
    model = onnx.load(path)
    return ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})[0]


def operators(path: Path) -> list[str]:
    """The operators of a file's graph, in order."""
    return [node.op_type for node in onnx.load(path).graph.node]


def stir(network: cr.NeuralNetwork, random: np.random.Generator) -> cr.NeuralNetwork:
    """Give every parameter and statistic a number that would be missed: no zeros and ones."""
    vector = network.parameter_vector
    for slot in vector.all_slots:
        values = random.normal(0, 0.5, slot.shape)
        slot.view(vector.storage)[...] = values**2 + 0.3 if "variance" in slot.name else values
    return network


def relative_error(found: Array, expected: Array) -> float:
    """The largest difference, in parts of the largest number where that is above 1."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
