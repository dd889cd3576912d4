"""What the estimators are fitted on: nothing is downloaded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Rows = tuple[Array, Array]


@dataclass(frozen=True)
class Data:
    """A set to fit on.

    Attributes
    ----------
    title : str
    load : callable
        Gives x (rows, columns) and classes y (rows,).
    hidden : tuple of int
        Units in the hidden layers.
    fits : int
        How many networks are fitted in a run, each with a start of its own.
    """

    title: str
    load: Callable[[], Rows]
    hidden: tuple[int, ...] = (100,)
    fits: int = 1


@functools.cache
def digits() -> Rows:
    """Return 1,797 images of 8 x 8 as float64 from 0 to 1."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16, y


@functools.cache
def table() -> Rows:
    """Return 20,000 rows of 50 columns, float64, two classes that overlap."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        20_000, 50, n_informative=20, n_clusters_per_class=4, flip_y=0.05, random_state=0
    )
    return x, y


@functools.cache
def images() -> Rows:
    """Return 60,000 rows of 784 numbers from 0 to 1, float32: ten classes, most numbers zero."""
    random = np.random.default_rng(0)
    y = random.integers(0, 10, 60_000)
    centres = random.normal(-0.3, 0.1, (10, 784)).astype(np.float32)
    x = random.standard_normal((60_000, 784), dtype=np.float32)
    return np.clip(0.5 * x + centres[y], 0, 1), y


@functools.cache
def tiny() -> Rows:
    """Return the 150 rows of iris, float64, each column scaled."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return (x - x.mean(axis=0)) / x.std(axis=0), y


DATA = {
    "digits": Data("digits (1,797 x 64)", digits),
    "table": Data("a table of 20,000 x 50", table),
    "images": Data("60,000 x 784, float32", images),
    "tiny": Data("100 fits of iris (150 x 4)", tiny, hidden=(10,), fits=100),
}
