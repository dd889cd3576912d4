"""The small data sets that scikit-learn brings along, so that nothing has to be downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.checks import did_you_mean
from chainrule.errors import UnknownName, optional_package
from chainrule.layer import Array

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")
TARGET = "target"


def load(name: str) -> tuple[Array, Array]:
    """Load one of scikit-learn's bundled data sets.

    Parameters
    ----------
    name : str
        "digits" (1797 images of 8 x 8, 10 classes), "iris" (150 flowers, 3 classes), "wine" (178
        wines, 3 classes), "breast_cancer" (569 tumours, 2 classes), or "diabetes" (442 patients,
        a number to predict).

    Returns
    -------
    X : ndarray of float64 (samples, columns)
    y : ndarray (samples,)
        Class numbers from 0, as int64; for "diabetes" float64.

    Raises
    ------
    UnknownName
        With the nearest known name.
    MissingPackage
        Where scikit-learn is not installed.
    """
    bunch = _bunch(name)
    return bunch.data, bunch.target


def load_table(name: str) -> pd.DataFrame:
    """Load the same sets as a table with named columns, and classes under their names.

    What is to be predicted stands in the column ``TARGET``.
    """
    bunch = _bunch(name, as_frame=True)
    table: pd.DataFrame = bunch.frame
    if "target_names" in bunch:
        names = [str(label) for label in bunch.target_names]
        table[TARGET] = [names[number] for number in bunch.target]
    return table


def _bunch(name: str, **keywords: Any) -> Any:
    if name not in NAMES:
        raise UnknownName(
            f"There is no data set called {name!r}. {did_you_mean(str(name), NAMES)}"
            f"Known: {', '.join(NAMES)}."
        )
    datasets = optional_package("sklearn.datasets", f"The data set {name!r}")
    return getattr(datasets, f"load_{name}")(**keywords)
