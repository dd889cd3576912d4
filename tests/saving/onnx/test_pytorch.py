"""Graphs as PyTorch's two exporters write them: channels first, weights (outputs, inputs)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from saving.onnx.graphs import assert_reads_the_same, kinds, node, random, save

import chainrule as cr

WINDOW = {"dilations": [1, 1], "group": 1, "strides": [1, 1]}


def test_a_perceptron(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [
            node("Gemm", "x w1 b1", "h", alpha=1.0, beta=1.0, transB=1),
            node("Relu", "h", "a"),
            node("Gemm", "a w2 b2", "z", alpha=1.0, beta=1.0, transB=1),
            node("Softmax", "z", "y", axis=-1),
        ],
        [4],
        {"w1": random(8, 4), "b1": random(8), "w2": random(3, 8), "b2": random(3)},
    )
    network = assert_reads_the_same(path, [4])
    assert repr(network.layers) == "(Dense(8, activation='relu'), Dense(3))"
    assert isinstance(network.loss, cr.SoftmaxCrossEntropy)
    assert np.array_equal(network.layers[0].weights, random(8, 4).T)
    assert network.dtype == np.float32


def convolutional(path: Path, flattening: list[object], constants: dict[str, object]) -> Path:
    return save(
        path,
        [
            node("Conv", "x k1 b1", "c1", kernel_shape=[3, 3], pads=[1, 1, 1, 1], **WINDOW),
            node("Relu", "c1", "a1"),
            node(
                "MaxPool",
                "a1",
                "p1",
                kernel_shape=[2, 2],
                strides=[2, 2],
                pads=[0, 0, 0, 0],
                dilations=[1, 1],
                ceil_mode=0,
            ),
            node("Conv", "p1 k2 b2", "c2", kernel_shape=[3, 2], pads=[0, 0, 0, 0], **WINDOW),
            *flattening,
            node("Gemm", "flat w b", "z", transB=1),
            node("LogSoftmax", "z", "y", axis=1),
        ],
        [2, 10, 8],
        {
            "k1": random(4, 2, 3, 3),
            "b1": random(4),
            "k2": random(5, 4, 3, 2),
            "b2": random(5),
            "w": random(3, 45),
            "b": random(3),
            **constants,
        },
    )


@pytest.mark.parametrize(
    ("flattening", "constants"),
    [
        ([node("Flatten", "c2", "flat", axis=1)], {}),
        ([node("Reshape", "c2 s", "flat", allowzero=1)], {"s": np.array([-1, 45])}),
        ([node("Reshape", "c2 s", "flat")], {"s": np.array([0, -1])}),
        (
            [  # x.view(x.size(0), -1)
                node("Shape", "c2", "shape"),
                node("Gather", "shape first", "count", axis=0),
                node("Unsqueeze", "count axis", "counts"),
                node("Concat", "counts rest", "s", axis=0),
                node("Reshape", "c2 s", "flat", allowzero=0),
            ],
            {"first": np.array(0), "axis": np.array([0]), "rest": np.array([-1])},
        ),
    ],
    ids=["Flatten", "known size", "kept batch", "computed"],
)
def test_flattened_images_meet_weights_in_another_order(
    flattening: list[object], constants: dict[str, object], tmp_path: Path
) -> None:
    path = convolutional(tmp_path / "m.onnx", flattening, constants)
    network = assert_reads_the_same(path, [2, 10, 8], turned=True)
    assert network.input_shape == (10, 8, 2)
    assert kinds(network) == ["Conv2D", "MaxPool2D", "Conv2D", "Flatten", "Dense"]
    # Row 0 of the weights in the file is channel 0 at (0, 0), row 1 channel 0 at (0, 1), ...
    rows = random(3, 45).T.reshape(5, 3, 3, 3)
    assert np.array_equal(network.layers[-1].weights, rows.transpose(1, 2, 0, 3).reshape(45, 3))


def test_a_dropout_and_a_relu_between_flattening_and_the_dense_layer(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [
            node("Conv", "x k", "c", kernel_shape=[2, 2]),
            node("Flatten", "c", "f"),
            node("BatchNormalization", "f g h m v", "n"),
            node("PRelu", "n slope", "a"),
            node("Dropout", "a", "d"),
            node("MatMul", "d w", "p"),
            node("Add", "bias p", "y"),
        ],
        [2, 4, 3],
        {
            "k": random(3, 2, 2, 2),
            "w": random(18, 2),
            "bias": random(2),
            "g": random(18),
            "h": random(18, seed=1),
            "m": random(18, seed=2),
            "v": random(18, seed=3) ** 2 + 0.1,
            "slope": random(18, seed=4),
        },
    )
    network = assert_reads_the_same(path, [2, 4, 3], turned=True)
    assert kinds(network) == ["Conv2D", "Flatten", "BatchNorm", "PReLU", "Dropout", "Dense"]


def residual(path: Path, *, normalized: bool, rest: list[object] | None = None) -> Path:
    """Two blocks: the first with a convolution on the way around, the second without."""
    constants: dict[str, object] = {"k0": random(4, 3, 3, 3), "b0": random(4)}
    nodes = [node("Conv", "x k0 b0", "s", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), *(rest or [])]

    def convolution(x: str, name: str, channels: int, filters: int, **attributes: object) -> str:
        size = attributes.get("kernel_shape", [3, 3])
        constants[f"k_{name}"] = random(filters, channels, *size)  # type: ignore[misc]  # a list
        nodes.append(node("Conv", f"{x} k_{name}", f"c_{name}", **attributes))
        if not normalized:
            return f"c_{name}"
        for i, letter in enumerate("ghmv"):
            constants[f"{letter}_{name}"] = random(filters, seed=i) ** 2 + 0.2
        inputs = " ".join([f"c_{name}", *(f"{letter}_{name}" for letter in "ghmv")])
        nodes.append(node("BatchNormalization", inputs, f"n_{name}", epsilon=1e-5, momentum=0.9))
        return f"n_{name}"

    same = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    first = convolution("s", "1", 4, 6, strides=[2, 2], **same)
    nodes.append(node("Relu", first, "r1"))
    second = convolution("r1", "2", 6, 6, **same)
    around = convolution("s", "3", 4, 6, kernel_shape=[1, 1], strides=[2, 2])
    nodes += [node("Add", f"{second} {around}", "t1"), node("Relu", "t1", "u1")]
    third = convolution("u1", "4", 6, 6, **same)
    nodes += [
        node("Add", f"u1 {third}", "t2"),
        node("Relu", "t2", "u2"),
        node("GlobalAveragePool", "u2", "g"),
        node("Flatten", "g", "f", axis=1),
        node("Gemm", "f w b", "y", transB=1),
    ]
    constants |= {"w": random(2, 6), "b": random(2)}
    return save(path, nodes, [3, 8, 7], constants)


@pytest.mark.parametrize("normalized", [False, True])
def test_residual_blocks(normalized: bool, tmp_path: Path) -> None:
    path = residual(tmp_path / "m.onnx", normalized=normalized)
    network = assert_reads_the_same(path, [3, 8, 7], turned=True)
    assert kinds(network) == ["Conv2D", "Residual", "Residual", "GlobalAveragePool", "Dense"]
    first, second = network.layers[1], network.layers[2]
    inside = ["Conv2D", "BatchNorm"] if normalized else ["Conv2D"]
    relu = ["ReLU"] if normalized else []
    assert [type(layer).__name__ for layer in first.layers] == [*inside, *relu, *inside]
    # A normalization on the way around goes into the weights of its convolution.
    assert isinstance(first.projection, cr.Conv2D)
    assert first.projection.use_bias == normalized
    assert second.projection is None
    assert (first.activation.name, second.activation.name) == ("relu", "relu")


def test_what_was_read_can_be_trained_on(tmp_path: Path) -> None:
    path = residual(tmp_path / "m.onnx", normalized=True)
    network = cr.saving.from_onnx(path, loss="softmax_cross_entropy")
    x = random(24, 8, 7, 3)
    y = np.arange(24) % 2
    before = network.evaluate(x, y)["loss"]
    network.fit(x, y, epochs=5, batch_size=8, progress=False)
    assert network.evaluate(x, y)["loss"] < before


def test_normalizations_and_activations_of_images(tmp_path: Path) -> None:
    tanh = [
        node("Pow", "d three", "cube"),
        node("Mul", "cube bend", "bent"),
        node("Add", "d bent", "inner"),
        node("Mul", "factor inner", "scaled"),
        node("Tanh", "scaled", "tanh"),
        node("Add", "tanh one", "sign"),
        node("Mul", "half d", "halved"),
        node("Mul", "halved sign", "e"),
    ]
    path = save(
        tmp_path / "m.onnx",
        [
            node("Conv", "x k b", "c", kernel_shape=[3, 3]),
            node("Reshape", "c groups", "seen"),
            node("InstanceNormalization", "seen ones zeros", "i", epsilon=1e-5),
            node("Shape", "c", "s"),
            node("Reshape", "i s", "back"),
            node("Mul", "back scale", "m"),
            node("Add", "m shift", "g"),
            node("Sigmoid", "g", "sg"),
            node("Mul", "g sg", "silu"),
            node("InstanceNormalization", "silu iw ib", "n", epsilon=1e-5),
            node("PRelu", "n slope", "p"),
            node("Softplus", "p", "sp"),
            node("Tanh", "sp", "st"),
            node("Mul", "p st", "mish"),
            node("ConvTranspose", "mish tk tb", "t", kernel_shape=[4, 4], strides=[2, 2],
                 pads=[1, 1, 1, 1]),
            node("Clip", "t low high", "d"),
            *tanh,
            node("Resize", "e , scales", "r", mode="nearest", nearest_mode="floor",
                 coordinate_transformation_mode="asymmetric", cubic_coeff_a=-0.75),
            node("Pad", "r pads zero", "y", mode="constant"),
        ],
        [2, 6, 6],
        {
            "k": random(4, 2, 3, 3), "b": random(4), "groups": np.array([0, 2, -1]),
            "ones": np.ones(2, np.float32), "zeros": np.zeros(2, np.float32),
            "scale": random(4, 1, 1), "shift": random(4, 1, 1, seed=1),
            "iw": random(4), "ib": random(4, seed=1), "slope": random(4, 1, 1),
            "tk": random(4, 2, 4, 4), "tb": random(2), "low": np.float32(-1),
            "high": np.float32(1), "three": np.float32(3), "bend": np.float32(0.044715),
            "factor": np.float32(0.7978845608), "one": np.float32(1),
            "half": np.float32(0.5), "scales": np.array([1, 1, 2, 3], np.float32),
            "pads": np.array([0, 0, 1, 2, 0, 0, 1, 2]), "zero": np.float32(0),
        },
    )  # fmt: skip
    network = assert_reads_the_same(path, [2, 6, 6], turned=True, turned_output=True)
    assert kinds(network) == [
        *("Conv2D", "GroupNorm", "SiLU", "GroupNorm", "PReLU", "Mish", "ConvTranspose2D"),
        *("GELUTanh", "UpSample", "ZeroPad"),
    ]
    assert [network.layers[i].groups for i in (1, 3)] == [2, 4]
    assert network.layers[6].activation.name == "hard_tanh"


def test_normalizations_and_activations_of_rows(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [
            node("Gemm", "x w b", "z", transB=1),
            node("LayerNormalization", "z lw lb", "l", axis=-1, epsilon=1e-5, stash_type=1),
            node("Softplus", "l", "sp"),
            node("Greater", "l twenty", "large"),
            node("Where", "large l sp", "s"),
            node("Abs", "s", "abs"),
            node("Add", "abs one", "plus"),
            node("Div", "s plus", "softsign"),
            node("Pow", "softsign two", "square"),
            node("ReduceMean", "square axes", "mean", keepdims=1, noop_with_empty_axes=0),
            node("Add", "mean epsilon", "shifted"),
            node("Sqrt", "shifted", "root"),
            node("Reciprocal", "root", "inverse"),
            node("Mul", "softsign inverse", "hat"),
            node("Mul", "hat gamma", "rms"),
            node("Mul", "rms root2", "e1"),
            node("Erf", "e1", "e2"),
            node("Add", "e2 one", "e3"),
            node("Mul", "rms e3", "e4"),
            node("Mul", "e4 half", "y"),
        ],
        [4],
        {
            "w": random(6, 4),
            "b": random(6),
            "lw": random(6),
            "lb": random(6, seed=1),
            "twenty": np.float32(20),
            "one": np.float32(1),
            "two": np.float32(2),
            "axes": np.array([1]),
            "epsilon": np.float32(1e-6),
            "gamma": random(6),
            "root2": np.float32(0.70710678),
            "half": np.float32(0.5),
        },
    )
    network = assert_reads_the_same(path, [4])
    assert kinds(network) == [*("Dense", "LayerNorm", "Softplus", "Softsign", "RMSNorm", "GELU")]
    assert network.layers[4].epsilon == 1e-6


def test_a_generator_makes_images_of_rows(tmp_path: Path) -> None:
    """The rows of numbers are (channels, height, width) there: the dense layer turns."""
    path = save(
        tmp_path / "m.onnx",
        [
            node("Gemm", "x w b", "z", transB=1),
            node("BatchNormalization", "z g h m v", "n"),
            node("Relu", "n", "a"),
            node("Reshape", "a s", "image"),
            node("ConvTranspose", "image k kb", "t", kernel_shape=[2, 2], strides=[2, 2]),
            node("Sigmoid", "t", "y"),
        ],
        [4],
        {
            "w": random(24, 4),
            "b": random(24),
            "s": np.array([-1, 4, 2, 3]),
            "g": random(24),
            "h": random(24, seed=1),
            "m": random(24, seed=2),
            "v": random(24) ** 2 + 0.1,
            "k": random(4, 3, 2, 2),
            "kb": random(3),
        },
    )
    network = assert_reads_the_same(path, [4], turned_output=True)
    assert kinds(network) == ["Dense", "BatchNorm", "ReLU", "Reshape", "ConvTranspose2D"]
    assert isinstance(network.loss, cr.SigmoidCrossEntropy)


def test_sequences(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [
            node("Conv", "x k b", "c", kernel_shape=[3], pads=[4, 0], dilations=[2]),
            node("Relu", "c", "a"),
            node("MaxPool", "a", "p", kernel_shape=[2], strides=[2], pads=[0, 0]),
            node("Unsqueeze", "p axis", "u"),
            node("ReduceMax", "u axes", "r", keepdims=1),
            node("Squeeze", "r axis", "q"),
            node("Reshape", "q s", "f", allowzero=1),
            node("Gemm", "f w wb", "y", transB=1),
        ],
        [2, 12],
        {
            "k": random(4, 2, 3),
            "b": random(4),
            "axis": np.array([-2]),
            "axes": np.array([-2, -1]),
            "s": np.array([-1, 4]),
            "w": random(1, 4),
            "wb": random(1),
        },
    )
    network = assert_reads_the_same(path, [2, 12], turned=True)
    assert kinds(network) == ["Conv1D", "MaxPool1D", "GlobalMaxPool", "Dense"]
    assert network.layers[0].padding == (4, 0)


def test_a_matrix_at_every_position(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x w", "p"),
        node("Add", "b p", "z"),
        node("Relu", "z", "a"),
        node("Transpose", "a", "t", perm=[0, 2, 1]),
        node("Conv", "t k", "y", kernel_shape=[2]),
    ]
    constants = {"w": random(3, 5), "b": random(5), "k": random(2, 5, 2)}
    path = save(tmp_path / "m.onnx", nodes, [7, 3], constants)
    network = assert_reads_the_same(path, [7, 3], turned_output=True)
    assert kinds(network) == ["Conv1D", "Conv1D"]
    assert network.layers[0].activation.name == "relu"
