"""Preprocessing in ONNX, by hand. ``tests/cli/test_export.py`` has whole models on real tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import chainrule as cr
from chainrule.data.columns import CategoryColumn, LeftOut, NumberColumn
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget, NumberTarget
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.saving.onnx import export_images, export_table
from chainrule.saving.onnx.export_trained import imprecise_columns

HEIGHT = NumberColumn("height", median=2.0, mean=1.0, standard_deviation=2.0, marks_missing=True)
WIDTH = NumberColumn("width", median=0.0, mean=0.0, standard_deviation=1.0, marks_missing=False)
KIND = CategoryColumn("kind", ("a", "b"), marks_missing=True)
PLACE = CategoryColumn("place", ("x y", "ü"), marks_missing=False)


def preprocessing(*columns: Any, target: Any = None) -> Preprocessing:
    count = sum(len(column.features) for column in columns)
    classes = ClassTarget("t", tuple(f"class {n}" for n in range(count)))
    return Preprocessing(columns, (LeftOut("id", "names the rows"),), target or classes)


def features(path: Path, prepared: Preprocessing, **columns: Any) -> Array:
    """The features that a file makes: a network that does nothing gives them as probabilities."""
    count = len(prepared.feature_names)
    nothing = cr.NeuralNetwork(cr.Dropout(), inputs=count, loss="categorical_cross_entropy")
    export_table(nothing, prepared, path)
    return run(path, **columns)["probabilities"]


def run(path: Path, **columns: Any) -> dict[str, Array]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(string)": object, "tensor(float)": np.float32, "tensor(double)": np.float64}
    given = {
        entry.name: np.array(columns[entry.name], types[entry.type]).reshape(-1, 1)
        for entry in session.get_inputs()
    }
    names = [entry.name for entry in session.get_outputs()]
    return dict(zip(names, session.run(None, given), strict=True))


def test_numbers_and_categories_by_hand(tmp_path: Path) -> None:
    found = features(
        tmp_path / "m.onnx",
        preprocessing(PLACE, HEIGHT, KIND, WIDTH),
        height=[5, np.nan, -np.inf],
        kind=["b", "", "c"],
        width=[3, np.nan, -1],
        place=["ü", "", "x y"],
    )
    assert found.tolist() == [
        # the second place; (5 - 1) / 2 = 2 and not missing; the second kind; 3
        [0, 1, 2, 0, 0, 1, 0, 3],
        # no place is none; the median: (2 - 1) / 2, missing; missing is a kind; the median
        [0, 0, 0.5, 1, 0, 0, 1, 0],
        # infinite is missing too; an unknown kind is none
        [1, 0, 0.5, 1, 0, 0, 0, -1],
    ]


def test_only_categories_and_only_one_number(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    found = features(path, preprocessing(KIND, PLACE), kind=["a", "?"], place=["ü", "x"])
    assert found.tolist() == [[1, 0, 0, 0, 1], [0, 0, 1, 0, 0]]
    found = features(path, preprocessing(HEIGHT), height=[1, np.nan])
    assert found.tolist() == [[0, 0], [0.5, 1]]


def test_features_whose_names_are_the_same(tmp_path: Path) -> None:
    """A column may be called as the mark of another."""
    other = NumberColumn("height is missing", 0.0, 0.0, 1.0, marks_missing=False)
    found = features(
        tmp_path / "m.onnx", preprocessing(HEIGHT, other), height=[3], **{"height is missing": [7]}
    )
    assert found.tolist() == [[1, 0, 7]]


@pytest.mark.parametrize("double", [False, True])
def test_a_number_in_its_unit(double: bool, tmp_path: Path) -> None:
    prepared = preprocessing(WIDTH, target=NumberTarget("t", 100.0, 20.0))
    net = cr.NeuralNetwork(cr.Dropout(), inputs=1)
    path = export_table(net, prepared, tmp_path / "m.onnx", double=double)
    (variable,) = run(path, width=[0, 1.5, -1]).values()
    assert variable.tolist() == [[100], [130], [80]]
    assert variable.dtype == (np.float64 if double else np.float32)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("0", "1", "12"), [0, 1, 12]),
        (("-3", "7", "9"), [-3, 7, 9]),
        (("0", "01", "2"), ["0", "01", "2"]),
        (("1", "2", "x"), ["1", "2", "x"]),
        (("1.5", "2", "3"), ["1.5", "2", "3"]),
        (("1", "2", "²"), ["1", "2", "²"]),
        (("1", "2", "9" * 20), ["1", "2", "9" * 20]),
    ],
)
def test_labels_are_numbers_where_all_are(
    names: tuple[str, ...], labels: list[Any], tmp_path: Path
) -> None:
    columns = [NumberColumn(n, 0.0, 0.0, 1.0, marks_missing=False) for n in "abc"]
    net = cr.NeuralNetwork(cr.Dropout(), inputs=3, loss="categorical_cross_entropy")
    prepared = Preprocessing(tuple(columns), (), ClassTarget("t", names))
    path = export_table(net, prepared, tmp_path / "m.onnx")
    found = run(path, a=[1, 0, 0], b=[0, 1, 0], c=[0, 0, 1])["label"]
    assert found.tolist() == labels


def test_columns_that_float32_cannot_hold() -> None:
    near = NumberColumn("near", 0.0, 1000.0, 1.0, marks_missing=False)  # rounded by 6e-5
    far = NumberColumn("far", 0.0, -2000.0, 1.0, marks_missing=False)  # by 1.2e-4
    assert imprecise_columns(preprocessing(near, KIND, far)) == ["far"]


def test_images(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Flatten(), inputs=(1, 3, 1), loss="categorical_cross_entropy")
    path = export_images(net, ["a", "b", "c"], tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    pixels = np.array([[0, 255, 51]], np.uint8).reshape(1, 1, 3, 1)
    label, probabilities = session.run(None, {"images": pixels})
    assert label.tolist() == ["b"]
    np.testing.assert_allclose(probabilities, [[0, 1, 0.2]], rtol=1e-6)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ((HEIGHT, HEIGHT), "called 'height', 'height'; expected a name for each, and no two alike"),
        ((CategoryColumn("", ("a",), marks_missing=False),), "expected a name for each"),
        ((WIDTH,), r"The columns become 1 feature, and the network takes \(batch, 4\)"),
    ],
)
def test_what_does_not_fit(columns: Any, told: str, tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(4), inputs=4, loss="softmax_cross_entropy")
    with pytest.raises(InvalidSetting, match=told):
        export_table(net, preprocessing(*columns), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_classes_and_numbers_that_do_not_fit(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(3), inputs=4, loss="softmax_cross_entropy")
    with pytest.raises(InvalidSetting, match="classes received 4"):
        export_table(net, preprocessing(WIDTH, KIND), tmp_path / "m.onnx")
    with pytest.raises(InvalidSetting, match="classes received 2"):
        export_images(net, ["a", "b"], tmp_path / "m.onnx")
