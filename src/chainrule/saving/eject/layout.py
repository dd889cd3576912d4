"""Statements in lines as ruff format would break them, so that it leaves a module as it is."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence

from chainrule.explain.expression import (
    Call,
    Cases,
    Expression,
    Product,
    Quotient,
    Sum,
)
from chainrule.saving.eject.code import Printer

WIDTH = 88  # of a line: ruff's default
INDENT = "    "

_FACTORS = " * ", " / ", " @ "
_CALL = re.compile(r"[\w.]+\(")


def statement(start: str, printer: Printer, expression: Expression, depth: int = 1) -> list[str]:
    """Write ``start`` and the expression, in several lines where one is too long.

    Parameters
    ----------
    start : str
        ``"return "`` or ``"name = "``.
    depth : int
        How far the statement is indented.
    """
    text = printer.text(expression)
    line = start + text
    if _fits(line, depth):
        return [line]
    if _operators(expression, text) == 1 and line.endswith(")"):
        opening = _opening(line)
        if _fits(line[: opening + 1], depth) and _fits(line[opening + 1 : -1], depth + 1):
            return [line[: opening + 1], INDENT + line[opening + 1 : -1], ")"]
        first = _first_call(line, len(start))
        if first and all(map(_fits, first, (depth, depth + 1, depth))):
            return [first[0], INDENT + first[1], first[2]]
    match expression:
        case Call() | Cases():
            return call_lines(line, depth)
        case Sum(terms):
            pieces = printer.terms(terms)
        case _:
            pieces = _split_at(text, _FACTORS)
    inner = [text] if _fits(text, depth + 1) else [piece.strip() for piece in pieces]
    return [f"{start}(", *indented(inner), ")"]


def call_lines(line: str, depth: int) -> list[str]:
    """Lay out a statement that ends in a call, its arguments on lines of their own if need be."""
    if _fits(line, depth):
        return [line]
    opening = _opening(line)
    arguments = line[opening + 1 : -1]
    if _fits(arguments, depth + 1):
        return [line[: opening + 1], INDENT + arguments, ")"]
    listed = [f"{INDENT}{argument}," for argument in _split_at(arguments, (", ",))]
    return [line[: opening + 1], *listed, ")"]


def docstring(text: str, depth: int = 1) -> list[str]:
    """Write a docstring; what it holds can neither end it nor be taken for an escape."""
    safe = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    width = WIDTH - len(INDENT) * depth
    paragraphs = [
        paragraph if paragraph.startswith(INDENT) else textwrap.fill(paragraph, width - 6)
        for paragraph in safe.split("\n\n")
    ]
    lines = "\n\n".join(paragraphs).split("\n")
    if len(lines) == 1:
        space = " " if safe.endswith('"') else ""
        return [f'"""{lines[0]}{space}"""']
    return [f'"""{lines[0]}', *lines[1:], '"""']


def indented(lines: Sequence[str], depth: int = 1) -> list[str]:
    """Indent lines; empty ones stay empty."""
    return [INDENT * depth + line if line else "" for line in lines]


def wrapped(start: str, text: str, depth: int) -> list[str]:
    """Lay out a statement, in brackets where it is too long for one line."""
    line = start + text
    return [line] if _fits(line, depth) else [f"{start}(", INDENT + text, ")"]


def _operators(expression: Expression, text: str) -> int:
    """How many operators bind most loosely: ruff breaks a line after the last of one alone."""
    match expression:
        case Sum(terms):
            return len(terms) - 1
        case Product() | Quotient():
            return len(_split_at(text, _FACTORS)) - 1
    return 0


def _opening(line: str) -> int:
    """Where the bracket opens that closes at the end of the line."""
    inside = 0
    for place in range(len(line) - 1, -1, -1):
        inside += (line[place] in ")]}") - (line[place] in "([{")
        if not inside:
            return place
    return 0


def _first_call(line: str, start: int) -> list[str]:
    """Cut a line that begins with a call: up to its bracket, what is inside, and what follows."""
    called = _CALL.match(line, start)
    if called is None:
        return []
    opening = called.end() - 1
    depths = itertools.accumulate((c in "([{") - (c in ")]}") for c in line[opening:])
    closing = opening + next(place for place, depth in enumerate(depths) if not depth)
    return [line[: opening + 1], line[opening + 1 : closing], line[closing:]]


def _fits(line: str, depth: int) -> bool:
    return len(line) + len(INDENT) * depth <= WIDTH


def _split_at(text: str, separators: tuple[str, ...]) -> list[str]:
    """Cut at separators outside of all brackets; an operator begins its piece."""
    pieces, start, inside = [], 0, 0
    for place, character in enumerate(text):
        inside += (character in "([{") - (character in ")]}")
        found = next((s for s in separators if text.startswith(s, place)), None)
        if not inside and found:
            pieces.append(text[start:place])
            start = place + (len(found) if found == ", " else 0)
    return [*pieces, text[start:]]
