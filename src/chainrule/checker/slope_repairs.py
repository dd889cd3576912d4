"""Ways of mending a derivative: missing, of another function, of the wrong argument."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np

from chainrule.checker.evidence import Sighting
from chainrule.checker.functions import KNOWN
from chainrule.checker.repairs import Repair
from chainrule.checker.scene import Scene, is_of_a_module
from chainrule.layer import Array


def missing_slope_repairs(scene: Scene) -> Iterator[Repair]:
    """Multiply what was taken for δ by the derivative, wherever it stands."""
    slip, judged = scene.slip, scene.judged
    deltas = judged.explanation.deltas[slip.layer]
    if slip.detail:  # δ itself is right, but a gradient was made of the error
        for sighting in _in_gradients(scene, deltas.error):
            names = scene.names(sighting)
            for named in names.of(deltas.delta * sighting.factor) or names.of(deltas.delta):
                yield _put(scene, sighting, named.text)
    yield from _without_condition(scene)
    unfinished = deltas.error if slip.detail else deltas.delta
    for sighting in _in_order(scene, unfinished):
        for slope in slopes_here(scene, sighting)[:2]:
            node = scene.node(sighting.place)
            assert isinstance(node, ast.expr)  # noqa: S101 - only those have values
            yield _put(scene, sighting, scene.habits.times(scene.writer.grouped(node), slope))


def _in_gradients(scene: Scene, quantity: Array) -> list[Sighting]:
    """Where a quantity was read within the computation of one of the layer's gradients."""
    fits = [fit for fit in scene.judged.explanation.fits if fit.layer == scene.slip.layer]
    inside = {
        id(node)
        for fit in fits
        for sighting in scene.made(fit.gradient)
        for node in ast.walk(scene.node(sighting.place))
    }
    return [s for s in scene.sightings(quantity) if id(scene.node(s.place)) in inside]


def _without_condition(scene: Scene) -> Iterator[Repair]:
    """A derivative for some of the layers only: for all of them."""
    deltas = scene.judged.explanation.deltas[scene.slip.layer]
    for sighting in scene.made(deltas.delta):
        for node in ast.walk(scene.node(sighting.place)):
            if isinstance(node, ast.IfExp):
                for side in (node.body, node.orelse):
                    yield scene.writer.replace(node, scene.writer.said(side))


def wrong_slope_repairs(scene: Scene) -> Iterator[Repair]:
    """Put the right derivative in the place of a wrong one."""
    slip = scene.slip
    calls: list[Repair] = []
    functions: list[Repair] = []
    others: list[Repair] = []
    if slip.wrong is not None:
        for sighting in scene.made(slip.wrong):
            node = scene.node(sighting.place)
            calls += _other_argument(scene, sighting, node)
            functions += _other_return(scene, sighting, node)
            others += _instead(scene, sighting)
    others += _rebuilt_products(scene)
    if _call_is_to_blame(scene, calls):
        yield from (*calls, *functions, *others)
    else:
        yield from (*functions, *calls, *others)


def slopes_here(scene: Scene, sighting: Sighting) -> list[str]:
    """f'(z) of the layer, in the names that are known at a place."""
    names, layer = scene.names(sighting), scene.slip.layer
    judged = scene.judged
    known = KNOWN[judged.network.layers[layer].activation]
    outputs = [named.text for named in names.of(_like(scene, sighting, scene.last.a[layer]))]
    sums = [named.text for named in names.of(_like(scene, sighting, scene.last.z[layer]))]
    written = _as_elsewhere(scene, outputs, sums)
    if known.by_output_text:
        written += [re.sub(r"\ba\b", a, known.by_output_text) for a in outputs[:2]]
    function = _activation_called(scene)
    for z in sums[:2]:
        if known.name == "sigmoid":
            written += [f"{function}({z}) * (1 - {function}({z}))"] if function else []
        elif known.slope_text:
            written.append(re.sub(r"\bz\b", z, known.slope_text))
    return list(dict.fromkeys(written))


