"""The metrics: scores counted by hand, and which metric suits which loss."""

from __future__ import annotations

import sys
from math import sqrt
from typing import Any

import numpy as np
import pytest
from contracts.examples import members

import chainrule as cr
from chainrule.layer import Array
from chainrule.metrics import ClassMetric, Metric, TopKAccuracy, class_labels

# Six samples of three classes; rows of PROBABILITIES say 0, 1, 2, 0, 0, 1.
LABELS = np.array([0, 1, 2, 1, 2, 2])
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.2, 0.6, 0.2],
        [0.1, 0.2, 0.7],
        [0.5, 0.4, 0.1],
        [0.6, 0.1, 0.3],
        [0.3, 0.5, 0.2],
    ]
)
BY_HAND = {
    "accuracy": 3 / 6,
    "precision": (1 / 3 + 1 / 2 + 1) / 3,
    "recall": (1 + 1 / 2 + 1 / 3) / 3,
    "f1": (1 / 2 + 1 / 2 + 1 / 2) / 3,
}


def score(
    metric: str | Metric,
    y: Array,
    prediction: Array,
    loss: str = "softmax_cross_entropy",
    sample_weight: Array | None = None,
) -> Any:
    return Metric.get(metric).value(y, prediction, cr.Loss.get(loss), sample_weight)


@pytest.mark.parametrize("name", list(BY_HAND))
@pytest.mark.parametrize("y", [LABELS, np.eye(3)[LABELS]], ids=["labels", "one-hot rows"])
def test_scores_of_classes_by_hand(name: str, y: Array) -> None:
    assert score(name, y, PROBABILITIES) == pytest.approx(BY_HAND[name])


def test_confusion_matrix_by_hand() -> None:
    """Row: actual class. Column: predicted class."""
    expected = [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert score("confusion_matrix", LABELS, PROBABILITIES) == expected


def test_the_confusion_matrix_has_a_row_for_classes_that_do_not_occur() -> None:
    """Else nobody could tell which class a row stands for."""
    of_two = [0, 2]
    assert score("confusion_matrix", LABELS[of_two], PROBABILITIES[of_two]) == [
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
    ]


@pytest.mark.parametrize(("k", "expected"), [(1, 3 / 6), (2, 5 / 6), (3, 1.0), (7, 1.0)])
def test_top_k_accuracy_by_hand(k: int, expected: float) -> None:
    assert score(TopKAccuracy(k=k), LABELS, PROBABILITIES) == pytest.approx(expected)


def test_top_k_accuracy_of_two_classes() -> None:
    two = PROBABILITIES[:, 1:] / PROBABILITIES[:, 1:].sum(axis=1, keepdims=True)
    y = np.array([0, 0, 1, 1, 1, 0])
    assert score(TopKAccuracy(k=1), y, two) == pytest.approx(5 / 6)
    assert score(TopKAccuracy(k=2), y, two) == 1.0


def test_top_k_accuracy_when_not_every_class_occurs() -> None:
    assert score(TopKAccuracy(k=2), LABELS[:2], PROBABILITIES[:2]) == 1.0


NUMBERS, GUESSES = np.array([[1.0], [2.0], [4.0], [5.0]]), np.array([[1.0], [3.0], [4.0], [4.0]])


def test_scores_of_numbers_by_hand() -> None:
    """Two guesses are off by one; the numbers spread around 3 by 4 + 1 + 1 + 4."""
    assert score("mae", NUMBERS, GUESSES, "mean_squared_error") == pytest.approx(2 / 4)
    assert score("rmse", NUMBERS, GUESSES, "mean_squared_error") == pytest.approx(sqrt(2 / 4))
    assert score("r2", NUMBERS, GUESSES, "mean_squared_error") == pytest.approx(1 - 2 / 10)


def test_several_outputs_are_taken_together() -> None:
    y, guesses = np.zeros((3, 2, 2)), np.ones((3, 2, 2))
    assert score("mae", y, guesses, "sum_of_squares") == 1
    assert score("rmse", y, guesses, "sum_of_squares") == 1


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "f1", "confusion_matrix"])
def test_a_sample_of_weight_two_counts_as_two(name: str) -> None:
    weight = np.array([1.0, 2, 1, 3, 1, 1])
    twice = np.repeat(np.arange(6), weight.astype(int))
    weighted = score(name, LABELS, PROBABILITIES, sample_weight=weight)
    np.testing.assert_allclose(weighted, score(name, LABELS[twice], PROBABILITIES[twice]))


@pytest.mark.parametrize("name", ["mae", "rmse", "r2"])
def test_weights_count_for_numbers_too(name: str) -> None:
    weight = np.array([1.0, 2, 1, 3])
    twice = np.repeat(np.arange(4), weight.astype(int))
    loss = "mean_squared_error"
    assert score(name, NUMBERS, GUESSES, loss, weight) == pytest.approx(
        score(name, NUMBERS[twice], GUESSES[twice], loss)
    )
    top = TopKAccuracy(k=2)
    assert score(top, LABELS[:4], PROBABILITIES[:4], sample_weight=weight) == pytest.approx(1.0)


