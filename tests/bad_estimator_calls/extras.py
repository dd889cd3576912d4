"""What scikit-learn's networks do not have, asked for in ways that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as cr
from bad_estimator_calls.call import (
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

NAN = float("nan")

# Each with words that the message must have.
_VALUES: dict[str, tuple[tuple[Any, str], ...]] = {
    "activation": (
        (("relu", "tanh"), "activation"),  # for one hidden layer
        ((), "activation"),
        (("reluu",), "relu"),
        ((3,), "activation"),
    ),
    "dropout": (
        (1.0, "dropout"),
        (-0.1, "dropout"),
        (NAN, "dropout"),
        ("some", "dropout"),
        ((0.1, 0.2), "dropout"),
        (None, "dropout"),
    ),
    "layers": (
        (3, "layers"),
        ("dense", "layers"),
        (("dense",), "layers"),
        ((cr.Dense(4), None), "layers"),
    ),
    "loss": (
        ("no such", "no such"),
        (3, "loss"),
        (None, "loss"),
    ),
    "class_weight": (
        ("balance", "balance"),
        ({7: 1.0}, "class_weight"),
        ({0: -1.0, 1: 1.0, 2: 1.0}, "class_weight"),
        ({0: NAN, 1: 1.0, 2: 1.0}, "class_weight"),
        (3, "class_weight"),
    ),
    "clip_norm": ((0, "clip_norm"), (-1.0, "clip_norm"), ("much", "clip_norm")),
    "clip_value": ((0, "clip_value"), (NAN, "clip_value")),
    "scoring": (("no such", "no such"), (3, "scoring")),
    "callbacks": ((3, "allback"), (["print"], "allback"), (lambda: None, "allback")),
    "progress": (("yes", "progress"), (None, "progress")),
    "dtype": (("float16", "dtype"), (3, "dtype"), (None, "dtype")),
    "engine": (("gpu", "gpu"), (3, "engine"), (None, "engine")),
    "threads": ((0, "threads"), (-1, "threads"), (1.5, "threads"), ("all", "threads")),
}


def extra_calls() -> list[BadCall]:
    """All of them."""
    error = (ValueError, TypeError)
    return (
        [
            BadCall(
                f"{name}={value!r}, an extra"[:70].partition(" at 0x")[0],
                classifier(**{name: value}, **_WITH.get(name, {})),
                fit(),
                error,
                (word,),
                shared=False,
            )
            for name, values in _VALUES.items()
            for value, word in values
        ]
        + _validation_data()
        + _others()
    )


_WITH: dict[str, dict[str, Any]] = {"scoring": {"early_stopping": True}}


def _validation_data() -> list[BadCall]:
    rows: dict[str, tuple[Any, str]] = {
        "X alone": (X, "validation_data"),
        "a number": (3, "validation_data"),
        "a word": ("ab", ""),
        "a fraction": (0.2, "validation_data"),
        "four things": ((X, LABELS, LABELS, LABELS), "validation_data"),
        "other columns": ((X[:, :2], LABELS), "2 features"),
        "other rows": ((X, LABELS[1:]), "inconsistent"),
        "NaN": ((with_one(np.nan), LABELS), "NaN"),
        "a new class": ((X, LABELS + 1), "classes"),
        "no rows": ((X[:0], LABELS[:0]), "0 sample"),
        "None": ((None, None), ""),
        "a weight of another length": ((X, LABELS, np.ones(3)), "sample_weight"),
    }
    make = classifier(early_stopping=True)
    return [
        BadCall(
            f"validation_data: {name}{kind}",
            estimator,
            fit(validation_data=data),
            (ValueError, TypeError),
            (word,) if word else (),
            shared=False,
        )
        for name, (data, word) in rows.items()
        for kind, estimator in (("", make), (", fitted before", fitted(make)))
    ]


def _others() -> list[BadCall]:
    def set_first(value: Any, attribute: str = "coefs_") -> Callable[[Any], object]:
        def call(estimator: Any) -> object:
            before = list(getattr(estimator, attribute))
            setattr(estimator, attribute, [value, *before[1:]])
            try:
                return estimator.predict(X)
            finally:
                setattr(estimator, attribute, before)

        return call

    begun = fitted(classifier())
    error = (ValueError, TypeError)
    return [
        BadCall(
            "weights of another shape",
            begun,
            set_first(np.ones((2, 2))),
            error,
            ("coefs_",),
            shared=False,
        ),
        BadCall(
            "weights with NaN",
            begun,
            set_first(np.full((3, 4), NAN)),
            error,
            ("coefs_",),
            shared=False,
        ),
        BadCall(
            "weights that are words", begun, set_first("much"), error, ("coefs_",), shared=False
        ),
        BadCall(
            "biases of another shape",
            begun,
            set_first(np.ones(2), "intercepts_"),
            error,
            ("intercepts_",),
            shared=False,
        ),
        BadCall(
            "balanced classes in pieces",
            classifier(class_weight="balanced"),
            lambda estimator: estimator.partial_fit(X, LABELS, classes=[0, 1, 2]),
            error,
            ("class_weight",),
            shared=False,
        ),
        BadCall(
            "a loss of classes for numbers",
            regressor(loss="softmax_cross_entropy"),
            fit(X, NUMBERS),
            error,
            ("softmax_cross_entropy",),
            shared=False,
        ),
        BadCall(
            "images for a network of rows",
            classifier(),
            fit(np.ones((ROWS, 4, 4, 1))),
            error,
            ("dim 4",),
        ),
        BadCall(
            "dropout in lbfgs",
            classifier(solver="lbfgs", dropout=0.5),
            fit(),
            error,
            ("dropout",),
            shared=False,
        ),
    ]
