"""The column to predict: classes, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

import numpy as np

from chainrule.data.columns import counted, listed, numbers, texts
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.layer import Array

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["classes", "numbers"]

_MOST_CLASSES_OF_NUMBERS = 10
_ROWS_PER_CLASS_OF_NUMBERS = 5


@dataclass(frozen=True)
class ClassTarget:
    """Classes to tell apart.

    Attributes
    ----------
    name : str
        The column's.
    classes : tuple of str
        Class number k is called ``classes[k]``. Numbers stand in order of size, text by alphabet.
    """

    name: str
    classes: tuple[str, ...]

    @classmethod
    def learn(cls, column: pd.Series) -> Self:
        """Collect the classes that occur."""
        different = texts(column).dropna().unique().tolist()
        values = numbers(column)
        if np.isfinite(values).sum() == texts(column).notna().sum():
            return cls(str(column.name), tuple(sorted(different, key=float)))
        return cls(str(column.name), tuple(sorted(different)))

    def encode(self, column: pd.Series) -> Array:
        """Class numbers, int64 (rows,); -1 where the class is missing or not among these."""
        number = {name: k for k, name in enumerate(self.classes)}
        return np.array([number.get(value, -1) for value in texts(column)], dtype=np.int64)


@dataclass(frozen=True)
class NumberTarget:
    """A number to predict. The network learns (number - mean) / standard_deviation.

    Attributes
    ----------
    name : str
        The column's.
    mean, standard_deviation : float
        Of the training rows; for counts 0 and their mean.
    """

    name: str
    mean: float
    standard_deviation: float

    @classmethod
    def learn(cls, column: pd.Series, *, counts: bool = False) -> Self:
        """Measure mean and standard deviation of the training rows.

        Counts must not become negative: with ``counts`` they are only divided, by their mean.

        Raises
        ------
        InvalidData
            When the numbers hardly differ.
        """
        values = numbers(column)
        values = values[np.isfinite(values)]
        mean, spread = float(values.mean()), float(values.std())
        if not (np.isfinite(spread) and spread > 0):
            raise InvalidData(
                f"The target {str(column.name)!r} hardly differs between the training rows (mean "
                f"{mean:g}, standard deviation {spread:g}), so there is nothing to learn."
            )
        if counts:
            return cls(str(column.name), 0.0, mean if mean > 0 else 1.0)
        return cls(str(column.name), mean, spread)

    def encode(self, column: pd.Series) -> Array:
        """Standardise, float64 (rows,); NaN where there is no number."""
        return (numbers(column) - self.mean) / self.standard_deviation

    def decode(self, values: Array) -> Array:
        """Turn standardised numbers back into the column's own unit, float64."""
        return values.astype(np.float64) * self.standard_deviation + self.mean


Target: TypeAlias = ClassTarget | NumberTarget


def target_kind(column: pd.Series, wanted: Kind | None = None) -> Kind:
    """Say whether a target holds classes or numbers.

    Parameters
    ----------
    column : Series
    wanted : "classes" or "numbers", optional
        What the loss needs. Without it, text and a few different whole numbers are classes.

    Raises
    ------
    InvalidData
        When the column has no values, always the same one, or a class of its own for each row.
    InvalidSetting
        When the column cannot be what is wanted.
    """
    name, present = str(column.name), texts(column).dropna()
    different = tuple(present.unique())
    if not different:
        raise InvalidData(f"The target {name!r} has no values: all {len(column)} are missing.")
    if len(different) == 1:
        raise InvalidData(
            f"The target {name!r} is {different[0]!r} in every row that has one; expected at least "
            "two different values, or there is nothing to learn."
        )
    values = numbers(column)
    are_numbers = np.isfinite(values).sum() >= 0.9 * len(present)
    if wanted == "numbers" and not are_numbers:
        raise InvalidSetting(
            f"This loss learns numbers, but the target {name!r} holds text "
            f"({listed(different, 3)}). Use softmax_cross_entropy, or another loss for classes."
        )
    if wanted == "numbers" or (wanted is None and are_numbers and not _few_whole(values)):
        return "numbers"
    rows_per_class = len(present) / len(different)
    if len(different) > 2 and rows_per_class < (_ROWS_PER_CLASS_OF_NUMBERS if are_numbers else 2):
        raise (InvalidSetting if are_numbers else InvalidData)(
            f"The target {name!r} has {len(different)} different values in "
            f"{counted(len(present), 'row')}: too many to be classes ({listed(different, 3)}). "
            + ("Use a loss for numbers: mean_squared_error." if are_numbers else "Name another.")
        )
    return "classes"


def has_value(column: pd.Series, kind: Kind) -> Array:
    """Which rows have a target to learn from, bool (rows,)."""
    if kind == "numbers":
        return np.isfinite(numbers(column))
    return texts(column).notna().to_numpy()


def _few_whole(values: Array) -> bool:
    """Whether numbers look like classes: whole, few different ones, each in several rows."""
    present = values[np.isfinite(values)]
    different = len(np.unique(present))
    if different > _MOST_CLASSES_OF_NUMBERS or (present != np.round(present)).any():
        return False
    return different == 2 or len(present) >= different * _ROWS_PER_CLASS_OF_NUMBERS
