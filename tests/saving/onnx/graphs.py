"""ONNX files written by hand, as other programs write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from saving.onnx.runners import by_onnxruntime, relative_error

import chainrule as cr
from chainrule.layer import Array
from chainrule.saving.onnx import from_onnx

Node = onnx.NodeProto


def node(operator: str, inputs: str, output: str, **attributes: Any) -> Node:
    """``node("Gemm", "x w b", "y", transB=1)``; a lone comma is an input that is left out."""
    names = ["" if name == "," else name for name in inputs.split()]
    return helper.make_node(operator, names, output.split(), name=f"/{output}", **attributes)


def save(
    path: Path,
    nodes: Sequence[Node],
    sample: Sequence[int],
    constants: Mapping[str, Any] | None = None,
    *,
    opset: int = 18,
    dtype: int = TensorProto.FLOAT,
    outputs: Mapping[str, int] | None = None,
    batch: int | str = "n",
) -> Path:
    """Write a graph of the input "x" with samples of that shape and the output "y"."""
    typed = {"y": dtype} if outputs is None else outputs
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("x", dtype, [batch, *sample])],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in typed.items()],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def random(*shape: int, seed: int = 0) -> Array:
    """Weights, float32."""
    return np.random.default_rng((seed, *shape)).normal(0, 0.5, shape).astype(np.float32)


def channels_last(x: Array) -> Array:
    """(batch, channels, ...) -> (batch, ..., channels)."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def assert_reads_the_same(
    path: Path,
    sample: Sequence[int],
    *,
    turned: bool = False,
    turned_output: bool = False,
    batch: int = 3,
    **options: Any,
) -> cr.NeuralNetwork:
    """Read a file and compare its predictions with onnxruntime's; return the network.

    ``turned`` says that the file has images channels-first, and so also ``turned_output``.
    """
    x = random(batch, *sample, seed=7) * 3
    network = from_onnx(path, **options)
    expected = by_onnxruntime(path, x)
    found = network.predict(channels_last(x) if turned else x)
    assert relative_error(found, channels_last(expected) if turned_output else expected) < 1e-5
    return network


def kinds(network: cr.NeuralNetwork) -> list[str]:
    """Names of the layers' classes."""
    return [type(layer).__name__ for layer in network.layers]