class TestClassLabels:
    def test_the_most_probable_class(self) -> None:
        found = class_labels(PROBABILITIES, cr.SoftmaxCrossEntropy())
        assert found.tolist() == [0, 1, 2, 0, 0, 1]

    def test_labels_stay_labels(self) -> None:
        assert class_labels(LABELS, cr.SoftmaxCrossEntropy()) is LABELS

    def test_one_yes_or_no(self) -> None:
        found = class_labels(np.array([[0.4], [0.5], [0.6]]), cr.SigmoidCrossEntropy())
        assert found.tolist() == [0, 0, 1]

    def test_one_side_or_the_other(self) -> None:
        found = class_labels(np.array([[-0.4], [0.0], [0.1]]), cr.Hinge())
        assert found.tolist() == [0, 0, 1]

    def test_several_classes_at_once(self) -> None:
        found = class_labels(np.array([[0.4, 0.6], [0.9, 0.8]]), cr.BinaryCrossEntropy())
        assert found.tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("loss", "y", "prediction"),
    [
        ("sigmoid_cross_entropy", [[1.0], [0.0], [1.0]], [[0.9], [0.2], [0.3]]),
        ("hinge", [[1.0], [-1.0], [1.0]], [[2.0], [-0.1], [-3.0]]),
    ],
)
def test_accuracy_of_yes_or_no(
    loss: str, y: list[list[float]], prediction: list[list[float]]
) -> None:
    assert score("accuracy", np.array(y), np.array(prediction), loss) == pytest.approx(2 / 3)


def test_several_classes_at_once() -> None:
    """Accuracy counts a sample whose classes are all right; the others average over classes."""
    y = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    prediction = np.array([[0.9, 0.1], [0.8, 0.4], [0.2, 0.7]])
    loss = "binary_cross_entropy"
    assert score("accuracy", y, prediction, loss) == pytest.approx(2 / 3)
    assert score("recall", y, prediction, loss) == pytest.approx((1 + 1 / 2) / 2)
    assert score("precision", y, prediction, loss) == 1


def refused(metric: Metric, loss: cr.Loss) -> str:
    """Say why a metric does not suit a loss; nothing where it does."""
    try:
        metric.check(loss)
    except cr.InvalidSetting as error:
        return str(error)
    return ""


@pytest.mark.parametrize("metric", [kind().name for kind in members(Metric)])
@pytest.mark.parametrize("loss", [kind().name for kind in members(cr.Loss)])
def test_a_metric_works_with_a_loss_or_is_refused_before_training(metric: str, loss: str) -> None:
    """Whatever ``check`` lets pass must give a score, for one output and for several."""
    chosen = cr.Loss.get(loss)
    if refusal := refused(Metric.get(metric), chosen):
        assert f"{metric!r}" in refusal
        assert f"loss={loss!r}" in refusal
        return
    random = np.random.default_rng(0)
    for outputs in (1, 2, 3):
        if chosen.targets == "classes" and outputs == 1:
            continue
        y = random.integers(0, 2, (8, outputs)).astype(float)
        if chosen.targets == "classes":
            y = np.eye(outputs)[random.integers(0, outputs, 8)]
        if chosen.targets == "signs":
            y = 2 * y - 1
        prediction = random.dirichlet(np.ones(outputs + 1), 8)[:, :outputs]
        if chosen.targets == "classes":
            prediction /= prediction.sum(axis=1, keepdims=True)
        assert np.isfinite(score(metric, y, prediction, loss)).all()


@pytest.mark.parametrize(
    ("metric", "loss", "message"),
    [
        ("accuracy", "mean_squared_error", "'accuracy' compares classes, but loss='mean_squared"),
        ("f1", "poisson", "learns numbers. Use r2, mae or rmse, or a loss for classes"),
        ("r2", "softmax_cross_entropy", "'r2' compares numbers, .* Use accuracy, f1"),
        ("mae", "hinge", "learns classes"),
        ("top_k_accuracy", "sigmoid_cross_entropy", "has none to rank"),
    ],
)
def test_what_does_not_fit_is_refused(metric: str, loss: str, message: str) -> None:
    net = cr.NeuralNetwork(cr.Dense(3), cr.Softplus(), loss=loss)
    with pytest.raises(cr.InvalidSetting, match=message):
        net.fit(np.zeros((2, 2)), np.zeros((2, 3)), metrics=[metric])
    assert not net.is_built


def test_the_direction_of_better() -> None:
    worse = {kind().name for kind in members(Metric) if not kind.greater_is_better}
    assert worse == {"mae", "rmse"}


def test_without_scikit_learn_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(cr.MissingPackage, match="A metric needs the package 'sklearn'"):
        score("accuracy", LABELS, PROBABILITIES)


def test_an_unfinished_metric_says_what_it_lacks() -> None:
    class Unfinished(Metric):
        pass

    class Unscored(ClassMetric):
        pass

    with pytest.raises(NotImplementedError, match="Unfinished defines no value"):
        score(Unfinished(), LABELS, PROBABILITIES)
    with pytest.raises(NotImplementedError, match="Unscored defines no score"):
        score(Unscored(), LABELS, PROBABILITIES)


def test_k_must_be_a_whole_number() -> None:
    with pytest.raises(cr.InvalidSetting, match="k must be a whole number of at least 1"):
        TopKAccuracy(k=0)
