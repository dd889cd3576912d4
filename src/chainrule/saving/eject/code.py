"""Expressions as Python code for NumPy, laid out the way ruff format does."""

from __future__ import annotations

import re
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

# How tightly a piece of code holds together: what is looser than its surroundings is bracketed.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)

NUMPY = {
    "Abs": "np.abs",
    "Max": "np.maximum",
    "Min": "np.minimum",
    **{name: f"np.{name}" for name in ("exp", "log", "sqrt", "tanh", "cosh", "sin", "cos", "sign")},
    **{name: f"np.{name}" for name in ("expm1", "logaddexp", "maximum")},
}
_SIMPLE = re.compile(r"-?[A-Za-z_0-9][\w.]*")  # beside ** such an operand takes no spaces


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
        return f"{NUMPY.get(call.function, call.function)}({arguments})"

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
