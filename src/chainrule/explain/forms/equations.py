r"""Equations in LaTeX: steps one below the other, long ones in several lines."""

from __future__ import annotations

from chainrule.explain.document import Equation
from chainrule.explain.expression import Expression
from chainrule.explain.forms.latex_formula import LatexPrinter
from chainrule.explain.forms.latex_words import in_latex
from chainrule.explain.forms.text import TextPrinter, to_text
from chainrule.explain.forms.wrapping import width_of

_LONGEST_LINE = 62  # characters that the formula has as text: about the width of a page


def lines_in_latex(equation: Equation, printer: LatexPrinter) -> list[str]:
    """Write an equation as the lines of ``aligned``, without what ends them."""
    left = printer.show(equation.left)
    longest = _LONGEST_LINE - width_of(to_text(equation.left))
    lines = []
    for step in equation.steps:
        first, *others = _lines(step, printer, longest)
        lines.append(f"{left} &= {first}")
        lines += [rf"&\quad {{}}{line.lstrip()}" for line in others]
        left = ""
    if not lines:
        lines.append(left)
    if equation.note:
        lines[0] += rf" \qquad \text{{{in_latex(equation.note)}}}"
    return [line.strip() for line in lines]


def _lines(expression: Expression, printer: LatexPrinter, longest: int) -> list[str]:
    lines, width = [""], 0
    pieces = zip(printer.pieces(expression), TextPrinter().pieces(expression), strict=True)
    for piece, as_text in pieces:
        if width and width + width_of(as_text) > longest:
            lines.append("")
            width = 0
        lines[-1] += piece
        width += width_of(as_text)
    return lines
