"""Rows of plain numbers, for networks that say nothing about how their data were prepared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from chainrule.cli.explain_rows import Rows, places, title_of, unknown_actual
from chainrule.cli.tables import open_table
from chainrule.data.columns import counted, listed, numbers
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.explain.document import Block, Table, Text
from chainrule.layer import Array
from chainrule.network import NeuralNetwork

_MOST_COLUMNS = 12


def number_rows(
    network: NeuralNetwork,
    path: Path,
    data: str | None,
    wanted: Sequence[int],
    actual: str | None,
) -> Rows:
    """Take rows out of a table whose columns are the network's inputs, then its actual values.

    Parameters
    ----------
    network : NeuralNetwork
    path : Path
        Where it was saved, for messages.
    data : str, optional
        A CSV file; there has to be one.
    wanted : sequence of int
        Which rows, from 1.
    actual : str, optional
        What is right, a number, in place of what the table says.

    Raises
    ------
    ChainruleError
    """
    shape = network.input_shape or ()
    if len(shape) != 1:
        raise InvalidSetting(
            f"{path} holds a network for inputs of shape {shape}, but not how its data were "
            "prepared; expected a model made by chainrule train. Explain it in Python: "
            "net.explain(x, y)."
        )
    inputs, outputs = shape[0], _columns_of_y(network)
    expected = f"{counted(inputs, 'column')} of inputs, then {counted(outputs, 'actual value')}"
    if data is None:
        raise InvalidSetting(
            f"{path} holds a network, but not the data it was trained on. Name a CSV file of "
            f"numbers with --data: {expected}."
        )
    table = open_table(data)
    if len(table.columns) not in (inputs, inputs + outputs):
        raise InvalidData(
            f"{data} has {counted(len(table.columns), 'column')}; expected {expected}, as the "
            f"network of {path} takes them."
        )
    chosen = table.iloc[places(wanted, len(table), "row", data)]
    values = np.column_stack([numbers(chosen[name]) for name in chosen.columns])
    x, y = values[:, :inputs], values[:, inputs:]
    if actual is not None:
        y = np.full((len(x), outputs), _number(actual))
    if not y.shape[1]:
        raise unknown_actual(f"{data} has no column of actual values", "a number")
    _need_numbers(x, y, wanted, list(table.columns), data)
    title = title_of("row", wanted, data)
    names = [str(name) for name in table.columns[:inputs]]
    told = list(_both(names, wanted, x, y, network.predict(x)))
    return Rows(x, y if outputs > 1 else y[:, 0], title, told, names)


def _columns_of_y(network: NeuralNetwork) -> int:
    """How many columns say what is right: one for the class, or one for each output."""
    return 1 if network.loss.targets == "classes" else network.output_shape[-1]


def _number(actual: str) -> float:
    try:
        return float(actual)
    except ValueError as error:
        raise InvalidSetting(
            f"--actual received {actual!r}; expected a number, as the network's loss takes it."
        ) from error


def _need_numbers(
    x: Array, y: Array, wanted: Sequence[int], columns: Sequence[object], source: str
) -> None:
    together = np.column_stack([x, y])
    wrong = np.argwhere(~np.isfinite(together))
    if len(wrong):
        row, column = wrong[0]
        name = columns[column] if column < len(columns) else "actual value"
        raise InvalidData(
            f"Row {wanted[row]} of {source} holds no number in {name!r}; expected numbers "
            "throughout, as the network takes them."
        )


def _both(
    names: Sequence[str], wanted: Sequence[int], x: Array, y: Array, predicted: Array
) -> Iterator[Block]:
    """What goes in beside what is right and what comes out."""
    shown = tuple(names[:_MOST_COLUMNS])
    headings = ["row", *shown, "actual", "prediction"]
    lines: list[list[str | float]] = [
        [float(number), *map(float, row[: len(shown)]), _several(right), _several(out)]
        for number, row, right, out in zip(wanted, x, y, predicted, strict=True)
    ]
    yield Table(headings, lines)
    if len(names) > len(shown):
        yield Text([f"... and {len(names) - len(shown):,} more inputs."], tone="quiet")


def _several(values: Array) -> str:
    return listed(tuple(f"{value:.4g}" for value in values), 4)
