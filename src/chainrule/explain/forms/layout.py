"""Documents laid out in lines of a given width.

A line consists of spans, each with the role it plays. ``chainrule.explain.forms.terminal`` joins
them to plain text or gives the roles their colours, so that both say the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from chainrule import checks
from chainrule.explain.document import (
    Block,
    Document,
    Equation,
    Picture,
    Section,
    Table,
    Text,
    Words,
)
from chainrule.explain.forms.columns import fitted
from chainrule.explain.forms.text import number_in_text, to_text
from chainrule.explain.forms.words import (
    cell,
    is_value,
    number_columns,
    sentence,
    set_out,
    with_code,
)
from chainrule.explain.forms.wrapping import GLUE, width_of, wrap_formula, wrap_sentence

Spans: TypeAlias = list[tuple[str, str]]

_NARROWEST = 20
INDENT = 2


@dataclass(frozen=True)
class Line:
    """One line of a document.

    Attributes
    ----------
    depth : int
        In how many sections it stands.
    spans : list of (role, text)
        Roles: "title", "heading", "normal", "quiet", "good", "bad", "left", "equals", "value".
    """

    depth: int
    spans: Spans


def lines_of(document: Document | Block, width: int) -> list[Line]:
    """Lay a document, or one block of it, out in lines no wider than ``width``.

    Raises
    ------
    InvalidSetting
        When the width is no whole number of at least 20.
    """
    width = checks.whole_number("width", width, at_least=_NARROWEST)
    if not isinstance(document, Document):
        return list(_block(document, 0, width))
    title = wrap_sentence(document.title, width)
    lines = [Line(0, [("title", text)]) for text in title]
    lines.append(Line(0, [("title", "═" * max(map(width_of, title)))]))
    return [*lines, Line(0, []), *_blocks(document.blocks, 0, width)]


def _blocks(blocks: Sequence[Block], depth: int, width: int) -> Iterator[Line]:
    if blocks:
        yield from _block(blocks[0], depth, width)
    for before, block in pairwise(blocks):
        if not (_is_short(before) and _is_short(block)):
            yield Line(0, [])
        yield from _block(block, depth, width)


def _is_short(block: Block) -> bool:
    """Whether a block stands in a list with its neighbours, with no empty line between."""
    return isinstance(block, Equation) and len(block.steps) <= 1


def _block(block: Block, depth: int, width: int) -> Iterator[Line]:
    room = width - INDENT * depth
    match block:
        case Text(words, tone) if set_out(words):
            for line in set_out(words):
                for part in wrap_formula(line, room - INDENT):
                    yield Line(depth, [(tone, " " * INDENT + part)])
        case Text(words, tone):
            for line in wrap_sentence(_in_words(words), room):
                yield Line(depth, [(tone, line)])
        case Equation():
            for spans in _equation(block, room):
                yield Line(depth, spans)
        case Table():
            yield from (Line(depth, spans) for spans in _table(block, room))
        case Picture(_, description):
            for line in wrap_sentence(f"[{description}]", room):
                yield Line(depth, [("quiet", line)])
        case Section(title, blocks):
            shown = wrap_sentence(_in_words(title), room)
            for line in shown:
                yield Line(depth, [("heading", line)])
            if depth == 0:
                yield Line(depth, [("heading", "─" * max(map(width_of, shown)))])
            deepest = width // 2 // INDENT  # half a line is left for the words
            yield from _blocks(blocks, min(depth + 1, deepest), width)


def _without_marks(words: str) -> str:
    return with_code(words, str, lambda code: code.replace(" ", GLUE))


def _in_words(words: Sequence[Words]) -> str:
    return sentence(
        words, _without_marks, lambda expression: to_text(expression).replace(" ", GLUE)
    )


def _equation(equation: Equation, room: int) -> Iterator[Spans]:
    """Steps one below the other, aligned at their signs; after a long left side they get room."""
    left = to_text(equation.left)
    if not equation.steps:
        yield from _with_note(
            [[("left", line)] for line in wrap_formula(left, room)], equation, room
        )
        return
    margin = width_of(left) + 1
    is_beside = margin <= room // 3
    if not is_beside:
        margin = INDENT
        for line in wrap_formula(left, room):
            yield [("left", line)]
    lines: list[Spans] = []
    for number, step in enumerate(equation.steps):
        role = "value" if is_value(equation, step) else "normal"
        wrapped = wrap_formula(to_text(step), room - margin - 2)
        for place, text in enumerate(wrapped):
            is_first = number == 0 and place == 0
            before = ("left", f"{left} ") if is_first and is_beside else ("left", " " * margin)
            lines.append([before, ("equals", "= " if place == 0 else "  "), (role, text)])
    yield from _with_note(lines, equation, room)


def _with_note(lines: list[Spans], equation: Equation, room: int) -> Iterator[Spans]:
    """Put the note behind the first line, or where it does not fit below the last."""
    if not equation.note:
        yield from lines
        return
    used = sum(width_of(text) for _, text in lines[0])
    if used + 3 + width_of(equation.note) <= room:
        yield [*lines[0], ("quiet", f"   {equation.note}")]
        yield from lines[1:]
        return
    yield from lines
    for line in wrap_sentence(equation.note, room - INDENT):
        yield [("quiet", " " * INDENT + line)]


def _table(table: Table, room: int) -> Iterable[Spans]:
    if table.caption:
        yield from ([("quiet", line)] for line in wrap_sentence(table.caption, room))
    rows = [[cell(content, str, to_text, number_in_text) for content in row] for row in table.rows]
    for line, is_heading in fitted(table.headings, rows, number_columns(table), room):
        yield [("heading" if is_heading else "normal", line)]
