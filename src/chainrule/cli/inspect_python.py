"""Modules that ``chainrule eject`` wrote: read as text, never run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from chainrule.cli.inspect_findings import Findings
from chainrule.errors import UnreadableFile

_MOST_BYTES = 50 * 2**20
_WRITTEN = "A neural network written out in NumPy"  # how their docstrings begin


def inspect_python(path: Path) -> Findings:
    """Take the docstring of an ejected module apart.

    Raises
    ------
    UnreadableFile
        When it is another Python file.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise UnreadableFile(
            f"{path} has more than {_MOST_BYTES:,} bytes; it is no ejected module."
        )
    try:
        text = path.read_text("utf-8")
        # Up to the first import stands all that is needed, and no numbers.
        docstring = ast.get_docstring(ast.parse(text.partition("\nimport ")[0])) or ""
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise UnreadableFile(
            f"{path} cannot be read as Python ({type(error).__name__}); expected a module that "
            "chainrule eject wrote."
        ) from error
    plain = " ".join(docstring.split())
    made = re.search(r" Made from .*? of chainrule ([^\s;]+)", plain)
    if not plain.startswith(_WRITTEN) or made is None:
        raise UnreadableFile(
            f"{path} is a Python file that chainrule eject did not write; chainrule check {path} "
            "looks into networks of your own."
        )
    shapes = dict(re.findall(r"^ +(x|layer \S+) +(\(batch.*?\))(?:  |$)", docstring, re.MULTILINE))
    layers = re.findall(r"^ +layer \S+ +\(batch.*?\)  (.+)$", docstring, re.MULTILINE)
    numbers = path.with_name(f"{path.stem}_numbers.npz")
    findings = Findings("ejected module", "a module of Python that chainrule eject wrote")
    findings.facts = {
        "docstring": docstring,
        "lines": len(text.splitlines()),
        "layers": layers,
        "shapes": shapes,
        "numbers_beside_it": numbers.name if numbers.name in text else None,
        "numbers_are_there": numbers.exists() if numbers.name in text else None,
        "version": made[1],
    }
    findings.sentences = [docstring, ""]
    findings.sentences.append(f"{len(text.splitlines()):,} lines, which were not run.")
    if numbers.name in text:
        there = "is there" if numbers.exists() else "is NOT there: it cannot run without"
        findings.sentences.append(f"Its weights stand in {numbers.name}, which {there}.")
    return findings
