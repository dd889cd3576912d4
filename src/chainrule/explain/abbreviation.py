"""Long sums made short: the terms that count most, and what the others add up to."""

from __future__ import annotations

from chainrule.explain.evaluation import Value, evaluate
from chainrule.explain.expression import Call, Expression, More, Sum, rebuilt

MOST_TERMS = 8  # a sum of so many is written out
_SHOWN_TERMS = 5  # of a longer one


def abbreviated(expression: Expression, value: Value) -> Expression:
    """Shorten each sum, and each maximum, of many terms; the value stays the same.

    The terms that are left stand in their order; those of the largest size are.
    """
    expression = rebuilt(expression, lambda part: abbreviated(part, value))
    match expression:
        case Sum(terms) if len(terms) > MOST_TERMS:
            kept, others = _largest(terms, value)
            rest = evaluate(Sum(others), value)
            return Sum((*kept, More(len(others), rest)))
        case Call("Max", arguments) if len(arguments) > MOST_TERMS:
            kept, others = _largest(arguments, value, by_size=False)
            rest = evaluate(Call("Max", others), value)
            return Call("Max", (*kept, More(len(others), rest)))
    return expression


def _largest(
    terms: tuple[Expression, ...], value: Value, *, by_size: bool = True
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    numbers = [evaluate(term, value) for term in terms]
    sizes = [abs(number) if by_size else number for number in numbers]
    order = sorted(range(len(terms)), key=lambda place: -sizes[place])
    chosen = set(order[:_SHOWN_TERMS])
    kept = tuple(term for place, term in enumerate(terms) if place in chosen)
    others = tuple(term for place, term in enumerate(terms) if place not in chosen)
    return kept, others
