"""What a formula says more than once gets a name in an ejected module; parts, and their places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chainrule.explain.expression import (
    Call,
    Expression,
    Name,
    Negative,
    Product,
    Sum,
    parts,
    rebuilt,
)

_SHORT = 10  # parts of a formula


def named_parts(
    expression: Expression, taken: set[str]
) -> tuple[list[tuple[str, Expression]], Expression]:
    """Give what a formula says more than once a name of its own.

    Parameters
    ----------
    expression : Expression
    taken : set of str
        Names in use already.

    Returns
    -------
    list of (str, Expression)
        The names with what they stand for, in order.
    Expression
        What is left, in these names.
    """
    found: list[tuple[str, Expression]] = []
    while (repeated := _repeated(expression)) is not None:
        name, symbol = _name_of(repeated, taken)
        taken.add(name)
        found.append((name, repeated))
        expression = replaced(expression, repeated, symbol)
    return found, expression


_WORDS = {
    "tanh": "tanh",
    "sigmoid": "slope",
    "Abs": "distance",
    "exp": "power",
    "erfc": "tail",
    "logaddexp": "softplus",
    "softmax": "p",
}


def is_short(expression: Expression) -> bool:
    """Whether a formula is as clear in its place as a function with a name would be."""
    return not named_parts(expression, set())[0] and len(list(all_parts(expression))) <= _SHORT


def _name_of(expression: Expression, taken: set[str]) -> tuple[str, Name]:
    word = _WORDS.get(expression.function, "part") if isinstance(expression, Call) else "error"
    name = next(n for n in (word, *(f"{word}_{i}" for i in range(2, 99))) if n not in taken)
    return name, Name((), name)


def _repeated(expression: Expression) -> Expression | None:
    """Return the largest call, or difference of two names, that stands there more than once."""
    counts = Counter(part for part in all_parts(expression) if _is_worth_a_name(part))
    several = [part for part, count in counts.items() if count > 1]
    return max(several, key=lambda part: len(repr(part)), default=None)


def _is_worth_a_name(expression: Expression) -> bool:
    match expression:
        case Call(function):
            return function != "sqrt"
        case Sum((Name(), Negative(Name()))):
            return True
    return False


def replaced(expression: Expression, old: Expression, new: Expression) -> Expression:
    """Put something else in the place of a part; of a product also of its first factors."""
    if expression == old:
        return new
    if isinstance(expression, Product) and isinstance(old, Product):
        count = len(old.factors)
        if expression.factors[:count] == old.factors:
            expression = Product((new, *expression.factors[count:]))
    return rebuilt(expression, lambda part: replaced(part, old, new))


def all_parts(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and whatever it is made of."""
    yield expression
    for part in parts(expression):
        yield from all_parts(part)
