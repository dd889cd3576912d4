"""Which rows or images an explanation is of, and how a person asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import typer

from chainrule.data.columns import counted, listed
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.explain.document import Block
from chainrule.layer import Array

_PIECE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
_MOST_ROWS = 1_000  # each of them is a row of every array that is explained


@dataclass(frozen=True)
class Rows:
    """What a step is made of, in the network's numbers and in the person's words.

    Attributes
    ----------
    x, y : ndarray
        As ``NeuralNetwork.explain`` takes them.
    title : str
        "Row 3 of penguins.csv".
    told : list of Block
        The rows as the person knows them, with what the network says of them.
    inputs : sequence of str
        What each input is called; empty for pixels.
    """

    x: Array
    y: Array
    title: str
    told: list[Block]
    inputs: Sequence[str] = field(default=())


def parse_rows(text: str) -> tuple[int, ...]:
    """Read "3", "1,2,5" and "1-4": numbers from 1, in that order.

    Raises
    ------
    typer.BadParameter
    """
    numbers: list[int] = []
    for piece in text.split(","):
        found = _PIECE.fullmatch(piece.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last:
            raise typer.BadParameter(
                f"expected numbers from 1, as 3, as 1,2,5 or as 1-4; received {text!r}.",
                param_hint="--row",
            )
        if len(numbers) + last - first >= _MOST_ROWS:
            raise typer.BadParameter(
                f"expected at most {_MOST_ROWS:,} rows; received {text!r}.", param_hint="--row"
            )
        numbers += range(first, last + 1)
    return tuple(numbers)


def places(numbers: Sequence[int], count: int, what: str, source: str) -> list[int]:
    """Positions from 0 of the rows, or images, with these numbers.

    Raises
    ------
    InvalidSetting
        When there are not so many.
    """
    beyond = [number for number in numbers if number > count]
    if beyond:
        raise InvalidSetting(
            f"--row {beyond[0]:,} is beyond the last {what}: {source} has {counted(count, what)}. "
            f"Expected a number from 1 to {count:,}."
        )
    return [number - 1 for number in numbers]


def title_of(what: str, numbers: Sequence[int], source: str) -> str:
    """Say which rows: "Row 3 of penguins.csv"."""
    if len(numbers) == 1:
        return f"{what.capitalize()} {numbers[0]:,} of {source}"
    return f"{what.capitalize()}s {listed(tuple(map(str, numbers)), 6)} of {source}"


def remembered_source(extra: dict[str, Any]) -> str | None:
    """What a model file says it was trained on; None where it does not."""
    training = extra.get("training")
    source = training.get("source") if isinstance(training, dict) else None
    return source if isinstance(source, str) else None


def source_of(data: str | None, training: dict[str, Any], model: object) -> str:
    """Where the data are: what was asked for, else what the model was trained on.

    Raises
    ------
    InvalidSetting
        When neither is known.
    """
    source = remembered_source({"training": training}) if data is None else data
    if source is None:
        raise InvalidSetting(
            f"{model} does not say which data it was trained on. Name them with --data."
        )
    return source


def forgotten(source: str, model: object) -> InvalidSetting:
    """Error for a model whose data are no longer where they were."""
    return InvalidSetting(
        f"{model} was trained on {source}, and there is nothing of that name here. Name the data "
        "with --data."
    )


def unknown_actual(problem: str, expected: str) -> InvalidData:
    """Error where nobody says what is right: "Row 4 of penguins.csv has no species"."""
    return InvalidData(
        f"{problem}, and a step of training needs to know what is right. Say it with --actual: "
        f"{expected}."
    )


def outputs_in_order(classes: Sequence[str]) -> str:
    """Which output stands for which class."""
    named = tuple(f"ŷ[·, {number}] {name}" for number, name in enumerate(classes))
    return f"Outputs: {listed(named, 20)}."
