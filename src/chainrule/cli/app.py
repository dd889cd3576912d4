"""Which commands there are, and how their errors are told."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import chainrule
from chainrule.cli.check import check
from chainrule.cli.demo import demo
from chainrule.cli.eject import eject
from chainrule.cli.explain import explain
from chainrule.cli.predict import predict
from chainrule.cli.terminal import print_error
from chainrule.cli.train import train
from chainrule.errors import ChainruleError


class ErrorsAsSentences(TyperGroup):
    """Tells what a person did wrong in one sentence; only chainrule's own bugs show a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ChainruleError as error:
            print_error(str(error))
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=ErrorsAsSentences,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(train)
app.command()(predict)
app.command()(check)
app.command()(explain)
app.command()(eject)


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
