"""Expressions as LaTeX, for amsmath, MathJax and KaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from chainrule.explain.expression import Expression, Name, Number
from chainrule.explain.forms.latex_words import GREEK, in_latex
from chainrule.explain.forms.looks import Look
from chainrule.explain.forms.notation import Notation
from chainrule.explain.forms.numbers import Digits, digits_of
from chainrule.explain.forms.printer import Level
from chainrule.explain.symbols import Symbol, symbol_of

_SIGNS = {"<=": r"\le", ">=": r"\ge"}
_HIGH = re.compile(r"\\(frac|sum|begin|sqrt|operatorname|left)|\^")  # needs taller parentheses
_ACCENTS = {"^": r"\hat", "~": r"\tilde"}
_SPECIAL = {"inf": r"\infty", "nan": r"\mathrm{NaN}"}


def formula_in_latex(expression: Expression) -> str:
    r"""Write an expression as LaTeX, without dollar signs.

    >>> from chainrule.explain.reading import read
    >>> print(formula_in_latex(read("x @ weights + bias", (0,))))
    x_{1} W_{1} + b_{1}
    """
    return LatexPrinter().show(expression)


class LatexPrinter(Notation):
    """LaTeX with the commands of amsmath.

    Parameters
    ----------
    in_words : bool, default False
        Whether it stands between words, where ∂L/∂z keeps its size on one line.

    Attributes
    ----------
    line_end : str
        What ends a line of cases.
    """

    stacks = True
    parentheses = (r"\bigl(", r"\bigr)")
    longest_exponent = 6
    line_end: ClassVar[str] = r"\\"
    signs: ClassVar[dict[str, str]] = _SIGNS

    def __init__(self, *, in_words: bool = False) -> None:
        self.in_words = in_words

    def number(self, number: Number) -> str:
        return self.digits(digits_of(number))

    def cell(self, digits: Digits) -> str:
        """Write a number for a cell: plain, unless it has a power of ten."""
        is_plain = digits.exponent is None and not digits.special
        return self.digits(digits) if is_plain else f"${self.digits(digits)}$"

    def digits(self, digits: Digits) -> str:
        """Write a rounded number."""
        sign = "-" if digits.is_negative else ""
        if digits.special:
            return sign + _SPECIAL[digits.special]
        if digits.exponent is None:
            return sign + digits.digits
        mantissa = rf"{digits.digits} \cdot " if digits.digits else ""
        return f"{sign}{mantissa}10^{{{digits.exponent}}}"

    def name(self, name: Name) -> str:
        symbol = symbol_of(name)
        written = _without_derivative(symbol)
        if symbol.is_derivative:
            written = self._change(_without_derivative(symbol.loss), written)
        return rf"\text{{clipped }} {written}" if symbol.is_clipped else written

    def derivative(self, of: Name, by: Name) -> str:
        return self._change(self.show(of, Level.ATOM), self.show(by, Level.ATOM))

    def _change(self, top: str, bottom: str) -> str:
        top, bottom = rf"\partial {top}", rf"\partial {bottom}"
        return f"{top} / {bottom}" if self.in_words else rf"\frac{{{top}}}{{{bottom}}}"

    def term(self, shown: str, *, is_negative: bool, is_first: bool) -> str:
        if is_first:
            return f"-{shown}" if is_negative else shown
        return f" - {shown}" if is_negative else f" + {shown}"

    def factor(self, shown: str, *, is_spaced: bool) -> str:
        return rf" \cdot {shown}"

    def quotient(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def exponential(self, exponent: str) -> str:
        return f"e^{{{exponent}}}"

    def matrix_product(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def transposed(self, of: str) -> str:
        return rf"{of}^{{\mathsf{{T}}}}"

    def bracketed(self, shown: str) -> str:
        if not _HIGH.search(shown):
            return f"({shown})"
        return rf"\left({shown}\right)"

    def bars(self, shown: str) -> str:
        return rf"\left\lvert {shown} \right\rvert"

    def root(self, shown: str) -> str:
        return rf"\sqrt{{{shown}}}"

    def between(self, arguments: Sequence[str], found: Look) -> str:
        return f" {found.latex} ".join(arguments)

    def sum_over(self, shown: str, found: Look) -> str:
        return f"{self._word(found)} {shown}"

    def function(self, found: Look, arguments: Sequence[str]) -> str:
        return f"{self._word(found)}{self.bracketed(', '.join(arguments))}"

    def _word(self, found: Look) -> str:
        word = found.latex or rf"\operatorname{{{in_latex(found.word)}}}"
        return rf"{word}_{{\text{{{found.over}}}}}" if found.over else word

    def comparison(self, left: str, sign: str, right: str) -> str:
        return f"{left} {self.signs.get(sign, sign)} {right}"

    def cases(self, cases: Sequence[tuple[str, str | None]]) -> str:
        rows = (
            rf"{value} & \text{{{'otherwise' if when is None else 'if '}}} {when or ''}".rstrip()
            for value, when in cases
        )
        return rf"\begin{{cases}} {f' {self.line_end} '.join(rows)} \end{{cases}}"

    def more(self, count: int) -> str:
        return rf"\cdots \text{{ ({count} more)}}"


def _without_derivative(symbol: Symbol) -> str:
    letter = _letter(symbol.letter)
    if symbol.accent:
        letter = rf"{_ACCENTS[symbol.accent]}{{{letter}}}"
    subscript = symbol.subscript
    if symbol.about:
        subscript = _letter(symbol.about) + (f"_{{{subscript}}}" if subscript else "")
    below = f"_{{{subscript}}}" if subscript else ""
    index = "" if symbol.index is None else f"[{', '.join(map(str, symbol.index))}]"
    return f"{letter}{below}{chr(39) * symbol.prime}{index}"


def _letter(letter: str) -> str:
    if letter in GREEK:
        return GREEK[letter]
    written = in_latex(letter)
    return written if len(letter) == 1 and written == letter else rf"\text{{{written}}}"
