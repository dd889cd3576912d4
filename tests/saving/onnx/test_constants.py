"""Shapes and weights that a graph computes from constants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from saving.onnx.graphs import assert_reads_the_same, kinds, node, random, save

from chainrule.errors import UnreadableFile
from chainrule.saving import from_onnx


def constant(name: str, values: Any, dtype: Any = np.int64) -> Any:
    return node("Constant", "", name, value=numpy_helper.from_array(np.array(values, dtype)))


def test_a_border_as_pytorch_computes_it(tmp_path: Path) -> None:
    """It turns (left, right, top, bottom) around, into the order of ONNX."""
    nodes = [
        node("Conv", "x k", "c", kernel_shape=[1, 1]),
        constant("sides", [2, 0, 1, 3]),
        constant("more", [4]),
        node("ConstantOfShape", "more", "zeros", value=numpy_helper.from_array(np.array([0]))),
        node("Concat", "sides zeros", "all", axis=0),
        constant("two_columns", [-1, 2]),
        node("Reshape", "all two_columns", "pairs", allowzero=0),
        constant("axis", [0]),
        constant("from_the_end", [-1]),
        constant("to_the_start", [-(2**63) + 1]),
        node("Slice", "pairs from_the_end to_the_start axis from_the_end", "turned"),
        node("Transpose", "turned", "rows", perm=[1, 0]),
        constant("one_row", [-1]),
        node("Reshape", "rows one_row", "row"),
        node("Cast", "row", "pads", to=7),
        constant("zero", 0.0, np.float32),
        node("Pad", "c pads zero", "y", mode="constant"),
    ]
    path = save(tmp_path / "m.onnx", nodes, [2, 4, 5], {"k": random(3, 2, 1, 1)})
    network = assert_reads_the_same(path, [2, 4, 5], turned=True, turned_output=True)
    assert network.layers[1].padding == ((1, 3), (2, 0))


def test_an_image_of_a_row_as_pytorch_computes_it(tmp_path: Path) -> None:
    """The batch comes from Shape; indices from remainders and sums."""
    nodes = [
        node("Gemm", "x w", "z"),
        constant("three", 3),
        constant("two", 2),
        constant("one", 1),
        constant("ones", [1]),
        constant("nought", [0]),
        constant("image", [4, 2, 3]),
        constant("end", [2**63 - 1]),
        node("Mod", "three two", "first"),
        node("Shape", "z", "shape"),
        node("Reshape", "first ones", "firsts"),
        node("Slice", "shape nought firsts", "batch"),
        node("Add", "first one", "second"),
        node("Reshape", "second ones", "seconds"),
        node("Slice", "shape seconds end", "rest"),
        node("Concat", "batch image rest", "s", axis=0),
        node("Reshape", "z s", "i"),
        node("Conv", "i k", "y"),
    ]
    constants = {"w": random(5, 24), "k": random(2, 4, 2, 2)}
    path = save(tmp_path / "m.onnx", nodes, [5], constants)
    network = assert_reads_the_same(path, [5], turned_output=True)
    assert kinds(network) == ["Dense", "Reshape", "Conv2D"]
    assert network.shapes[2] == (2, 3, 4)


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([node("Transpose", "a", "w")], lambda a: a.T),
        ([node("Identity", "a", "b"), node("Transpose", "b", "w", perm=[1, 0])], lambda a: a.T),
        ([node("Mul", "a h", "b"), node("Transpose", "b", "w")], lambda a: a.T / 2),
        ([node("Neg", "a", "b"), node("Transpose", "b", "w")], lambda a: -a.T),
        ([node("Div", "a h", "b"), node("Transpose", "b", "w")], lambda a: a.T * 2),
        (
            [
                node("Sub", "a h", "b"),
                node("Reciprocal", "h", "i"),
                node("Sqrt", "i", "j"),
                node("Sub", "b j", "c"),
                node("Transpose", "c", "w"),
            ],
            lambda a: a.T - 0.5 - np.sqrt(2),
        ),
        (
            [
                node("Unsqueeze", "a n", "b"),
                node("Squeeze", "b n", "c"),
                node("Transpose", "c", "w"),
            ],
            lambda a: a.T,
        ),
        (
            [node("Unsqueeze", "a n", "b"), node("Squeeze", "b", "c"), node("Transpose", "c", "w")],
            lambda a: a.T,
        ),
        (
            [
                node("Cast", "a", "b", to=11),
                node("Cast", "b", "c", to=1),
                node("Transpose", "c", "w"),
            ],
            lambda a: a.T,
        ),
        (
            [node("Shape", "a", "s"), node("Reshape", "a s", "b"), node("Transpose", "b", "w")],
            lambda a: a.T,
        ),
    ],
)
def test_weights_that_follow_from_others(ways: list[Any], expected: Any, tmp_path: Path) -> None:
    constants = {"a": random(3, 4), "h": np.float32(0.5), "n": np.array([0])}
    path = save(tmp_path / "m.onnx", [*ways, node("MatMul", "x w", "y")], [4], constants)
    network = assert_reads_the_same(path, [4])
    assert np.allclose(network.layers[0].weights, expected(random(3, 4)), atol=1e-6)


@pytest.mark.parametrize(
    "attributes",
    [
        {"value_floats": [1.0, -2.0, 0.5]},
        {"value": numpy_helper.from_array(np.array([1.0, -2.0, 0.5], np.float32))},
    ],
)
def test_constants_as_nodes(attributes: dict[str, Any], tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x w", "z"),
        node("Constant", "", "b", **attributes),
        node("Constant", "", "factor", value_float=2.0),
        node("Add", "z b", "s"),
        node("Mul", "s factor", "m"),
        node("Constant", "", "rest", value_int=-1),
        node("Constant", "", "size", value_ints=[3]),
        node("Unsqueeze", "rest axis", "rests"),
        node("Concat", "rests size", "shape", axis=0),
        node("Reshape", "m shape", "y"),
    ]
    constants = {"w": random(4, 3), "axis": np.array([0])}
    network = assert_reads_the_same(save(tmp_path / "m.onnx", nodes, [4], constants), [4])
    assert network.layers[0].bias.tolist() == [2.0, -4.0, 1.0]


def test_whole_numbers_are_divided_without_rest(tmp_path: Path) -> None:
    nodes = [
        constant("seven", [-1, 7]),
        constant("two", 2),
        node("Div", "seven two", "s"),
        node("Reshape", "x s", "y"),
    ]
    with pytest.raises(UnreadableFile, match=r"the shape \[-1, 3\]"):
        from_onnx(save(tmp_path / "m.onnx", nodes, [4]))


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("Mul", "column row", "w")], "much larger than those it is made of"),
        ([node("Gather", "column far", "w")], "cannot be computed from its constants"),
        ([node("Cast", "row", "w", to=10)], "cannot be computed from its constants"),
        ([node("Constant", "", "w")], "holds no array of numbers"),
        ([node("ConstantOfShape", "far", "v"), node("Reshape", "v column", "w")], "cannot be comp"),
    ],
)
def test_constants_that_make_no_sense(nodes: list[Any], said: str, tmp_path: Path) -> None:
    constants = {
        "column": random(2000, 1),
        "row": random(1, 2000),
        "far": np.array([5], np.int64),
    }
    nodes = [*nodes, node("MatMul", "x w", "y")]
    if nodes[0].op_type == "Gather":
        constants["far"] = np.array([5000], np.int64)
        constants["column"] = random(900, 1)
    with pytest.raises(UnreadableFile, match=said):
        from_onnx(save(tmp_path / "m.onnx", nodes, [4], constants))
