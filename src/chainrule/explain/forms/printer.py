"""What all forms of an expression have in common: what stands where, and where parentheses are.

A form says how a sum, a fraction or a symbol looks. Which of them needs parentheses inside which,
and where a term is taken off instead of added, is decided here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

from chainrule.explain.expression import (
    ZERO,
    Call,
    Cases,
    Comparison,
    Derivative,
    Expression,
    MatrixProduct,
    More,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
    multiply,
)
from chainrule.explain.forms.numbers import digits_of
from chainrule.explain.forms.signs import as_number, flat_terms, is_derivative, taken_off

_TERMS_ABOVE_A_LINE = 3  # of a fraction; more of them go before a slash, where a line may end


class Level(IntEnum):
    """How tightly an expression holds together; what is looser than its place needs parentheses."""

    LOOSE = 0  # cases, comparisons
    SUM = 1
    QUOTIENT = 2  # written in one line
    MATRIX = 3
    PRODUCT = 4
    FRACTION = 5  # ∂L/∂z, and what stands above and below a line
    POWER = 6
    ATOM = 7


class Printer(ABC):
    """Base of the forms: walks an expression and asks the form for each of its looks.

    Attributes
    ----------
    stacks : bool
        Whether fractions have a line with something above and below, and exponents are raised:
        what stands there then needs no parentheses.
    parentheses : (str, str)
        Those of one height, which may stand in two lines.
    slash : str
        Division in one line.
    """

    stacks: ClassVar[bool] = False
    parentheses: ClassVar[tuple[str, str]] = ("(", ")")
    slash: ClassVar[str] = "/"

    # --- what decides ---------------------------------------------------------------------------

    def show(
        self, expression: Expression, least: Level = Level.LOOSE, *, leads: bool = True
    ) -> str:
        """Write an expression, in parentheses if it is looser than ``least``.

        ``leads`` says that nothing stands before it, so that a number may begin with its sign.
        """
        if self.level(expression, leads=leads) >= least:
            return self._written(expression, leads=leads)
        return self.bracketed(self._written(expression, leads=True))

    def level(self, expression: Expression, *, leads: bool) -> Level:
        """How tightly it holds together in this form."""
        match expression:
            case Number() | More(is_given=True):
                return self.number_level(expression, leads=leads)
            case Name() | Derivative():
                return self.name_level(expression)
            case Sum() | Negative():
                return Level.SUM
            case Product(factors):
                if taken_off(expression):
                    return Level.SUM
                return Level.MATRIX if self._is_spaced(factors) else Level.PRODUCT
            case Quotient():
                if taken_off(expression):
                    return Level.SUM
                return Level.FRACTION if self.stacks else Level.QUOTIENT
            case MatrixProduct():
                return Level.MATRIX
            case Power() | Transposed():
                return Level.POWER
            case Call():
                return self.call_level(expression, leads=leads)
            case Cases() | Comparison():
                return Level.LOOSE
        return Level.ATOM

    def name_level(self, name: Name | Derivative) -> Level:
        """How tightly a name holds together: ∂L/∂z is a fraction."""
        return Level.FRACTION if is_derivative(name) else Level.ATOM

    def number_level(self, number: Number | More, *, leads: bool) -> Level:
        """How tightly a number holds together: a sign and a power of ten loosen it."""
        digits = digits_of(as_number(number))
        if digits.is_negative and not leads:
            return Level.SUM
        return Level.FRACTION if digits.exponent is not None or digits.is_negative else Level.ATOM

    def _is_spaced(self, factors: Sequence[Expression]) -> bool:
        """Whether a product has derivatives as factors, which need room in one line of text."""
        return not self.stacks and any(map(is_derivative, factors))

    def _written(self, expression: Expression, *, leads: bool) -> str:
        match expression:
            case Number():
                return self.number(expression)
            case More(count, is_given=is_given):
                return self.number(as_number(expression)) if is_given else self.more(count)
            case Name():
                return self.name(expression)
            case Derivative(of, by):
                return self.derivative(of, by)
            case Sum() | Negative():
                return "".join(self.terms(expression, leads=leads))
            case Product():
                if taken_off(expression):
                    return "".join(self.terms(expression, leads=leads))
                return "".join(self.factors(expression, leads=leads))
            case Quotient(top, bottom):
                if taken_off(expression):
                    return "".join(self.terms(expression, leads=leads))
                return self._quotient(top, bottom, leads=leads)
            case MatrixProduct(left, right):
                return self.matrix_product(
                    self.show(left, _least_in_matrix_product(left), leads=leads),
                    self.inside(right, _least_in_matrix_product(right)),
                )
            case Power(base, exponent):
                raised = self.show(exponent) if self.stacks else self.exponent(exponent)
                return self.power(self.inside(base, Level.ATOM), raised)
            case Transposed(of):
                return self.transposed(self.inside(of, Level.ATOM))
            case Comparison(left, sign, right):
                return self.comparison(self.show(left), sign, self.show(right))
            case Cases(cases):
                return self.cases(
                    [
                        (self.show(value), None if condition is None else self.show(condition))
                        for value, condition in cases
                    ]
                )
            case Call():
                return self.call(expression, leads=leads)
        raise TypeError(f"{expression!r} is no expression.")

    def inside(self, expression: Expression, least: Level) -> str:
        """Write what has something before it, or must hold together on both sides."""
        return self.show(expression, least, leads=False)

    def pieces(self, expression: Expression) -> list[str]:
        """Write an expression in pieces, between which a line may end; joined they are the whole.

        Each piece but the first begins with its sign. Forms of one expression have as many pieces.
        """
        if isinstance(expression, Product) and taken_off(expression) is None:
            return self.factors(expression)
        match expression:
            case Negative(Sum() as inside):
                first, *others = self._in_parentheses(inside)
                return [self.term(first, is_negative=True, is_first=True), *others]
            case Quotient(Sum(terms) as inside, (Number() | Name()) as bottom):
                if len(terms) > _TERMS_ABOVE_A_LINE:
                    *others, last = self._in_parentheses(inside)
                    return [*others, f"{last}{self.slash}{self.inside(bottom, Level.POWER)}"]
        if self.level(expression, leads=True) is Level.SUM:
            return self.terms(expression)
        return [self.show(expression)]

    def _in_parentheses(self, inside: Sum) -> list[str]:
        opening, closing = self.parentheses
        *others, last = self.terms(inside)
        first, *others = [*others, last + closing]
        return [opening + first, *others]

    def terms(self, expression: Expression, *, leads: bool = True) -> list[str]:
        """Terms of a sum, each with the sign before it; joined they are the sum."""
        written = []
        for number, term in enumerate(flat_terms(expression) or (ZERO,)):
            rest = taken_off(term)
            is_first = number == 0
            shown = self.show(rest or term, Level.QUOTIENT, leads=is_first and leads and not rest)
            written.append(self.term(shown, is_negative=rest is not None, is_first=is_first))
        return written

    def factors(self, product: Product, *, leads: bool = True) -> list[str]:
        """Factors of a product, each but the first with the sign before it."""
        flat = multiply(*product.factors)
        factors = flat.factors if isinstance(flat, Product) else (flat,)
        written = []
        for number, factor in enumerate(factors):
            shown = self.show(factor, Level.FRACTION, leads=leads and number == 0)
            is_spaced = self._is_spaced(factors)
            written.append(shown if number == 0 else self.factor(shown, is_spaced=is_spaced))
        return written

    def _quotient(self, top: Expression, bottom: Expression, *, leads: bool) -> str:
        if self.stacks:
            return self.quotient(self.show(top), self.show(bottom))
        least = Level.POWER if is_derivative(top) else Level.PRODUCT
        return self.quotient(self.show(top, least, leads=leads), self.inside(bottom, Level.POWER))

    def exponent(self, exponent: Expression) -> str:
        """Write an exponent that stands in the line."""
        return self.inside(exponent, Level.ATOM)

    # --- what a form says -----------------------------------------------------------------------

    @abstractmethod
    def number(self, number: Number) -> str:
        """Write a number with its sign."""

    @abstractmethod
    def name(self, name: Name) -> str:
        """Write a name, or the loss's derivative with respect to it."""

    @abstractmethod
    def derivative(self, of: Name, by: Name) -> str:
        """∂of/∂by."""

    @abstractmethod
    def term(self, shown: str, *, is_negative: bool, is_first: bool) -> str:
        """One term with its sign."""

    @abstractmethod
    def factor(self, shown: str, *, is_spaced: bool) -> str:
        """One factor with the sign of multiplication before it."""

    @abstractmethod
    def quotient(self, top: str, bottom: str) -> str:
        """One divided by the other."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """Base to the exponent."""

    @abstractmethod
    def matrix_product(self, left: str, right: str) -> str:
        """Matrices multiplied."""

    @abstractmethod
    def transposed(self, of: str) -> str:
        """Transposed matrix."""

    @abstractmethod
    def bracketed(self, shown: str) -> str:
        """In parentheses."""

    @abstractmethod
    def call_level(self, call: Call, *, leads: bool) -> Level:
        """How tightly a call holds together."""

    @abstractmethod
    def call(self, call: Call, *, leads: bool) -> str:
        """Write a function of numbers, or an operation on arrays."""

    @abstractmethod
    def comparison(self, left: str, sign: str, right: str) -> str:
        """Left < right."""

    @abstractmethod
    def cases(self, cases: Sequence[tuple[str, str | None]]) -> str:
        """Values with their conditions; None: otherwise."""

    @abstractmethod
    def more(self, count: int) -> str:
        """So many terms left out."""


def _least_in_matrix_product(expression: Expression) -> Level:
    """(A B) C and A (B C) are the same, so neither needs its parentheses."""
    return Level.MATRIX if isinstance(expression, MatrixProduct) else Level.FRACTION
