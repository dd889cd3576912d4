"""Where the gradients of several steps pile up: the statement that adds a new one to what is there.

Each such statement is right by itself, in a loop over samples. So what is missing may stand
elsewhere, a reset before the next step; the sum is what it is missing for.
"""

from __future__ import annotations

import ast

from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import parameter_paths
from chainrule.checker.instrument import Place
from chainrule.checker.judged import Judged
from chainrule.checker.slips import Slip
from chainrule.layer import Array


def where_it_piles_up(evidence: Evidence, judged: Judged, slip: Slip) -> Place | None:
    """The first statement that adds a gradient of the step to a sum of the learner's."""
    begin, end = judged.parts[-1].event, judged.step.end
    statements = _adding_statements(evidence, judged)
    for gradient in _gradients(judged, slip):
        for sighting in evidence.find(gradient, begin, end, scaled=True):
            place = statements.get(sighting.place.statement)
            if place is not None:
                return place
    size = judged.batch.weights[slip.layer].size  # gradients in one flat array are larger
    for event in range(begin, min(end, len(evidence.events))):
        place = statements.get(evidence.place(event).statement)
        is_sum = place is not None and evidence.place(event).parent is place.node
        if is_sum and evidence.value(event).size >= size:
            return place
    return None


def _gradients(judged: Judged, slip: Slip) -> list[Array]:
    """Gradients of the weights, the slip's first; of several samples also the last one's alone."""
    fits = [fit for fit in judged.explanation.fits if fit.kind == "weights"]
    fits.sort(key=lambda fit: fit.layer != slip.layer)
    found = [fit.gradient for fit in fits]
    if len(judged.parts) > 1:
        last = judged.parts[-1]
        for fit in fits:
            delta = judged.explanation.deltas[fit.layer].delta
            if len(delta) == judged.batch.rows():
                found.append(last.h[fit.layer].T @ delta[-last.rows() :])
    return found


def _adding_statements(evidence: Evidence, judged: Judged) -> dict[int, Place]:
    """Statements that add to a variable that is no parameter, by their lines."""
    parameters = {str(path[-1]).lstrip(".") for path in parameter_paths(judged.network)}
    found: dict[int, Place] = {}
    for place in evidence.places:
        target = _added_to(place.node)
        if target is not None and not _speaks_of(target, parameters):
            found[place.line] = place
    return found


def _added_to(node: ast.AST) -> ast.expr | None:
    """What a statement adds to."""
    if isinstance(node, ast.AugAssign):
        # A penalty is added to some rows only: grad[1:] += l * W[1:].
        is_part = isinstance(node.target, ast.Subscript) and isinstance(
            node.target.slice, ast.Slice
        )
        return node.target if isinstance(node.op, ast.Add) and not is_part else None
    if isinstance(node, ast.Assign):
        return node.targets[0] if _adds_to_itself(node) else None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        is_set = isinstance(call.func, ast.Name) and call.func.id == "setattr"
        value = call.args[-1] if is_set and call.args else None
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            own = f"getattr({', '.join(map(ast.unparse, call.args[:2]))})"
            return value if own in map(ast.unparse, (value.left, value.right)) else None
    return None


def _adds_to_itself(node: ast.Assign) -> bool:
    """Whether a statement is x = x + g or x = g + x."""
    target, value = ast.unparse(node.targets[0]), node.value
    return (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Add)
        and any(
            ast.unparse(inner) == target
            for side in (value.left, value.right)
            for inner in ast.walk(side)
            if isinstance(inner, ast.expr)
        )
    )


def _speaks_of(target: ast.expr, parameters: set[str]) -> bool:
    """Whether an assignment is to a parameter, by the last word of its name."""
    inner = target
    while isinstance(inner, ast.Subscript) and not isinstance(inner.slice, ast.Constant):
        inner = inner.value
    if isinstance(inner, ast.Attribute):
        return inner.attr in parameters
    return isinstance(inner, ast.Name) and inner.id in parameters
