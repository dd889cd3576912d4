"""Every operator that is read, with every attribute that means something, against onnxruntime."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FULL_SWEEP
from hypothesis import event, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from saving.onnx.graphs import assert_reads_the_same, kinds, node, random, save

from chainrule.errors import UnreadableFile
from chainrule.saving import from_onnx

ZERO = np.float32(0)
SCALES = np.array([1, 1, 2, 3], np.float32)
STATISTICS = {"m": random(4, seed=3), "v": random(4) ** 2 + 0.2}

# Operator, its inputs beside x, attributes, the layer it becomes (Identity: none of its own, as an
# activation goes into the convolution before it, and softmax into the loss); on samples (4, 6, 5).
OF_IMAGES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("Conv", {"k": random(3, 4, 2, 2)}, {}, "Conv2D"),
    ("Conv", {"k": random(3, 4, 2, 3)}, {"auto_pad": "SAME_LOWER", "strides": [1, 2]}, "Conv2D"),
    ("Conv", {"k": random(3, 4, 2, 3)}, {"auto_pad": "VALID"}, "Conv2D"),
    ("Conv", {"k": random(8, 1, 3, 3), "b": random(8)}, {"group": 4}, "Conv2D"),
    ("ConvTranspose", {"k": random(4, 3, 2, 2)}, {"strides": [2, 2]}, "ConvTranspose2D"),
    ("ConvTranspose", {"k": random(4, 2, 3, 3), "b": random(4)}, {"group": 2}, "ConvTranspose2D"),
    (
        "ConvTranspose",
        {"k": random(4, 3, 3, 3)},
        {"strides": [2, 3], "pads": [1, 0, 0, 1], "output_padding": [1, 0]},
        "ConvTranspose2D",
    ),
    (
        "ConvTranspose",
        {"k": random(4, 3, 3, 3)},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        "ConvTranspose2D",
    ),
    ("MaxPool", {}, {"kernel_shape": [2, 2]}, "MaxPool2D"),
    ("MaxPool", {}, {"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1}, "MaxPool2D"),
    ("AveragePool", {}, {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}, "AveragePool2D"),
    ("GlobalAveragePool", {}, {}, "GlobalAveragePool"),
    ("GlobalMaxPool", {}, {}, "GlobalMaxPool"),
    ("ReduceMean", {"axes": np.array([2, -1])}, {"keepdims": 1}, "GlobalAveragePool"),
    ("ReduceMax", {"axes": np.array([3, 2])}, {"keepdims": 0}, "GlobalMaxPool"),
    (
        "BatchNormalization",
        {"g": random(4), "h": random(4, seed=1), **STATISTICS},
        {"epsilon": 0.01},
        "BatchNorm",
    ),
    ("InstanceNormalization", {"g": random(4), "h": random(4)}, {}, "GroupNorm"),
    ("GroupNormalization", {"g": random(2), "h": random(2)}, {"num_groups": 2}, "GroupNorm"),
    ("PRelu", {"s": random(4, 1, 1)}, {}, "Identity"),
    ("PRelu", {"s": random(1)}, {}, "Identity"),
    ("Softmax", {}, {"axis": 1}, "Identity"),
    ("LogSoftmax", {}, {"axis": -3}, "Identity"),
    ("Pad", {"p": np.array([0, 0, 1, 0, 0, 0, 0, 2])}, {}, "ZeroPad"),
    ("Pad", {"p": np.array([1, 0, 2, 3]), "z": ZERO, "a": np.array([-1, 2])}, {}, "ZeroPad"),
    ("Pad", {"p": np.zeros(8, np.int64)}, {}, "Identity"),
    ("Resize", {",": None, "s": SCALES}, {}, "UpSample"),
    (
        "Resize",
        {",": None, "s": SCALES},
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        "UpSample",
    ),
    ("Resize", {", ,": None, "s": np.array([3, 4, 12, 10])}, {}, "UpSample"),
]


@pytest.mark.parametrize(("operator", "more", "attributes", "kind"), OF_IMAGES)
def test_images(
    operator: str, more: dict[str, Any], attributes: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    # A 1 x 1 convolution before it says that the channels come first.
    nodes = [
        node("Conv", "x first", "c"),
        node(operator, " ".join(["c", *more]), "y", **attributes),
    ]
    constants = {name: array for name, array in more.items() if array is not None}
    path = save(tmp_path / "m.onnx", nodes, [4, 6, 5], {"first": random(4, 4, 1, 1), **constants})
    keeps_axes = operator not in ("GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax")
    network = assert_reads_the_same(path, [4, 6, 5], turned=True, turned_output=keeps_axes)
    fused = kinds(network)[1:2] or ["Identity"]
    assert fused == [kind]


@pytest.mark.parametrize(
    ("operator", "attributes", "shown"),
    [
        ("Relu", {}, "ReLU()"),
        ("Sigmoid", {}, "Identity()"),
        ("Tanh", {}, "Tanh()"),
        ("LeakyRelu", {}, "LeakyReLU()"),
        ("LeakyRelu", {"alpha": 0.3}, "LeakyReLU(slope=0.3)"),
        ("Elu", {"alpha": 0.7}, "ELU(alpha=0.7)"),
        ("Selu", {}, "SELU()"),
        ("Softplus", {}, "Softplus()"),
        ("Softsign", {}, "Softsign()"),
        ("HardSigmoid", {"alpha": 1 / 6}, "HardSigmoid()"),
        ("Mish", {}, "Mish()"),
        ("Gelu", {}, "GELU()"),
        ("Gelu", {"approximate": "tanh"}, "GELUTanh()"),
        ("Softmax", {}, "Identity()"),
        ("LogSoftmax", {}, "LogSoftmax()"),
        ("Dropout", {}, "Dropout()"),
        ("LayerNormalization", {}, "LayerNorm()"),
        ("RMSNormalization", {"epsilon": 0.01}, "RMSNorm(epsilon=0.01)"),
        ("Swish", {}, "SiLU()"),
        ("Identity", {}, "Identity()"),
        ("Flatten", {}, "Identity()"),
    ],
)
def test_rows(operator: str, attributes: dict[str, Any], shown: str, tmp_path: Path) -> None:
    more = " g" if operator.endswith("Normalization") else ""
    nodes = [node(operator, f"x{more}", "y", **attributes)]
    opset = {"RMSNormalization": 23, "Swish": 24}.get(operator, 20)
    path = save(tmp_path / "m.onnx", nodes, [4], {"g": random(4)}, opset=opset)
    network = assert_reads_the_same(path, [4])
    assert repr(network.layers) == f"({shown},)"


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (-1, 1, "HardTanh()"),
        (0, None, "ReLU()"),
        (0, np.inf, "ReLU()"),
        (0, 3.4028235e38, "ReLU()"),
    ],
)
def test_clip(low: float, high: float | None, shown: str, tmp_path: Path) -> None:
    bounds = {"low": np.float32(low)} | ({} if high is None else {"high": np.float32(high)})
    nodes = [node("Clip", " ".join(["x", *bounds]), "y")]
    network = assert_reads_the_same(save(tmp_path / "m.onnx", nodes, [4], bounds), [4])
    assert repr(network.layers) == f"({shown},)"


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 21])
def test_the_same_in_old_and_new_opsets(opset: int, tmp_path: Path) -> None:
    """Some inputs of today were attributes once."""
    constants: dict[str, Any] = {
        "k": random(4, 2, 3, 3),
        "w": random(36, 3),
        "s": np.array([-1, 36]),
    }
    clip = node("Clip", "c", "a", min=0.0)
    pad = node("Pad", "a", "p", pads=[0, 0, 1, 0, 0, 0, 1, 2])
    mean = node("ReduceMean", "flat", "m", axes=[2], keepdims=0)
    squeeze = node("Unsqueeze", "r", "flat", axes=[2])
    if opset >= 11:
        constants |= {"zero": np.float32(0), "pads": np.array([0, 0, 1, 0, 0, 0, 1, 2])}
        clip, pad = node("Clip", "c zero", "a"), node("Pad", "a pads", "p")
    if opset >= 13:
        constants["axes"] = np.array([2])
        squeeze = node("Unsqueeze", "r axes", "flat")
    del mean
    nodes = [
        node("Conv", "x k", "c", kernel_shape=[3, 3]),
        clip,
        pad,
        node("MaxPool", "p", "q", kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", "q s", "r"),
        squeeze,
        node("Flatten", "flat", "f"),
        node("Dropout", "f", "d"),
        node("MatMul", "d w", "z"),
        node("Softmax", "z", "y"),
    ]
    path = save(tmp_path / "m.onnx", nodes, [2, 6, 6], constants, opset=opset)
    network = assert_reads_the_same(path, [2, 6, 6], turned=True)
    assert kinds(network) == ["Conv2D", "ZeroPad", "MaxPool2D", "Flatten", "Dropout", "Dense"]


def grouped(path: Path, second: list[int], groups: list[int]) -> Path:
    """GroupNormalization as older exporters write it, with the shape before written out."""
    nodes = [
        node("Conv", "x k", "c"),
        node("Reshape", "c groups", "seen"),
        node("InstanceNormalization", "seen g h", "i"),
        node("Reshape", "i s", "y"),
    ]
    constants = {
        "k": random(4, 4, 1, 1),
        "groups": np.array(groups),
        "s": np.array(second),
        "g": random(2),
        "h": random(2, seed=1),
    }
    return save(path, nodes, [4, 3, 5], constants)


@pytest.mark.parametrize("second", [[0, 4, 3, 5], [-1, 4, 3, 5], [0, 0, -1, 5]])
def test_groups_with_a_scale_each(second: list[int], tmp_path: Path) -> None:
    if second[2] == -1:  # in the middle of the graph 0 means what the array has there
        second = [0, 4, -1, 5]
    path = grouped(tmp_path / "m.onnx", second, [0, 2, -1])
    network = assert_reads_the_same(path, [4, 3, 5], turned=True, turned_output=True)
    assert kinds(network) == ["Conv2D", "GroupNorm"]
    assert network.layers[1].scale.tolist() == np.repeat(random(2), 2).tolist()


@pytest.mark.parametrize(
    ("second", "groups", "said"),
    [
        (
            [0, 3, 4, 5],
            [0, 2, -1],
            r"has samples of shape \(4, 3, 5\) and ends with \[0, 3, 4, 5\]",
        ),
        ([0, 4, 15], [0, 2, -1], r"ends with \[0, 4, 15\]"),
        ([0, 4, 3, 5], [0, 2, 29], r"sees samples of shape \(4, 3, 5\) as \[0, 2, 29\]"),
        ([0, 4, 3, 5], [0, 5, -1], r"has 5 groups of 4 channels"),
    ],
)
def test_shapes_that_are_no_groups(
    second: list[int], groups: list[int], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFile, match=said):
        from_onnx(grouped(tmp_path / "m.onnx", second, groups))


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ([2], ""),
        ([-1], ""),
        ([1], "stands in another order"),
        ([1, 2], r"divides by an average over the axes \[1, 2\], not over the channels"),
    ],
)
def test_an_average_of_squares(axes: list[int], said: str, tmp_path: Path) -> None:
    opset = 17 if axes == [-1] else 18  # axes were an attribute once
    mean = node("ReduceMean", "s a", "m", keepdims=1)
    if opset == 17:
        mean = node("ReduceMean", "s", "m", axes=axes, keepdims=1)
    nodes = [
        node("Mul", "x x", "s"),
        mean,
        node("Add", "m e", "p"),
        node("Sqrt", "p", "r"),
        node("Div", "x r", "y"),
    ]
    constants = {"a": np.array(axes), "e": np.float32(1e-3)}
    path = save(tmp_path / "m.onnx", nodes, [4, 3], constants, opset=opset)
    if not said:
        assert kinds(assert_reads_the_same(path, [4, 3])) == ["RMSNorm"]
        return
    with pytest.raises(UnreadableFile, match=said):
        from_onnx(path)


def test_a_convolution_after_global_pooling(tmp_path: Path) -> None:
    """As in nets without dense layers: (channels, 1, 1) is an image again."""
    nodes = [
        node("Conv", "x k", "c"),
        node("GlobalAveragePool", "c", "g"),
        node("Pad", "g pads", "p"),
        node("Conv", "p l", "d"),
        node("Flatten", "d", "y"),
    ]
    constants = {
        "k": random(4, 2, 2, 2),
        "l": random(3, 4, 2, 3),
        "pads": np.array([0, 0, 1, 1, 0, 0, 0, 1]),
    }
    path = save(tmp_path / "m.onnx", nodes, [2, 5, 4], constants)
    network = assert_reads_the_same(path, [2, 5, 4], turned=True)
    assert kinds(network) == [
        *("Conv2D", "GlobalAveragePool", "Reshape", "ZeroPad", "Conv2D", "Flatten")
    ]


def test_images_in_another_shape(tmp_path: Path) -> None:
    """Where they stand channels-last, the numbers keep their order."""
    nodes = [
        node("Tanh", "x", "a"),
        node("Reshape", "a s", "b"),
        node("Transpose", "b", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t k", "c", pads=[1, 0, 1, 0]),
        node("Transpose", "c", "y", perm=[0, 2, 3, 1]),
    ]
    constants = {"s": np.array([0, 2, -1, 3]), "k": random(2, 3, 3, 2)}
    path = save(tmp_path / "m.onnx", nodes, [4, 6], constants)
    network = assert_reads_the_same(path, [4, 6])
    assert [network.layers[1].shape, network.layers[2].padding] == [(2, 4, 3), (1, 0)]


@pytest.mark.parametrize("opset", [9, 10])
def test_images_enlarged_in_old_opsets(opset: int, tmp_path: Path) -> None:
    operator = "Upsample" if opset == 9 else "Resize"
    nodes = [node("Conv", "x k", "c"), node(operator, "c s", "y", mode="nearest")]
    constants = {"k": random(2, 2, 1, 1), "s": SCALES}
    path = save(tmp_path / "m.onnx", nodes, [2, 3, 4], constants, opset=opset)
    assert_reads_the_same(path, [2, 3, 4], turned=True, turned_output=True)


@pytest.mark.parametrize("counted", [False, True])
def test_padding_that_averages_count(counted: bool, tmp_path: Path) -> None:
    """Zeros around the image first, where they count."""
    attributes = {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "count_include_pad": int(counted)}
    path = save(tmp_path / "m.onnx", [node("AveragePool", "x", "y", **attributes)], [2, 5, 4])
    network = assert_reads_the_same(path, [2, 5, 4], turned=True, turned_output=True)
    assert kinds(network) == (["ZeroPad"] if counted else []) + ["AveragePool2D"]


@pytest.mark.parametrize("bias", [(3,), (1, 3), (1,), ()])
def test_gemm(bias: tuple[int, ...], tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w b", "y", alpha=0.5, beta=-2.0)]
    constants = {"w": random(4, 3), "b": random(*bias, seed=1)}
    network = assert_reads_the_same(save(tmp_path / "m.onnx", nodes, [4], constants), [4])
    assert np.array_equal(network.layers[0].weights, random(4, 3) / 2)


@st.composite
def windows(draw: Any) -> tuple[str, dict[str, Any], list[int], list[int]]:
    """A convolution or a pool with any attributes, weights' shape, samples' shape."""
    axes = draw(st.integers(1, 2))
    sizes = st.lists(st.integers(1, 3), min_size=axes, max_size=axes)
    operator = draw(st.sampled_from(["Conv", "ConvTranspose", "MaxPool", "AveragePool"]))
    window, group = draw(sizes), draw(st.sampled_from([1, 2]))
    attributes: dict[str, Any] = {"kernel_shape": window, "strides": draw(sizes)}
    way = draw(st.sampled_from(["pads", "pads", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    if way == "pads":
        pads = [draw(st.integers(0, max(0, size - 1))) for size in window * 2]
        attributes["pads"] = pads
    else:
        attributes["auto_pad"] = way
    if operator.startswith("Conv"):
        attributes |= {"group": group, "dilations": draw(sizes) if way == "pads" else [1] * axes}
    else:
        attributes["ceil_mode"] = draw(st.integers(0, 1)) if way == "pads" else 0
    if operator == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    if way.startswith("SAME"):  # onnxruntime fails at strides that leave gaps
        strides = zip(window, attributes["strides"], strict=True)
        attributes["strides"] = [min(pair) for pair in strides]
    image = draw(st.lists(st.integers(5, 8), min_size=axes, max_size=axes))
    filters = 4 // group if operator == "ConvTranspose" else 4
    channels = 2 // group if operator == "Conv" else 2
    first = [channels, filters] if operator == "ConvTranspose" else [filters, channels]
    return operator, attributes, [*first, *window], [2, *image]


@for_all(case=windows())
@settings(max_examples=1500 if FULL_SWEEP else 60)
def test_any_window_is_read_right_or_refused(
    case: tuple[str, dict[str, Any], list[int], list[int]],
) -> None:
    operator, attributes, kernel, sample = case
    inputs = "x k" if operator.startswith("Conv") else "x"
    with tempfile.TemporaryDirectory() as folder:
        nodes = [node(operator, inputs, "y", **attributes)]
        path = save(Path(folder) / "m.onnx", nodes, sample, {"k": random(*kernel)})
        try:
            assert_reads_the_same(path, sample, turned=True, turned_output=True)
            event("read")
        except UnreadableFile as error:
            event("refused")
            said = str(error)
            known = ("sequences", "count_include_pad=1", "auto_pad=SAME_", "window spans")
            assert any(text in said for text in known), said
