"""Ways of mending the gradient of a bias: what is summed, over which axis."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from chainrule.checker.evidence import Sighting
from chainrule.checker.repairs import Repair
from chainrule.checker.scene import COMPUTING, Scene
from chainrule.layer import Array

_SUMS = ("sum", "mean")


def sum_repairs(scene: Scene) -> Iterator[Repair]:
    """δ summed over the samples, where something else was taken for it."""
    slip, judged = scene.slip, scene.judged
    delta = judged.explanation.deltas[slip.layer].delta
    for sighting in _taken(scene, delta):
        node = scene.node(sighting.place)
        for call in ast.walk(node):
            if isinstance(call, ast.Call):
                yield from _other_axis(scene, call)
        yield from _summed(scene, sighting)


def _taken(scene: Scene, delta: Array) -> list[Sighting]:
    """Where the wrong gradient was computed, or a part of δ (or all of it) was taken for it."""
    slip = scene.slip
    found: dict[int, Sighting] = {}
    wrong = [slip.wrong] if slip.wrong is not None else []
    wrong += [
        fit.gradient
        for fit in scene.judged.explanation.fits
        if fit.layer == slip.layer and fit.kind == "bias"
    ]
    for quantity in wrong:
        for sighting in scene.sightings(quantity):
            if sighting.place.kind in ("Call", "BinOp", "Subscript", "ListComp"):
                found.setdefault(sighting.place.number, sighting)
    for sighting in scene.sightings(delta):
        node = scene.node(sighting.place)
        parent = scene.parent(node)
        call = scene.parent(parent) if isinstance(parent, ast.Attribute) else parent
        place = scene.place(call) if isinstance(call, ast.Call) else None
        if place is not None and isinstance(call, ast.Call) and _called(call) in _SUMS:
            found.setdefault(place.number, Sighting(sighting.event + 1, place, 1.0))
        if sighting.place.kind in COMPUTING and not _reads(scene, node, delta):
            continue
        is_used_up = isinstance(parent, ast.Assign | ast.AugAssign | ast.keyword | ast.Dict)
        if is_used_up or (isinstance(parent, ast.BinOp) and not isinstance(parent.op, ast.MatMult)):
            found.setdefault(sighting.place.number, sighting)
    return list(found.values())


def _reads(scene: Scene, node: ast.AST, delta: Array) -> bool:
    """Whether an expression has δ, under its name, inside."""
    inside = {id(inner) for inner in ast.walk(node)} - {id(node)}
    return any(
        s.place.kind in ("Name", "Attribute", "Subscript") and id(scene.node(s.place)) in inside
        for s in scene.sightings(delta)
    )


def _other_axis(scene: Scene, call: ast.Call) -> Iterator[Repair]:
    """The same call with another axis."""
    axis = next((keyword.value for keyword in call.keywords if keyword.arg == "axis"), None)
    if _called(call) not in _SUMS:
        return
    is_method = not (isinstance(call.func, ast.Attribute) and _is_module(call.func.value))
    positional = call.args[0 if is_method else 1 :]
    axis = axis or (positional[0] if positional else None)
    said = scene.writer.said(call)
    if axis is not None:
        for new in ("0", "1"):
            yield scene.writer.replace(axis, new)
        return
    for new in ("0", "1"):
        added = f"axis={new}" if not call.args and not call.keywords else f", axis={new}"
        yield scene.writer.replace(call, f"{said[:-1]}{added})")
        if not any(keyword.arg == "keepdims" for keyword in call.keywords):
            yield scene.writer.replace(call, f"{said[:-1]}{added}, keepdims=True)")


def _summed(scene: Scene, sighting: Sighting) -> Iterator[Repair]:
    """Σ δ in the place of an expression; where that is δ itself, of that."""
    node = scene.node(sighting.place)
    if not isinstance(node, ast.expr):
        return
    texts = [named.text for named in scene.deltas_at(sighting, scene.slip.layer)][:2]
    if isinstance(node, ast.Subscript):
        texts.insert(0, scene.writer.said(node.value))
    if sighting.place.kind in ("Name", "Attribute"):
        texts.insert(0, scene.writer.said(node))
    axes = ("1", "0") if scene.judged.network.columns else ("0", "1")
    for text in dict.fromkeys(texts):
        for axis in axes:
            for keep in ("", ", keepdims=True"):
                new = f"np.sum({text}, axis={axis}{keep})"
                yield scene.writer.replace(node, new, scene.parent(node))


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")
