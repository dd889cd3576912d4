"""What ``chainrule inspect`` finds in a file: facts for JSON, sentences and tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich.console import Console

from chainrule.cli.terminal import table

_MOST_ROWS = 200  # of one table on the screen; JSON has them all


class Rows(NamedTuple):
    """A table to print."""

    title: str
    header: list[str]
    rows: list[list[str]]
    right: tuple[int, ...] = ()


@dataclass
class Findings:
    """What was found in a file.

    Attributes
    ----------
    kind : str
        In one or two words, for JSON: "model", "checkpoint", "onnx", ...
    called : str
        The same for people: "a model of chainrule".
    facts : dict
        Plain data.
    sentences : list of str
    tables : list of Rows
    """

    kind: str
    called: str
    facts: dict[str, Any] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    tables: list[Rows] = field(default_factory=list)

    def print(self, out: Console) -> None:
        """Print sentences and tables."""
        for sentence in self.sentences:
            out.print("\n".join(map(printable, sentence.splitlines())), soft_wrap=True)
        for rows in self.tables:
            shown = [[printable(cell) for cell in row] for row in rows.rows[:_MOST_ROWS]]
            header = [printable(name) for name in rows.header]
            out.print(table(rows.title, header, shown, rows.right))
            if len(rows.rows) > _MOST_ROWS:
                out.print(f"... and {len(rows.rows) - _MOST_ROWS:,} more; --json has all.")


def printable(text: str) -> str:
    r"""Put question marks for what is not visible: names in a file could steer a terminal.

    Examples
    --------
    >>> printable("fc1\x1b[2J")
    'fc1?[2J'
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def sample_shape(shape: Sequence[int] | None) -> str:
    """``"(batch, 3)"``."""
    return "?" if shape is None else f"(batch, {', '.join(map(str, shape))})"


def number(value: Any) -> str:
    """Four digits of a number; whole numbers with all of theirs."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def finite(value: Any) -> Any:
    """A number as JSON can hold it: None for infinity and NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
