"""Wrong calls after the first ``fit``, or before it: predicting, scoring, going on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

from bad_estimator_calls.call import (
    FEATURES,
    LABELS,
    NUMBERS,
    ROWS,
    BadCall,
    X,
    classifier,
    fit,
    fitted,
    regressor,
)
from bad_estimator_calls.data import with_one

NAMED = pd.DataFrame(X, columns=["a", "b", "c"])


def later_calls() -> list[BadCall]:
    """All of them."""
    return _not_fitted() + _predict() + _names() + _score() + _partial_fit() + _go_on()


def _not_fitted() -> list[BadCall]:
    calls: dict[str, Callable[[Any], object]] = {
        "predict": lambda estimator: estimator.predict(X),
        "predict_proba": lambda estimator: estimator.predict_proba(X),
        "predict_log_proba": lambda estimator: estimator.predict_log_proba(X),
        "score": lambda estimator: estimator.score(X, LABELS),
    }
    return [
        BadCall(f"{name} before fit", classifier(), call, NotFittedError, ("fit",))
        for name, call in calls.items()
    ] + [BadCall("predict before fit, numbers", regressor(), calls["predict"], NotFittedError, ())]


def _predict() -> list[BadCall]:
    rows: dict[str, tuple[Any, str]] = {
        "one column more": (np.column_stack([X, X[:, 0]]), "4 features"),
        "one column less": (X[:, 1:], "2 features"),
        "one row": (X[0], "1D"),
        "no rows": (np.empty((0, FEATURES)), "0 sample"),
        "NaN": (with_one(np.nan), "NaN"),
        "infinity": (with_one(np.inf), "infinity"),
        "words": ([["a", "b", "c"]], ""),
        "None": (None, ""),
        "three axes": (np.ones((2, 3, 3)), "dim 3"),
        "complex numbers": (X * 1j, "omplex"),
    }
    error = (ValueError, TypeError)

    def predict(x: Any, method: str) -> Callable[[Any], object]:
        return lambda estimator: getattr(estimator, method)(x)

    return [
        BadCall(
            f"{method} {name}{kind}", fitted(make), predict(x, method), error, (w,) if w else ()
        )
        for name, (x, w) in rows.items()
        for method, kind, make in (
            ("predict", "", classifier()),
            ("predict", ", numbers", regressor()),
            ("predict_proba", "", classifier()),
        )
    ]


def _names() -> list[BadCall]:
    def predict(table: pd.DataFrame) -> Callable[[Any], object]:
        return lambda estimator: estimator.predict(table)

    rows = {
        "columns of other names": NAMED.add_suffix("x"),
        "columns in another order": NAMED[["c", "b", "a"]],
        "a column missing": NAMED[["a", "b"]],
    }
    mixed = pd.DataFrame(X, columns=["a", 1, "c"])
    return [
        BadCall(name, fitted(classifier(), NAMED), predict(table), ValueError, ("feature names",))
        for name, table in rows.items()
    ] + [BadCall("names of mixed kinds", classifier(), fit(mixed), TypeError, ("names",))]


def _score() -> list[BadCall]:
    def score(y: Any, **arguments: Any) -> Callable[[Any], object]:
        return lambda estimator: estimator.score(X, y, **arguments)

    return [
        BadCall("score on one row less", fitted(classifier()), score(LABELS[1:]), ValueError, ()),
        BadCall("score on fractions", fitted(classifier()), score(NUMBERS), ValueError, ()),
        BadCall(
            "score on NaN",
            fitted(regressor()),
            score(with_one(np.nan, NUMBERS)),
            ValueError,
            ("NaN",),
        ),
        BadCall(
            "score with one weight less",
            fitted(classifier()),
            score(LABELS, sample_weight=np.ones(ROWS - 1)),
            ValueError,
            (),
        ),
    ]


def _partial_fit() -> list[BadCall]:
    def go_on(x: Any = X, y: Any = LABELS, **arguments: Any) -> Callable[[Any], object]:
        return lambda estimator: estimator.partial_fit(x, y, **arguments)

    first = {"classes": [0, 1, 2]}
    begun = fitted(classifier())
    return [
        BadCall("no classes at first", classifier(), go_on(), ValueError, ("classes",)),
        BadCall(
            "lbfgs in pieces",
            classifier(solver="lbfgs"),
            go_on(**first),
            AttributeError,
            ("partial_fit",),
        ),
        BadCall(
            "early stopping in pieces",
            classifier(early_stopping=True),
            go_on(**first),
            ValueError,
            ("early_stopping",),
        ),
        BadCall(
            "a class that was not named",
            classifier(),
            go_on(classes=[0, 1]),
            ValueError,
            ("classes",),
        ),
        BadCall("a class that is new", begun, go_on(y=LABELS + 1), ValueError, ("classes",)),
        BadCall(
            "other classes than before", begun, go_on(classes=[0, 1, 5]), ValueError, ("classes",)
        ),
        BadCall(
            "more columns than before",
            begun,
            go_on(np.column_stack([X, X])),
            ValueError,
            ("6 features",),
        ),
        BadCall("NaN in a piece", begun, go_on(with_one(np.nan)), ValueError, ("NaN",)),
        BadCall("no rows in a piece", begun, go_on(X[:0], LABELS[:0]), ValueError, ()),
        BadCall(
            "weights of another length",
            begun,
            go_on(sample_weight=np.ones(3)),
            ValueError,
            ("sample_weight",),
        ),
        BadCall(
            "NaN in a piece of numbers",
            fitted(regressor()),
            go_on(X, with_one(np.nan, NUMBERS)),
            ValueError,
            ("NaN",),
        ),
    ]


def _go_on() -> list[BadCall]:
    warm = fitted(classifier(warm_start=True))
    error = (ValueError, TypeError)
    return [
        BadCall(
            "warm start with other classes", warm, fit(X, LABELS + 1), ValueError, ("classes",)
        ),
        BadCall(
            "warm start with fewer classes", warm, fit(X, LABELS % 2), ValueError, ("classes",)
        ),
        BadCall("warm start with other columns", warm, fit(X[:, :2]), ValueError, ("2 features",)),
        BadCall(
            "warm start with another network",
            warm,
            lambda estimator: estimator.set_params(hidden_layer_sizes=(7,)).fit(X, LABELS),
            error,
            ("hidden_layer_sizes",),
            shared=False,
        ),
        BadCall(
            "too few rows to set some aside",
            classifier(early_stopping=True),
            fit(X[:3], [0, 1, 0]),
            ValueError,
            (),
        ),
        BadCall(
            "one row of a class to set aside",
            classifier(early_stopping=True),
            fit(X, [0] * 29 + [1]),
            ValueError,
            (),
        ),
        BadCall(
            "too few rows of numbers to set aside",
            regressor(early_stopping=True),
            fit(X[:5], NUMBERS[:5]),
            ValueError,
            ("validation",),
        ),
        BadCall(
            "numbers too large to learn from",
            regressor(solver="sgd"),
            fit(X * 1e200, NUMBERS),
            ValueError,
            ("large",),
        ),
        BadCall(
            "actual values too large to learn",
            regressor(solver="sgd"),
            fit(X, NUMBERS * 1e200),
            ValueError,
            ("large",),
        ),
        BadCall(
            "a step too large",
            regressor(solver="sgd", learning_rate_init=1e150, max_iter=50),
            fit(X, NUMBERS),
            ValueError,
            (),
        ),
    ]
