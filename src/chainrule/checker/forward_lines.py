"""Where the next layer is given the weighted sum z of the layer before, not its activation."""

from __future__ import annotations

import ast

from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.expressions import last_name
from chainrule.checker.forward import Pass
from chainrule.checker.instrument import Place

_NAMES = ("Name", "Attribute", "Subscript", "IfExp")
_FAR = 200  # events of a pass, where its next sum was not seen as a whole


def where_z_is_handed_on(evidence: Evidence, first: Pass, number: int) -> int | None:
    """Where z of the layer before gets another name, is passed to a function, or is multiplied."""
    wrong, reached = first.z[number - 1], evidence.find(first.z[number], first.event)
    end = reached[0].event if reached else first.event + _FAR
    reads = evidence.find(wrong, first.event, end)
    number_by_number = not reads and wrong.size > 1
    if number_by_number:
        reads = evidence.find(wrong.reshape(-1)[-1:], first.event, end)
    named = [s for s in reads if s.place.kind in _NAMES]
    passed = [s for s in reads if reached and _is_passed_to_the_product(evidence, s, end)]
    around = [s for s in reads if reached and s.place.scope == reached[0].place.scope]
    beside = [s for s in around if s.place.kind in _NAMES] or around
    # What the product is made of, and what was passed to the function that has it.
    words = {_word(s.place.node) for s in (*passed, *(beside or named)[-1:])}
    renamed = [s for s in named if _is_handed_on(s.place, words, any_list=number_by_number)]
    chosen = renamed[:1] or passed[:1] or beside[-1:] or named[-1:]
    return chosen[0].place.line if chosen else None


def _word(node: ast.AST) -> str:
    """The last word of a name; of an entry of a list, that of the list."""
    while isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
        node = node.value
    if isinstance(node, ast.Subscript) and isinstance(getattr(node.slice, "value", None), int):
        node = node.value
    return last_name(node) if isinstance(node, ast.expr) else ""


def _is_handed_on(place: Place, words: set[str], *, any_list: bool) -> bool:
    """Whether z is given back, or is put under a name, or into a list, that is read then."""
    parent = place.parent
    if isinstance(parent, ast.Return):
        return True
    if isinstance(parent, ast.Assign | ast.AnnAssign):
        target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
        return parent.value is place.node and _word(target) in words
    if not isinstance(parent, ast.Call) or not isinstance(parent.func, ast.Attribute):
        return False
    is_put = parent.func.attr in ("append", "insert")
    return is_put and (any_list or _word(parent.func.value) in words)


def _is_passed_to_the_product(evidence: Evidence, sighting: Sighting, end: int) -> bool:
    """Whether z is an argument of a call within which the next weighted sum is computed."""
    place, parent = sighting.place, sighting.place.parent
    if not isinstance(parent, ast.Call) or place.node not in parent.args:
        return False
    called = _word(parent.func)
    was_there = False
    for event in range(sighting.event + 1, end + 1):
        now = evidence.place(event)
        was_there = was_there or _is_in(now, called)
        has_returned = now.node is parent or (
            now.scope == place.scope
            and now.statement != place.statement
            and not _is_in(now, called)
        )
        if has_returned:
            return False
    return was_there


def _is_in(place: Place, function: str) -> bool:
    return bool(function) and place.scope.rpartition(".")[2] == function
