"""One wrong call on an estimator, and estimators to make it on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import is_regressor

ROWS, FEATURES = 30, 3
X = np.random.default_rng(0).normal(size=(ROWS, FEATURES))
LABELS = np.arange(ROWS) % 3
NUMBERS = X.sum(axis=1)

Make: TypeAlias = Callable[[ModuleType], Any]
SMALL: dict[str, Any] = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}


def classifier(**settings: Any) -> Make:
    """Return a maker of classifiers; the module decides, whose."""
    return lambda module: module.MLPClassifier(**(SMALL | settings))


def regressor(**settings: Any) -> Make:
    """Return a maker of regressors."""
    return lambda module: module.MLPRegressor(**(SMALL | settings))


def fitted(make: Make, x: Any = X) -> Make:
    """Return a maker of estimators that were fitted before."""

    def fit(module: ModuleType) -> Any:
        estimator = make(module)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # three iterations are few
            return estimator.fit(x, NUMBERS if is_regressor(estimator) else LABELS)

    return fit


@dataclass(frozen=True)
class BadCall:
    """A call that cannot be answered.

    Attributes
    ----------
    name : str
    make : callable
        Makes the estimator out of the module that has the classes.
    call : callable
        Makes the call; gets the estimator.
    error : type or tuple of types
        What it must raise, or a subclass of it; one of them.
    words : tuple of str
        What the message must contain.
    shared : bool
        Whether scikit-learn refuses it too; then it must be with the same type of error.
    """

    name: str
    make: Make
    call: Callable[[Any], object]
    error: type[Exception] | tuple[type[Exception], ...]
    words: tuple[str, ...]
    shared: bool = True


def fit(x: Any = X, y: Any = LABELS, **arguments: Any) -> Callable[[Any], object]:
    """Return a call of ``fit``."""
    return lambda estimator: estimator.fit(x, y, **arguments)
