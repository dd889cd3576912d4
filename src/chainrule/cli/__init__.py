"""The command line: ``chainrule demo``, ``train``, ``predict`` and ``explain``."""

from __future__ import annotations

import sys

from chainrule.errors import MissingPackage, optional_package


def main() -> None:
    """Run the command line; without its packages, say in one sentence how to get them."""
    try:
        for package in ("typer", "rich"):
            optional_package(package, "The command line")
    except MissingPackage as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    # Only now: everything behind this line is built on those packages.
    from chainrule.cli.app import app

    app(prog_name="chainrule")
