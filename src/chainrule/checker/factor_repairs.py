"""Ways of taking an odd factor out of a gradient, or of putting a missing one in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from chainrule.checker.evidence import Sighting
from chainrule.checker.explain import Fit
from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import Scene
from chainrule.checker.sign_repairs import update_statements


def factor_repairs(scene: Scene) -> Iterator[Repair]:
    """First drop numbers that stand there, then write in what is missing."""
    mine, others = _odd_fits(scene)
    here = _statements(scene, mine)
    there = [s for s in _statements(scene, others) if all(s is not t for t in here)]
    for statements in (here, there):
        for statement in statements:
            yield from _dropped(scene, statement)
        for statement in statements:
            yield from _means_and_sums(scene, statement)
    for fit in mine:
        yield from _multiplied(scene, fit)


def _odd_fits(scene: Scene) -> tuple[list[Fit], list[Fit]]:
    slip, explanation = scene.slip, scene.judged.explanation
    kind = "bias" if slip.detail.startswith("bias") else "weights"
    mine = [f for f in explanation.fits if f.layer == slip.layer and f.kind == kind]
    return mine, [f for f in explanation.fits if f not in mine and f.scale]


def _statements(scene: Scene, fits: list[Fit]) -> list[ast.stmt]:
    """Statements that compute gradients, in order, and then those that update with them."""
    found: dict[int, ast.stmt] = {}
    for fit in fits:
        for sighting in scene.sightings(fit.gradient):
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
    for node in ast.walk(statement):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
            continue
        if _is_rate(scene, node):
            continue
        if _is_number(scene, node.right):
            start, end = writer.span(node.left)[1], writer.span(node)[1]
            yield Repair(node.lineno, (Edit(start, end, _closing(writer.text[start:end])),))
        if _is_number(scene, node.left) and isinstance(node.op, ast.Mult):
            yield writer.replace(node, writer.said(node.right), scene.parent(node))


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


def _is_rate(scene: Scene, node: ast.BinOp) -> bool:
    """Whether a factor is the learning rate itself, which may differ from file to file."""
    del scene
    return any(
        "rate" in ast.unparse(side).lower()
        for side in (node.left, node.right)
        if isinstance(side, ast.Name)
    )


def _means_and_sums(scene: Scene, statement: ast.stmt) -> Iterator[Repair]:
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
    for sighting in scene.made(fit.gradient):
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
