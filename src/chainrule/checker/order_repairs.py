"""Ways of putting an update where it belongs: after the error has passed through the weights."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import Scene
from chainrule.checker.sign_repairs import update_statements


def order_repairs(scene: Scene) -> Iterator[Repair]:
    """Move the update of the later weights behind what is still computed from them."""
    wrong = scene.slip.wrong
    if wrong is None:
        return
    for update in update_statements(scene, {scene.slip.layer + 1}, bias=False):
        for sighting in scene.made(wrong):
            delta = _beside(scene, update, scene.node(sighting.place))
            if delta is not None and delta.lineno > update.lineno:
                yield _moved(scene, update, delta)


def _beside(scene: Scene, update: ast.stmt, node: ast.AST) -> ast.stmt | None:
    """The statement around a node that stands in the same block as the update."""
    block = scene.parent(update)
    inner: ast.AST | None = node
    while inner is not None and scene.parent(inner) is not block:
        inner = scene.parent(inner)
    return inner if isinstance(inner, ast.stmt) and not isinstance(inner, ast.Return) else None


def _moved(scene: Scene, update: ast.stmt, after: ast.stmt) -> Repair:
    writer = scene.writer
    start, end = writer.span(update)
    said = writer.text[start:end]
    indent = writer.text[:start].rpartition("\n")[2]
    behind = writer.span(after)[1]
    edits = (Edit(start, end, "pass"), Edit(behind, behind, f"\n{indent}{said}"))
    return Repair(update.lineno, edits, said=later(scene, said))


def later(scene: Scene, update: str) -> str:
    """What is said of an update that comes too early."""
    return f"{update}  # only after the delta of layer {scene.slip.layer + 1}"
