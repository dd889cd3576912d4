"""Documents in the terminal: as plain text, and the same words in colour through rich."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chainrule.errors import optional_package
from chainrule.explain.document import Block, Document
from chainrule.explain.forms.layout import INDENT, lines_of

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

# Every terminal has these sixteen colours, in a light theme and in a dark one.
_STYLES = {
    "title": "bold",
    "heading": "bold cyan",
    "normal": "",
    "quiet": "dim",
    "good": "green",
    "bad": "red",
    "left": "bold",
    "equals": "dim",
    "value": "green",
    "guide": "dim",
}
_WIDEST = 120  # longer lines are hard to read


def to_text(document: Document | Block, width: int = 80) -> str:
    """Write a document, or one block of it, as plain text.

    Parameters
    ----------
    document : Document or Block
    width : int, default 80
        Longest line, in characters; at least 20.

    Raises
    ------
    InvalidSetting
        When the width is no whole number of at least 20.
    """
    written = (
        " " * (INDENT * line.depth) + "".join(text for _, text in line.spans)
        for line in lines_of(document, width)
    )
    return "\n".join(line.rstrip() for line in written)


class InColour:
    """A document for ``rich.print`` and rich's consoles, in their width.

    Parameters
    ----------
    document : Document or Block
    """

    def __init__(self, document: Document | Block) -> None:
        self.document = document

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines; what stands in sections has a line at its left, like a tree."""
        text = optional_package("rich.text", "Colour in the terminal").Text
        for line in lines_of(self.document, min(options.max_width, _WIDEST)):
            guide = ("│" + " " * (INDENT - 1)) * line.depth
            spans = [(words, _STYLES[role]) for role, words in line.spans]
            yield text.assemble((guide, _STYLES["guide"]), *spans, no_wrap=True)
