"""Data that cannot be used in ``fit``; ``predict`` and ``partial_fit`` stand in ``later.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from bad_estimator_calls.call import (
    FEATURES,
    LABELS,
    NUMBERS,
    ROWS,
    BadCall,
    Make,
    X,
    classifier,
    fit,
    regressor,
)


def with_one(value: float, of: Any = X) -> Any:
    """Return the numbers with one of them replaced."""
    changed = np.array(of, dtype=float)
    changed.flat[5] = value
    return changed


def x_calls() -> list[BadCall]:
    """Inputs X that cannot be used."""
    rows = {
        "X with NaN": (with_one(np.nan), "NaN"),
        "X with infinity": (with_one(np.inf), "infinity"),
        "X with minus infinity": (with_one(-np.inf), "infinity"),
        "X with NaN, float32": (with_one(np.nan).astype(np.float32), "NaN"),
        "X with None": (np.where(np.isnan(with_one(np.nan)), None, X), "NaN"),
        "X of words": ([["a", "b", "c"]] * ROWS, "'a'"),
        "X of one word": ([[1.0, 2.0, "tall"]] * ROWS, "'tall'"),
        "X with a column of words": (
            pd.DataFrame(X, columns=["a", "b", "c"]).assign(word="tall"),
            "tall",
        ),
        "X of complex numbers": (X * 1j, "omplex"),
        "X is one row": (X[0], "1D"),
        "X is one number": (3.0, ""),
        "X is None": (None, ""),
        "X is a word": ("data", ""),
        "X of images": (np.ones((ROWS, 4, 4)), "dim 3"),
        "X without rows": (np.empty((0, FEATURES)), "0 sample"),
        "X without columns": (np.empty((ROWS, 0)), "0 feature"),
        "X ragged": ([[1.0, 2.0], [1.0]] * 15, ""),
        "X of dictionaries": ([{"a": 1}] * ROWS, ""),
        "X with one row less": (X[1:], "inconsistent"),
        "X sparse with NaN": (sparse.csr_matrix(with_one(np.nan)), "NaN"),
        "X sparse with infinity": (sparse.csc_matrix(with_one(np.inf)), "infinity"),
        "X of lists": (np.array([[[1], [2]]] * ROWS, dtype=object), ""),
    }
    found = []
    for name, (x, word) in rows.items():
        words = (word,) if word else ()
        error = (ValueError, TypeError)
        found.append(BadCall(name, classifier(), fit(x), error, words))
    found.append(
        BadCall(
            "X with NaN, numbers", regressor(), fit(with_one(np.nan), NUMBERS), ValueError, ("NaN",)
        )
    )
    return found


def y_calls() -> list[BadCall]:
    """Actual values y that cannot be used."""
    classes: dict[str, tuple[Any, str]] = {
        "y is None": (None, "y"),
        "y with NaN": (with_one(np.nan, LABELS), "NaN"),
        "y with infinity": (with_one(np.inf, LABELS), ""),
        "y of fractions": (NUMBERS, "abel type"),
        "y with one row less": (LABELS[1:], "inconsistent"),
        "y is one number": (1, ""),
        "y of three axes": (np.ones((ROWS, 2, 2), dtype=int), ""),
        "y without rows": ([], ""),
        "y of several columns of classes": (np.column_stack([LABELS, LABELS]), "ulti"),
        "y of lists": ([[1], [1, 2], [3]] * 10, ""),
        "y of words and numbers": (np.array(["a", 1, 2] * 10, dtype=object), ""),
        "y with None": (np.array(["a", None, "b"] * 10, dtype=object), ""),
    }
    numbers: dict[str, tuple[Any, str]] = {
        "y is None": (None, "y"),
        "y with NaN": (with_one(np.nan, NUMBERS), "NaN"),
        "y with infinity": (with_one(np.inf, NUMBERS), "infinity"),
        "y with one row less": (NUMBERS[1:], "inconsistent"),
        "y of three axes": (np.ones((ROWS, 2, 2)), "dim 3"),
        "y is one number": (1.0, ""),
        "y of complex numbers": (NUMBERS * 1j, ""),
        "y of two columns, with NaN": (with_one(np.nan, np.ones((ROWS, 2))), "NaN"),
    }
    error = (ValueError, TypeError)
    kinds: list[tuple[str, Make, dict[str, tuple[Any, str]]]] = [
        ("classes", classifier(), classes),
        ("numbers", regressor(), numbers),
    ]
    return [
        BadCall(f"{name}, {kind}", make, fit(X, y), error, (word,) if word else ())
        for kind, make, rows in kinds
        for name, (y, word) in rows.items()
    ] + _ours()


def _ours() -> list[BadCall]:
    """Actual values that scikit-learn refuses by chance or trains on."""
    return [
        BadCall(
            "counts below zero",
            regressor(loss="poisson"),
            fit(X, NUMBERS - 10),
            ValueError,
            ("poisson",),
            shared=False,
        ),
        BadCall(
            "words for numbers",
            regressor(),
            fit(X, ["a"] * ROWS),
            (ValueError, TypeError),
            (),
            shared=False,  # there an error of NumPy's own, about a subtraction
        ),
    ]


def weight_calls() -> list[BadCall]:
    """Sample weights that cannot be used."""
    ones = np.ones(ROWS)
    shared: dict[str, tuple[Any, str]] = {
        "one weight less": (ones[1:], "sample_weight"),
        "weights with NaN": (with_one(np.nan, ones), "NaN"),
        "weights with infinity": (with_one(np.inf, ones), "infinity"),
        "weights that are words": (["much"] * ROWS, ""),
        "weights in a table": (np.ones((ROWS, 2)), ""),
    }
    ours: dict[str, tuple[Any, str]] = {
        "a weight below zero": (with_one(-1.0, ones), "egative"),
        "weights that are all zero": (np.zeros(ROWS), "zero"),
    }
    return [
        BadCall(
            f"{name}, {kind}",
            make,
            fit(X, y, sample_weight=weight),
            (ValueError, TypeError),
            (word,) if word else (),
            shared=rows is shared,
        )
        for rows in (shared, ours)
        for name, (weight, word) in rows.items()
        for kind, make, y in (
            ("classes", classifier(), LABELS),
            ("numbers", regressor(), NUMBERS),
        )
    ]
