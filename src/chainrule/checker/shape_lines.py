"""Where an array got the shape that does harm later."""

from __future__ import annotations

import ast
import re

from chainrule.checker.evidence import Evidence
from chainrule.checker.instrument import Place
from chainrule.checker.lines import stands_for
from chainrule.checker.paths import Path

_ONE_STATEMENT = 60  # events of the statement that changed something, at most
_NAMES = ("Name", "Attribute", "Subscript", "IfExp")
_MADE_FLAT = re.compile(r"ravel|flatten|squeeze|reshape|, *0\]")
_MADE_A_COLUMN = re.compile(r"newaxis|None|reshape|expand_dims|, *:1\]")


def where_it_was_made_flat(evidence: Evidence, line: int | None) -> int | None:
    """The statement that gave one of (n,) and (n, 1) its shape.

    It is the flat one that is odd, as a rule. Only where the other was turned into a column on
    purpose, and the flat one just came out so, is it the other.
    """
    flat = _first_named(evidence, line, ndim=1)
    column = _first_named(evidence, line, ndim=2)
    if flat is None or column is None:
        return None if flat is None else flat.line
    on_purpose = _MADE_A_COLUMN.search(column.text) and not _MADE_FLAT.search(flat.text)
    # Targets are there before any output is, so the flat one that comes later is the output.
    if on_purpose and _order(evidence, column) < _order(evidence, flat):
        return column.line
    return flat.line


def _first_named(evidence: Evidence, line: int | None, ndim: int) -> Place | None:
    """The statement that gave an array of a line its first name.

    An array that was given the same name before, as in y = (y - y.mean()) / y.std(), has its shape
    from there.
    """
    for event, (number, value) in enumerate(evidence.events):
        place, array = evidence.places[number], evidence.values[value]
        if place.line == line and place.kind in _NAMES and array.ndim == ndim and array.size > 1:
            named = _naming(evidence, value)
            return named and _earlier_of_the_name(evidence, named, array.shape, event)
    return None


def _naming(evidence: Evidence, value: int) -> Place | None:
    for at, _, known, statement in evidence.record.changes:
        if known == value and statement >= 0:
            place = evidence.places[statement]
            if not isinstance(place.node, ast.Assign):
                return None
            return _uncut(evidence, place.node.value, at) or place
    return None


def _uncut(evidence: Evidence, node: ast.expr, before: int) -> Place | None:
    """The statement that named what a batch was cut out of, as y of y[order] or y[i:i + n]."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return None
    if not any(isinstance(inner, ast.Name) for inner in ast.walk(node.slice)):
        return None
    for at, known, value, _ in evidence.record.changes:
        is_it = at < before and evidence.record.paths[known][-1] == node.value.id
        if is_it and value >= 0 and evidence.values[value].ndim == 1:
            return _naming(evidence, value)
    return None


def _earlier_of_the_name(
    evidence: Evidence, named: Place, shape: tuple[int, ...], before: int
) -> Place:
    """The first statement in which a variable that is computed from itself had a shape."""
    assert isinstance(named.node, ast.Assign)  # noqa: S101 - only those are asked about
    target = ast.unparse(named.node.targets[0])
    read = {n.id for n in ast.walk(named.node.value) if isinstance(n, ast.Name)}
    if target not in read:
        return named
    for at, known, value, statement in evidence.record.changes:
        path = evidence.record.paths[known]
        if at > before or value < 0 or statement < 0 or evidence.values[value].shape != shape:
            continue
        place = evidence.places[statement]
        if path[-1] == target and isinstance(place.node, ast.Assign):
            return place
    return named


def _order(evidence: Evidence, named: Place) -> int:
    """When a statement gave something a name for the first time."""
    return min(at for at, *_, place in evidence.record.changes if place == named.number)


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
