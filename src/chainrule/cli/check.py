"""``chainrule check``: what is wrong in a network that somebody wrote from scratch?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.checker import Verdict
from chainrule.checker import check as check_file
from chainrule.cli.terminal import console

_COLOURS = {"correct": "green", "wrong": "red", "unchecked": "yellow"}


def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A Python file (.py) or notebook (.ipynb).")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the wrong factor in a network that you wrote yourself.

    The exit status is 0 for a correct network, 1 for a wrong one, 2 where it cannot be checked.
    """
    verdict = check_file(file)
    if json:
        print(verdict.to_json())
    else:
        _print(verdict)
    raise typer.Exit(verdict.exit_status)


def _print(verdict: Verdict) -> None:
    out = console()
    first, *rest = verdict.message.splitlines()
    out.print(first, style=_COLOURS[verdict.verdict])
    for line in rest:
        out.print(line, soft_wrap=True)
