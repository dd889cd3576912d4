"""Where a teacher would point for mistakes that are no part of a step's arithmetic.

What shows first is often not where the mistake is: a bias that changes its shape does so in its
update, but its gradient was computed above; an array that is flat meets one that is not in the
error, but it was made flat where the data were.
"""

from __future__ import annotations

import ast

import numpy as np

from chainrule.checker.batch_lines import wrong_slice
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network, Pass, passes
from chainrule.checker.forward_lines import where_z_is_handed_on
from chainrule.checker.lines import stands_for
from chainrule.checker.other_findings import Structural, line_of
from chainrule.checker.paths import Path
from chainrule.checker.shape_lines import gradient_of_that_shape, where_it_was_made_flat
from chainrule.checker.source import Source
from chainrule.checker.start_lines import where_it_started
from chainrule.layer import Array

_LARGE = 20.0  # of numbers that belong to data or to starting weights, and saturate a sigmoid


def finding_line(
    source: Source, evidence: Evidence, network: Network | None, found: Structural
) -> int | None:
    """The line of a finding: where it comes from, or else where it showed."""
    if found.cause == "broadcast_n_n1":
        return where_it_was_made_flat(evidence, found.line) or found.line
    if network is None:
        return found.line
    made = passes(evidence, network, 1)
    if not made:
        return found.line
    number, first = found.layer, made[0]
    line: int | None = None
    if found.cause == "forward_through_z" and number:
        line = where_z_is_handed_on(evidence, first, number)
    elif found.cause == "bias_never_updated":
        line = _update_of(evidence, network.layers[number].weights)
    elif found.cause == "aliased_weights":
        layer = network.layers[number]
        line = _second_name(evidence, first) or _repeated(evidence, (layer.weights, layer.bias))
    elif found.cause == "bias_missing":
        line = _product(evidence, first, number)
    elif found.cause == "stale_output":
        line = _forward_call(source, evidence, first)
    elif found.cause.startswith("bias_gradient") or found.cause == "elementwise_for_matrix":
        layer = network.layers[number]
        path = layer.bias if found.cause.startswith("bias") else layer.weights
        line = None if path is None else gradient_of_that_shape(evidence, path, found.line)
    elif found.cause.endswith("initialisation") or found.cause == "saturating":
        line = _large_inputs(evidence, first) if found.cause == "saturating" else None
        line = line or where_it_started(evidence, network.layers[number], first, number)
    elif found.cause in ("batches_drop_rows", "batches_repeat_rows"):
        line = wrong_slice(source, evidence, found.line)
    return line or found.line


def _second_name(evidence: Evidence, first: Pass) -> int | None:
    """The statement that gave an array of parameters another name, without copying it."""
    parameters = [*first.weights, *(bias for bias in first.biases if bias is not None)]
    found = [s for array in parameters for s in evidence.find(array, 0, first.event)]
    for sighting in sorted(found, key=lambda s: s.event):
        parent = sighting.place.parent
        if sighting.place.kind in ("Subscript", "Attribute", "Name") and (
            isinstance(parent, ast.Assign) and parent.value is sighting.place.node
        ):
            names = {ast.unparse(target) for target in parent.targets}
            if any(isinstance(t, ast.Subscript | ast.Attribute | ast.Name) for t in parent.targets):
                other = ast.unparse(parent.value)
                if not any(_last(name) == _last(other) for name in names):
                    return sighting.place.line
    return None


def _repeated(evidence: Evidence, paths: tuple[Path | None, ...]) -> int | None:
    """The statement that puts one array into a list several times, as [np.zeros(3)] * 2 does."""
    words = {str(part).lstrip(".") for path in paths for part in path or ()}
    for place in evidence.places:
        node = place.node
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            continue
        sides = [side for side in (node.left, node.right) if isinstance(side, ast.List)]
        if not any(isinstance(element, ast.Call) for side in sides for element in side.elts):
            continue
        targets = [
            target
            for other in evidence.places
            if other.line == place.statement and isinstance(other.node, ast.Assign)
            for target in other.node.targets
        ]
        if words & {_last(ast.unparse(target)) for target in targets}:
            return place.line
    return None


def _last(name: str) -> str:
    """The last word of a name: W1 of self.params['W1']."""
    return name.replace("'", " ").replace("]", " ").replace(".", " ").split()[-1]


def _product(evidence: Evidence, first: Pass, number: int) -> int | None:
    """The product that a weighted sum consists of; not a call that hands it on."""
    for sighting in evidence.find(first.z[number], first.event):
        node = sighting.place.node
        is_product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Add)
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if is_product or called.rpartition(".")[2] in ("dot", "matmul", "einsum", "sum"):
            return sighting.place.line
    return None


def _update_of(evidence: Evidence, path: Path) -> int | None:
    """The statement that changes a parameter again and again."""
    lines = [
        evidence.places[place].line
        for _, known, value, place in evidence.record.changes
        if value >= 0 and place >= 0 and stands_for(path, evidence.record.paths[known])
    ]
    return max(lines[1:], key=lines.count) if len(lines) > 1 else None


def _forward_call(source: Source, evidence: Evidence, first: Pass) -> int | None:
    """The call of the forward pass that was made outside of every loop, or its first line."""
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
    reached = {evidence.places[number].line for number, _ in evidence.events}
    calls = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and id(node) not in in_loops
        and node.lineno in reached
        and ast.unparse(node.func).rpartition(".")[2] == name
    ]
    return max(calls) if name and calls else place.line


def _large_inputs(evidence: Evidence, first: Pass) -> int | None:
    """Where the data were made, if they and not the weights are what makes the sums large."""
    inputs, weights = first.h[0], first.weights[0]
    if float(np.abs(inputs).max()) < _LARGE or float(np.abs(weights).max()) > _LARGE:
        return None
    tables = [array for array in evidence.values if _holds_rows(array, inputs)]
    return line_of(evidence, max(tables, key=np.size)) if tables else None


def _holds_rows(array: Array, inputs: Array) -> bool:
    """Whether a table has the samples of a pass among its own, in rows or in columns."""
    if array.ndim != 2 or inputs.shape[1] not in array.shape:
        return False
    ways = [way for way in (array, array.T) if way.shape[1] == inputs.shape[1]]
    return any(bool((way == inputs[0]).all(axis=1).any()) for way in ways)
