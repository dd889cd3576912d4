"""What is added to each channel: a bias where it stands in the file, also one of zeros."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from saving.onnx.graphs import Node, assert_reads_the_same, kinds, node, random, save

import chainrule as cr
from chainrule.saving import from_onnx, to_onnx


@pytest.mark.parametrize(
    ("nodes", "sample"),
    [
        ([node("Gemm", "x w zeros", "y")], [4]),
        ([node("MatMul", "x w", "z"), node("Add", "zeros z", "y")], [4]),
        ([node("MatMul", "x w", "z"), node("Sub", "z zeros", "y")], [4]),
        ([node("MatMul", "x w", "z"), node("Add", "z zeros", "y")], [5, 4]),
        ([node("Conv", "x k", "z"), node("Add", "z column", "y")], [4, 5]),
    ],
    ids=["Gemm", "Add", "Sub", "Add at positions", "Add after Conv"],
)
def test_zeros_that_are_added_are_a_bias(
    nodes: list[Node], sample: list[int], tmp_path: Path
) -> None:
    """What nobody has trained yet, too: without it training could never find one."""
    zeros = np.zeros(3, np.float32)
    constants = {"w": random(4, 3), "k": random(3, 4, 2), "zeros": zeros}
    constants["column"] = zeros[:, np.newaxis]
    turned = nodes[0].op_type == "Conv"
    path = save(tmp_path / "m.onnx", nodes, sample, constants)
    network = assert_reads_the_same(path, sample, turned=turned, turned_output=turned)
    assert len(network.layers) == 1
    assert network.layers[0].use_bias
    assert network.layers[0].bias.tolist() == [0, 0, 0]


def test_a_scale_is_no_bias(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "z"), node("Mul", "z s", "y")]
    path = save(tmp_path / "m.onnx", nodes, [4], {"w": random(4, 3), "s": random(3)})
    assert not assert_reads_the_same(path, [4]).layers[0].use_bias


def test_zeros_that_no_layer_can_take_up(tmp_path: Path) -> None:
    """They change nothing, so there is nothing to refuse."""
    nodes = [node("Add", "x zeros", "a"), node("Relu", "a", "b"), node("Sub", "b zeros", "y")]
    path = save(tmp_path / "m.onnx", nodes, [4], {"zeros": np.zeros(4, np.float32)})
    assert kinds(assert_reads_the_same(path, [4])) == ["ReLU"]


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_bias_comes_back_as_it_was(use_bias: bool, tmp_path: Path) -> None:
    """Whether it was there, and its numbers, also those of a network that is not trained yet."""
    network = cr.NeuralNetwork(
        cr.Conv2D(2, 3, "relu", use_bias=use_bias),
        cr.ConvTranspose2D(2, 2, use_bias=use_bias),
        cr.Flatten(),
        cr.Dense(3, "tanh", use_bias=use_bias),
        cr.Dense(2, use_bias=use_bias),
        inputs=(6, 6, 1),
    )
    read = from_onnx(to_onnx(network, tmp_path / "m.onnx"))
    assert kinds(read) == kinds(network)
    assert [(slot.name, slot.shape) for slot in read.parameter_vector.slots] == [
        (slot.name, slot.shape) for slot in network.parameter_vector.slots
    ]
    assert np.array_equal(read.parameters, network.parameters)
