"""Scores that people read, by scikit-learn: accuracy, F1, R² and others.

A loss is what training descends; a metric only reports.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData, InvalidSetting, optional_package
from chainrule.layer import Array
from chainrule.loss import Loss
from chainrule.registry import Registered


class Metric(Registered, family="metric"):
    """Base of the metrics: ``value(y, y_hat, sample_weight)`` on what ``labels`` makes of them.

    Attributes
    ----------
    greater_is_better : bool
    of_classes : bool
        Whether it compares classes (True) or numbers (False).
    is_number : bool
        Whether its value is one number, so that epochs can be compared by it.
    """

    greater_is_better: ClassVar[bool] = True
    of_classes: ClassVar[bool] = True
    is_number: ClassVar[bool] = True

    def check(self, loss: Loss) -> None:
        """Refuse a metric that says nothing about what this loss learns."""
        learns_classes = loss.targets not in {"numbers", "counts"}
        if self.of_classes and not learns_classes:
            # Numbers may still be classes 0 and 1, as in the truth table, so say what to do.
            raise InvalidSetting(
                f"The metric {self.name!r} compares classes, but loss={loss.name!r} learns "
                "numbers. Use r2, mae or rmse, or a loss for classes (softmax_cross_entropy, "
                "sigmoid_cross_entropy, ...)."
            )
        if not self.of_classes and learns_classes:
            raise InvalidSetting(
                f"The metric {self.name!r} compares numbers, but loss={loss.name!r} learns "
                "classes. Use accuracy, f1, precision, recall or top_k_accuracy."
            )

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        """Compute the score; scikit-learn's function does."""
        raise NotImplementedError(f"{type(self).__name__} defines no value")


class ClassMetric(Metric, register=False):
    """Base of metrics on class labels."""

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        return self.score(
            class_labels(y, loss), class_labels(prediction, loss), sample_weight=sample_weight
        )

    def score(self, actual: Array, predicted: Array, **keywords: Any) -> Any:
        """Compare labels (batch,), or rows of 0 and 1 where a sample may have several classes."""
        raise NotImplementedError(f"{type(self).__name__} defines no score")


class Accuracy(ClassMetric):
    """Part of the samples whose class is right (all of its classes, where it has several)."""

    def score(self, actual: Array, predicted: Array, **keywords: Any) -> Any:
        return float(_sklearn().accuracy_score(actual, predicted, **keywords))


class Precision(ClassMetric):
    """Of what was said to be a class, the part that is; averaged over classes."""

    def score(self, actual: Array, predicted: Array, **keywords: Any) -> Any:
        averaged = keywords | {"average": "macro", "zero_division": 0}
        return float(_sklearn().precision_score(actual, predicted, **averaged))


class Recall(ClassMetric):
    """Of what is a class, the part that was found; averaged over classes."""

    def score(self, actual: Array, predicted: Array, **keywords: Any) -> Any:
        averaged = keywords | {"average": "macro", "zero_division": 0}
        return float(_sklearn().recall_score(actual, predicted, **averaged))


class F1(ClassMetric):
    """Harmonic mean of precision and recall; averaged over classes."""

    name = "f1"

    def score(self, actual: Array, predicted: Array, **keywords: Any) -> Any:
        averaged = keywords | {"average": "macro", "zero_division": 0}
        return float(_sklearn().f1_score(actual, predicted, **averaged))


class ConfusionMatrix(Metric):
    """Row: actual class. Column: predicted class. As lists, one matrix an epoch.

    Every class has its row and column, whether it occurs or not. Where each output stands for
    itself there is one matrix of two rows for each output.
    """

    is_number = False

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        actual, predicted = class_labels(y, loss), class_labels(prediction, loss)
        if actual.ndim > 1:
            matrix = _sklearn().multilabel_confusion_matrix
            return matrix(actual, predicted, sample_weight=sample_weight).tolist()
        classes = range(max(prediction.shape[-1], 2))
        return (
            _sklearn()
            .confusion_matrix(actual, predicted, labels=classes, sample_weight=sample_weight)
            .tolist()
        )


class TopKAccuracy(Metric):
    """Part of the samples whose class is among the k most probable.

    Parameters
    ----------
    k : int, default 3
    """

    name = "top_k_accuracy"

    def __init__(self, k: int = 3) -> None:
        self.k = checks.whole_number("k", k, at_least=1)

    def check(self, loss: Loss) -> None:
        """Need one probability for each class."""
        super().check(loss)
        if loss.targets != "classes":
            raise InvalidSetting(
                f"The metric 'top_k_accuracy' ranks classes, and loss={loss.name!r} has none to "
                "rank. Use loss='softmax_cross_entropy' with one output per class."
            )

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        classes = prediction.shape[-1]
        if self.k >= classes:
            return 1.0
        labels = class_labels(y, loss)
        if classes == 2:
            prediction = prediction[:, 1]
        return float(
            _sklearn().top_k_accuracy_score(
                labels, prediction, k=self.k, labels=range(classes), sample_weight=sample_weight
            )
        )


class R2(Metric):
    """R², the part of the variance that is explained: 1 is perfect, 0 the mean as a guess."""

    name = "r2"
    of_classes = False

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        if len(y) < 2:
            raise InvalidData(
                f"r2 compares with the mean and needs at least two samples; received {len(y)}. Use "
                "mae or rmse, or more samples."
            )
        return float(_sklearn().r2_score(*_flat(y, prediction), sample_weight=sample_weight))


class MeanAbsoluteDifference(Metric):
    """MAE, the mean distance between prediction and actual value."""

    name = "mae"
    of_classes = False
    greater_is_better = False

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        pair = _flat(y, prediction)
        return float(_sklearn().mean_absolute_error(*pair, sample_weight=sample_weight))


class RootMeanSquaredDifference(Metric):
    """RMSE, the root of the mean squared distance."""

    name = "rmse"
    of_classes = False
    greater_is_better = False

    def value(self, y: Array, prediction: Array, loss: Loss, sample_weight: Array | None) -> Any:
        pair = _flat(y, prediction)
        return math.sqrt(_sklearn().mean_squared_error(*pair, sample_weight=sample_weight))


def class_labels(values: Array, loss: Loss) -> Array:
    """Classes out of actual values or predictions (batch, outputs), as ``loss`` understands them.

    Returns
    -------
    ndarray of int
        (batch,) class numbers; (batch, outputs) of 0 and 1 where each output is a class by itself.
    """
    if values.dtype.kind == "i":
        return values
    if loss.targets == "classes":
        return values.argmax(axis=-1)
    boundary = 0.0 if loss.targets == "signs" else 0.5
    decided = (values > boundary).astype(np.int64)
    return decided[..., 0] if decided.shape[-1] == 1 else decided


def _flat(y: Array, prediction: Array) -> tuple[Array, Array]:
    return y.reshape(len(y), -1), prediction.reshape(len(y), -1)


def _sklearn() -> Any:
    return optional_package("sklearn.metrics", "A metric")
