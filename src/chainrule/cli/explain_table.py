"""Rows of a table, as the person knows them and as the network sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.cli.explain_rows import (
    Rows,
    forgotten,
    outputs_in_order,
    places,
    source_of,
    title_of,
    unknown_actual,
)
from chainrule.cli.sources import IMAGES, TABLES, set_name, shadowed_file
from chainrule.cli.table_model import TableModel
from chainrule.cli.tables import open_table
from chainrule.cli.terminal import shorten
from chainrule.data.columns import Column, NumberColumn, listed, texts
from chainrule.data.target import ClassTarget
from chainrule.errors import InvalidSetting
from chainrule.explain.document import Block, Table, Text
from chainrule.layer import Array

if TYPE_CHECKING:
    import pandas as pd

_MOST_FEATURES = 40
_MOST_ROWS_SHOWN = 4  # side by side
_MOST_PROBABILITIES_SHOWN = 8
_MISSING = "missing"
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def table_rows(
    model: TableModel,
    path: Path,
    data: str | None,
    numbers: Sequence[int],
    actual: str | None,
) -> Rows:
    """Take rows out of a table.

    Parameters
    ----------
    model : TableModel
    path : Path
        Where the model was, for messages.
    data : str, optional
        A CSV file, or a set with a name; without it what the model was trained on.
    numbers : sequence of int
        Which rows, from 1.
    actual : str, optional
        What is right, in place of what the table says.

    Raises
    ------
    ChainruleError
        When there are no such rows, or nobody says what is right.
    """
    source = source_of(data, model.training, path)
    is_set = set_name(source) in TABLES
    if data is None and not is_set and not Path(source).is_file():
        raise forgotten(source, path)
    _refuse_images(source, path)
    table = open_table(source).rename(columns=str)
    chosen = table.iloc[places(numbers, len(table), "row", source)].reset_index(drop=True)
    features, notes = model.preprocessing.features(chosen)
    target = model.preprocessing.target
    if actual is not None:
        chosen = chosen.assign(**{target.name: [actual] * len(chosen)})
    _need_actual_values(model, chosen, numbers, source)
    told: list[Block] = [
        *_what_goes_in(model, chosen, features, numbers),
        *(Text([f"Note: {note}"], tone="quiet") for note in [*_shadowed(source), *notes]),
        _what_comes_out(model, chosen, features, numbers),
        Text([_how_to_read(model)], tone="quiet"),
    ]
    title = title_of("row", numbers, source)
    names = model.preprocessing.feature_names
    return Rows(features, model.targets(chosen), title, told, names)


def _shadowed(source: str) -> list[str]:
    note = shadowed_file(source)
    return [note] if note else []


def _refuse_images(source: str, path: Path) -> None:
    name = set_name(source)
    only_images = name in IMAGES and name not in TABLES
    place = Path(source)
    if only_images or (name is None and (place.is_dir() or place.suffix.lower() in _IMAGE_ENDINGS)):
        raise InvalidSetting(
            f"{path} was trained on a table, and {source} holds no table; expected a CSV file with "
            "the same columns."
        )


def _need_actual_values(
    model: TableModel, chosen: pd.DataFrame, numbers: Sequence[int], source: str
) -> None:
    target = model.preprocessing.target
    if isinstance(target, ClassTarget):
        expected = f"one of {listed(target.classes, 10)}"
    else:
        expected = f"a number, as {target.mean:.4g}"
    if target.name not in chosen.columns:
        raise unknown_actual(f"{source} has no column {target.name}", expected)
    values = target.encode(chosen[target.name])
    known = values >= 0 if isinstance(target, ClassTarget) else np.isfinite(values)
    for number, is_known, text in zip(numbers, known, texts(chosen[target.name]), strict=True):
        if not is_known:
            found = f"no {target.name}"
            if text is not None:
                found = f"the {target.name} {text!r}, which the network does not know"
            raise unknown_actual(f"Row {number} of {source} has {found}", expected)


def _what_goes_in(
    model: TableModel, chosen: pd.DataFrame, features: Array, numbers: Sequence[int]
) -> Iterator[Block]:
    """One line for each input: the value in the table, and the number that it becomes."""
    shown = range(min(len(numbers), _MOST_ROWS_SHOWN))
    headings = ["i", "input"]
    for place in shown:
        headings += [f"row {numbers[place]}", f"x[{place}, i]"]
    lines: list[list[str | float]] = []
    for column in model.preprocessing.columns:
        values = texts(chosen[column.name])
        for name in column.features:
            line: list[str | float] = [float(len(lines)), name]
            for place in shown:
                number = float(features[place, len(lines)])
                line += [_in_the_table(column, name, values[place], number), number]
            lines.append(line)
    yield Table(headings, lines[:_MOST_FEATURES])
    if len(numbers) > len(shown):
        yield Text([f"... and {len(numbers) - len(shown):,} more rows."], tone="quiet")
    if len(lines) > _MOST_FEATURES:
        yield Text([f"... and {len(lines) - _MOST_FEATURES:,} more inputs."], tone="quiet")


def _in_the_table(column: Column, feature: str, value: str | None, number: float) -> str:
    """What the table holds for an input: a number, or for a category whether it is the one."""
    if isinstance(column, NumberColumn) and feature == column.name:
        return _MISSING if value is None else value
    return "yes" if number else "no"


def _what_comes_out(
    model: TableModel, chosen: pd.DataFrame, features: Array, numbers: Sequence[int]
) -> Table:
    target = model.preprocessing.target
    actual = texts(chosen[target.name])
    if not isinstance(target, ClassTarget):
        predicted = model.predict_numbers(features)
        rows = zip(numbers, actual, predicted, strict=True)
        return Table(
            ["row", f"actual {target.name}", "prediction"],
            [[float(number), str(right), float(value)] for number, right, value in rows],
        )
    labels = model.network.predict_classes(features)
    headings = ["row", f"actual {target.name}", "prediction"]
    lines: list[list[str | float]] = [
        [float(number), str(right), target.classes[label]]
        for number, right, label in zip(numbers, actual, labels, strict=True)
    ]
    probabilities = model.probabilities(features)
    if probabilities is not None and len(target.classes) > _MOST_PROBABILITIES_SHOWN:
        headings.append("its probability")
        for line, row in zip(lines, probabilities, strict=True):
            line.append(float(row.max()))
    elif probabilities is not None:
        headings += [f"P({name})" for name in shorten(target.classes)]
        for line, row in zip(lines, probabilities, strict=True):
            line += map(float, row)
    return Table(headings, lines)


def _how_to_read(model: TableModel) -> str:
    """What y and ŷ stand for."""
    target = model.preprocessing.target
    if not isinstance(target, ClassTarget):
        centred = f"({target.name} - {target.mean:.6g})" if target.mean else target.name
        return (
            f"The network learns {centred} / {target.standard_deviation:.6g}: y and ŷ are in that "
            "measure."
        )
    if len(model.network.output_shape) == 1 and model.network.output_shape[0] == len(
        target.classes
    ):
        return outputs_in_order(target.classes)
    no, yes = target.classes
    low = -1 if model.network.loss.targets == "signs" else 0
    return f"y is 1 for {yes} and {low} for {no}."
