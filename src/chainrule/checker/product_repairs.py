"""Ways of mending a product: its factors, their order, their transposes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.composing import called, composed_at, is_one_number
from chainrule.checker.evidence import Sighting
from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import Scene
from chainrule.layer import Array

_PRODUCTS = ("dot", "matmul", "multiply", "outer")


def product_repairs(scene: Scene) -> Iterator[Repair]:
    """Mend what the slip says is wrong: a gradient, or the error that is passed back."""
    slip, explanation = scene.slip, scene.judged.explanation
    is_gradient = any(slip is one for fit in explanation.fits for one in fit.slips)
    is_last = slip.layer + 1 == len(explanation.deltas)
    yield from gradient_repairs(scene) if is_gradient or is_last else error_repairs(scene)


def error_repairs(scene: Scene) -> Iterator[Repair]:
    """The error that a layer is passed back: δ Wᵀ of the layer after."""
    slip, judged = scene.slip, scene.judged
    after = slip.layer + 1
    delta, weights = judged.explanation.deltas[after].delta, judged.batch.weights[after]
    wrong = [q for q in (slip.wrong, *slip.follows) if q is not None]
    made = sorted(_made(scene, wrong), key=lambda s: not _holds(scene, s, weights))
    for sighting in made:
        deltas_here = scene.deltas_at(sighting, after)
        composed = composed_at(scene, sighting, deltas_here, scene.weights_at(sighting, after))
        yield from _other_factors(scene, sighting, judged.explanation.deltas[after].error, delta)
        for other in judged.batch.weights:
            yield from _other_factors(scene, sighting, other, weights)
        if slip.cause == "transposed":
            yield from turned_repairs(scene, sighting)
            yield from composed
        else:
            yield from composed
            yield from turned_repairs(scene, sighting)
    yield from gradient_repairs(scene)


def gradient_repairs(scene: Scene) -> Iterator[Repair]:
    """The gradient of a layer's weights: hᵀ δ."""
    slip, judged = scene.slip, scene.judged
    layer = slip.layer
    h, delta = judged.batch.h[layer], judged.explanation.deltas[layer].delta
    others = [*judged.batch.z, *judged.batch.a, *judged.batch.h, *judged.batch.weights]
    deltas = [d.delta for d in judged.explanation.deltas] + [
        d.error for d in judged.explanation.deltas
    ]
    fits = [f.gradient for f in judged.explanation.fits if f.layer == layer and f.kind == "weights"]
    wrong = [q for q in (slip.wrong, *fits) if q is not None]
    made = _made(scene, wrong)
    if not made or len(judged.parts) > 1:  # the sum over samples is not where one was multiplied
        made = _products_with(scene, delta, h.shape[1]) + made
    for sighting in made:
        inputs = scene.with_ones(layer, h.T, np.ones((1, len(h))))
        composed = (
            repair
            for factor in inputs
            for repair in composed_at(
                scene,
                sighting,
                scene.deltas_at(sighting, layer),
                scene.names(sighting).of(factor.T, 2),
            )
        )
        if slip.cause == "weight_for_input":
            yield from composed
        if slip.cause in ("wrong_layer_error", "weight_for_input", "wrong_input"):
            for other in deltas:
                yield from _other_factors(scene, sighting, other, delta)
            for other in others:
                yield from _other_factors(scene, sighting, other, h)
        if slip.cause == "transposed":
            yield from turned_repairs(scene, sighting)
            yield from composed
        else:
            yield from composed
            yield from turned_repairs(scene, sighting)


def _made(scene: Scene, quantities: list[Array]) -> list[Sighting]:
    """Where quantities were computed, each in the largest expression that has its numbers."""
    found: dict[int, Sighting] = {}
    for quantity in quantities:
        made = {s.place.number: s for s in scene.made(quantity) if not _is_sum(scene, s)}
        for sighting in list(made.values()):
            around = _spread(scene, sighting)
            if around is not None:
                made[around.place.number] = around
        nodes = {number: scene.node(s.place) for number, s in made.items()}
        inner = {
            id(node) for outer in nodes.values() for node in ast.walk(outer) if node is not outer
        }
        for number, sighting in made.items():
            if id(nodes[number]) not in inner:
                found.setdefault(number, sighting)
    return list(found.values())


def _is_sum(scene: Scene, sighting: Sighting) -> bool:
    node = scene.node(sighting.place)
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _spread(scene: Scene, sighting: Sighting) -> Sighting | None:
    """The expression around one that only gives it another shape: x[:, None], x * np.ones(n)."""
    around = scene.parent(scene.node(sighting.place))
    others = factors_of(around) if around is not None else []
    is_spread = isinstance(around, ast.Subscript) or any(
        isinstance(other, ast.Call) and called(other) in ("ones", "ones_like") for other in others
    )
    place = scene.place(around) if is_spread and around is not None else None
    return None if place is None else Sighting(sighting.event + 1, place, sighting.factor)


