"""Ways of turning a sign: of the error, or of the updates."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from chainrule.checker.evidence import Sighting
from chainrule.checker.lines import stands_for
from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import Scene


def sign_repairs(scene: Scene) -> Iterator[Repair]:
    """Turn the error's difference where all is turned, and the updates."""
    if scene.slip.detail == "all":
        differences, updates = list(_differences(scene)), list(_updates(scene, None))
        yield from (*updates, *differences) if _goes_down(scene) else (*differences, *updates)
    else:
        is_bias = scene.slip.detail.startswith("bias")
        layers = _turned_alike(scene)
        yield from _updates(scene, layers, bias=is_bias, weights=not is_bias)
        yield from _updates(scene, layers)
        yield from _within_gradients(scene)


def _goes_down(scene: Scene) -> bool:
    """Whether a step downhill was computed, as v = m v - η g: then it is used wrongly."""
    updates = update_statements(scene, None)
    for fit in scene.judged.explanation.fits:
        for sighting in scene.made(fit.gradient):
            node = scene.node(sighting.place)
            around = scene.parent(node)
            is_subtracted = isinstance(around, ast.BinOp) and isinstance(around.op, ast.Sub)
            if sighting.factor < 0 or not is_subtracted or not isinstance(around, ast.BinOp):
                continue
            statement = scene.statement(node)
            if around.right is node and all(statement is not update for update in updates):
                return True
    return False


def _turned_alike(scene: Scene) -> set[int]:
    slips = scene.judged.explanation.slips
    return {slip.layer for slip in slips if slip.cause == "sign_turned"} or {scene.slip.layer}


def _differences(scene: Scene) -> Iterator[Repair]:
    """Turn ŷ - y round; first where it is used for the gradient, not for the loss."""
    error = scene.judged.explanation.deltas[-1].error
    found = sorted(
        scene.sightings(error), key=lambda s: (_is_squared(scene, s), scene.is_helper(s.place))
    )
    for sighting in found:
        node = scene.node(sighting.place)
        if isinstance(node, ast.BinOp):
            yield from _turned(scene, node)
        if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
            yield _exchanged(scene, node.args[0], node.args[1])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield scene.writer.replace(node, scene.writer.said(node.operand), scene.parent(node))


def _within_gradients(scene: Scene) -> Iterator[Repair]:
    """Turn a sign within what one layer's gradient is made of."""
    for fit in scene.judged.explanation.fits:
        if fit.layer != scene.slip.layer:
            continue
        for quantity in (scene.judged.explanation.deltas[fit.layer].delta, fit.gradient):
            for sighting in scene.made(quantity):
                node = scene.node(sighting.place)
                for inner in ast.walk(node):
                    if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
                        said = scene.writer.said(inner.operand)
                        yield scene.writer.replace(inner, said, scene.parent(inner))
                if isinstance(node, ast.BinOp):
                    yield from _turned(scene, node)


def _turned(scene: Scene, node: ast.BinOp) -> Iterator[Repair]:
    """A difference the other way round; a sum as a difference."""
    difference = _inner_difference(node)
    if difference is None:
        return
    if isinstance(difference.op, ast.Sub):
        yield _exchanged(scene, difference.left, difference.right)
    else:
        yield operator_repair(scene, difference)


def _inner_difference(node: ast.expr) -> ast.BinOp | None:
    """The difference in a product of a difference and numbers."""
    while isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Sub | ast.Add):
            return node
        if not isinstance(node.op, ast.Mult | ast.Div):
            return None
        sides = [side for side in (node.left, node.right) if isinstance(side, ast.BinOp)]
        if not sides:
            return None
        node = sides[0]
    return None


def _exchanged(scene: Scene, one: ast.expr, other: ast.expr) -> Repair:
    """Two operands in each other's place, with brackets where they need them."""
    writer = scene.writer
    first, second = writer.span(one), writer.span(other)
    is_sum = isinstance(scene.parent(one), ast.BinOp)
    new_second = f"({writer.said(one)})" if is_sum and isinstance(one, ast.BinOp) and isinstance(
        one.op, ast.Add | ast.Sub
    ) else writer.said(one)  # fmt: skip
    edits = (Edit(*first, writer.said(other)), Edit(*second, new_second))
    return Repair(one.lineno, edits)


