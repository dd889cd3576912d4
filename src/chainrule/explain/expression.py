"""What formulas are made of: names, numbers, and what is done with them.

An expression is a tree of the small classes below. The same classes stand for a whole equation
between arrays (``x @ weights + bias``) and for one number of it (``x[0, 0] · W[0, 2] + ... +
b[2]``): in the first the names have no index, in the second they all do. Forms (text, LaTeX,
MathML, SymPy) print trees; ``evaluate`` computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Index: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that stands in the formula itself, or has been put in the place of a name.

    Attributes
    ----------
    value : float
    is_given : bool
        Whether it was put in, and so is shown with so many digits; else as it is written.
    """

    value: float
    is_given: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """An array of the step, one number of it, or a setting.

    Attributes
    ----------
    path : tuple of int
        Position of the layer whose it is: (3,) is the fourth layer, (3, 0) the first inside it;
        () for what belongs to the whole network: x, y, ŷ, the loss.
    field : str
        What the code calls it: ``"weights"``, ``"z"``; ``"d_z"`` is ∂loss/∂z.
    index : tuple of int or None
        Which number of the array; None means all of it.
    """

    path: tuple[int, ...]
    field: str
    index: Index | None = None

    @property
    def identifier(self) -> str:
        """Unambiguous name in letters, digits and underscores, as SymPy reads it."""
        place = "_".join(str(number + 1) for number in self.path)
        index = "".join(f"_{number}" for number in self.index or ())
        return f"{self.field}{place}{'_at' if self.index else ''}{index}"


@dataclass(frozen=True, slots=True)
class Derivative:
    """∂of/∂by, as a symbol: how much ``of`` moves when ``by`` does."""

    of: Name
    by: Name


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms added up; one that is ``Negative`` is taken off."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """The same with its sign turned."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Product:
    """Factors multiplied, number by number."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """One thing divided by another."""

    top: Expression
    bottom: Expression


@dataclass(frozen=True, slots=True)
class Power:
    """base ** exponent."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """left @ right, summed over the last axis of the left and the first of the right."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Transposed:
    """Rows and columns exchanged."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function: of numbers (``exp``, ``Max``), or an operation on arrays (``correlate``)."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """left < right and the like: when a case applies."""

    left: Expression
    sign: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Cases:
    """The value of the first case whose condition holds; None: otherwise."""

    cases: tuple[tuple[Expression, Comparison | None], ...]


@dataclass(frozen=True, slots=True)
class More:
    """So many terms of a long sum that are not written out, with what they add up to.

    Attributes
    ----------
    count : int
    value : float
    is_given : bool
        Whether to show the value, as where numbers have been put in, or that there are more.
    """

    count: int
    value: float
    is_given: bool = False

    identifier = "more_terms"


Expression: TypeAlias = (
    Number
    | Name
    | Derivative
    | Sum
    | Negative
    | Product
    | Quotient
    | Power
    | MatrixProduct
    | Transposed
    | Call
    | Comparison
    | Cases
    | More
)

ZERO, ONE = Number(0.0), Number(1.0)


def add(terms: Iterable[Expression]) -> Expression:
    """Sum of any number of terms: of one it is the term itself, of none zero."""
    listed = tuple(terms)
    return listed[0] if len(listed) == 1 else Sum(listed) if listed else ZERO


def multiply(*factors: Expression) -> Expression:
    """Product of any number of factors; products inside it are joined."""
    flat: list[Expression] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else [factor]
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def parts(expression: Expression) -> tuple[Expression, ...]:
    """Expressions that this one is made of, from left to right."""
    match expression:
        case Sum(terms):
            return terms
        case Product(factors):
            return factors
        case Negative(of) | Transposed(of):
            return (of,)
        case Quotient(first, second) | Power(first, second) | MatrixProduct(first, second):
            return first, second
        case Comparison(left, _, right):
            return left, right
        case Call(_, arguments):
            return arguments
        case Cases(cases):
            return tuple(
                part
                for value, condition in cases
                for part in (value, condition)
                if part is not None
            )
    return ()


def rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return the same expression with ``change`` applied to each of its parts."""
    match expression:
        case Sum(terms):
            return Sum(tuple(map(change, terms)))
        case Product(factors):
            return Product(tuple(map(change, factors)))
        case Negative(of):
            return Negative(change(of))
        case Transposed(of):
            return Transposed(change(of))
        case Quotient(top, bottom):
            return Quotient(change(top), change(bottom))
        case Power(base, exponent):
            return Power(change(base), change(exponent))
        case MatrixProduct(left, right):
            return MatrixProduct(change(left), change(right))
        case Comparison(left, sign, right):
            return Comparison(change(left), sign, change(right))
        case Call(function, arguments):
            return Call(function, tuple(map(change, arguments)))
        case Cases(cases):
            return Cases(
                tuple(
                    (change(value), None if condition is None else _changed(condition, change))
                    for value, condition in cases
                )
            )
    return expression


def _changed(condition: Comparison, change: Callable[[Expression], Expression]) -> Comparison:
    return Comparison(change(condition.left), condition.sign, change(condition.right))


def names(expression: Expression) -> Iterator[Name]:
    """Every name in the order of reading, each once."""
    return (symbol for symbol in symbols(expression) if isinstance(symbol, Name))


def symbols(expression: Expression) -> Iterator[Name | Derivative]:
    """Everything that a number can be put in the place of, in the order of reading, each once."""
    seen: dict[Name | Derivative, None] = {}
    _collect(expression, seen)
    yield from seen


def _collect(expression: Expression, seen: dict[Name | Derivative, None]) -> None:
    if isinstance(expression, Name | Derivative):
        seen[expression] = None
    for part in parts(expression):
        _collect(part, seen)
