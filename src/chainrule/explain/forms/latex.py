r"""Documents as LaTeX: to be put into another document, or whole. amsmath is all they need."""

from __future__ import annotations

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
from chainrule.explain.forms.latex_formula import LatexPrinter, formula_in_latex
from chainrule.explain.forms.latex_words import in_latex
from chainrule.explain.forms.words import cell, number_columns, sentence

_HEADINGS = (r"\section*", r"\subsection*", r"\subsubsection*", r"\paragraph*")
_ROWS_ON_A_PAGE = 40

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage{amsmath}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6em}
"""


def to_latex(document: Document | Block, *, whole: bool = False) -> str:
    """Write a document, or one block of it, as LaTeX.

    Parameters
    ----------
    document : Document or Block
    whole : bool, default False
        With preamble, title and end, so that it compiles by itself.
    """
    if isinstance(document, Document):
        body, title = _blocks(document.blocks, 0), in_latex(document.title)
    else:
        body, title = _block(document, 0), ""
    if whole:
        head = f"{_PREAMBLE}\\title{{{title}}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle\n"
        return f"{head}\n{body}\n\n\\end{{document}}\n"
    return f"\\section*{{{title}}}\n\n{body}\n" if title else f"{body}\n"


def _blocks(blocks: Sequence[Block], depth: int) -> str:
    return "\n\n".join(_block(block, depth) for block in blocks)


def _block(block: Block, depth: int) -> str:
    match block:
        case Text(words, tone):
            written = _sentence(words)
            return f"{{\\small {written}\\par}}" if tone == "quiet" else written
        case Equation():
            return _equation(block)
        case Table():
            return _table(block)
        case Picture(_, description):
            return f"\\emph{{[{in_latex(description)}]}}"
        case Section(title, blocks):
            heading = _HEADINGS[min(depth, len(_HEADINGS) - 1)]
            return f"{heading}{{{_sentence(title)}}}\n\n{_blocks(blocks, depth + 1)}".rstrip()


def _sentence(words: Sequence[Words]) -> str:
    return sentence(words, in_latex, _inline)


def _inline(expression: Expression) -> str:
    return f"${formula_in_latex(expression)}$"


def _equation(equation: Equation) -> str:
    lines = lines_in_latex(equation, LatexPrinter())
    if len(lines) == 1:
        return f"\\[\n{lines[0].replace('&= ', '= ', 1)}\n\\]"
    joined = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{joined}\n\\end{{align*}}"


def _table(table: Table) -> str:
    kinds = "".join("r" if right else "l" for right in number_columns(table))
    heading = " & ".join(f"\\textbf{{{in_latex(text)}}}" for text in table.headings)
    rows = [
        " & ".join(cell(content, in_latex, _inline, LatexPrinter().cell) for content in row)
        for row in table.rows
    ]
    parts = [
        "\n".join(
            [
                f"\\begin{{tabular}}{{{kinds}}}",
                f"{heading} \\\\ \\hline",
                *(f"{row} \\\\" for row in rows[start : start + _ROWS_ON_A_PAGE]),
                "\\end{tabular}",
            ]
        )
        for start in range(0, max(len(rows), 1), _ROWS_ON_A_PAGE)
    ]
    caption = f"{in_latex(table.caption)}\n\n" if table.caption else ""
    return caption + "\n\n".join(parts)
