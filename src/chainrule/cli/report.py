"""What ``chainrule train`` prints about a table before training, and about the scores after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console

from chainrule.cli.prepare import Prepared
from chainrule.cli.scores import class_scores, confusion_table, number_scores, score_table
from chainrule.cli.table_model import TableModel
from chainrule.cli.terminal import table
from chainrule.data.columns import Column, LeftOut, NumberColumn, counted, listed, numbers
from chainrule.data.target import ClassTarget

_MOST_COLUMNS_SHOWN = 25


def tell_columns(out: Console, prepared: Prepared) -> None:
    """Print what each column was recognised as, what is predicted, and how the rows are split."""
    preprocessing = prepared.preprocessing
    columns = [*preprocessing.columns, *preprocessing.left_out]
    out.print(table("Columns", ["column", "taken as", "particulars"], _column_rows(columns)))
    for sentence in prepared.told:
        out.print(f"Note: {sentence}", soft_wrap=True)
    out.print(f"To predict: {_target(prepared)}", soft_wrap=True)
    kept = "classes kept in proportion" if isinstance(preprocessing.target, ClassTarget) else ""
    out.print(
        f"Rows: {len(prepared.training):,} to learn from, {len(prepared.validation):,} aside for "
        f"validation{kept and f' ({kept})'}. Features: {prepared.features.shape[1]}.\n",
        soft_wrap=True,
    )


def tell_scores(
    out: Console, model: TableModel, prepared: Prepared, *, details: bool
) -> dict[str, float]:
    """Print the scores on the validation rows beside the plain baseline, and return them."""
    target = model.preprocessing.target
    column, features = prepared.table[target.name], prepared.features[prepared.validation]
    title = f"Score on the {counted(len(prepared.validation), 'validation row')}"
    if isinstance(target, ClassTarget):
        labels = target.encode(column)
        actual = labels[prepared.validation]
        predicted = model.network.predict_classes(features)
        most_frequent = int(np.bincount(labels[prepared.training]).argmax())
        scores = class_scores(actual, predicted)
        plain = class_scores(actual, np.full_like(actual, most_frequent))
        baseline = f"always {target.classes[most_frequent]}"
    else:
        values = numbers(column)
        actual, mean = values[prepared.validation], float(values[prepared.training].mean())
        scores = number_scores(actual, model.predict_numbers(features))
        plain = number_scores(actual, np.full_like(actual, mean))
        baseline = f"always the mean, {mean:.4g}"
    out.print(score_table(title, {"this network": scores, baseline: plain}))
    if details and isinstance(target, ClassTarget):
        out.print(confusion_table(actual, predicted, target.classes))
    if not _better(scores, plain):
        out.print(
            "The network does no better than the baseline: these columns may say little about "
            f"{target.name}, or it needs more rows, --epochs or another --learning-rate.\n",
            soft_wrap=True,
        )
    return scores


def _better(scores: dict[str, float], plain: dict[str, float]) -> bool:
    if "accuracy" in scores:
        return scores["accuracy"] > plain["accuracy"]
    return scores["root mean squared error"] < plain["root mean squared error"]


def _column_rows(columns: Sequence[Column | LeftOut]) -> list[list[str]]:
    """One row for each column; of many columns, the numbers share one."""
    plain = [c for c in columns if isinstance(c, NumberColumn) and not c.is_date]
    if len(columns) <= _MOST_COLUMNS_SHOWN or len(plain) < 2:
        return [[column.name, *column.describe()] for column in columns]
    names = listed(tuple(column.name for column in plain), 3)
    others = [[column.name, *column.describe()] for column in columns if column not in plain]
    return [[names, "numbers", ""], *others]


def _target(prepared: Prepared) -> str:
    target = prepared.preprocessing.target
    values = numbers(prepared.table[target.name])
    if not isinstance(target, ClassTarget):
        return f"{target.name}, a number (here from {values.min():.6g} to {values.max():.6g})."
    classes = f"{target.name}, one of {len(target.classes)} classes ({listed(target.classes, 10)})."
    if np.isfinite(values).all():
        classes += " To predict the number instead: --loss mean_squared_error."
    return classes
