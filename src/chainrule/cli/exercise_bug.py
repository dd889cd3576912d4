"""``chainrule exercise bug``: a network with one wrong line to find."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.exercise_output import finish, write_new
from chainrule.cli.terminal import console
from chainrule.errors import ChainruleError, InvalidSetting
from chainrule.exercises.bugs.check import check as check_file
from chainrule.exercises.bugs.hunt import make
from chainrule.exercises.verdict import Verdict

bug_app = typer.Typer(rich_markup_mode=None)


@bug_app.callback(invoke_without_command=True)
def bug(
    context: typer.Context,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Which network: 0, 1, 2, ...", min=0)
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write; bug_N.py without it.")
    ] = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="Tell where the bug is, and write nothing.")
    ] = False,
) -> None:
    """Write a network with one wrong line (--seed N); check a mended one (check FILE)."""
    if context.invoked_subcommand is not None:
        return
    if seed is None:
        raise InvalidSetting(
            "Which network? Choose a number: chainrule exercise bug --seed 1. To check a mended "
            "one: chainrule exercise bug check FILE."
        )
    hunt = make(seed)
    out = console()
    if solution:
        out.print(hunt.solution, soft_wrap=True)
        return
    path = write_new(output or Path(hunt.file_name), hunt.text)
    out.print(f"{path}: one line is wrong. Find it and mend it, then:", soft_wrap=True)
    out.print(f"chainrule exercise bug check {path}", soft_wrap=True)


@bug_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The mended network.")],
    json: Annotated[bool, typer.Option("--json", help="Print one object of JSON.")] = False,
) -> None:
    """Check a mended network. Exit status: 0 right, 1 wrong, 2 could not be checked."""
    try:
        verdict = check_file(file)
    except ChainruleError as error:
        verdict = Verdict("unchecked", str(error), "unusable")
    finish(verdict, json=json)