def _like(scene: Scene, sighting: Sighting, quantity: Array) -> Array:
    """A quantity as it is at hand: where numbers are computed one by one, the number meant."""
    delta = scene.judged.explanation.deltas[scene.slip.layer].delta
    for wanted in (delta, scene.slip.wrong):
        if wanted is not None and wanted.shape == quantity.shape:
            found = scene.at_hand(sighting, wanted, quantity)
            if found is not quantity:
                return found
    return quantity


def _activation_called(scene: Scene) -> str | None:
    """What the learner calls the layer's activation function."""
    begin, end = scene.window
    for sighting in scene.evidence.find(scene.last.a[scene.slip.layer], begin, end):
        node = sighting.place.node
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            return ast.unparse(node.func)
    return None


def _as_elsewhere(scene: Scene, outputs: list[str], sums: list[str]) -> list[str]:
    """Calls that give another layer's derivative, with this layer's argument."""
    judged = scene.judged
    begin, end = scene.window
    activation = judged.network.layers[scene.slip.layer].activation
    written = []
    for other, layer in enumerate(judged.network.layers):
        if layer.activation != activation:
            continue
        slope = KNOWN[activation].slope(scene.last.z[other])
        for sighting in scene.evidence.find(slope, begin, end):
            node = sighting.place.node
            if (
                not isinstance(node, ast.Call)
                or not node.args
                or sighting.place.text.count("(") > 3
            ):
                continue
            given = scene.latest(node.args[0], sighting.event)
            if given is None:
                continue
            of_output = _is_same(given, scene.last.a[other])
            rest = [ast.unparse(argument) for argument in (*node.args[1:], *node.keywords)]
            written += [
                f"{ast.unparse(node.func)}({', '.join([name, *rest])})"
                for name in (outputs if of_output else sums)
            ]
    return written


def _in_order(scene: Scene, quantity: Array) -> list[Sighting]:
    """Sightings of an unfinished δ: where it got its name, then where it was made, then read."""
    sightings = scene.sightings(quantity)

    def rank(sighting: Sighting) -> tuple[int, int]:
        node = scene.node(sighting.place)
        parent = scene.parent(node)
        while isinstance(parent, ast.List | ast.Tuple | ast.Dict):
            parent = scene.parent(parent)
        if _is_passed_on(scene, sightings, node):
            return 4, sighting.event
        if isinstance(parent, ast.Assign | ast.AnnAssign):
            return 0, -sighting.event
        if isinstance(parent, ast.Return | ast.Lambda):
            return 1, -sighting.event
        return (2 if sighting.place.kind in ("BinOp", "Call") else 3), sighting.event

    return sorted(sightings, key=rank)


