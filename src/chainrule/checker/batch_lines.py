"""Where a batch gets its length: in the steps of its loop, or where it is cut out."""

from __future__ import annotations

import ast
from typing import TypeGuard

from chainrule.checker.evidence import Evidence
from chainrule.checker.source import Source


def wrong_slice(source: Source, evidence: Evidence, rows: int, line: int | None) -> int | None:
    """The line that cuts a batch of another length than the loop's steps; None where all agree."""
    tree = source.parse()
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.lineno == line]
    steps = [loop.iter.args[2] for loop in loops if _counts_in_steps(loop.iter)]
    if not steps:
        return None
    # A step that is computed, as batch - 2, is itself what is odd.
    length = None if isinstance(steps[0], ast.BinOp) else _latest(evidence, steps[0])
    if length is None or length == rows:
        return None
    for cut in ast.walk(loops[0]):
        if not isinstance(cut, ast.Slice) or cut.upper is None:
            continue
        if isinstance(cut.upper, ast.Name):
            for node in ast.walk(loops[0]):
                targets = node.targets if isinstance(node, ast.Assign) else []
                if any(ast.unparse(target) == cut.upper.id for target in targets):
                    return getattr(node, "lineno", None)
        return cut.lineno
    return None


def _counts_in_steps(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "range" and len(node.args) == 3


def _latest(evidence: Evidence, node: ast.expr) -> float | None:
    """The number that an expression is, or was in the run."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    for number, value in evidence.events:
        place = evidence.places[number]
        if place.text == ast.unparse(node) and evidence.values[value].size == 1:
            return float(evidence.values[value].reshape(-1)[0])
    return None
