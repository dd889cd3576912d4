"""Expressions as Python code for NumPy, laid out the way ruff format does."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    MatrixProduct,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
)

WIDTH = 88  # of a line: ruff's default
INDENT = "    "

# How tightly a piece of code holds together: what is looser than its surroundings is bracketed.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)

_FUNCTIONS = {
    "Abs": "np.abs",
    "Max": "np.maximum",
    "Min": "np.minimum",
    **{name: f"np.{name}" for name in ("exp", "log", "sqrt", "tanh", "cosh", "sin", "cos", "sign")},
    **{name: f"np.{name}" for name in ("expm1", "logaddexp", "maximum")},
}
_SIMPLE = re.compile(r"-?[A-Za-z_0-9][\w.]*")  # beside ** such an operand takes no spaces

_FACTORS = " * ", " / ", " @ "

Names: TypeAlias = Callable[[str], str]
Calls: TypeAlias = Callable[[Call, "Printer"], str | None]


class Code(NamedTuple):
    """A piece of code, and how tightly it holds together."""

    text: str
    level: int

    def within(self, level: int) -> str:
        """Bracket it where it is looser than that."""
        return self.text if self.level >= level else f"({self.text})"


class Printer:
    """Writes expressions between arrays as code.

    Parameters
    ----------
    name : callable
        The code for a name in a formula.
    call : callable, optional
        The code for a call; None where it is one of NumPy's own functions.
    """

    def __init__(self, name: Names, call: Calls = lambda call, printer: None) -> None:
        self._name = name
        self._call = call

    def text(self, expression: Expression) -> str:
        """Return the code in one line."""
        return self.code(expression).text

    def code(self, expression: Expression) -> Code:
        """Return the code in one line, with how tightly it holds together."""
        match expression:
            case Number(value):
                return Code(number(value), _SIGN if value < 0 else _ATOM)
            case Name(_, field):
                return self._atom_or_more(self._name(field))
            case Sum(terms):
                return Code("".join(self.terms(terms)), _SUM)
            case Negative(Power() as of):  # Python binds ** first; ruff wants it to be seen
                return Code(f"-({self.text(of)})", _SIGN)
            case Negative(of):
                inner = self.code(of)
                return Code(f"-{inner.within(_PRODUCT)}", min(inner.level, _SIGN))
            case Product(factors):
                first, *rest = (self.code(factor).within(_PRODUCT) for factor in factors)
                return Code(" * ".join([first, *rest]), _PRODUCT)
            case Quotient(top, bottom):
                above, below = self.code(top).within(_PRODUCT), self.code(bottom).within(_SIGN)
                return Code(f"{above} / {below}", _PRODUCT)
            case MatrixProduct(left, right):
                before, after = self.code(left).within(_PRODUCT), self.code(right).within(_SIGN)
                return Code(f"{before} @ {after}", _PRODUCT)
            case Power(base, exponent):
                return self._power(self.code(base).within(_ATOM), self.code(exponent).within(_SIGN))
            case Transposed(of):
                return Code(f"{self.code(of).within(_ATOM)}.T", _ATOM)
            case Comparison(left, sign, right):
                return Code(f"{self.text(left)} {sign} {self.text(right)}", -1)
            case Call():
                return Code(self.call(expression), _ATOM)
            case Cases(cases):
                return Code(self._cases(cases), _ATOM)
        raise TypeError(f"{expression!r} has no form as code.")

    def terms(self, terms: Sequence[Expression]) -> list[str]:
        """Each term of a sum with the sign before it: ``["a", " - b"]``."""
        written: list[str] = []
        for term in terms:
            sign, of = (" - ", term.of) if isinstance(term, Negative) else (" + ", term)
            text = self.code(of).within(_PRODUCT)
            written.append(sign + text if written else sign.strip(" +") + text)
        return written

    def call(self, call: Call) -> str:
        """Code of a function or an operation."""
        own = self._call(call, self)
        if own is not None:
            return own
        arguments = ", ".join(self.text(argument) for argument in call.arguments)
        return f"{_FUNCTIONS.get(call.function, call.function)}({arguments})"

    def _cases(self, cases: Sequence[tuple[Expression, Comparison | None]]) -> str:
        (value, condition), *others = cases
        if condition is None:
            return self.text(value)
        rest = self._cases(others) if others else "np.nan"
        return f"np.where({self.text(condition)}, {self.text(value)}, {rest})"

    def _power(self, base: str, exponent: str) -> Code:
        hugs = _SIMPLE.fullmatch(base) and _SIMPLE.fullmatch(exponent)
        return Code(f"{base}**{exponent}" if hugs else f"{base} ** {exponent}", _POWER)

    def _atom_or_more(self, text: str) -> Code:
        return Code(text, _SIGN if text.startswith("-") else _ATOM)


def number(value: float) -> str:
    """``2`` for 2.0, ``1e-8`` for 1e-08."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return re.sub(r"e([+-])0+", r"e\1", repr(float(value))).replace("e+", "e")