def _is_passed_on(scene: Scene, sightings: list[Sighting], node: ast.AST) -> bool:
    """Whether a call gives back what its function was given, as it was."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    inside = [s for s in sightings if s.place.scope.rpartition(".")[2] == name]
    return bool(inside) and inside[0].place.kind == "Name"


def _put(scene: Scene, sighting: Sighting, text: str) -> Repair:
    node = scene.node(sighting.place)
    assert isinstance(node, ast.expr)  # noqa: S101 - only those have values
    return scene.writer.replace(node, text, scene.parent(node))


def _instead(scene: Scene, sighting: Sighting) -> list[Repair]:
    """The right derivative in the place of the expression itself."""
    node = scene.node(sighting.place)
    if not isinstance(node, ast.expr):
        return []
    if isinstance(scene.parent(node), ast.Return | ast.Lambda) and scene.function(node):
        return []
    return [_put(scene, sighting, slope) for slope in slopes_here(scene, sighting)]


def _other_argument(scene: Scene, sighting: Sighting, node: ast.AST) -> list[Repair]:
    """The same function of z instead of a, or of a instead of z."""
    if not isinstance(node, ast.Call) or not node.args or is_of_a_module(node):
        return []
    layer, names = scene.slip.layer, scene.names(sighting)
    here = scene.writer.said(node.args[0])
    given = scene.latest(node.args[0], sighting.event)
    found = []
    for quantity in (scene.last.a[layer], scene.last.z[layer]):
        meant = _like(scene, sighting, quantity)
        if given is not None and _is_same(given, meant):
            continue
        found += [
            scene.writer.replace(node.args[0], named.text, node)
            for named in names.of(meant)
            if named.text != here
        ]
    return found


def _is_same(one: Array, other: Array) -> bool:
    """Whether two arrays have the same numbers, in rows or in columns."""
    return one.size == other.size and np.allclose(np.sort(one, None), np.sort(other, None))


def _other_return(scene: Scene, sighting: Sighting, node: ast.AST) -> list[Repair]:
    """The function that computes the derivative, written as it should be."""
    parent = scene.parent(node)
    function = scene.function(node)
    if function is None or not isinstance(parent, ast.Return | ast.Lambda):
        return []
    if not isinstance(node, ast.expr):
        return []
    known = KNOWN[scene.judged.network.layers[scene.slip.layer].activation]
    parameters = [argument.arg for argument in function.args.args if argument.arg != "self"]
    local = _own_name(node)
    called = _activation_called(scene)
    texts = slopes_here(scene, sighting) if len(parameters) != 1 else []
    for name in dict.fromkeys([*parameters[:1], *([local] if local else [])]):
        if known.by_output_text:
            texts.append(re.sub(r"\ba\b", name, known.by_output_text))
        if known.name == "sigmoid":
            texts += [f"{called}({name}) * (1 - {called}({name}))"] if called else []
        elif known.slope_text:
            texts.append(re.sub(r"\bz\b", name, known.slope_text))
    return [scene.writer.replace(node, text, parent) for text in dict.fromkeys(texts)]


def _own_name(node: ast.AST) -> str | None:
    """The one variable of an expression, not counting functions and modules."""
    called = {id(inner.func) for inner in ast.walk(node) if isinstance(inner, ast.Call)}
    modules = {id(inner.value) for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
    names = {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and id(inner) not in called | modules
    }
    return names.pop() if len(names) == 1 else None


def _call_is_to_blame(scene: Scene, calls: list[Repair]) -> bool:
    """Whether a call gives its function something else than the function's own text speaks of.

    A function of ``output`` that is given ``z`` is called wrongly; a function of ``z`` that is
    given ``z`` is written wrongly.
    """
    if scene.slip.wrong is None:
        return bool(calls)
    for sighting in scene.made(scene.slip.wrong):
        node = scene.node(sighting.place)
        function = scene.function(node)
        if function is None or not isinstance(scene.parent(node), ast.Return | ast.Lambda):
            continue
        parameters = [a.arg for a in function.args.args if a.arg != "self"]
        if len(parameters) != 1:
            return False
        for repair in calls:
            new = repair.edits[0].new
            old = scene.writer.text[repair.edits[0].start : repair.edits[0].end]
            if _speaks_of(old, parameters[0]):
                return False
            if _speaks_of(new, parameters[0]):
                return True
    return bool(calls)


def _speaks_of(text: str, name: str) -> bool:
    words, name = re.findall(r"[^\W\d_]+", text.lower()), name.lower()
    if name in words or f"{name}s" in words:
        return True
    return len(name) > 1 and any(name in word for word in words)


def _rebuilt_products(scene: Scene) -> list[Repair]:
    """Products error * wrong derivative, of which the derivative alone was never computed."""
    deltas = scene.judged.explanation.deltas[scene.slip.layer]
    found = []
    for sighting in scene.made(deltas.delta):
        node = scene.node(sighting.place)
        if not isinstance(node, ast.BinOp):
            continue
        factors = _factors(node)
        kept = [factor for factor in factors if _is_kept(scene, sighting, factor, deltas.error)]
        if not kept or len(kept) == len(factors):
            continue
        for slope in slopes_here(scene, sighting)[:3]:
            product = " * ".join([*(scene.writer.grouped(factor) for factor in kept), slope])
            found.append(scene.writer.replace(node, product, scene.parent(node)))
    return found


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _is_kept(scene: Scene, sighting: Sighting, factor: ast.expr, error: Array) -> bool:
    """Whether a factor is the error (or a number), not a part of the derivative."""
    value = scene.latest(factor, sighting.event)
    if value is None:
        return not isinstance(factor, ast.Compare)
    if value.size == 1:
        return True
    return any(s.place is scene.place(factor) for s in scene.sightings(error))
