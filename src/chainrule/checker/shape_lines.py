"""Where an array got the shape that does harm later."""

from __future__ import annotations

import ast

from chainrule.checker.evidence import Evidence
from chainrule.checker.instrument import Place
from chainrule.checker.lines import stands_for
from chainrule.checker.paths import Path

_ONE_STATEMENT = 60  # events of the statement that changed something, at most
_NAMES = ("Name", "Attribute", "Subscript", "IfExp")


def where_it_was_made_flat(evidence: Evidence, line: int | None) -> int | None:
    """The statement that gave the flat one of two arrays its first name."""
    for number, value in evidence.events:
        place = evidence.places[number]
        array = evidence.values[value]
        if place.line == line and place.kind in _NAMES and array.ndim == 1 and array.size > 1:
            for _, _, known, statement in evidence.record.changes:
                if known == value and statement >= 0:
                    return evidence.places[statement].line
    return None


def gradient_of_that_shape(evidence: Evidence, path: Path, line: int | None) -> int | None:
    """Where the gradient that changed a parameter's shape got its name.

    Where δ itself was taken for the gradient, the update is the place: δ is right as it is.
    """
    first, *later = _shapes(evidence, path)
    changed = [(at, shape) for at, shape in later if shape != first[1]]
    end = changed[0][0] if changed else len(evidence.events)
    reads = [
        (event, value)
        for event, (number, value) in enumerate(evidence.events[:end])
        if (place := evidence.places[number]).statement == line
        and event > end - _ONE_STATEMENT
        and place.kind in _NAMES
        and not _is_target(place)
        and evidence.values[value].size > 1
    ]
    new = changed[0][1] if changed else None
    own = [
        (event, value)
        for event, value in reads
        if not _is_in_product(evidence, evidence.place(event).text, line)
    ]
    as_new = [pair for pair in own if evidence.values[pair[1]].shape == new]
    as_other = [pair for pair in reversed(own) if evidence.values[pair[1]].shape != first[1]]
    chosen = as_new or as_other
    if chosen:
        return _bound(evidence, chosen[0][0], {chosen[0][1]}, line)
    if new is None or any(evidence.values[value].shape == new for _, value in reads):
        return None
    # The change was noticed from outside of the function that made it: what had the new shape last?
    parameter = {value for at, _, value, _ in evidence.record.changes if at == end}
    alike = {n for n, array in enumerate(evidence.values) if array.shape == new} - parameter
    return _bound(evidence, end, alike, line)


def _bound(evidence: Evidence, before: int, values: set[int], line: int | None) -> int | None:
    """Where one of some values got its name last, computed if possible."""
    bound = [
        place
        for event in range(before)
        if evidence.events[event][1] in values
        and (place := evidence.place(event)).statement != line
        and isinstance(place.parent, ast.Assign | ast.Dict | ast.keyword)
        and not _is_in_product(evidence, _target(place), line)
    ]
    computed = [place for place in bound if place.kind not in ("Name", "Attribute")]
    return (computed or bound)[-1].line if bound else None


def _shapes(evidence: Evidence, path: Path) -> list[tuple[int, tuple[int, ...]]]:
    """The shapes that a variable had from which events on, its first one first."""
    return [
        (at, evidence.values[value].shape)
        for at, known, value, _ in evidence.record.changes
        if value >= 0 and stands_for(path, evidence.record.paths[known])
    ] or [(0, ())]


def _is_in_product(evidence: Evidence, text: str, line: int | None) -> bool:
    """Whether a name is also a factor of a matrix product, as δ is."""
    return any(
        place.text == text
        and place.statement != line
        and (
            isinstance(place.parent, ast.Call | ast.Attribute)
            or (isinstance(place.parent, ast.BinOp) and isinstance(place.parent.op, ast.MatMult))
        )
        for place in evidence.places
    )


def _target(place: Place) -> str:
    """What an expression is assigned to."""
    parent = place.parent
    return ast.unparse(parent.targets[0]) if isinstance(parent, ast.Assign) else ""


def _is_target(place: Place) -> bool:
    """Whether an expression is the parameter that the statement changes."""
    statement = place.parent
    return isinstance(statement, ast.AugAssign) and statement.target is place.node
