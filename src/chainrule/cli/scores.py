"""Scores that people read, by scikit-learn, and how they are printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Group

from chainrule.cli.terminal import shorten, table
from chainrule.errors import optional_package
from chainrule.layer import Array

MOST_CLASSES_IN_A_TABLE = 15


def class_scores(actual: Array, predicted: Array) -> dict[str, float]:
    """Compare class numbers (rows,): accuracy, and F1 averaged over the classes."""
    metrics = _metrics()
    return {
        "accuracy": float(metrics.accuracy_score(actual, predicted)),
        "F1, mean of the classes": float(
            metrics.f1_score(actual, predicted, average="macro", zero_division=0)
        ),
    }


def number_scores(actual: Array, predicted: Array) -> dict[str, float]:
    """Compare numbers (rows,): R² (where there are two rows), MAE and RMSE in their unit."""
    metrics = _metrics()
    scores = {
        "mean absolute error": float(metrics.mean_absolute_error(actual, predicted)),
        "root mean squared error": math.sqrt(metrics.mean_squared_error(actual, predicted)),
    }
    if len(actual) > 1:
        scores = {"R²": float(metrics.r2_score(actual, predicted))} | scores
    return scores


def score_table(title: str, columns: Mapping[str, Mapping[str, float]]) -> Group:
    """Lay out scores, one column for each thing that was scored."""
    first = next(iter(columns.values()))
    rows = [[name, *(_shown(name, scores[name]) for scores in columns.values())] for name in first]
    return table(title, ["", *columns], rows, right=range(1, len(columns) + 1))


def confusion_table(actual: Array, predicted: Array, classes: Sequence[str]) -> Group:
    """Count how often each class was taken for each; of many classes, the most frequent mistakes.

    Parameters
    ----------
    actual, predicted : ndarray of int (rows,)
        Class numbers.
    classes : sequence of str
        Their names.
    """
    matrix = _metrics().confusion_matrix(actual, predicted, labels=range(len(classes)))
    if len(classes) > MOST_CLASSES_IN_A_TABLE:
        return _mistakes(matrix, classes)
    names = shorten(classes)
    rows = [[name, *map(str, counts)] for name, counts in zip(names, matrix, strict=True)]
    return table(
        "What each class (rows) was taken for (columns)",
        ["", *names],
        rows,
        right=range(1, len(names) + 1),
    )


def _mistakes(matrix: Array, classes: Sequence[str]) -> Group:
    wrong = matrix - np.diag(np.diag(matrix))
    places = np.argsort(-wrong, axis=None, kind="stable")[:10]
    pairs = [divmod(int(place), len(classes)) for place in places if wrong.flat[place]]
    rows = [[classes[a], classes[p], str(wrong[a, p])] for a, p in pairs]
    return table("The most frequent mistakes", ["actual", "predicted", "rows"], rows, right=[2])


def _shown(name: str, value: float) -> str:
    if name == "accuracy":
        return f"{value:.1%}"
    if name.startswith(("F1", "R²")):
        return f"{round(value, 3) + 0.0:.3f}"  # adding zero turns -0.000 into 0.000
    return f"{value:.4g}"


def _metrics() -> Any:
    return optional_package("sklearn.metrics", "A score")
