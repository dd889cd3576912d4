"""What a column of a table is, and how it becomes numbers.

A column is recognised once, on the training rows. What was learned of it (its median, its
categories, ...) is a plain record of this file. The same record then turns the column of any table
into features, so that training and prediction cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from chainrule.errors import optional_package
from chainrule.layer import Array
from chainrule.registry import snake_case

if TYPE_CHECKING:
    import pandas as pd

MISSING = frozenset(
    {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"}
)
MOST_CATEGORIES = 100
_ISO_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?"
_IDENTIFIER = re.compile(r"(.*[^a-z])?id|row|index|nr|no|number|#|column 1|unnamed: 0")


class Features(NamedTuple):
    """What a column became: values (rows, features), and what a person should know about it."""

    values: Array
    told: list[str]


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, or of dates counted as days since 1970-01-01.

    A missing value becomes the median. Then the mean is taken off and the rest divided by the
    standard deviation. Where values were missing in training, a second feature marks them with 1.

    Attributes
    ----------
    name : str
    median : float
        Of the training values, in the column's own unit.
    mean, standard_deviation : float
        Of the training values with the missing ones filled in.
    marks_missing : bool
    is_date : bool
    """

    name: str
    median: float
    mean: float
    standard_deviation: float
    marks_missing: bool
    is_date: bool = False

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        return [self.name] + [f"{self.name} is missing"] * self.marks_missing

    def describe(self) -> tuple[str, str]:
        """What the column is taken for, and the particulars."""
        kind = "date, as days since 1970-01-01" if self.is_date else "number"
        detail = f"mean {self.mean:.4g}, standard deviation {self.standard_deviation:.4g}"
        if self.marks_missing:
            detail += f"; missing values become {self.median:.4g} and are marked"
        return kind, detail

    def encode(self, column: pd.Series) -> Features:
        """Standardise the values; (rows,) -> (rows, 1), or (rows, 2) with the marks."""
        values = dates(column) if self.is_date else numbers(column)
        missing = np.isnan(values)
        filled = np.where(missing, self.median, values)
        features = [(filled - self.mean) / self.standard_deviation]
        told = self._told(column, missing)
        if self.marks_missing:
            features.append(missing.astype(np.float64))
        elif missing.any():
            told.append(
                f"{self.name!r}: {counted(missing.sum(), 'value')} missing here and none in "
                f"training; the median {self.median:.4g} stands in."
            )
        return Features(np.column_stack(features), told)

    def _told(self, column: pd.Series, missing: Array) -> list[str]:
        unusable = column[missing & texts(column).notna().to_numpy()]
        if unusable.empty:
            return []
        return [
            f"{self.name!r}: {counted(len(unusable), 'value')} ({_examples(unusable)}) that cannot "
            f"be read as a {'date' if self.is_date else 'number'} counted as missing."
        ]


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories: one feature for each, 1 where the row has it and 0 elsewhere.

    A category that was not in the training data has no feature, so all of them are 0.

    Attributes
    ----------
    name : str
    categories : tuple of str
        In alphabetical order; at most ``MOST_CATEGORIES``, the most frequent.
    marks_missing : bool
        Whether values were missing in training: they are then a category like the others.
    """

    name: str
    categories: tuple[str, ...]
    marks_missing: bool

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        names = [f"{self.name} = {category}" for category in self.categories]
        return names + [f"{self.name} is missing"] * self.marks_missing

    def describe(self) -> tuple[str, str]:
        """What the column is taken for, and the particulars."""
        detail = listed(self.categories, 6)
        if self.marks_missing:
            detail += "; missing values are a category of their own"
        return counted(len(self.categories), "category", "categories"), detail

    def encode(self, column: pd.Series) -> Features:
        """Set a 1 in each row's category; (rows,) -> (rows, categories)."""
        text = texts(column)
        place: dict[str | None, int] = {name: n for n, name in enumerate(self.categories)}
        if self.marks_missing:
            place[None] = len(self.categories)
        places = np.array([place.get(value, -1) for value in text], dtype=np.intp)
        values = np.zeros((len(column), len(place)))
        known = places >= 0
        values[known, places[known]] = 1
        return Features(values, self._told(text[~known]))

    def _told(self, unknown: pd.Series) -> list[str]:
        if unknown.empty:
            return []
        return [
            f"{self.name!r}: {counted(len(unknown), 'value')} ({_examples(unknown)}) outside the "
            f"{counted(len(self.categories), 'category', 'categories')} of training counted as "
            "none of them."
        ]


@dataclass(frozen=True)
class LeftOut:
    """A column that takes no part.

    Attributes
    ----------
    name, reason : str
    """

    name: str
    reason: str

    def describe(self) -> tuple[str, str]:
        """What the column is taken for, and the particulars."""
        return "left out", self.reason


