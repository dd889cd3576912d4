"""Expressions in SymPy's syntax, to be computed with: ``sympy.sympify(to_sympy(expression))``.

Names are ``Name.identifier``. SymPy knows some of them otherwise (``beta``, ``gamma``, ``S``): give
``sympify`` a symbol for each in ``locals``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.explain.expression import Call, Derivative, Expression, More, Name, Number
from chainrule.explain.forms.printer import Level, Printer


def to_sympy(expression: Expression) -> str:
    """Write an expression as SymPy reads it, numbers with all their digits.

    >>> from chainrule.explain.reading import read
    >>> to_sympy(read("Piecewise((z, z > 0), (exp(z)**2 - 1, True))", (0,)))
    'Piecewise((z1, z1 > 0), (exp(z1)**2 - 1, True))'
    """
    return SympyPrinter().show(expression)


class SympyPrinter(Printer):
    """SymPy's syntax: calls and names are what the code calls them, whatever they look like."""

    def name_level(self, name: Name | Derivative) -> Level:
        return Level.ATOM

    def number_level(self, number: Number | More, *, leads: bool) -> Level:
        is_negative = number.value < 0
        return Level.SUM if is_negative and not leads else Level.ATOM

    def call_level(self, call: Call, *, leads: bool) -> Level:
        return Level.ATOM

    def call(self, call: Call, *, leads: bool) -> str:
        return f"{call.function}({', '.join(map(self.show, call.arguments))})"

    def number(self, number: Number) -> str:
        value = number.value
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else "oo" if value > 0 else "-oo"
        if value == int(value) and not number.is_given and abs(value) < 1e15:
            return str(int(value))
        return repr(float(value) + 0.0)  # -0.0 is 0

    def name(self, name: Name) -> str:
        return name.identifier

    def derivative(self, of: Name, by: Name) -> str:
        return f"d_{of.identifier}_by_{by.identifier}"

    def term(self, shown: str, *, is_negative: bool, is_first: bool) -> str:
        if is_first:
            return f"-{shown}" if is_negative else shown
        return f" - {shown}" if is_negative else f" + {shown}"

    def factor(self, shown: str, *, is_spaced: bool) -> str:
        return f"*{shown}"

    def quotient(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}**{exponent}"

    def matrix_product(self, left: str, right: str) -> str:
        return f"{left}*{right}"

    def transposed(self, of: str) -> str:
        return f"transpose({of})"

    def bracketed(self, shown: str) -> str:
        return f"({shown})"

    def comparison(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def cases(self, cases: Sequence[tuple[str, str | None]]) -> str:
        written = (f"({value}, {'True' if when is None else when})" for value, when in cases)
        return f"Piecewise({', '.join(written)})"

    def more(self, count: int) -> str:
        return More.identifier
