"""Expressions as one line of Unicode text: ``x[0, 0]·W₁[0, 2] + b₁[2]``.

The minus sign is the hyphen that programs read, so that numbers can be copied.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from chainrule.explain.expression import Expression, Index, Name, Negative, Number
from chainrule.explain.forms.looks import Look
from chainrule.explain.forms.notation import Notation
from chainrule.explain.forms.numbers import Digits, digits_of
from chainrule.explain.forms.printer import Level
from chainrule.explain.symbols import Symbol, symbol_of

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_RAISED_SIGNS = set("⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_ACCENTS = {"": "", "^": "\u0302", "~": "\u0303"}
_SPECIAL = {"inf": "∞", "nan": "NaN"}
_SIGNS = {"<=": "≤", ">=": "≥"}


def to_text(expression: Expression) -> str:
    """Write an expression as one line of text.

    >>> from chainrule.explain.reading import read
    >>> to_text(read("x @ weights + bias", (0,)))
    'x₁ W₁ + b₁'
    >>> to_text(read("scale * (x - mean) / sqrt(variance + epsilon)", (1,)))
    'γ₂·(x₂ - μ₂)/√(v₂ + ε₂)'
    """
    return TextPrinter().show(expression)


def number_in_text(digits: Digits) -> str:
    """Write a number: ``-1.2346·10⁻⁷``."""
    sign = "-" if digits.is_negative else ""
    if digits.special:
        return sign + _SPECIAL[digits.special]
    if digits.exponent is None:
        return sign + digits.digits
    power = f"10{str(digits.exponent).translate(_RAISED)}"
    return f"{sign}{digits.digits}·{power}" if digits.digits else sign + power


def _without_derivative(symbol: Symbol) -> str:
    letter = unicodedata.normalize("NFC", symbol.letter + _ACCENTS[symbol.accent])
    about = symbol.about if symbol.about.isdecimal() or not symbol.about else f"_{symbol.about}"
    comma = "," if symbol.about.isdecimal() and symbol.subscript else ""
    subscript = f"{about}{comma}{symbol.subscript}".translate(_LOWERED)
    return f"{letter}{'′' * symbol.prime}{subscript}{index_in_text(symbol.index)}"


def index_in_text(index: Index | None) -> str:
    """Write an index as NumPy does: ``[0, 2]``."""
    return "" if index is None else f"[{', '.join(map(str, index))}]"


class TextPrinter(Notation):
    """Unicode in one line."""

    def number(self, number: Number) -> str:
        return number_in_text(digits_of(number))

    def name(self, name: Name) -> str:
        symbol = symbol_of(name)
        written = _without_derivative(symbol)
        if symbol.is_derivative:
            written = f"∂{_without_derivative(symbol.loss)}/∂{written}"
        return f"clipped {written}" if symbol.is_clipped else written

    def derivative(self, of: Name, by: Name) -> str:
        return f"∂{self.show(of, Level.ATOM)}/∂{self.show(by, Level.ATOM)}"

    def term(self, shown: str, *, is_negative: bool, is_first: bool) -> str:
        if is_first:
            return f"-{shown}" if is_negative else shown
        return f" - {shown}" if is_negative else f" + {shown}"

    def factor(self, shown: str, *, is_spaced: bool) -> str:
        return f" · {shown}" if is_spaced else f"·{shown}"

    def quotient(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def exponent(self, exponent: Expression) -> str:
        """Digits are raised; an index or a power of ten would seem to belong to the base."""
        match exponent:
            case Number(is_given=False) | Negative(Number(is_given=False)):
                raised = self.show(exponent).translate(_RAISED)
                if set(raised) <= _RAISED_SIGNS:
                    return raised
        shown = self.show(exponent)
        is_plain = self.level(exponent, leads=False) is Level.ATOM
        if is_plain and not (isinstance(exponent, Name) and exponent.index):
            return f"^{shown}"
        return f"^{self.bracketed(shown)}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}{exponent}"

    def exponential(self, exponent: str) -> str:
        return f"e{exponent}"

    def matrix_product(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def transposed(self, of: str) -> str:
        return f"{of}ᵀ"

    def bracketed(self, shown: str) -> str:
        return f"({shown})"

    def bars(self, shown: str) -> str:
        return f"|{shown}|"

    def root(self, shown: str) -> str:
        return f"√({shown})"

    def between(self, arguments: Sequence[str], found: Look) -> str:
        return f" {found.word} ".join(arguments)

    def sum_over(self, shown: str, found: Look) -> str:
        return f"{self._word(found)} {shown}"

    def function(self, found: Look, arguments: Sequence[str]) -> str:
        return f"{self._word(found)}({', '.join(arguments)})"

    def comparison(self, left: str, sign: str, right: str) -> str:
        return f"{left} {_SIGNS.get(sign, sign)} {right}"

    def cases(self, cases: Sequence[tuple[str, str | None]]) -> str:
        return ", ".join(
            f"else {value}" if condition is None else f"{value} if {condition}"
            for value, condition in cases
        )

    def more(self, count: int) -> str:
        return f"… ({count} more)"

    def _word(self, found: Look) -> str:
        return f"{found.word}_{found.over}" if found.over else found.word
