"""Ways of writing an update that is missing: as that of the weights beside it, for the bias."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from chainrule.checker.evidence import Sighting
from chainrule.checker.explanation import Fit
from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import Scene, is_of_a_module
from chainrule.checker.sign_repairs import update_statements
from chainrule.layer import Array


def missing_update_repairs(scene: Scene) -> Iterator[Repair]:
    """After the statement that updates the weights, the same for the bias."""
    layer = scene.slip.layer
    bias = scene.judged.batch.biases[layer]
    if bias is None:
        return
    yield from _in_place_of_zeros(scene)
    for statement in update_statements(scene, {layer}, bias=False):
        if not isinstance(statement, ast.Assign | ast.AugAssign):
            continue
        sighting = _seen_in(scene, statement)
        if sighting is None:
            continue
        names = scene.names(sighting)
        target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
        beside = ast.unparse(getattr(target, "value", target))
        for parameter in sorted(names.of(bias, 6), key=lambda n: not n.text.startswith(beside))[:3]:
            for gradient in _gradients(scene, sighting):
                rate = names.number(abs(scene.judged.explanation.scale))
                written = _for_bias(scene, statement, parameter.text, gradient, rate)
                if written is not None:
                    yield scene.writer.insert_after(statement, written)


def _in_place_of_zeros(scene: Scene) -> Iterator[Repair]:
    """Σ δ where zeros were taken for the gradient of the bias."""
    layer = scene.slip.layer
    outputs = scene.judged.batch.z[layer].shape[1]
    seen: set[int] = set()
    for event in range(scene.begin, scene.judged.step.end):
        place, value = scene.evidence.place(event), scene.evidence.value(event)
        if place.kind != "Call" or value.size != outputs or value.any() or place.number in seen:
            continue
        seen.add(place.number)
        node = scene.node(place)
        if isinstance(node, ast.expr) and is_of_a_module(node):
            for gradient in _gradients(scene, Sighting(event, place, 1.0)):
                yield scene.writer.replace(node, gradient)


def _seen_in(scene: Scene, statement: ast.stmt) -> Sighting | None:
    """The last value that was seen within a statement."""
    nodes = {id(node) for node in ast.walk(statement)}
    for event in range(scene.judged.step.end - 1, scene.begin, -1):
        place = scene.evidence.place(event)
        if id(scene.node(place)) in nodes:
            return Sighting(event, place, 1.0)
    return None


def _gradients(scene: Scene, sighting: Sighting) -> list[str]:
    """Σ δ: under its name where it was computed, or written out."""
    layer = scene.slip.layer
    delta = scene.judged.explanation.deltas[layer].delta
    texts = [
        scene.writer.said(node)
        for found in scene.sightings(delta.sum(axis=0))
        if isinstance(node := _target(scene, found), ast.expr)
        and found.place.scope == sighting.place.scope
    ]
    axis = "1" if scene.judged.network.columns else "0"
    rows = scene.names(sighting).number(scene.judged.batch.rows())
    for named in scene.deltas_at(sighting, layer)[:2]:
        for keep in (", keepdims=True", ""):
            summed = f"np.sum({named.text}, axis={axis}{keep})"
            texts += [summed, f"{summed} / {rows}"]
        texts.append(named.text)
    return list(dict.fromkeys(texts))


def _target(scene: Scene, found: Sighting) -> ast.expr | None:
    """The variable that an expression's value was assigned to."""
    node = scene.node(found.place)
    parent = scene.parent(node)
    if isinstance(parent, ast.Assign) and parent.value is node:
        return parent.targets[0]
    return node if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else None


def _for_bias(
    scene: Scene, statement: ast.Assign | ast.AugAssign, bias: str, gradient: str, rate: str
) -> str | None:
    """The text of the weights' update, with the bias and its gradient in their places."""
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    start, end = scene.writer.span(statement)
    name = ast.unparse(target)
    edits = [
        Edit(*scene.writer.span(node), bias)
        for node in ast.walk(statement)
        if isinstance(node, ast.expr) and ast.unparse(node) == name
    ]
    fits = [f for f in scene.judged.explanation.fits if f.layer == scene.slip.layer]
    outermost = _outermost(scene, statement, fits[0].gradient) if fits else None
    if outermost is None or not edits:
        return None
    if _has_the_rate(scene, outermost, fits[0]):
        gradient = f"{rate} * {gradient}"
    edits.append(Edit(*scene.writer.span(outermost), gradient))
    text = scene.writer.text
    for edit in sorted(edits, key=lambda e: -e.start):
        text = text[: edit.start] + edit.new + text[edit.end :]
    grown = len(text) - len(scene.writer.text)
    return text[start : end + grown].replace("\n", " ")


def _has_the_rate(scene: Scene, node: ast.expr, fit: Fit) -> bool:
    """Whether the learning rate is multiplied in already."""
    factors = [abs(s.factor) for s in scene.sightings(fit.gradient) if scene.node(s.place) is node]
    return any(abs(factor / fit.scale - 1) < 1e-6 for factor in factors) and abs(fit.scale) != 1


def _outermost(scene: Scene, statement: ast.stmt, gradient: Array) -> ast.expr | None:
    """What a statement has as the weights' gradient: its number, or a name of its shape."""
    inside = {id(node) for node in ast.walk(statement)}
    for sighting in scene.sightings(gradient):
        node = scene.node(sighting.place)
        if id(node) in inside and isinstance(node, ast.expr):
            return node
    target = statement.target if isinstance(statement, ast.AugAssign) else None
    for node in ast.walk(statement):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or node is target:
            continue
        value = scene.latest(node, scene.judged.step.end)
        if value is not None and value.shape in (gradient.shape, gradient.T.shape):
            parameter = scene.judged.batch.weights[scene.slip.layer]
            if not np.array_equal(value.reshape(-1), parameter.reshape(-1)):
                return node
    return None
