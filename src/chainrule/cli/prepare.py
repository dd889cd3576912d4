"""From a table to rows to train on and rows to measure on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.data.columns import counted
from chainrule.data.preprocessing import Preprocessing, need_columns
from chainrule.data.split import split_rows
from chainrule.data.target import ClassTarget, Kind, NumberTarget, Target, has_value, target_kind
from chainrule.errors import InvalidSetting
from chainrule.layer import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Prepared:
    """What training needs to know of a table.

    Attributes
    ----------
    preprocessing : Preprocessing
        Learned on the training rows alone.
    table : DataFrame
        The rows that have a target.
    features : ndarray of float64 (rows, features)
        Of all these rows.
    training, validation : ndarray of int
        Which rows are which.
    told : list of str
        What a person should know.
    """

    preprocessing: Preprocessing
    table: pd.DataFrame
    features: Array
    training: Array
    validation: Array
    told: list[str]


def prepare(
    table: pd.DataFrame,
    target_name: str,
    *,
    wanted: Kind | None,
    counts: bool,
    ignore: Sequence[str],
    categories: Sequence[str],
    validation: float,
    seed: int,
) -> Prepared:
    """Drop rows without a target, split the rest, and learn the preprocessing.

    Parameters
    ----------
    table : DataFrame
    target_name : str
        The column to predict.
    wanted : "classes" or "numbers", optional
        What the loss learns; None lets the column decide.
    counts : bool
        Whether the loss learns counts, which must not become negative.
    ignore : sequence of str
        Columns to leave out.
    categories : sequence of str
        Columns to take for categories even if they hold numbers.
    validation : float
        Part of the rows to measure on.
    seed : int

    Raises
    ------
    InvalidData, InvalidSetting
    """
    need_columns(table, [target_name, *ignore, *categories])
    if target_name in ignore:
        raise InvalidSetting(f"{target_name!r} is the target and cannot be ignored too.")
    table = table.drop(columns=list(ignore))
    kind = target_kind(table[target_name], wanted)
    known = has_value(table[target_name], kind)
    told = []
    if not known.all():
        rows = counted(int((~known).sum()), "row")
        told.append(f"{rows} without a usable value in {target_name!r} left out.")
        table = table[known].reset_index(drop=True)
    column = table[target_name]
    target: Target
    if kind == "classes":
        target = ClassTarget.learn(column)
        training, aside = split_rows(len(table), validation, seed, target.encode(column))
    else:
        training, aside = split_rows(len(table), validation, seed)
        target = NumberTarget.learn(column.iloc[training], counts=counts)
    preprocessing = Preprocessing.learn(table.iloc[training], target, categories)
    features = preprocessing.features(table)
    told += features.told
    return Prepared(preprocessing, table, features.values, training, aside, told)
