"""What all commands print with: tables, a small graph, one red sentence for an error."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from chainrule.errors import optional_package
from chainrule.layer import Array

PICTURES = (".png", ".svg")  # what chainrule.plots.save can write

_WIDE = 10_000
_GRAPH_SIZE = (72, 13)


def console(*, error: bool = False, quiet: bool = False) -> Console:
    """Return what to print with: in a terminal with colours and in its width, in a pipe plain."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else _WIDE  # nothing in a file or pipe is cut or wrapped
    return Console(
        stderr=error, quiet=quiet, width=width, highlight=False, markup=False, emoji=False
    )


def print_error(sentence: str) -> None:
    """Print one red sentence on stderr."""
    console(error=True).print(f"Error: {sentence}", style="red", soft_wrap=True)


def table(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
) -> Group:
    """Lay out rows of text under a title; the columns numbered in ``right`` stand to the right."""
    laid_out = Table(box=SIMPLE_HEAD)
    for number, name in enumerate(header):
        laid_out.add_column(Text(name), justify="right" if number in right else "left")
    for row in rows:
        laid_out.add_row(*map(Text, row))
    return Group(Text(title, style="bold"), laid_out)


def loss_graph(losses: Array) -> str:
    """Draw the loss over the iterations with characters, by plotext."""
    figure = optional_package("plotext", "The graph in the terminal").figure
    width, height = _GRAPH_SIZE
    iterations = np.arange(1, len(losses) + 1)
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    marker = "braille" if _shows("⠿") else "*"
    figure.draw(figure.signal(iterations.tolist(), losses.tolist(), marker=marker).lines())
    ticks = np.unique(np.linspace(0, len(losses), 6).round().astype(int).clip(1)).tolist()
    figure.ruler("x").ticks(ticks, [f"{tick:,}" for tick in ticks])
    figure.title("loss over iterations")
    drawn: str = figure.build().string(True)
    return "\n".join(line.rstrip() for line in drawn.splitlines())


def shorten(names: Sequence[str], at_most: int = 16) -> list[str]:
    """Cut long names; those that become the same get their number."""
    cut = [name if len(name) <= at_most else name[: at_most - 3] + "..." for name in names]
    return [
        f"{name} {n}" if cut.count(name) > 1 else name
        for n, name in zip(itertools.count(1), cut, strict=False)
    ]


def _shows(character: str) -> bool:
    try:
        character.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
