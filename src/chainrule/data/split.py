"""Setting rows aside to measure on. scikit-learn does the splitting."""

from __future__ import annotations

import numpy as np

from chainrule.data.columns import counted
from chainrule.errors import InvalidData, optional_package
from chainrule.layer import Array


def split_rows(
    rows: int, fraction: float, seed: int, labels: Array | None = None
) -> tuple[Array, Array]:
    """Choose rows to train on and rows to measure on.

    With class labels both parts get each class in the same proportion, as far as that goes: a
    class of one row is trained on, and the second part has room for one row of each other class.

    Parameters
    ----------
    rows : int
    fraction : float
        Part of the rows to measure on.
    seed : int
    labels : ndarray of int (rows,), optional

    Returns
    -------
    training, validation : ndarray of int
        Row numbers, ascending.

    Raises
    ------
    InvalidData
        When there are too few rows for two parts.
    """
    splittable, classes, strata = np.arange(rows), 1, None
    if labels is not None:
        counts = np.bincount(labels)
        splittable = np.flatnonzero(counts[labels] > 1)
        classes = int(np.count_nonzero(counts > 1))
        strata = labels[splittable]
    aside = max(round(rows * fraction), classes)
    if len(splittable) - aside < classes or not classes:
        wanted = "" if labels is None else " (two of each class)"
        raise InvalidData(
            f"{counted(rows, 'row')} with a target are too few to set {aside} aside for "
            f"validation and learn from the rest{wanted}. Add rows, or set fewer aside."
        )
    selection = optional_package("sklearn.model_selection", "Splitting rows")
    training, validation = selection.train_test_split(
        splittable, test_size=aside, random_state=seed, stratify=strata
    )
    alone = np.setdiff1d(np.arange(rows), splittable)
    return np.sort(np.concatenate([training, alone])), np.sort(validation)
