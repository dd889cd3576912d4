"""Where a teacher would point for mistakes that are no part of a step's arithmetic.

What shows first is often not where the mistake is: a bias that changes its shape does so in its
update, but its gradient was computed above; an array that is flat meets one that is not in the
error, but it was made flat where the data were.
"""

from __future__ import annotations

import ast
from typing import TypeGuard

import numpy as np

from chainrule.checker.evidence import Evidence, Path
from chainrule.checker.forward import Network, Pass, passes
from chainrule.checker.instrument import Place
from chainrule.checker.lines import stands_for
from chainrule.checker.other_findings import Structural
from chainrule.checker.source import Source
from chainrule.layer import Array

_ONE_STATEMENT = 60  # events of the statement that changed something, at most
_NAMES = ("Name", "Attribute", "Subscript", "IfExp")


def finding_line(
    source: Source, evidence: Evidence, network: Network | None, found: Structural
) -> int | None:
    """The line of a finding: where it comes from, or else where it showed."""
    if found.cause == "broadcast_n_n1":
        return _where_it_was_made_flat(evidence, found.line) or found.line
    if network is None:
        return found.line
    made = passes(evidence, network, 1)
    if not made:
        return found.line
    number, first = found.layer, made[0]
    line: int | None = None
    if found.cause == "forward_through_z" and number:
        line = _handed_on(evidence, first, number)
    elif found.cause == "bias_never_updated":
        line = _update_of(evidence, network.layers[number].weights)
    elif found.cause == "stale_output":
        line = _forward_call(source, evidence, first)
    elif found.cause.startswith("bias_gradient") or found.cause == "elementwise_for_matrix":
        layer = network.layers[number]
        path = layer.bias if found.cause.startswith("bias") else layer.weights
        line = None if path is None else _gradient_of_that_shape(evidence, path, found.line)
    elif found.cause in ("zero_initialisation", "constant_initialisation"):
        line = _first_value(evidence, network.layers[number].weights, first.weights[number])
    elif found.cause in ("batches_drop_rows", "batches_repeat_rows"):
        line = _wrong_slice(source, evidence, first, found.line)
    return line or found.line


def _wrong_slice(source: Source, evidence: Evidence, first: Pass, line: int | None) -> int | None:
    """The line that cuts a batch of another length than the loop's steps; None where all agree."""
    tree = source.parse()
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.lineno == line]
    steps = [loop.iter.args[2] for loop in loops if _counts_in_steps(loop.iter)]
    if not steps:
        return None
    # A step that is computed, as batch - 2, is itself what is odd.
    length = None if isinstance(steps[0], ast.BinOp) else _latest(evidence, steps[0])
    if length is None or length == first.rows():
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


def _where_it_was_made_flat(evidence: Evidence, line: int | None) -> int | None:
    """The statement that gave the flat one of two arrays its first name."""
    for number, value in evidence.events:
        place = evidence.places[number]
        array = evidence.values[value]
        if place.line == line and place.kind in _NAMES and array.ndim == 1 and array.size > 1:
            for _, _, known, statement in evidence.record.changes:
                if known == value and statement >= 0:
                    return evidence.places[statement].line
    return None


def _handed_on(evidence: Evidence, first: Pass, number: int) -> int | None:
    """Where z of the layer before is passed on under another name, or read by the product."""
    wrong, reached = first.z[number - 1], evidence.find(first.z[number], first.event)
    end = reached[0].event if reached else first.event + 200
    reads = evidence.find(wrong, first.event, end)
    if not reads and wrong.size > 1:
        reads = evidence.find(wrong.reshape(-1)[-1:], first.event, end)
    handed = [s for s in reads if s.place.kind in _NAMES and _is_handed_on(s.place)]
    named = [s for s in reads if s.place.kind in _NAMES]
    chosen = handed[:1] or named[-1:]
    return chosen[0].place.line if chosen else None


def _is_handed_on(place: Place) -> bool:
    parent = place.parent
    if isinstance(parent, ast.Return):
        return True
    if isinstance(parent, ast.Assign | ast.AnnAssign):
        return parent.value is place.node
    return (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Attribute)
        and parent.func.attr in ("append", "insert")
    )


def _update_of(evidence: Evidence, path: Path) -> int | None:
    """The statement that changes a parameter again and again."""
    lines = [
        evidence.places[place].line
        for _, known, value, place in evidence.record.changes
        if value >= 0 and place >= 0 and stands_for(path, evidence.record.paths[known])
    ]
    return max(lines[1:], key=lines.count) if len(lines) > 1 else None


def _forward_call(source: Source, evidence: Evidence, first: Pass) -> int | None:
    """The call of the forward pass that stands outside of every loop, or its first line."""
    made = [s for s in evidence.find(first.z[0], first.event) if s.place.kind in ("BinOp", "Call")]
    if not made:
        return None
    place = made[0].place
    name = place.scope.rpartition(".")[2]
    tree = source.parse()
    in_loops = {
        id(inner)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For | ast.While)
        for inner in ast.walk(loop)
    }
    calls = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and id(node) not in in_loops
        and ast.unparse(node.func).rpartition(".")[2] == name
    ]
    return max(calls) if name and calls else place.line


def _gradient_of_that_shape(evidence: Evidence, path: Path, line: int | None) -> int | None:
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
        and not _is_in_product(evidence, place.text, line)
    ]
    new = changed[0][1] if changed else None
    as_new = [pair for pair in reads if evidence.values[pair[1]].shape == new]
    as_other = [pair for pair in reversed(reads) if evidence.values[pair[1]].shape != first[1]]
    for event, value in as_new or as_other:
        bound = [
            other
            for earlier in range(event)
            if evidence.events[earlier][1] == value
            and (other := evidence.place(earlier)).statement != line
            and isinstance(other.parent, ast.Assign | ast.Dict | ast.keyword)
            and not _is_in_product(evidence, _target(other), line)
        ]
        computed = [other for other in bound if other.kind not in ("Name", "Attribute")]
        return (computed or bound)[-1].line if bound else None
    return None


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


def _first_value(evidence: Evidence, path: Path, weights: Array) -> int | None:
    """The statement after which the parameter had its starting value."""
    ending = path[-1:] if isinstance(path[-1], str) and path[-1] != "*" else path[-2:]
    for _, known, value, place in evidence.record.changes:
        other = evidence.record.paths[known]
        if value < 0 or place < 0 or not stands_for(ending, other[-len(ending) :]):
            continue
        array = evidence.values[value]
        if array.size == weights.size and np.allclose(np.sort(array, None), np.sort(weights, None)):
            return _innermost(evidence, array, place)
    return None


def _innermost(evidence: Evidence, array: Array, place: int) -> int:
    """The line in which an array was made, where one statement makes several over many lines."""
    statement = evidence.places[place]
    made = [
        s.place.line
        for s in evidence.find(array)
        if statement.line <= s.place.line <= statement.end_line
        and s.place.kind in ("Call", "BinOp")
    ]
    return made[0] if made else statement.line
