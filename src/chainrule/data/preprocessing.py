"""From a table to the arrays a network takes, the same way in training and in prediction.

``Preprocessing.learn`` looks at the training rows; ``features`` applies what it found to any table.
The record is plain data: ``to_dict`` goes into the model file, ``from_dict`` reads it back.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule.data.columns import (
    CategoryColumn,
    Column,
    Features,
    LeftOut,
    NumberColumn,
    listed,
    recognise,
)
from chainrule.data.target import ClassTarget, NumberTarget, Target
from chainrule.errors import InvalidData, UnreadableFile

if TYPE_CHECKING:
    import pandas as pd

_KINDS: dict[str, type[Column | LeftOut | Target]] = {
    "number": NumberColumn,
    "category": CategoryColumn,
    "left out": LeftOut,
    "classes": ClassTarget,
    "numbers": NumberTarget,
}


@dataclass(frozen=True)
class Preprocessing:
    """What was learned about a table's columns.

    Attributes
    ----------
    columns : tuple of NumberColumn and CategoryColumn
        Those that become features, in the order of the training table.
    left_out : tuple of LeftOut
    target : ClassTarget or NumberTarget
        What is to be predicted.
    """

    columns: tuple[Column, ...]
    left_out: tuple[LeftOut, ...]
    target: Target

    @classmethod
    def learn(cls, table: pd.DataFrame, target: Target, categories: Collection[str] = ()) -> Self:
        """Recognise every column but the target.

        Parameters
        ----------
        table : DataFrame
            The training rows, and no others: what is learned here must not know of those that
            are to test it.
        target : ClassTarget or NumberTarget
        categories : collection of str
            Columns to take for categories even if they hold numbers.

        Raises
        ------
        InvalidData
            When no column is left to learn from.
        """
        table = table.rename(columns=str)
        found = [
            recognise(table[name], as_category=name in categories)
            for name in table.columns
            if name != target.name
        ]
        columns = tuple(column for column in found if not isinstance(column, LeftOut))
        left_out = tuple(column for column in found if isinstance(column, LeftOut))
        if not columns:
            reasons = "; ".join(f"{column.name!r}: {column.reason}" for column in left_out)
            raise InvalidData(
                f"No column is left to predict {target.name!r} from ({reasons or 'no other'}). "
                "Expected at least one column of numbers or categories that differ between rows."
            )
        return cls(columns, left_out, target)

    @property
    def feature_names(self) -> list[str]:
        """What each column of ``features`` is."""
        return [name for column in self.columns for name in column.features]

    def features(self, table: pd.DataFrame) -> Features:
        """Turn a table into features; the order of its columns and further ones do not matter.

        Returns
        -------
        values : ndarray of float64 (rows, features)
        told : list of str
            What a person should know: categories never seen, numbers that are none, ...

        Raises
        ------
        InvalidData
            When columns are missing.
        """
        table = table.rename(columns=str)
        need_columns(table, [column.name for column in self.columns])
        encoded = [column.encode(table[column.name]) for column in self.columns]
        told = [sentence for features in encoded for sentence in features.told]
        return Features(np.concatenate([features.values for features in encoded], axis=1), told)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, text and numbers, ready for JSON."""
        return {
            "columns": [_plain(column) for column in self.columns],
            "left_out": [_plain(column) for column in self.left_out],
            "target": _plain(self.target),
        }

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Read what ``to_dict`` wrote.

        Raises
        ------
        UnreadableFile
            When it is something else.
        """
        try:
            columns = tuple(_record(c, NumberColumn, CategoryColumn) for c in record["columns"])
            left_out = tuple(_record(c, LeftOut) for c in record["left_out"])
            target = _record(record["target"], ClassTarget, NumberTarget)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableFile(f"The record of the columns is damaged: {error!r}.") from error
        return cls(columns, left_out, target)


def need_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a table that lacks some of the columns, naming the nearest it has.

    Raises
    ------
    InvalidData
    """
    present = [str(name) for name in table.columns]
    absent = [name for name in names if name not in present]
    if not absent:
        return
    lowered = {name.lower(): name for name in reversed(present)}
    nearest = difflib.get_close_matches(absent[0].lower(), lowered, n=1, cutoff=0.6)
    hint = f"Did you mean {lowered[nearest[0]]!r}? " if nearest and len(absent) == 1 else ""
    what = "column" if len(absent) == 1 else "columns"
    raise InvalidData(
        f"The table has no {what} {listed(tuple(map(repr, absent)), 5)}. {hint}"
        f"It has: {listed(tuple(present), 20)}. The first line of the file names the columns."
    )


def _plain(record: Column | LeftOut | Target) -> dict[str, Any]:
    kind = next(kind for kind, member in _KINDS.items() if isinstance(record, member))
    return {"kind": kind, **asdict(record)}


def _record(plain: dict[str, Any], *allowed: type) -> Any:
    """Build the dataclass that a description names, checking every field's type."""
    member = _KINDS[plain["kind"]]
    if member not in allowed:
        raise ValueError(f"a {plain['kind']} is out of place")
    return member(**{f.name: _FIELD_TYPES[str(f.type)](plain[f.name]) for f in fields(member)})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, received {value!r}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a finite number, received {value!r}")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, received {value!r}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(set(value)) != len(value):
        raise ValueError(f"expected a list of different texts, received {value!r}")
    return tuple(_text(item) for item in value)


_FIELD_TYPES: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "float": _number,
    "bool": _flag,
    "tuple[str, ...]": _texts,
}
