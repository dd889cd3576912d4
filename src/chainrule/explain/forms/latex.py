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
from chainrule.explain.forms.words import cell, number_columns, sentence, set_out, with_code

_HEADINGS = (r"\section*", r"\subsection*", r"\subsubsection*", r"\paragraph*")
_ROWS_ON_A_PAGE = 40

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage{amsmath}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6em}
"""


def to_latex(shown: Document | Block | Expression, *, whole: bool = False) -> str:
    r"""Write a document, one block of it, or a formula as LaTeX.

    Parameters
    ----------
    shown : Document, Block or Expression
        A formula comes without dollar signs.
    whole : bool, default False
        With preamble, title and end, so that a document compiles by itself.

    Examples
    --------
    >>> from chainrule.explain.reading import read
    >>> print(to_latex(read("x @ weights + bias", (0,))))
    x_{1} W_{1} + b_{1}
    """
    match shown:
        case Document(title, blocks):
            body, title = _blocks(blocks, 0), in_latex(title)
        case Text() | Equation() | Table() | Picture() | Section():
            body, title = _block(shown, 0), ""
        case _:
            return formula_in_latex(shown)
    if whole:
        head = f"{_PREAMBLE}\\title{{{title}}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle\n"
        return f"{head}\n{body}\n\n\\end{{document}}\n"
    return f"\\section*{{{title}}}\n\n{body}\n" if title else f"{body}\n"


def _blocks(blocks: Sequence[Block], depth: int) -> str:
    return "\n\n".join(_block(block, depth) for block in blocks)


def _block(block: Block, depth: int) -> str:
    match block:
        case Text(words) if set_out(words):
            lines = (_line(in_latex(line).replace("  ", r"\ \ ")) for line in set_out(words))
            return "{\\ttfamily " + r" \\ ".join(lines) + r"\par}"
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


def _words(words: str) -> str:
    return with_code(words, in_latex, lambda code: rf"\texttt{{{in_latex(code)}}}")


def _sentence(words: Sequence[Words]) -> str:
    return sentence(words, _words, _inline)


def _inline(expression: Expression) -> str:
    return f"${LatexPrinter(in_words=True).show(expression)}$"


def _equation(equation: Equation) -> str:
    lines = lines_in_latex(equation, LatexPrinter())
    if len(lines) == 1:
        return f"\\[\n{lines[0].replace('&= ', '= ', 1)}\n\\]"
    joined = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{joined}\n\\end{{align*}}"


def _line(written: str) -> str:
    r"""Begin a line so that the end of the one before, two backslashes, takes none of it."""
    return f"{{}}{written}" if written.lstrip().startswith(("[", "*")) else written


def _table(table: Table) -> str:
    kinds = "".join("r" if right else "l" for right in number_columns(table))
    heading = " & ".join(f"\\textbf{{{in_latex(text)}}}" for text in table.headings)
    rows = [
        _line(" & ".join(cell(content, in_latex, _inline, LatexPrinter().cell) for content in row))
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