def _holds(scene: Scene, sighting: Sighting, quantity: Array) -> bool:
    """Whether an expression has a quantity in it."""
    inside = {id(inner) for inner in ast.walk(scene.node(sighting.place))}
    return any(id(scene.node(found.place)) in inside for found in scene.sightings(quantity))


def _products_with(scene: Scene, delta: Array, inputs: int) -> list[Sighting]:
    """Products that have δ in them and the shape of the layer's weights."""
    begin, end = scene.begin, scene.judged.step.end
    found: dict[int, Sighting] = {}
    for event in range(begin, end):
        place = scene.evidence.place(event)
        shape = scene.evidence.value(event).shape
        if place.kind in ("BinOp", "Call") and sorted(shape) in (
            sorted((delta.shape[1], n)) for n in (inputs, inputs + 1)
        ):
            sighting = Sighting(event, place, 1.0)
            if place.number not in found and _holds(scene, sighting, delta):
                found[place.number] = sighting
    return list(found.values())


def _other_factors(
    scene: Scene, sighting: Sighting, wrong: Array, right: Array
) -> Iterator[Repair]:
    """Another quantity in the place of one that does not belong into an expression."""
    if wrong.shape == right.shape and same(wrong, right):
        return
    inside = {id(inner) for inner in ast.walk(scene.node(sighting.place))}
    for found in scene.sightings(wrong):
        node = scene.node(found.place)
        is_name = isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        if id(node) not in inside or not is_name or not isinstance(node, ast.expr):
            continue
        meant = scene.at_hand(found, wrong, right)
        names = scene.names(found)
        alike = [] if found.factor == 1 else names.of(meant * found.factor)
        for named in [*names.of(meant), *alike]:
            yield scene.writer.replace(node, named.text, scene.parent(node))


def turned_repairs(scene: Scene, sighting: Sighting) -> Iterator[Repair]:
    """Each factor of a product transposed, or no longer so; two factors exchanged."""
    for node in ast.walk(scene.node(sighting.place)):
        factors = factors_of(node)
        if not factors and scene.habits.is_product(node):
            assert isinstance(node, ast.Call)  # noqa: S101 - only calls are asked about
            factors = list(node.args)
        if len(factors) != 2 or any(is_one_number(scene, sighting, one) for one in factors):
            continue
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            yield from _matrix_products(scene, node)
        one, other = (_turned(scene, factor) for factor in factors)
        yield one
        yield other
        yield _exchanged(scene, factors[0], factors[1])
        yield scene.writer.together([one, other])


def _matrix_products(scene: Scene, node: ast.BinOp) -> Iterator[Repair]:
    """``@`` in the place of ``*``, with one factor or the other transposed."""
    left, right = scene.writer.grouped(node.left), scene.writer.grouped(node.right)
    parent = scene.parent(node)
    for one, other in ((left, right), (right, left)):
        for text in (f"{one}.T @ {other}", f"{one} @ {other}.T", f"{one} @ {other}"):
            yield scene.writer.replace(node, text, parent)


def factors_of(node: ast.AST) -> list[ast.expr]:
    """The two factors of a product, written with @, * or as a call."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Mult):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and called(node) in _PRODUCTS:
        if len(node.args) == 2:
            return list(node.args)
        if len(node.args) == 1 and isinstance(node.func, ast.Attribute):
            return [node.func.value, node.args[0]]
    return []


def _turned(scene: Scene, node: ast.expr) -> Repair:
    """An expression transposed; one that was, no longer."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        new = scene.writer.said(node.value)
    elif isinstance(node, ast.Call) and called(node) == "transpose":
        assert isinstance(node.func, ast.Attribute)  # noqa: S101 - np.transpose(a) or a.transpose()
        new = scene.writer.said(node.args[0] if node.args else node.func.value)
    elif isinstance(node, ast.Call) and scene.habits.is_transpose(node):
        new = scene.writer.said(node.args[0])
    else:
        new = scene.habits.turned(scene.writer.grouped(node))
    start, end = scene.writer.span(node)
    return Repair(node.lineno, (Edit(start, end, new),))


def _exchanged(scene: Scene, one: ast.expr, other: ast.expr) -> Repair:
    writer = scene.writer
    return Repair(
        one.lineno,
        (
            Edit(*writer.span(one), writer.grouped(other)),
            Edit(*writer.span(other), writer.grouped(one)),
        ),
    )
