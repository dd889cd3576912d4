"""What the exercise commands write and print, and the exit status they leave with."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import NoReturn

import typer

from chainrule.cli.terminal import console
from chainrule.errors import InvalidSetting
from chainrule.exercises import Verdict
from chainrule.files import write_atomically


def write_new(path: Path, text: str) -> Path:
    """Write a file for a learner; never over one that is there, which may hold work.

    Raises
    ------
    InvalidSetting
    """
    if path.is_symlink() or path.exists():
        raise InvalidSetting(
            f"{path} is there already and may hold your work. Choose another name with --output, "
            "or remove it."
        )
    return write_atomically(path, text.encode())


def finish(verdict: Verdict, *, json: bool, hint: str | None = None) -> NoReturn:
    """Print a verdict and leave: 0 right, 1 wrong, 2 could not be checked."""
    out = console()
    if json:
        content = {**json_format.loads(verdict.to_json()), **({"hint": hint} if hint else {})}
        print(json_format.dumps(content, ensure_ascii=False))
    else:
        style = {"correct": "green", "wrong": "red"}.get(verdict.verdict, "yellow")
        first, _, rest = verdict.message.partition("\n")
        out.print(first, style=style, soft_wrap=True)
        if rest:
            out.print(rest, soft_wrap=True)
        if hint:
            out.print(f"\n{hint}", soft_wrap=True)
    raise typer.Exit(verdict.exit_status)
