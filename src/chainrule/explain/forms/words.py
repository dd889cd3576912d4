"""Sentences and cells: words, and expressions between them in the notation of the form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from numbers import Real

from chainrule.explain.document import Equation, Table, Words
from chainrule.explain.expression import Expression, Number
from chainrule.explain.forms.numbers import DIGITS_IN_TABLES, Digits, rounded

_STICKS_TO_WHAT_IS_BEFORE = tuple(".,;:!?)]%’")
_STICKS_TO_WHAT_FOLLOWS = ("(", "[")


def sentence(
    words: Sequence[Words],
    write: Callable[[str], str],
    show: Callable[[Expression], str],
) -> str:
    """Join words and expressions, with a space where neither side brings one.

    Parameters
    ----------
    words : sequence of str or Expression
    write, show : callable
        How the form writes plain words and expressions.
    """
    written = ""
    before = ""  # the words before, as they came; empty where a sentence begins
    for part in words:
        is_text = isinstance(part, str)
        text = part if isinstance(part, str) else "x"
        if before and text and not _joins(before, text):
            written += " "
        written += write(part) if isinstance(part, str) else show(part)
        before = text if is_text else "x"
    return written


def _joins(before: str, after: str) -> bool:
    return (
        before[-1].isspace()
        or after[0].isspace()
        or before.endswith(_STICKS_TO_WHAT_FOLLOWS)
        or after.startswith(_STICKS_TO_WHAT_IS_BEFORE)
    )


def with_code(words: str, write: Callable[[str], str], code: Callable[[str], str]) -> str:
    """Write words in which ``code`` stands between double backticks, as in docstrings."""
    parts = re.split("``(.+?)``", re.sub("::$", ":", words))
    return "".join(code(part) if place % 2 else write(part) for place, part in enumerate(parts))


def set_out(words: Sequence[Words]) -> list[str]:
    """Lines of a paragraph that is set out in a docstring, by four spaces; else none."""
    if len(words) != 1 or not isinstance(words[0], str):
        return []
    lines = words[0].split("\n")
    return [line[4:] for line in lines] if all(line[:4].isspace() for line in lines) else []


def cell(
    content: Words | float,
    write: Callable[[str], str],
    show: Callable[[Expression], str],
    number: Callable[[Digits], str],
) -> str:
    """Write one cell of a table; numbers to four digits."""
    if isinstance(content, str):
        return write(content)
    if isinstance(content, float | Real):
        return number(rounded(float(content), DIGITS_IN_TABLES))
    return show(content)


def number_columns(table: Table) -> list[bool]:
    """Which columns hold numbers alone, and so stand to the right."""
    return [
        bool(table.rows) and all(isinstance(row[column], Real) for row in table.rows)
        for column in range(len(table.headings))
    ]


def is_value(equation: Equation, step: Expression) -> bool:
    """Whether a step is the number that an equation ends in."""
    return step is equation.steps[-1] and isinstance(step, Number) and len(equation.steps) > 1
