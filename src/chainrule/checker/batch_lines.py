"""Where a batch gets its length: in the steps of its loop, or where it is cut out.

A loop in steps of n whose batches are the n rows from its running number on has each row once. So
the text tells which of the two is odd: a batch that is cut otherwise, or a loop with a computed
step, or one that does not run from 0 to the end.
"""

from __future__ import annotations

import ast
from typing import TypeGuard

from chainrule.checker.evidence import Evidence
from chainrule.checker.source import Source


def wrong_slice(source: Source, evidence: Evidence, line: int | None) -> int | None:
    """The line that cuts a batch otherwise than its loop counts; None where the loop is odd.

    ``line`` is that of the loop.
    """
    loops = [n for n in ast.walk(source.parse()) if isinstance(n, ast.For) and n.lineno == line]
    if not loops or not _counts_in_steps(loops[0].iter):
        return None
    loop, step = loops[0], loops[0].iter.args[2]
    if isinstance(step, ast.BinOp):  # as batch - 2: that is itself what is odd
        return None
    running = ast.unparse(loop.target)
    for cut in ast.walk(loop):
        if not isinstance(cut, ast.Slice) or cut.upper is None:
            continue
        upper, at = _meant(loop, cut.upper)
        if running not in _names(upper):  # a slice of something else, as W[1:5]
            continue
        if cut.lower is None or ast.unparse(cut.lower) != running:
            return cut.lineno
        length = _beyond(upper, running)
        if length is None or not _is_same(evidence, length, step):
            return at
    return None


def _counts_in_steps(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "range" and len(node.args) == 3


def _meant(loop: ast.For, upper: ast.expr | None) -> tuple[ast.expr, int]:
    """Where a slice ends, and in which line that was written: a name stands for its value."""
    assert upper is not None  # noqa: S101 - only slices with an end are looked at
    if isinstance(upper, ast.Name):
        for node in ast.walk(loop):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(ast.unparse(target) == upper.id for target in targets):
                assert isinstance(node, ast.Assign)  # noqa: S101 - nothing else has targets here
                return node.value, node.lineno
    return upper, upper.lineno


def _names(node: ast.expr) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _beyond(upper: ast.expr, running: str) -> ast.expr | None:
    """``n`` of ``running + n``; of ``min(running + n, rows)`` too."""
    if isinstance(upper, ast.Call) and ast.unparse(upper.func) in ("min", "np.minimum"):
        found = [_beyond(argument, running) for argument in upper.args]
        return next((one for one in found if one is not None), None)
    if not isinstance(upper, ast.BinOp) or not isinstance(upper.op, ast.Add):
        return None
    for one, other in ((upper.left, upper.right), (upper.right, upper.left)):
        if ast.unparse(one) == running:
            return other
    return None


def _is_same(evidence: Evidence, one: ast.expr, other: ast.expr) -> bool:
    """Whether two expressions are the same, or were the same number in the run."""
    if ast.unparse(one) == ast.unparse(other):
        return True
    numbers = [_latest(evidence, node) for node in (one, other)]
    return numbers[0] is not None and numbers[0] == numbers[1]


def _latest(evidence: Evidence, node: ast.expr) -> float | None:
    """The number that an expression is, or was in the run."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    for number, value in evidence.events:
        place = evidence.places[number]
        if place.text == ast.unparse(node) and evidence.values[value].size == 1:
            return float(evidence.values[value].reshape(-1)[0])
    return None
