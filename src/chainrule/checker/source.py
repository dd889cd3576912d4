"""A learner's file as text: a Python file, or the code cells of a notebook."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import UnreadableFile

_MAGIC = re.compile(r"^\s*[%!?]")


@dataclass(frozen=True)
class Source:
    """The Python of a learner's file.

    Attributes
    ----------
    path : Path
        Where it came from.
    text : str
        One Python program; of a notebook, its code cells after each other.
    """

    path: Path
    text: str

    @property
    def lines(self) -> list[str]:
        """The lines, the first of which is number 1 in every message."""
        return self.text.splitlines()

    def line(self, number: int) -> str:
        """Return a line by its number from 1, without its indentation."""
        lines = self.lines
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def parse(self) -> ast.Module:
        """Parse the text; raises ``SyntaxError`` (``ValueError`` for null bytes)."""
        return ast.parse(self.text)


def read(path: Path) -> Source:
    """Read a file.

    Raises
    ------
    UnreadableFile
        When it is absent, a folder, not text, or not a notebook though it is called one.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise UnreadableFile(
            f"{path} cannot be read ({reason}). Expected a Python file (.py) or notebook (.ipynb)."
        ) from error
    if path.suffix == ".ipynb":
        text = _code_of_notebook(path, text)
    return Source(path, text)


def _code_of_notebook(path: Path, text: str) -> str:
    try:
        cells = json.loads(text)["cells"]
        code = [_cell(cell) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFile(
            f"{path} is called a notebook but is not one (it holds no list of cells). Save it "
            "again from Jupyter."
        ) from error
    return "\n".join(code) + "\n"


def _cell(cell: Any) -> str:
    """One cell's code; what only Jupyter understands (``%matplotlib``) becomes ``pass``."""
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    if text.lstrip().startswith("%%"):
        return "\n".join("#" + line for line in text.split("\n"))
    # Empty lines at the end of a cell count too: "line 12" is the twelfth that Jupyter shows.
    return "\n".join(_MAGIC.sub("pass  # %", line, count=1) for line in text.split("\n"))