def operator_repair(scene: Scene, node: ast.BinOp | ast.AugAssign) -> Repair:
    """Minus between two sides where plus stands, or the other way round."""
    new = "-" if isinstance(node.op, ast.Add) else "+"
    writer = scene.writer
    left = node.target if isinstance(node, ast.AugAssign) else node.left
    right = node.value if isinstance(node, ast.AugAssign) else node.right
    start, end = writer.span(left)[1], writer.span(right)[0]
    between = writer.text[start:end]
    old = next(sign for sign in ("+", "-") if sign in between)
    at = start + between.index(old)
    return Repair(writer.text.count("\n", 0, at) + 1, (Edit(at, at + 1, new),))


def _updates(
    scene: Scene, layers: set[int] | None, *, weights: bool = True, bias: bool = True
) -> Iterator[Repair]:
    """Turn the sign in every statement that updates these parameters, all together."""
    repairs: list[Repair] = []
    for statement in update_statements(scene, layers, weights=weights, bias=bias):
        turned = _turned_update(scene, statement)
        if turned is not None:
            repairs.append(turned)
    if repairs:
        yield scene.writer.together(repairs)
        if len(repairs) > 1:
            yield from repairs


def _turned_update(scene: Scene, statement: ast.stmt) -> Repair | None:
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.Sub):
        return operator_repair(scene, statement)
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and len(value.args) == 2:
        other = _other_function(scene, value.func.id)
        return None if other is None else scene.writer.replace(value.func, other)
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            return operator_repair(scene, node)
    return None


def _other_function(scene: Scene, called: str) -> str | None:
    """The learner's function that adds, for the one that subtracts; or the other way round."""
    for function in ast.walk(scene.tree):
        if isinstance(function, ast.FunctionDef) and function.name == called:
            signs = _signs(function)
            for other in ast.walk(scene.tree):
                if isinstance(other, ast.FunctionDef) and other is not function:
                    same_arguments = len(other.args.args) == len(function.args.args)
                    if same_arguments and signs and _signs(other) and _signs(other) != signs:
                        return other.name
    return None


def _signs(function: ast.FunctionDef) -> set[type[ast.operator]]:
    return {
        type(node.op)
        for node in ast.walk(function)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    }


def update_statements(
    scene: Scene, layers: set[int] | None, *, weights: bool = True, bias: bool = True
) -> list[ast.stmt]:
    """Statements after which a parameter of these layers had another value."""
    found: dict[int, ast.stmt] = {}
    for number in range(len(scene.judged.network.layers)):
        if layers is None or number in layers:
            for kind, wanted in (("weights", weights), ("bias", bias)):
                for statement in _updates_of(scene, number, kind) if wanted else ():
                    found.setdefault(id(statement), statement)
    return list(found.values())


def _updates_of(scene: Scene, number: int, kind: str) -> list[ast.stmt]:
    """Where a parameter's next value was computed; or after which it was there."""
    layer, step = scene.judged.network.layers[number], scene.judged.step
    path = layer.weights if kind == "weights" else layer.bias
    after = step.weights[number] if kind == "weights" else step.biases[number]
    if path is None or after is None:
        return []
    begin, end = scene.window
    computed = [
        node
        for sighting in scene.evidence.find(after, begin, end)
        if isinstance(node := scene.node(sighting.place), ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
    ]
    record = scene.evidence.record
    noticed = [
        scene.node(scene.evidence.places[place])
        for at, known, _, place in record.changes
        if begin < at <= end and place >= 0 and stands_for(path, record.paths[known])
    ]
    statements = [scene.statement(node) for node in (computed[:1] or noticed)]
    return [statement for statement in statements if statement is not None]


def _is_squared(scene: Scene, sighting: Sighting) -> bool:
    """Whether the square of a value is computed next, in the same statement."""
    evidence = scene.evidence
    value = evidence.value(sighting.event)
    for event in range(sighting.event + 1, min(sighting.event + 4, len(evidence.events))):
        other = evidence.value(event)
        if other.shape == value.shape and value.any() and np.allclose(other, value**2, rtol=1e-9):
            return evidence.place(event).statement == sighting.place.statement
    return False
