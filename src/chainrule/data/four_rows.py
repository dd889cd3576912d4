"""The four rows that every introduction to neural networks begins with."""

from __future__ import annotations

import numpy as np

from chainrule import checks
from chainrule.layer import Array


def truth_table() -> tuple[Array, Array]:
    """Exclusive or of the first two columns; the third is always 1 and can stand in for a bias.

    Returns
    -------
    X : ndarray of float64 (4, 3)
    y : ndarray of float64 (4,)

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = cr.data.truth_table()
    >>> y.tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=np.float64)
    y = np.array([0, 1, 1, 0], dtype=np.float64)
    return X, y


def reference_weights(seed: int, hidden: int = 4) -> tuple[Array, Array]:
    """Draw the starting weights of the reference run, as the textbook loop draws them.

    They come from NumPy's old generator, ``np.random.seed(seed)`` and then ``rand`` twice, so that
    anyone who types that loop gets the same numbers.

    Parameters
    ----------
    seed : int
        From 0 to 2³² - 1.
    hidden : int, default 4
        Units in the hidden layer.

    Returns
    -------
    first : ndarray of float64 (3, hidden)
    second : ndarray of float64 (hidden, 1)
        Both evenly spread over [0, 1).

    Raises
    ------
    InvalidSetting
        For a seed outside the range, or less than one unit.
    """
    seed = checks.whole_number("seed", seed, at_least=0)
    checks.number("seed", seed, at_most=2**32 - 1)
    hidden = checks.whole_number("hidden", hidden)
    random = np.random.RandomState(seed)
    return random.rand(3, hidden), random.rand(hidden, 1)
