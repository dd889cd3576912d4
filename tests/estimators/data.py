"""Small sets that the tests of the estimators fit on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

_random = np.random.default_rng(7)
X = _random.normal(size=(90, 4))
CLASSES = np.array(["ash", "birch", "cedar"])[np.argmax(X[:, :3] + 0.3 * X[:, 1:], axis=1)]
TWO = np.where(X[:, 0] + X[:, 1] ** 2 > 0.5, "yes", "no")
LABELS = (X[:, :3] + 0.5 * _random.normal(size=(90, 3)) > 0).astype(int)
NUMBERS = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2]
TABLE = np.column_stack([NUMBERS, X[:, 3] ** 2, X[:, 0] - X[:, 1]])
COUNTS = _random.poisson(np.exp(0.4 * X[:, 0] + 0.5))
WEIGHT = _random.uniform(0.1, 3.0, len(X))


@contextmanager
def quietly() -> Iterator[None]:
    """Let trainings be too short to converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fit(estimator: Any, *data: Any, **arguments: Any) -> Any:
    """Fit, however long the training would have to be."""
    with quietly():
        return estimator.fit(*data, **arguments)