Column: TypeAlias = NumberColumn | CategoryColumn


def recognise(column: pd.Series, *, as_category: bool = False) -> Column | LeftOut:
    """Say what a column is, from its values on the training rows.

    Parameters
    ----------
    column : Series
        Text as in a CSV file, or numbers.
    as_category : bool
        Take it for categories even if it holds numbers.

    Notes
    -----
    Numbers are numbers, however few different ones there are. Text is a number where at least nine
    in ten values can be read as one, a date where all are written as 2024-12-31, and otherwise a
    category; so are True and False. A column that cannot help on new rows is left out: one with a
    single value, text that hardly ever comes back (names, remarks), and whole numbers called an id
    or the like.
    """
    name = str(column.name)
    text = texts(column)
    present = text.dropna()
    different = present.nunique()
    if not different:
        return LeftOut(name, "holds no values")
    if different == 1 and len(present) == len(text):
        return LeftOut(name, f"always {present.iloc[0]!r}")
    if different > 1 and not as_category:
        if present.str.fullmatch(_ISO_DATE).all():
            return _number_column(name, dates(column), is_date=True)
        values = numbers(column)
        if _names_the_rows(name, values):
            return LeftOut(name, "names the rows: a different whole number in each")
        if np.isfinite(values).sum() >= 0.9 * len(present):
            return _number_column(name, values)
    if different > len(present) / 2 and not as_category:
        return LeftOut(name, f"text, {different:,} different values in {len(present):,} rows")
    frequent = present.value_counts().sort_index().nlargest(MOST_CATEGORIES, keep="first").index
    return CategoryColumn(name, tuple(sorted(frequent)), marks_missing=len(present) < len(text))


def texts(column: pd.Series) -> pd.Series:
    """Each value as the text that stands for it in a CSV file, None where it is missing.

    Whole numbers lose their ``.0``: pandas adds it to whole columns as soon as one value is
    missing, and 1 and 1.0 are to be one category.
    """
    if column.dtype.kind in "iuf":
        present = np.isfinite(column.to_numpy(dtype=np.float64, na_value=np.nan))
        text = column.where(present).map(_number_text, na_action="ignore").astype(object)
        return text.where(present, None)
    text = column.map(str, na_action="ignore").astype(object)
    text = text.map(str.strip, na_action="ignore").astype(object)
    return text.where(text.notna() & ~text.isin(MISSING), None)


def numbers(column: pd.Series) -> Array:
    """Each value as float64 (rows,), NaN where it is missing, infinite or no number."""
    if column.dtype.kind in "iuf":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        pandas = optional_package("pandas", "Reading a table")
        values = pandas.to_numeric(texts(column), errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def dates(column: pd.Series) -> Array:
    """Each ISO 8601 date as days since 1970-01-01, float64 (rows,), NaN where there is none."""
    pandas = optional_package("pandas", "Reading a table")
    moments = pandas.to_datetime(texts(column), format="ISO8601", errors="coerce", utc=True)
    days = (moments - pandas.Timestamp(0, tz="UTC")) / pandas.Timedelta(days=1)
    return days.to_numpy(dtype=np.float64)


def counted(count: int, one: str, several: str | None = None) -> str:
    """Put a number before its noun: "1 value", "2 values"."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(values: tuple[str, ...], at_most: int) -> str:
    """The first few values, each cut to a readable length, and how many there are."""
    shown = [value if len(value) <= 30 else value[:27] + "..." for value in values[:at_most]]
    return ", ".join(shown) + (f", ... ({len(values):,} in all)" if len(values) > at_most else "")


def _number_column(name: str, values: Array, *, is_date: bool = False) -> NumberColumn | LeftOut:
    missing = np.isnan(values)
    median = float(np.median(values[~missing]))
    filled = np.where(missing, median, values)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is left out below
        mean, spread = float(filled.mean()), float(filled.std())
    if not (np.isfinite(mean) and np.isfinite(spread) and spread > 0):
        return LeftOut(name, "its numbers are too large, or too close together, to compute with")
    return NumberColumn(name, median, mean, spread, bool(missing.any()), is_date)


def _names_the_rows(name: str, values: Array) -> bool:
    """A different whole number in every row is an identifier, if its name says so too."""
    whole = bool((values == np.round(values)).all())
    return (
        whole
        and len(np.unique(values)) == len(values)
        and bool(_IDENTIFIER.fullmatch(snake_case(name)))
    )


def _number_text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _examples(values: pd.Series) -> str:
    return listed(tuple("missing" if v is None else f"'{v}'" for v in values.unique()), 3)
