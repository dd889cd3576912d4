"""Which commands there are, and how their errors are told."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

import chainrule
from chainrule.cli.terminal import print_error
from chainrule.errors import ChainruleError

# Each command stands in the file of its name: a function of its name, or a Typer app with several.
COMMANDS = (
    "demo", "train", "tune", "predict", "explain", "check", "inspect", "eject", "export", "exercise"
)  # fmt: skip


class Commands(TyperGroup):
    """Loads a command when it is called, and tells what a person did wrong in one sentence.

    Only chainrule's own bugs show a traceback.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands, in the order of ``--help``."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command: the others would cost more time than most of them take."""
        if cmd_name not in COMMANDS:
            for known in COMMANDS:  # of which the nearest is suggested
                self.get_command(ctx, known)
            return None
        if cmd_name not in self.commands:
            found = getattr(importlib.import_module(f"chainrule.cli.{cmd_name}"), cmd_name)
            if not isinstance(found, typer.Typer):  # which would have commands of its own
                function, found = found, typer.Typer(**STYLE)
                found.command(cmd_name)(function)
            self.commands[cmd_name] = get_command(found)
        return self.commands[cmd_name]

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ChainruleError as error:
            print_error(str(error))
            raise typer.Exit(1) from error


STYLE: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(cls=Commands, no_args_is_help=True, **STYLE)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"chainrule {chainrule.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Neural networks from scratch that you can see all the way through."""
    for stream in (sys.stdout, sys.stderr):
        # Where the terminal cannot show a character, a question mark is better than an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
