"""Expressions as LaTeX, for amsmath, MathJax and KaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from chainrule.explain.expression import Expression, Name, Number
from chainrule.explain.forms.latex_words import GREEK, in_latex
from chainrule.explain.forms.looks import Look
from chainrule.explain.forms.notation import Notation
from chainrule.explain.forms.numbers import Digits, digits_of
from chainrule.explain.forms.printer import Level
from chainrule.explain.symbols import LOSS, Symbol, symbol_of

_SIGNS = {"<=": r"\le", ">=": r"\ge"}
_SPECIAL = {"inf": r"\infty", "nan": r"\mathrm{NaN}"}


def formula_in_latex(expression: Expression) -> str:
    r"""Write an expression as LaTeX.

    >>> from chainrule.explain.reading import read
    >>> print(formula_in_latex(read("x @ weights + bias", (0,))))
    x_{1} W_{1} + b_{1}
    """
    return LatexPrinter().show(expression)


class LatexPrinter(Notation):
    """LaTeX with the commands of amsmath.

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

    def number(self, number: Number) -> str:
        return self.digits(digits_of(number))

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
        written = self._without_derivative(symbol)
        if not symbol.is_derivative:
            return written
        return rf"\frac{{\partial {self._without_derivative(LOSS)}}}{{\partial {written}}}"

    def _without_derivative(self, symbol: Symbol) -> str:
        if symbol.is_word:
            letter = rf"\text{{{in_latex(symbol.letter)}}}"
        else:
            letter = GREEK.get(symbol.letter, in_latex(symbol.letter))
        if symbol.hat:
            letter = rf"\hat{{{letter}}}"
        subscript = f"_{{{symbol.subscript}}}" if symbol.subscript else ""
        index = "" if symbol.index is None else f"[{', '.join(map(str, symbol.index))}]"
        return f"{letter}{subscript}{chr(39) * symbol.prime}{index}"

    def derivative(self, of: Name, by: Name) -> str:
        top, bottom = self.show(of, Level.ATOM), self.show(by, Level.ATOM)
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"

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
