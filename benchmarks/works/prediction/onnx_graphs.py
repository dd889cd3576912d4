"""The networks as ONNX graphs, written out node by node, for onnxruntime.

The versions are older than those that the ``onnx`` package writes by itself, which are newer than
what onnxruntime reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.work import allowed_threads
from benchmarks.works.mlp import Array, Weights
from chainrule import Conv2D, Dense, NeuralNetwork

_OPSET, _IR = 18, 8


def session(graph: bytes) -> Any:
    """Return a session of onnxruntime with as many threads as this process is meant to use."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    threads = allowed_threads()
    if threads is not None:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def mlp_graph(weights: Weights) -> bytes:
    """Images as rows, x (batch, 784) -> Gemm, Relu, Gemm, Softmax."""
    from onnx import helper

    nodes = [
        helper.make_node("Gemm", ["x", "weights1", "bias1"], ["z1"]),
        helper.make_node("Relu", ["z1"], ["a1"]),
        helper.make_node("Gemm", ["a1", "weights2", "bias2"], ["z2"]),
        helper.make_node("Softmax", ["z2"], ["y"], axis=1),
    ]
    names = ("weights1", "bias1", "weights2", "bias2")
    return _model(nodes, dict(zip(names, weights, strict=True)), (weights[0].shape[0],))


def small_cnn_graph(network: NeuralNetwork) -> bytes:
    """Images, x (batch, 1, 28, 28) -> twice Conv, Relu, MaxPool; Flatten, Gemm, Softmax."""
    from onnx import helper

    arrays: dict[str, Array] = {}
    nodes = []
    source = "x"
    layers = [layer for layer in network.layers if isinstance(layer, Conv2D)]
    for number, layer in enumerate(layers, start=1):
        names = [f"kernels{number}", f"bias{number}"]
        arrays |= zip(names, (layer.weights.transpose(3, 2, 0, 1), layer.bias), strict=True)
        z, a, pooled = f"z{number}", f"a{number}", f"pooled{number}"
        window = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        nodes += [
            helper.make_node("Conv", [source, *names], [z], **window),
            helper.make_node("Relu", [z], [a]),
            helper.make_node("MaxPool", [a], [pooled], kernel_shape=[2, 2], strides=[2, 2]),
        ]
        source = pooled
    last = network.layers[-1]
    assert isinstance(last, Dense)
    outputs = last.weights.shape[1]
    # ONNX flattens channel by channel, chainrule pixel by pixel.
    pixels = last.weights.reshape(7, 7, -1, outputs)
    arrays |= {"weights": pixels.transpose(2, 0, 1, 3).reshape(-1, outputs), "bias": last.bias}
    nodes += [
        helper.make_node("Flatten", [source], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"], axis=1),
    ]
    return _model(nodes, arrays, (1, 28, 28))


def _model(nodes: Sequence[Any], arrays: Mapping[str, Array], shape: tuple[int, ...]) -> bytes:
    from onnx import TensorProto, checker, helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 10])],
        [
            numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in arrays.items()
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    checker.check_model(made)
    return made.SerializeToString()