def statement(start: str, printer: Printer, expression: Expression, depth: int = 1) -> list[str]:
    """Write ``start`` and the expression, in several lines where one is too long.

    Parameters
    ----------
    start : str
        ``"return "`` or ``"name = "``.
    depth : int
        How far the statement is indented.
    """
    text = printer.text(expression)
    line = start + text
    if _fits(line, depth):
        return [line]
    if _operators(expression, text) == 1 and line.endswith(")"):
        opening = _opening(line)
        if _fits(line[: opening + 1], depth) and _fits(line[opening + 1 : -1], depth + 1):
            return [line[: opening + 1], INDENT + line[opening + 1 : -1], ")"]
    match expression:
        case Quotient(Sum(terms), bottom):  # the brackets that are there already do
            return _in_brackets(start, printer.terms(terms), depth, f") / {printer.text(bottom)}")
        case Call() | Cases():
            return call_lines(line, depth)
        case Negative(Call()):
            return call_lines(line, depth)
        case Sum(terms):
            pieces = printer.terms(terms)
        case Product() | Quotient():
            pieces = _split_at(text, _FACTORS)
        case _:
            pieces = [text]
    return _in_brackets(start, pieces, depth, ")")


def _in_brackets(start: str, pieces: Sequence[str], depth: int, end: str) -> list[str]:
    """Lay out a sum or product in brackets: in one line if it fits, else a line for each piece."""
    whole = "".join(pieces)
    inner = [whole] if _fits(whole, depth + 1) else [piece.strip() for piece in pieces]
    return [f"{start}(", *(INDENT + piece for piece in inner), end]


def call_lines(line: str, depth: int) -> list[str]:
    """Lay out a statement that ends in a call, its arguments on lines of their own if need be."""
    if _fits(line, depth):
        return [line]
    opening = _opening(line)
    arguments = line[opening + 1 : -1]
    if _fits(arguments, depth + 1):
        return [line[: opening + 1], INDENT + arguments, ")"]
    listed = [f"{INDENT}{argument}," for argument in _split_at(arguments, (", ",))]
    return [line[: opening + 1], *listed, ")"]


def docstring(text: str, depth: int = 1) -> list[str]:
    """Write a docstring; what it holds can neither end it nor be taken for an escape."""
    safe = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    if safe.endswith('"'):
        safe += " "
    width = WIDTH - len(INDENT) * depth
    paragraphs = [
        paragraph if paragraph.startswith(INDENT) else textwrap.fill(paragraph, width - 6)
        for paragraph in safe.split("\n\n")
    ]
    lines = "\n\n".join(paragraphs).split("\n")
    if len(lines) == 1:
        return [f'"""{lines[0]}"""']
    return [f'"""{lines[0]}', *lines[1:], '"""']


def indented(lines: Sequence[str], depth: int = 1) -> list[str]:
    """Indent lines; empty ones stay empty."""
    return [INDENT * depth + line if line else "" for line in lines]


def wrapped(start: str, text: str, depth: int) -> list[str]:
    """Lay out a statement, in brackets where it is too long for one line."""
    line = start + text
    return [line] if _fits(line, depth) else [f"{start}(", INDENT + text, ")"]


def _operators(expression: Expression, text: str) -> int:
    """How many operators bind most loosely: ruff breaks a line after the last of one alone."""
    match expression:
        case Sum(terms):
            return len(terms) - 1
        case Product() | Quotient():
            return len(_split_at(text, _FACTORS)) - 1
    return 0


def _opening(line: str) -> int:
    """Where the bracket opens that closes at the end of the line."""
    inside = 0
    for place in range(len(line) - 1, -1, -1):
        inside += (line[place] in ")]}") - (line[place] in "([{")
        if not inside:
            return place
    return 0


def _fits(line: str, depth: int) -> bool:
    return len(line) + len(INDENT) * depth <= WIDTH


def _split_at(text: str, separators: tuple[str, ...]) -> list[str]:
    """Cut at separators outside of all brackets; an operator begins its piece."""
    pieces, start, inside = [], 0, 0
    for place, character in enumerate(text):
        inside += (character in "([{") - (character in ")]}")
        found = next((s for s in separators if text.startswith(s, place)), None)
        if not inside and found:
            pieces.append(text[start:place])
            start = place + (len(found) if found == ", " else 0)
    return [*pieces, text[start:]]
