"""Code that a run did not come to, because enough was seen before: a second network, say.

Lessons go from one neuron to a network, in one file. The run ends when the first training was
seen; the lines that were not reached by then are watched in a run of their own, in which those
that were seen already run at full speed.
"""

from __future__ import annotations

import ast

from chainrule.checker.expressions import takes_itself
from chainrule.checker.instrument import Place
from chainrule.checker.process import Record

_UPDATES = 2
_OPERATIONS = 12


def seen_lines(record: Record, places: list[Place]) -> list[int]:
    """Lines of which any expression was seen, and the heads of loops and functions around them."""
    lines = {places[place].line for place, _ in record.events}
    heads = {
        place.line
        for place in places
        if isinstance(place.node, ast.For | ast.While | ast.FunctionDef)
        and any(statement.lineno in lines for statement in place.node.body)
    }
    return sorted(lines | heads)


def has_more_training(record: Record, places: list[Place]) -> bool:
    """Whether the run was ended before it came to loops or functions that update something."""
    if record.outcome["ended"] != "enough":
        return False
    lines = set(seen_lines(record, places))
    unseen = [place for place in places if place.line not in lines]
    operations = sum(place.kind == "BinOp" for place in unseen)
    updates = [place.number for place in unseen if _is_update(place.node)]
    return len(updates) >= _UPDATES and operations >= _OPERATIONS


def _is_update(node: ast.AST) -> bool:
    """Whether a statement computes a variable from its old value; counting does not count."""
    if isinstance(node, ast.AugAssign):
        return not isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Assign) and takes_itself(node)
