"""Graphs as tf2onnx writes Keras networks (channels last), and skl2onnx those of scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from saving.onnx.graphs import assert_reads_the_same, kinds, node, random, save
from saving.onnx.runners import by_onnxruntime, relative_error

import chainrule as cr
from chainrule.errors import UnreadableFile
from chainrule.layer import Array
from chainrule.saving import from_onnx


@pytest.mark.parametrize("channels", [1, 3])
def test_keras_images(channels: int, tmp_path: Path) -> None:
    """One channel may be moved by a Reshape as well, as nothing changes place."""
    turned = {"to": np.array([-1, 1, 8, 6])}
    first = node("Transpose", "x", "t", perm=[0, 3, 1, 2])
    if channels == 1:
        first = node("Reshape", "x to", "t")
    path = save(
        tmp_path / "m.onnx",
        [
            first,
            node("Conv", "t k b", "c", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
            node("Relu", "c", "a"),
            node("AveragePool", "a", "p", kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
            node("Transpose", "p", "back", perm=[0, 2, 3, 1]),
            node("Reshape", "back s", "flat"),
            node("MatMul", "flat w", "product"),
            node("Add", "product wb", "z"),
            node("Softmax", "z", "y"),
        ],
        [8, 6, channels],
        {
            "k": random(4, channels, 3, 3),
            "b": random(4),
            "s": np.array([-1, 48]),
            "w": random(48, 5),
            "wb": random(5),
            **turned,
        },
        opset=13,
    )
    network = assert_reads_the_same(path, [8, 6, channels])
    assert kinds(network) == ["Conv2D", "AveragePool2D", "Flatten", "Dense"]
    assert (network.layers[0].padding, network.layers[0].stride) == ("same", 2)
    assert np.array_equal(network.layers[-1].weights, random(48, 5))


def test_keras_scales_what_a_convolution_gives(tmp_path: Path) -> None:
    """A folded batch normalization goes into the weights."""
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t k", "c", kernel_shape=[2, 2]),
        node("Mul", "c scale", "m"),
        node("Add", "m shift", "n"),
        node("Transpose", "n", "u", perm=[0, 2, 3, 1]),
        node("Sub", "u mean", "v"),
        node("Div", "v deviation", "y"),
    ]
    constants = {
        "k": random(4, 2, 2, 2),
        "scale": random(1, 4, 1, 1),
        "shift": random(1, 4, 1, 1),
        "mean": random(4),
        "deviation": random(1, 1, 4, seed=1) ** 2 + 0.5,
    }
    path = save(tmp_path / "m.onnx", nodes, [5, 5, 2], constants)
    network = assert_reads_the_same(path, [5, 5, 2])
    assert kinds(network) == ["Conv2D"]


def test_one_minus_what_a_grouped_transposed_convolution_gives(tmp_path: Path) -> None:
    nodes = [
        node("ConvTranspose", "x k", "c", kernel_shape=[2, 2], group=2),
        node("Mul", "c scale", "m"),
        node("Sub", "one m", "y"),
    ]
    constants = {"k": random(4, 3, 2, 2), "scale": random(6, 1, 1), "one": np.float32(1)}
    path = save(tmp_path / "m.onnx", nodes, [4, 3, 3], constants)
    network = assert_reads_the_same(path, [4, 3, 3], turned=True, turned_output=True)
    assert network.layers[0].use_bias


# --- scikit-learn ---------------------------------------------------------------------------------


def perceptron(path: Path, end: list[object], outputs: dict[str, int], classes: int) -> Path:
    return save(
        path,
        [
            node("Cast", "x", "cast", to=TensorProto.FLOAT),
            node("MatMul", "cast w1", "p1"),
            node("Add", "p1 b1", "z1"),
            node("Tanh", "z1", "a1"),
            node("MatMul", "a1 w2", "p2"),
            node("Add", "p2 b2", "z2"),
            *end,
        ],
        [4],
        {
            "w1": random(4, 5),
            "b1": random(1, 5),
            "w2": random(5, classes),
            "b2": random(1, classes),
            "unity": np.float32(1),
            "s": np.array([-1]),
            "labels": np.arange(3),
        },
        opset=13,
        outputs=outputs,
        batch=1,
    )


LABELS = [
    node("ArgMax", "probabilities", "best", axis=1),
    node("ArrayFeatureExtractor", "labels best", "found", domain="ai.onnx.ml"),
    node("Reshape", "found s", "label"),
]


def test_classes_of_scikit_learn(tmp_path: Path) -> None:
    """Labels are of no use here; the probabilities are."""
    path = perceptron(
        tmp_path / "m.onnx",
        [node("Softmax", "z2", "s2"), node("Identity", "s2", "probabilities"), *LABELS],
        {"label": TensorProto.INT64, "probabilities": TensorProto.FLOAT},
        3,
    )
    network = from_onnx(path)
    x = random(1, 4)
    assert repr(network.layers) == "(Dense(5, activation='tanh'), Dense(3))"
    assert isinstance(network.loss, cr.SoftmaxCrossEntropy)
    assert network.predict_classes(x) == by_onnxruntime(path, x)


def test_two_classes_of_scikit_learn(tmp_path: Path) -> None:
    """(1 - p, p) is the softmax of the logits 0 and z."""
    path = perceptron(
        tmp_path / "m.onnx",
        [
            node("Sigmoid", "z2", "p"),
            node("Sub", "unity p", "q"),
            node("Concat", "q p", "probabilities", axis=1),
        ],
        {"probabilities": TensorProto.FLOAT},
        1,
    )
    network = from_onnx(path)
    x = random(1, 4) * 3
    assert repr(network.layers) == "(Dense(5, activation='tanh'), Dense(2))"
    assert network.layers[-1].weights[:, 0].tolist() == [0.0] * 5
    assert relative_error(network.predict(x), by_onnxruntime(path, x)) < 1e-6


def test_an_output_by_name(tmp_path: Path) -> None:
    path = perceptron(
        tmp_path / "m.onnx",
        [node("Sigmoid", "z2", "s2"), node("Tanh", "z2", "t2")],
        {"s2": TensorProto.FLOAT, "t2": TensorProto.FLOAT},
        3,
    )
    with pytest.raises(UnreadableFile, match=r"has 2 outputs of floating-point numbers \('s2', 't"):
        from_onnx(path)
    x = random(1, 4)
    assert relative_error(from_onnx(path, output="s2").predict(x), by_onnxruntime(path, x)) < 1e-6
    hidden = from_onnx(path, output="a1")
    assert repr(hidden.layers) == "(Dense(5, activation='tanh'),)"
    with pytest.raises(UnreadableFile, match="has no array 'nothing' to give as output"):
        from_onnx(path, output="nothing")


@pytest.mark.parametrize(
    ("end", "loss", "expected", "layers"),
    [
        ("Softmax", None, "softmax_cross_entropy", "(Dense(2),)"),
        ("Sigmoid", None, "sigmoid_cross_entropy", "(Dense(2),)"),
        ("Tanh", None, "mean_squared_error", "(Dense(2, activation='tanh'),)"),
        ("Softmax", "categorical_cross_entropy", None, "(Dense(2, activation='softmax'),)"),
        ("Sigmoid", cr.Huber(0.5), None, "(Dense(2, activation='sigmoid'),)"),
        ("Identity", "softmax_cross_entropy", None, "(Dense(2),)"),
    ],
)
def test_losses(
    end: str, loss: str | cr.Loss | None, expected: str | None, layers: str, tmp_path: Path
) -> None:
    nodes = [node("MatMul", "x w", "z"), node(end, "z", "y")]
    path = save(tmp_path / "m.onnx", nodes, [3], {"w": random(3, 2)})
    network = from_onnx(path, loss=loss)
    assert network.loss.name == (expected if loss is None else cr.Loss.get(loss).name)
    assert repr(network.layers).replace(", use_bias=False", "") == layers


def test_float64(tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w", "z", alpha=0.5, transB=1), node("Tanh", "z", "y")]
    weights = random(2, 3).astype(np.float64)
    path = save(tmp_path / "m.onnx", nodes, [3], {"w": weights}, dtype=TensorProto.DOUBLE)
    network = from_onnx(path)
    x: Array = random(4, 3).astype(np.float64)
    assert network.dtype == np.float64
    assert relative_error(network.predict(x), by_onnxruntime(path, x)) < 1e-12
