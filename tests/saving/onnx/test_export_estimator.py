"""ONNX files of classifiers and regressors, as skl2onnx would write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator
from saving.onnx.runners import relative_error

import chainrule as cr
from chainrule.errors import InvalidSetting, NotBuilt
from chainrule.layer import Array
from chainrule.saving.onnx import export_classifier, export_regressor

X = np.random.default_rng(0).normal(0, 2, (9, 3)).astype(np.float32)


def run(path: Path, x: Array = X) -> dict[str, Any]:
    """Run a file by onnxruntime: its outputs by name."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {session.get_inputs()[0].name: x}), strict=True))


def by_reference(path: Path, x: Array = X) -> dict[str, Any]:
    """Run a file by onnx's own evaluator."""
    model = onnx.load(path)
    names = [output.name for output in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(None, {"X": x}), strict=True))


def network(outputs: int, loss: str, dtype: str = "float32") -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Dense(5, "tanh"), cr.Dense(outputs), loss=loss, inputs=3, dtype=dtype, seed=1
    )


# --- the numbers ----------------------------------------------------------------------------------


def test_two_classes_by_hand(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(1), loss="sigmoid_cross_entropy", inputs=1)
    net.parameters[...] = [1, 0]  # the logit is x itself
    path = export_classifier(net, tmp_path / "m.onnx", classes=["no", "yes"])
    found = run(path, np.array([[0.0], [np.log(3)], [-np.log(3)]], np.float32))
    # sigmoid(0) = 1/2, which is not above 1/2; sigmoid(log 3) = 3/4
    assert found["label"].tolist() == ["no", "yes", "no"]
    expected = [[1 / 2, 1 / 2], [1 / 4, 3 / 4], [3 / 4, 1 / 4]]
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "classes",
    [
        None,
        [0, 1, 2],
        [2, 5, 9],
        np.array([3, 1, 2], np.int32),
        ["setosa", "versicolor", "virginica"],
        np.array(["a", "b", "ü"]),
        [0.5, 1.5, 2.0],
    ],
    ids=str,
)
def test_several_classes(classes: Any, dtype: str, tmp_path: Path) -> None:
    net = network(3, "softmax_cross_entropy", dtype)
    path = export_classifier(net, tmp_path / "m.onnx", classes=classes)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    names = np.arange(3) if classes is None else np.asarray(classes)
    x = X.astype(dtype)
    for found in (run(path, x), by_reference(path, x)):
        assert list(found) == ["label", "probabilities"]
        assert found["label"].tolist() == names[net.predict_classes(x)].tolist()
        assert found["probabilities"].dtype == dtype
        assert relative_error(found["probabilities"], net.predict(x)) < 1e-6


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "sigmoid_cross_entropy"])
def test_two_classes_of_one_output(loss: str, tmp_path: Path) -> None:
    last = "sigmoid" if loss == "binary_cross_entropy" else "identity"
    net = cr.NeuralNetwork(cr.Dense(1, last), loss=loss, inputs=3)
    path = export_classifier(net, tmp_path / "m.onnx", classes=[False, True])
    for found in (run(path), by_reference(path)):
        assert found["label"].dtype == np.bool_
        assert found["label"].tolist() == (net.predict(X)[:, 0] > 0.5).tolist()
        assert relative_error(found["probabilities"][:, 1:], net.predict(X)) < 1e-6
        np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, rtol=1e-6)


def test_several_labels(tmp_path: Path) -> None:
    net = network(4, "sigmoid_cross_entropy")
    path = export_classifier(net, tmp_path / "m.onnx")
    for found in (run(path), by_reference(path)):
        assert found["label"].dtype == np.int64
        assert np.array_equal(found["label"], net.predict_classes(X))
        assert relative_error(found["probabilities"], net.predict(X)) < 1e-6


@pytest.mark.parametrize("loss", ["sigmoid_cross_entropy", "hinge", "mean_squared_error"])
def test_one_class_of_several_that_were_each_judged_by_itself(loss: str, tmp_path: Path) -> None:
    net = network(3, loss)
    path = export_classifier(net, tmp_path / "m.onnx", classes=["a", "b", "c"], multilabel=False)
    predicted = net.predict(X)
    for found in (run(path), by_reference(path)):
        expected = np.array(["a", "b", "c"])[predicted.argmax(axis=1)]
        assert found["label"].tolist() == expected.tolist()
        if loss == "sigmoid_cross_entropy":
            shares = predicted / predicted.sum(axis=1, keepdims=True)
            assert relative_error(found["probabilities"], shares) < 1e-6
        else:
            assert relative_error(found["scores"], predicted) < 1e-6


def test_numbers_that_stand_for_classes(tmp_path: Path) -> None:
    one = network(1, "mean_squared_error")
    found = run(export_classifier(one, tmp_path / "m.onnx", classes=["no", "yes"]))
    expected = np.where(one.predict(X)[:, 0] > 0.5, "yes", "no")
    assert found["label"].tolist() == expected.tolist()


