"""Predicting the rows of a table: what ``chainrule predict MODEL FILE.csv`` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from chainrule.cli.scores import class_scores, number_scores, score_table
from chainrule.cli.sources import shadowed_file
from chainrule.cli.table_model import TableModel
from chainrule.cli.tables import open_table
from chainrule.cli.terminal import console, shorten, table
from chainrule.data.columns import counted, numbers
from chainrule.data.target import ClassTarget
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.files import check_writable, write_atomically
from chainrule.layer import Array

if TYPE_CHECKING:
    import pandas as pd

_ROWS_IN_A_TERMINAL = 20
_ROWS_IN_A_PIPE = 1000  # laying out more takes longer than predicting them
_MOST_PROBABILITIES_SHOWN = 8


def predict_table(model: TableModel, source: str, output: Path | None) -> None:
    """Print the rows of a table with their predictions, or write them to a file.

    Parameters
    ----------
    model : TableModel
    source : str
        A CSV file, or a set with a name.
    output : Path, optional
        A CSV file to write.
    """
    rows = open_table(source)
    out = console()
    if output is not None:
        if Path(source).exists() and output.exists() and output.samefile(source):
            raise InvalidSetting(f"--output {output} is the file to read; choose another name.")
        check_writable(output)
    features, told = model.preprocessing.features(rows)
    predicted = _predictions(model, features)
    notes = console(error=True)
    for sentence in [note for note in [shadowed_file(source)] if note] + told:
        notes.print(f"Note: {sentence}", soft_wrap=True)
    if output is None:
        _print_rows(out, model, rows, predicted)
    else:
        _refuse_overwriting(rows, predicted, source)
        text = rows.assign(**predicted).to_csv(index=False)
        write_atomically(output, text.encode())
        out.print(f"{counted(len(rows), 'row')} with predictions: {output}", soft_wrap=True)
    _print_score(out, model, rows, features)


def _predictions(model: TableModel, features: Array) -> dict[str, Array]:
    """Columns to add: the prediction, and for classes the probability of each."""
    target = model.preprocessing.target
    name = f"predicted_{target.name}"
    if not isinstance(target, ClassTarget):
        return {name: model.predict_numbers(features)}
    columns = {name: np.array(target.classes)[model.network.predict_classes(features)]}
    probabilities = model.probabilities(features)
    if probabilities is not None:
        for label, column in zip(target.classes, probabilities.T, strict=True):
            columns[f"probability_{label}"] = column
    return columns


def _refuse_overwriting(rows: pd.DataFrame, predicted: dict[str, Array], source: str) -> None:
    doubled = [name for name in predicted if name in rows.columns]
    if doubled:
        raise InvalidData(
            f"{source} has a column {doubled[0]!r} already, where the predictions would go. "
            "Rename or delete it."
        )


def _print_rows(
    out: Console, model: TableModel, rows: pd.DataFrame, predicted: dict[str, Array]
) -> None:
    target = model.preprocessing.target
    shown = min(len(rows), _ROWS_IN_A_TERMINAL if out.is_terminal else _ROWS_IN_A_PIPE)
    name, *probabilities = predicted
    if len(probabilities) > _MOST_PROBABILITIES_SHOWN:
        highest = np.max([predicted[column] for column in probabilities], axis=0)
        columns = {"prediction": predicted[name], "its probability": highest}
    else:
        labels = [column.removeprefix("probability_") for column in probabilities]
        heads = [f"P({label})" for label in shorten(labels)]
        columns = {"prediction": predicted[name]} | dict(
            zip(heads, (predicted[column] for column in probabilities), strict=True)
        )
    if target.name in rows.columns:
        columns = {"actual": rows[target.name].astype(str).to_numpy()} | columns
    lines = [
        [str(number + 1), *(_cell(values[number]) for values in columns.values())]
        for number in range(shown)
    ]
    right = [0, *(n for n, values in enumerate(columns.values(), 1) if values.dtype.kind == "f")]
    out.print(table(f"Predictions of {target.name}", ["row", *columns], lines, right))
    if shown < len(rows):
        out.print(f"... and {len(rows) - shown:,} more rows; --output out.csv writes all.\n")


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    number = float(np.asarray(value))
    return f"{number:.3f}" if 0 <= number <= 1 else f"{number:.6g}"


def _print_score(out: Console, model: TableModel, rows: pd.DataFrame, features: Array) -> None:
    """Print the score on the rows whose actual value is known, if there are any."""
    target = model.preprocessing.target
    if target.name not in rows.columns:
        return
    column = rows[target.name]
    if isinstance(target, ClassTarget):
        actual = target.encode(column)
        known = actual >= 0
        predicted = model.network.predict_classes(features)
        score = class_scores
    else:
        actual = numbers(column)
        known = np.isfinite(actual)
        predicted = model.predict_numbers(features)
        score = number_scores
    if known.any():
        title = f"Score on the {counted(int(known.sum()), 'row')} with a known {target.name}"
        out.print(score_table(title, {"this network": score(actual[known], predicted[known])}))
