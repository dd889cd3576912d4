"""Ways of taking an odd factor out of a gradient, or of putting a missing one in."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from chainrule.checker.evidence import Sighting
from chainrule.checker.explanation import Fit
from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import COMPUTING, Scene
from chainrule.checker.sign_repairs import update_statements
from chainrule.checker.slips import Slip


def factor_repairs(scene: Scene) -> Iterator[Repair]:
    """First drop numbers that stand there, then write in what is missing."""
    odd, others = _odd_fits(scene)
    drop_odd = _dropped_of(scene, odd)
    written = [list(_multiplied(scene, fit)) for fit in odd]
    yield from drop_odd
    yield from _together(scene, [list(_dropped_of(scene, [fit])) for fit in odd])
    # One gradient that is larger than all others lacks what they have; of two and two, who knows.
    is_large = scene.slip.detail.partition(" ")[2] in ("n", "2n", "n/2", "2")
    drop_others = [list(_dropped_of(scene, [fit])) for fit in others]
    if is_large and (len(odd) < len(others) or all(fit.kind == "bias" for fit in odd)):
        yield from _together(scene, written)
        yield from (repair for ways in written for repair in ways)
    yield from _dropped_of(scene, others)
    yield from _together(scene, drop_others)
    yield from _together(scene, written)
    yield from (repair for ways in written for repair in ways)


def _dropped_of(scene: Scene, fits: list[Fit]) -> Iterator[Repair]:
    for statement in _statements(scene, fits):
        yield from _dropped(scene, statement)
        yield from _averaged(scene, statement)


def _together(scene: Scene, ways: list[list[Repair]]) -> Iterator[Repair]:
    """The first way for each gradient, all at once; then the second ones, and so on."""
    if len(ways) > 1:
        for way in itertools.islice(zip(*ways, strict=False), 4):
            yield scene.writer.together(list(way))


def _odd_fits(scene: Scene) -> tuple[list[Fit], list[Fit]]:
    """The gradients that are called odd, the one of the slip first; and the others."""
    slips = [s for s in scene.judged.explanation.slips if s.cause == scene.slip.cause]
    fits = [fit for fit in scene.judged.explanation.fits if fit.scale]

    def is_of(fit: Fit, slip: Slip) -> bool:
        kind = "bias" if slip.detail.startswith("bias") else "weights"
        return (fit.layer, fit.kind) == (slip.layer, kind)

    odd = [fit for fit in fits if any(is_of(fit, slip) for slip in (scene.slip, *slips))]
    odd.sort(key=lambda fit: not is_of(fit, scene.slip))
    return odd, [fit for fit in fits if fit not in odd]


def _statements(scene: Scene, fits: list[Fit]) -> list[ast.stmt]:
    """Statements that compute gradients, in order, and then those that update with them."""
    found: dict[int, ast.stmt] = {}
    for fit in fits:
        for gradient in scene.gradients(fit):
            for sighting in scene.sightings(gradient):
                statement = scene.statement(scene.node(sighting.place))
                if statement is not None:
                    found.setdefault(id(statement), statement)
        for statement in update_statements(
            scene, {fit.layer}, weights=fit.kind == "weights", bias=fit.kind == "bias"
        ):
            found.setdefault(id(statement), statement)
        if fit.kind == "weights":
            for sighting in scene.made(scene.judged.explanation.deltas[fit.layer].delta):
                statement = scene.statement(scene.node(sighting.place))
                if statement is not None:
                    found.setdefault(id(statement), statement)
    return list(found.values())


def _dropped(scene: Scene, statement: ast.stmt) -> Iterator[Repair]:
    """The statement without one of its factors that are single numbers."""
    writer = scene.writer
    is_update = _is_update(statement)  # its factors have names: the learning rate is one of them
    for node in ast.walk(statement):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
            continue
        if isinstance(node.op, ast.Div) and _is_other_than_one(node.left):
            yield writer.replace(node.left, "1")
        if _is_number(scene, node.right) and (isinstance(node.op, ast.Div) or not is_update):
            start, end = writer.span(node.left)[1], writer.span(node)[1]
            yield Repair(node.lineno, (Edit(start, end, _closing(writer.text[start:end])),))
        is_constant = isinstance(node.left, ast.Constant)
        if (
            _is_number(scene, node.left)
            and isinstance(node.op, ast.Mult)
            and (is_constant or not is_update)
        ):
            yield writer.replace(node, writer.said(node.right), scene.parent(node))


def _is_other_than_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value not in (1, 1.0)


def _is_update(statement: ast.stmt) -> bool:
    """Whether a statement changes what it reads: w -= ..., w = w - ..."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Add | ast.Sub)
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in {
        ast.unparse(node) for node in ast.walk(statement.value) if isinstance(node, ast.expr)
    }


def _closing(text: str) -> str:
    """Brackets that a dropped stretch of text has closed."""
    return ")" * max(
        text.split("*")[0].count(")") if "*" in text else text.split("/")[0].count(")"), 0
    )


def _is_number(scene: Scene, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    value = scene.latest(node, scene.judged.step.end)
    if value is None:
        return isinstance(node, ast.Subscript | ast.Call) and "shape" in ast.unparse(node)
    return value.size == 1 and value.ndim == 0


def _averaged(scene: Scene, statement: ast.stmt) -> Iterator[Repair]:
    writer = scene.writer
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            other = {"mean": "sum", "sum": "mean"}.get(node.func.attr)
            if other is not None:
                start, end = writer.span(node.func)
                new = writer.text[start:end][: -len(node.func.attr)] + other
                yield Repair(node.lineno, (Edit(start, end, new),))


def _multiplied(scene: Scene, fit: Fit) -> Iterator[Repair]:
    """A gradient times what it lacks, where it was computed."""
    made = [s for gradient in scene.gradients(fit) for s in scene.sightings(gradient)]
    for sighting in sorted(made, key=lambda s: s.place.kind not in COMPUTING):
        node = scene.node(sighting.place)
        if not isinstance(node, ast.expr):
            continue
        said = scene.writer.grouped(node)
        for written in _inverse(scene, sighting):
            yield scene.writer.replace(node, f"{said}{written}", scene.parent(node))


def _inverse(scene: Scene, sighting: Sighting) -> list[str]:
    """What takes a factor back, as one would write it."""
    factor = scene.slip.detail.partition(" ")[2]
    rows = scene.names(sighting).number(scene.judged.batch.rows())
    written = {
        "n": f" / {rows}",
        "1/n": f" * {rows}",
        "2": " / 2",
        "1/2": " * 2",
        "2n": f" / (2 * {rows})",
        "2/n": f" * {rows} / 2",
        "1/(2n)": f" * 2 * {rows}",
        "n/2": f" * 2 / {rows}",
    }.get(factor)
    return [written] if written else []