@pytest.mark.parametrize("outputs", [1, 3])
def test_several_labels_whatever_the_loss(outputs: int, tmp_path: Path) -> None:
    for loss in ("softmax_cross_entropy", "sigmoid_cross_entropy"):
        net = network(max(outputs, 2 if loss[1] == "o" else 1), loss)
        path = export_classifier(net, tmp_path / "m.onnx", multilabel=True)
        for found in (run(path), by_reference(path)):
            assert np.array_equal(found["label"], net.predict(X) > 0.5)
            assert relative_error(found["probabilities"], net.predict(X)) < 1e-6


def test_scores_where_the_loss_knows_of_no_probabilities(tmp_path: Path) -> None:
    net = network(1, "hinge")
    path = export_classifier(net, tmp_path / "m.onnx", classes=["left", "right"])
    for found in (run(path), by_reference(path)):
        assert list(found) == ["label", "scores"]
        assert relative_error(found["scores"], net.predict(X)) < 1e-6
        expected = np.where(net.predict(X)[:, 0] > 0, "right", "left")
        assert found["label"].tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [[4, 7, 8], ["a", "b", "c"]])
def test_probabilities_as_maps(classes: list[Any], dtype: str, tmp_path: Path) -> None:
    net = network(3, "softmax_cross_entropy", dtype)
    path = export_classifier(net, tmp_path / "m.onnx", classes=classes, zipmap=True)
    onnx.checker.check_model(onnx.load(path))
    x = X.astype(dtype)
    found = run(path, x)
    assert list(found) == ["output_label", "output_probability"]
    assert found["output_label"].tolist() == np.array(classes)[net.predict_classes(x)].tolist()
    for row, expected in zip(found["output_probability"], net.predict(x), strict=True):
        assert row == pytest.approx(dict(zip(classes, expected, strict=True)), abs=1e-6)


def test_images_and_one_sample(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(
        cr.Conv2D(2, 3), cr.Flatten(), cr.Dense(2), loss="softmax_cross_entropy", inputs=(5, 5, 1)
    )
    path = export_classifier(net, tmp_path / "m.onnx", classes=["cat", "dog"])
    x = np.random.default_rng(1).random((1, 5, 5, 1), np.float32)
    found = run(path, x)
    assert found["label"].shape == (1,)
    assert relative_error(found["probabilities"], net.predict(x)) < 1e-6
    described = onnx.load(path).graph.doc_string
    assert described.startswith("X (batch, 5, 5, 1) -> 2 classes, float32, trained with")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["mean_squared_error", "poisson"])
def test_numbers(loss: str, dtype: str, tmp_path: Path) -> None:
    last = "softplus" if loss == "poisson" else "identity"
    net = cr.NeuralNetwork(cr.Dense(2, last), loss=loss, inputs=3, dtype=dtype)
    path = export_regressor(net, tmp_path / "m.onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    x = X.astype(dtype)
    for found in (run(path, x), by_reference(path, x)):
        assert list(found) == ["variable"]
        assert relative_error(found["variable"], net.predict(x)) < 1e-6


def test_a_network_that_does_nothing_but_tell(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dropout(), inputs=3, loss="categorical_cross_entropy")
    found = run(export_classifier(net, tmp_path / "m.onnx"))
    assert np.array_equal(found["probabilities"], X)
    assert np.array_equal(found["label"], X.argmax(axis=1))


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (["a", "b"], r"classes received 2 \(\['a', 'b'\]\); the network tells 3 apart"),
        (["a", "b", "a"], "expected each once"),
        (["a", 1, 2], "all of them as text, or all as numbers"),
        ([None, 1, 2], "all of them as text, or all as numbers"),
        (["1", 1, 2], "expected each once"),
    ],
)
def test_classes_that_do_not_fit(classes: list[Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=told):
        export_classifier(network(3, "softmax_cross_entropy"), tmp_path / "m", classes=classes)
    assert not list(tmp_path.iterdir())


def test_no_classifier(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"predicts numbers, not classes\. Write it with expo"):
        export_classifier(network(3, "mean_squared_error"), tmp_path / "m.onnx")
    with pytest.raises(InvalidSetting, match="multilabel must be True or False"):
        export_classifier(network(3, "hinge"), tmp_path / "m.onnx", multilabel="yes")  # type: ignore[arg-type]  # which is what this is about
    images = cr.NeuralNetwork(cr.Conv2D(1, 1), loss="sigmoid_cross_entropy", inputs=(2, 2, 1))
    with pytest.raises(InvalidSetting, match=r"gives \(batch, 2, 2, 1\); a classifier is expected"):
        export_classifier(images, tmp_path / "m.onnx")
    with pytest.raises(NotBuilt):
        export_classifier(cr.NeuralNetwork(cr.Dense(1)), tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("outputs", "loss", "classes"),
    [
        (3, "sigmoid_cross_entropy", None),
        (1, "hinge", None),
        (3, "softmax_cross_entropy", [0.5, 1.5, 2.5]),
    ],
)
def test_maps_where_there_are_none(outputs: int, loss: str, classes: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="zipmap is for one class of several"):
        export_classifier(network(outputs, loss), tmp_path / "m", classes=classes, zipmap=True)
    with pytest.raises(InvalidSetting, match="zipmap must be True or False"):
        export_classifier(network(3, "hinge"), tmp_path / "m", zipmap="columns")  # type: ignore[arg-type]  # which is what this is about
