"""What no layer here expresses is named: node, operator, what about it. Nothing is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from saving.onnx.graphs import Node, node, random, save

from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.saving import from_onnx

IMAGE, ROW, SEQUENCE = (4, 6, 6), (4,), (4, 6)
C = node("Conv", "x k", "c")  # says that images come channels-first

CASES: list[tuple[str, tuple[int, ...], list[Node], dict[str, Any]]] = [
    (r"node '/y' \(LSTM\) is of an operator that no layer", ROW, [node("LSTM", "x", "y")], {}),
    (r"\(my\.Relu\) is of an operator", ROW, [node("Relu", "x", "y", domain="my")], {}),
    (
        r"\(\(chainrule\.RMSNorm\)\) is of an operator",
        ROW,
        [node("RMSNorm", "x", "y", domain="chainrule")],
        {},
    ),
    (
        r"weights with NaN, infinity",
        ROW,
        [node("MatMul", "x m", "z"), node("Mul", "z b", "y")],
        {"m": np.zeros((4, 2), np.float32), "b": np.full(2, np.inf, np.float32)},
    ),
    (
        r"has axes of dtype float32; expected whole numbers",
        IMAGE,
        [node("ReduceMean", "x a", "y")],
        {"a": np.ones(2, np.float32)},
    ),
    (r"has 0 ratios", ROW, [node("Dropout", "x r", "y")], {"r": np.zeros(0, np.float32)}),
    (
        r"attribute axes=7, of the wrong type",
        ROW,
        [node("ReduceMean", "x", "y", axes=7)],
        {},
    ),
    (r"has the attribute slope=2, which is not", ROW, [node("Relu", "x", "y", slope=2)], {}),
    (r"attribute alpha='a', of the wrong type", ROW, [node("Elu", "x", "y", alpha="a")], {}),
    (r"attribute alpha=0\.2; here it is always 0\.1", ROW, [node("HardSigmoid", "x", "y")], {}),
    (r"gamma=2; here it is", ROW, [node("Selu", "x", "y", gamma=2.0)], {}),
    (r"approximate=\"fast\"", ROW, [node("Gelu", "x", "y", approximate="fast")], {}),
    (r"slope must be .* received -1", ROW, [node("LeakyRelu", "x", "y", alpha=-1.0)], {}),
    (
        r"\(Clip\) cuts off below 0 and above 6; the activations here",
        ROW,
        [node("Clip", "x low high", "y")],
        {"low": np.float32(0), "high": np.float32(6)},
    ),
    (r"has 2 numbers for min", ROW, [node("Clip", "x low", "y")], {"low": random(2)}),
    (r"axis=1, which is not the axis of", SEQUENCE, [node("Softmax", "x", "y", axis=1)], {}),
    (r"power a second time", ROW, [node("Exp", "x", "e"), node("Exp", "e", "y")], {}),
    (
        r"goes on with e to some power",
        ROW,
        [node("LogSoftmax", "x", "l"), node("Exp", "l", "e"), node("Tanh", "e", "y")],
        {},
    ),
    # Sums and products
    (r"adds an array to itself", ROW, [node("Add", "x x", "y")], {}),
    (r"combines two arrays", ROW, [node("Tanh", "x", "t"), node("Mul", "t x", "y")], {}),
    (
        r"adds two ways of 2 and 2 layers",
        ROW,
        [
            *(node("MatMul", "x m", "a"), node("LayerNormalization", "a w", "b")),
            *(node("MatMul", "x m", "c"), node("LayerNormalization", "c w", "d")),
            node("Add", "b d", "y"),
        ],
        {"m": random(4, 4), "w": random(4)},
    ),
    (
        r"adds what other nodes use as well",
        ROW,
        [
            *(node("MatMul", "x m", "a"), node("MatMul", "a m", "b")),
            *(node("Add", "b x", "s"), node("Add", "s a", "y")),
        ],
        {"m": random(4, 4)},
    ),
    (
        r"adds \(batch, 4\) and \(batch, 1\), which do not stand the same way",
        ROW,
        [node("MatMul", "x m", "a"), node("Add", "x a", "y")],
        {"m": random(4, 1)},
    ),
    (r"scales or shifts what no layer", ROW, [node("Add", "x b", "y")], {"b": random(4)}),
    (r"divides by the input", ROW, [node("Div", "b x", "y")], {"b": random(4)}),
    (
        r"of shape \(6,\) beside \(batch, 4, 6, 6\); expected one number for each of the 4 ch",
        IMAGE,
        [C, node("Add", "c b", "y")],
        {"b": random(6), "k": random(4, 4, 1, 1)},
    ),
    (
        r"computes its matrix from the",
        ROW,
        [node("Tanh", "x", "t"), node("MatMul", "x t", "y")],
        {},
    ),
    (r"transA=1", ROW, [node("Gemm", "x m", "y", transA=1)], {"m": random(4, 2)}),
    (
        r"constant of shape \(3, 2\); expected \(4, o",
        ROW,
        [node("MatMul", "x m", "y")],
        {"m": random(3, 2)},
    ),
    (
        r"puts a probability beside",
        ROW,
        [node("Sigmoid", "x", "s"), node("Sub", "one s", "t"), node("Concat", "t s", "y", axis=1)],
        {"one": np.float32(1)},
    ),
    # Windows
    (
        r"has 4 channels, 2 groups and weights of shape \(3, 4, 1, 1\)",
        IMAGE,
        [node("Conv", "x k", "y", group=2)],
        {"k": random(3, 4, 1, 1)},
    ),
    (
        r"kernel_shape=\(2, 2\)",
        IMAGE,
        [node("Conv", "x k", "y", kernel_shape=[2, 2])],
        {"k": random(4, 4, 1, 1)},
    ),
    (
        r"expected images or sequences",
        (2, 3, 3, 3),
        [node("Conv", "x k", "y")],
        {"k": random(1, 2, 1, 1, 1)},
    ),
    (
        r"has a bias of shape \(3,\); expected \(4,\)",
        IMAGE,
        [node("Conv", "x k b", "y")],
        {"k": random(4, 4, 1, 1), "b": random(3)},
    ),
    (
        r"strides \[0, 1\]",
        IMAGE,
        [node("Conv", "x k", "y", strides=[0, 1])],
        {"k": random(4, 4, 1, 1)},
    ),
    (
        r"strides=\[1\]; expected 2 numbers",
        IMAGE,
        [node("Conv", "x k", "y", strides=[1])],
        {"k": random(4, 4, 1, 1)},
    ),
    (
        r"auto_pad=HALF, which is unknown",
        IMAGE,
        [node("Conv", "x k", "y", auto_pad="HALF")],
        {"k": random(4, 4, 1, 1)},
    ),
    (
        r"output_shape=\[7, 7\]",
        IMAGE,
        [node("ConvTranspose", "x k", "y", output_shape=[7, 7])],
        {"k": random(4, 4, 2, 2)},
    ),
    (r"goes over sequences", SEQUENCE, [node("ConvTranspose", "x k", "y")], {"k": random(4, 4, 2)}),
    (
        r"weights of shape \(3, 4, 2, 2\); expected \(4, filters",
        IMAGE,
        [node("ConvTranspose", "x k", "y")],
        {"k": random(3, 4, 2, 2)},
    ),
    (
        r"would have windows on padding alone",
        IMAGE,
        [node("MaxPool", "x", "y", kernel_shape=[1, 1], pads=[1, 1, 1, 1])],
        {},
    ),
    (
        r"windows here have no gaps",
        IMAGE,
        [node("MaxPool", "x", "y", kernel_shape=[2, 2], dilations=[2, 2])],
        {},
    ),
    (
        r"count_include_pad=1; averages",
        SEQUENCE,
        [node("AveragePool", "x", "y", kernel_shape=[2], pads=[1, 0], count_include_pad=1)],
        {},
    ),
    (r"pools over 3 axes", (2, 3, 3, 3), [node("MaxPool", "x", "y", kernel_shape=[2, 2, 2])], {}),
    (
        r"has a second output 'i' that is used",
        IMAGE,
        [
            node("MaxPool", "x", "m i", kernel_shape=[2, 2]),
            node("MaxUnpool", "m i", "y", kernel_shape=[2, 2]),
        ],
        {},
    ),
    (
        r"reduces the axes \[1\] of samples \(4, 6, 6\)",
        IMAGE,
        [C, node("ReduceMean", "c a", "y")],
        {"a": np.array([1]), "k": random(4, 4, 1, 1)},
    ),
    # Normalizations
    (
        r"as in training; export the model in eval mode",
        ROW,
        [node("BatchNormalization", "x a a a a", "y", training_mode=1)],
        {"a": random(4)},
    ),
    (
        r"spatial=0",
        ROW,
        [node("BatchNormalization", "x a a a a", "y", spatial=0)],
        {"a": random(4)},
    ),
    (
        r"negative variance",
        ROW,
        [node("BatchNormalization", "x a a a a", "y")],
        {"a": -np.ones(4, np.float32)},
    ),
    (
        r"has shift of shape \(3,\); expected \(4,\)",
        ROW,
        [node("BatchNormalization", "x a b a a", "y")],
        {"a": random(4), "b": random(3)},
    ),
    (
        r"epsilon must be .* above 0; received 0",
        ROW,
        [node("BatchNormalization", "x a a a b", "y", epsilon=0.0)],
        {"a": random(4), "b": np.ones(4, np.float32)},
    ),
    (
        r"axis=1: it normalizes over several axes",
        SEQUENCE,
        [node("LayerNormalization", "x a", "y", axis=1)],
        {"a": random(6)},
    ),
    (
        r"stands in another order",
        IMAGE,
        [C, node("LayerNormalization", "c a", "y")],
        {"a": random(6), "k": random(4, 4, 1, 1)},
    ),
    (
        r"computes its scale from the input",
        ROW,
        [node("Tanh", "x", "t"), node("LayerNormalization", "x t", "y")],
        {},
    ),
    (
        r"has 3 groups of 4 channels",
        IMAGE,
        [node("GroupNormalization", "x a a", "y", num_groups=3)],
        {"a": random(3)},
    ),
    # Shapes
    (
        r"perm=\[1, 0\]; expected the batch to stay first",
        ROW,
        [node("Transpose", "x", "y", perm=[1, 0])],
        {},
    ),
    (r"axis=2; expected 1", IMAGE, [node("Flatten", "x", "y", axis=2)], {}),
    (
        r"the shape \[2, -1\], batch included",
        IMAGE,
        [node("Reshape", "x s", "y")],
        {"s": np.array([2, -1])},
    ),
    (
        r"the shape \[-1, 5\], batch incl",
        IMAGE,
        [node("Reshape", "x s", "y")],
        {"s": np.array([-1, 5])},
    ),
    (r"the shape \[-1\], batch incl", IMAGE, [node("Reshape", "x s", "y")], {"s": np.array([-1])}),
    (r"leaves out the axes \[1\]", IMAGE, [node("Squeeze", "x a", "y")], {"a": np.array([1])}),
    (r"adds the axes \[0\]", ROW, [node("Unsqueeze", "x a", "y")], {"a": np.array([0])}),
    (
        r"mode reflect; expected zeros",
        IMAGE,
        [node("Pad", "x p", "y", mode="reflect")],
        {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])},
    ),
    (
        r"pads the axis 2 of samples \(4, 6\); expected height or width",
        SEQUENCE,
        [node("Pad", "x p", "y")],
        {"p": np.array([0, 0, 1, 0, 0, 1])},
    ),
    (
        r"resizes by \[1\.0, 1\.5, 2\.0\]",
        IMAGE,
        [node("Resize", "x , s", "y")],
        {"s": np.array([1, 1, 1.5, 2], np.float32)},
    ),
    (
        r"mode linear",
        IMAGE,
        [node("Resize", "x , s", "y", mode="linear")],
        {"s": np.array([1, 1, 2, 2], np.float32)},
    ),
    (
        r"resizes the channels",
        IMAGE,
        [node("Resize", "x , s", "y")],
        {"s": np.array([1, 2, 2, 2], np.float32)},
    ),
    (r"to=7; expected float32", ROW, [node("Cast", "x", "y", to=7)], {}),
    (
        r"training; export the model",
        ROW,
        [node("Dropout", "x r t", "y")],
        {"r": np.float32(0.5), "t": np.array(True)},
    ),
    (
        r"no dense layer gives them",
        IMAGE,
        [C, node("Flatten", "c", "y")],
        {"k": random(4, 4, 1, 1)},
    ),
    # Graphs
    (
        r"takes 'later', which does not come from the input before it",
        ROW,
        [node("Relu", "later", "y"), node("Relu", "x", "later")],
        {},
    ),
    (r"depends on 0 inputs \(none\)", ROW, [node("Identity", "a", "y")], {"a": random(2)}),
    (r"does not depend on the numbers", ROW, [node("Shape", "x", "y")], {}),
    (
        r"makes a constant of shape \[100000\]",
        ROW,
        [node("ConstantOfShape", "s", "b"), node("Add", "x b", "y")],
        {"s": np.array([100000])},
    ),
    (
        r"cannot be computed from its constants",
        ROW,
        [node("Concat", "x0 x1", "s", axis=0), node("Reshape", "x s", "y")],
        {"x0": np.array([1]), "x1": np.array([[1]])},
    ),
    (
        r"holds no array of numbers",
        ROW,
        [node("Constant", "", "s", value_string="a"), node("Reshape", "x s", "y")],
        {},
    ),
    (
        r"the constant 'm' holds numbers of ONNX's type 10",
        ROW,
        [node("MatMul", "x m", "y")],
        {"m": np.ones((4, 2), np.float16)},
    ),
    (
        r"weights with NaN, infinity",
        ROW,
        [node("MatMul", "x m", "y")],
        {"m": np.full((4, 2), np.nan, np.float32)},
    ),
]


@pytest.mark.parametrize(("said", "sample", "nodes", "constants"), CASES, ids=lambda v: str(v)[:40])
def test_what_cannot_be_expressed_is_named(
    said: str,
    sample: tuple[int, ...],
    nodes: list[Node],
    constants: dict[str, Any],
    tmp_path: Path,
) -> None:
    path = save(tmp_path / "m.onnx", nodes, sample, constants)
    with pytest.raises(UnreadableFile, match=said) as caught:
        from_onnx(path)
    message = str(caught.value)
    assert message.startswith(f"{path} cannot be loaded: ")
    assert "\n" not in message


def test_the_same_weights_again_and_again(tmp_path: Path) -> None:
    """A small file that would become a huge network."""
    nodes = [node("MatMul", f"{'x' if i == 0 else f'h{i}'} w", f"h{i + 1}") for i in range(30)]
    path = save(
        tmp_path / "m.onnx", [*nodes, node("Tanh", "h30", "y")], [800], {"w": random(800, 800)}
    )
    with pytest.raises(UnreadableFile, match="bytes of parameters, far more than its constants"):
        from_onnx(path)


def test_a_single_number_for_very_many_channels(tmp_path: Path) -> None:
    nodes = [node("PRelu", "x s", "y")]
    path = save(tmp_path / "m.onnx", nodes, [100_000_000], {"s": random(1)})
    with pytest.raises(UnreadableFile, match="spreads one number over 100,000,000 channels"):
        from_onnx(path)


def test_inputs_of_no_fixed_size(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", "x", "y")], ["length", 3])  # type: ignore[list-item]  # a name
    with pytest.raises(UnreadableFile, match=r"'x' has the shape \['n', 'length', 3\]; expected"):
        from_onnx(path)


def test_inputs_that_are_whole_numbers(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Cast", "x", "y", to=1)],
        [3],
        dtype=TensorProto.UINT8,
        outputs={"y": TensorProto.FLOAT},
    )
    with pytest.raises(UnreadableFile, match="'x' takes numbers of ONNX's type 2"):
        from_onnx(path)


def test_two_inputs(tmp_path: Path) -> None:
    values = [helper.make_tensor_value_info(name, 1, ["n", 3]) for name in "xzy"]
    graph = helper.make_graph([node("Add", "x z", "y")], "g", values[:2], values[2:])
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    with pytest.raises(UnreadableFile, match=r"depends on 2 inputs \('x', 'z'\); expected one"):
        from_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize("opset", [6, 99])
def test_operators_of_another_time(opset: int, tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", "x", "y")], [3], opset=opset)
    with pytest.raises(UnreadableFile, match=f"written in opset {opset}; opsets 7 to 28 are read"):
        from_onnx(path)


def test_a_loss_that_does_not_exist(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", "x", "y")], [3])
    with pytest.raises(InvalidSetting, match="There is no loss called 'entropy'"):
        from_onnx(path, loss="entropy")


def test_a_loss_that_cannot_take_the_last_activation(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Tanh", "x", "y")], [3])
    with pytest.raises(UnreadableFile, match="this loss expects positive outputs"):
        from_onnx(path, loss="poisson")


def test_a_loss_that_does_not_take_exponentials(tmp_path: Path) -> None:
    """Otherwise the network would predict the logarithms of what the file does."""
    path = save(tmp_path / "m.onnx", [node("LogSoftmax", "x", "l"), node("Exp", "l", "y")], ROW)
    with pytest.raises(UnreadableFile, match="'mean_squared_error' does not do; expected one on"):
        from_onnx(path, loss="mean_squared_error")
    assert from_onnx(path, loss="poisson_deviance").loss.name == "poisson_deviance"
