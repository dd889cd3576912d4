"""Long sums made short: the terms that count most, and what the others add up to."""

from __future__ import annotations

from chainrule.explain.evaluation import Value, evaluate
from chainrule.explain.expression import Call, Expression, More, Name, Sum, parts, rebuilt

MOST_TERMS = 8  # a sum of so many is written out
_SHOWN_TERMS = 5  # of a longer one


def abbreviated(expression: Expression, value: Value) -> Expression:
    """Shorten each sum, and each maximum, of many terms; the value stays the same.

    The terms that are left stand in their order; those of the largest size are.
    """
    if any(map(parts, parts(expression))):  # most products are of plain names: nothing to shorten
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


def rests(expression: Expression) -> dict[str, More]:
    """What is left out of a shortened expression, by name: ``more_terms``, ``more_terms_2``, ...

    Where two sums are shortened, each has a rest of its own.
    """
    found: dict[More, None] = {}
    _collect(expression, found)
    return {
        f"{More.identifier}_{number}" if number > 1 else More.identifier: more
        for number, more in enumerate(found, start=1)
    }


def with_rests_named(expression: Expression) -> Expression:
    """Put the name of what is left out in its place, so that a program can put in its value."""
    named: dict[Expression, str] = {more: name for name, more in rests(expression).items()}

    def replaced(part: Expression) -> Expression:
        return Name((), named[part]) if part in named else rebuilt(part, replaced)

    return replaced(expression)


def _collect(expression: Expression, found: dict[More, None]) -> None:
    if isinstance(expression, More):
        found[expression] = None
    for part in parts(expression):
        _collect(part, found)


def _largest(
    terms: tuple[Expression, ...], value: Value, *, by_size: bool = True
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    numbers = [evaluate(term, value) for term in terms]
    sizes = [abs(number) if by_size else number for number in numbers]
    order = sorted(range(len(terms)), key=lambda place: -sizes[place])
    # Zeros are not worth their room, unless there is nothing else.
    chosen = {place for place in order[:_SHOWN_TERMS] if numbers[place]} or set(order[:1])
    kept = tuple(term for place, term in enumerate(terms) if place in chosen)
    others = tuple(term for place, term in enumerate(terms) if place not in chosen)
    return kept, others
