"""Documents as Markdown with LaTeX between dollar signs, as GitHub and Jupyter show it."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
from chainrule.explain.expression import Expression
from chainrule.explain.forms.equations import lines_in_latex
from chainrule.explain.forms.latex_formula import LatexPrinter
from chainrule.explain.forms.words import cell, number_columns, sentence, set_out, with_code

_ESCAPED = str.maketrans(
    {
        **{character: f"\\{character}" for character in "\\`*_{}[]|~$#"},
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)
_DEEPEST_HEADING = 6


class _Printer(LatexPrinter):
    """LaTeX without what Markdown would take for its own: two backslashes, < and >."""

    line_end = r"\cr"
    signs = {**LatexPrinter.signs, "<": r"\lt", ">": r"\gt"}


def to_markdown(document: Document | Block) -> str:
    """Write a document, or one block of it, as Markdown."""
    if not isinstance(document, Document):
        return _block(document, 0) + "\n"
    return "\n\n".join([f"# {_escaped(document.title)}", *_blocks(document.blocks, 0)]) + "\n"


def _blocks(blocks: Sequence[Block], depth: int) -> list[str]:
    return [_block(block, depth) for block in blocks]


def _block(block: Block, depth: int) -> str:
    match block:
        case Text(words) if set_out(words):
            return "\n".join(f"    {line}" for line in set_out(words))
        case Text(words):
            return _not_a_list(_sentence(words))
        case Equation():
            return _equation(block)
        case Table():
            return _table(block)
        case Picture(_, description):
            return f"*{_escaped(f'[{description}]')}*"
        case Section(title, blocks):
            marks = "#" * min(depth + 2, _DEEPEST_HEADING)
            return "\n\n".join([f"{marks} {_sentence(title)}", *_blocks(blocks, depth + 1)])


def _escaped(words: str) -> str:
    return " ".join(words.translate(_ESCAPED).split("\n"))


def _words(words: str) -> str:
    return with_code(words, _escaped, lambda code: f"`` {code} ``")


def _sentence(words: Sequence[Words]) -> str:
    return sentence(words, _words, _inline)


def _not_a_list(paragraph: str) -> str:
    """Keep a paragraph that begins with a number or a dash from becoming a list."""
    return re.sub(r"^(\d+)([.)])|^([-+=])", r"\1\\\2\3", paragraph)


def _inline(expression: Expression) -> str:
    return f"${_Printer(in_words=True).show(expression)}$"


def _equation(equation: Equation) -> str:
    lines = lines_in_latex(equation, _Printer())
    if len(lines) == 1:
        return f"$$\n{lines[0].replace('&= ', '= ', 1)}\n$$"
    joined = f" {_Printer.line_end}\n".join(lines)
    return f"$$\n\\begin{{aligned}}\n{joined}\n\\end{{aligned}}\n$$"


def _table(table: Table) -> str:
    lines = [
        [_escaped(heading) for heading in table.headings],
        ["---:" if right else "---" for right in number_columns(table)],
        *(
            [cell(content, _escaped, _inline, _Printer().cell) for content in row]
            for row in table.rows
        ),
    ]
    written = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{_escaped(table.caption)}\n\n{written}" if table.caption else written
