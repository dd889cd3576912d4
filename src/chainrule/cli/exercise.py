"""``chainrule exercise``: gaps to fill in, bugs to find, and what checks them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.checks import shown
from chainrule.cli.exercise_bug import bug_app
from chainrule.cli.exercise_output import finish, write_new
from chainrule.cli.terminal import console, table
from chainrule.errors import ChainruleError, InvalidSetting
from chainrule.exercises import hints
from chainrule.exercises.check import check as check_file
from chainrule.exercises.check import exercise_of, read_text
from chainrule.exercises.definitions import EXERCISES, named
from chainrule.exercises.verdict import Verdict

exercise = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Write the pieces of a network yourself, and have them checked.",
)
exercise.add_typer(bug_app, name="bug")


@exercise.command("list")
def list_exercises() -> None:
    """List the exercises, from the first to the last."""
    rows = [[one.name, one.title] for one in EXERCISES.values()]
    out = console()
    out.print(table("Exercises", ["name", "what it is about"], rows))
    out.print("Begin with: chainrule exercise start feedforward", soft_wrap=True)


@exercise.command("start")
def start(
    name: Annotated[str, typer.Argument(metavar="NAME", help="From chainrule exercise list.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write; NAME.py without it.")
    ] = None,
) -> None:
    """Write the file of an exercise, with its gap."""
    chosen = named(name)
    path = write_new(output or Path(chosen.file_name), chosen.text)
    out = console()
    out.print(f"{path}: {chosen.title}.", soft_wrap=True)
    out.print(f"Read it, fill in the gap, then: chainrule exercise check {path}", soft_wrap=True)


@exercise.command("check")
def check(
    names: Annotated[
        list[str],
        typer.Argument(metavar="[NAME] FILE", help="The exercise (may be left out), your file."),
    ],
    hint: Annotated[
        bool, typer.Option("--hint", help="Also give a hint; each time a more specific one.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one object of JSON.")] = False,
) -> None:
    """Check a filled file. Exit status: 0 right, 1 wrong, 2 could not be checked."""
    try:
        if len(names) > 2:
            raise InvalidSetting(
                f"Received {len(names)} arguments ({shown(names)}); expected [NAME] FILE."
            )
        path, name = Path(names[-1]), names[0] if len(names) == 2 else None
        verdict = check_file(path, name)
        told: str | None = None
        if verdict.verdict == "correct":
            hints.forget(path)
        elif hint:
            chosen = named(name) if name else exercise_of(path, read_text(path))
            told = hints.next_hint(chosen, path)
    except ChainruleError as error:
        verdict, told = Verdict("unchecked", str(error), "unusable"), None
    finish(verdict, json=json, hint=told)
