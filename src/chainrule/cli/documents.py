"""Printing explanations: in colour in a terminal, as plain text everywhere else."""

from __future__ import annotations

from rich.console import Console

from chainrule.explain.document import Document
from chainrule.explain.forms.terminal import InColour, to_text

_WIDTH = 100  # of plain text, which no window wraps


def print_document(out: Console, document: Document) -> None:
    """Print a document."""
    if out.is_terminal:
        out.print(InColour(document))
    else:
        out.print(to_text(document, _WIDTH), soft_wrap=True)
