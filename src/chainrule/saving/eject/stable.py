"""Formulas as a computer should work them out: the same numbers, but nothing overflows on the way.

A formula beside an activation or a loss is written for people. ``log(1 + exp(z))`` is infinite for
z = 1000 on a computer, where the right answer is 1000. What is known of such forms stands here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    multiply,
    parts,
    rebuilt,
)

_ONE, _ZERO = Number(1.0), Number(0.0)
_SHORT = 10  # parts of a formula


def stable(expression: Expression) -> Expression:
    """Rewrite an expression from the inside out."""
    return _rewritten(rebuilt(expression, stable))


def _rewritten(expression: Expression) -> Expression:
    match expression:
        case Call("log", (Sum((Number(1.0), Call("exp", (u,)))),)):
            return Call("logaddexp", (_ZERO, u))
        case Call("log", (Call("cosh", (u,)),)):  # (e^u + e^-u) / 2
            both = Call("logaddexp", (u, Negative(u)))
            return Sum((both, Negative(Call("log", (Number(2.0),)))))
        case Quotient(Number(1.0), Sum((Number(1.0), Call("exp", (Negative(u),))))):
            return Call("sigmoid", (u,))
        case Sum((Call("exp", (u,)), Negative(Number(1.0)))):
            return Call("expm1", (u,))
        case Sum((Number(1.0), Call("erf", (u,)))):  # for u below 0 these two nearly cancel
            return Call("erfc", (_negative(u),))
        case Quotient(Call("exp", (u,)), Call("total", (Call("exp", (v,)),))) if u == v:
            return Call("softmax", (u,))
        case Sum((u, Negative(Call("log", (Call("total", (Call("exp", (v,)),)),))))) if u == v:
            return Call("log_softmax", (u,))
        case Product((u, Call("log", (Quotient(v, w),)))) if u == v:  # 0 log 0 counts as 0
            ratio = Cases(((Quotient(v, w), Comparison(v, ">", _ZERO)), (_ONE, None)))
            return multiply(u, Call("log", (ratio,)))
        case Cases(((u, Comparison(v, ">", Number(0.0))), (Number(0.0), None))) if u == v:
            return Call("maximum", (u, _ZERO))
    return expression


def _negative(expression: Expression) -> Expression:
    match expression:
        case Negative(of):
            return of
        case Quotient(top, bottom):
            return Quotient(_negative(top), bottom)
    return Negative(expression)


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
