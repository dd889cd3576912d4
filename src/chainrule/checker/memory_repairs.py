"""Ways of turning the sign of momentum or of a penalty, in every statement that has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from chainrule.checker.repairs import Repair
from chainrule.checker.scene import Scene
from chainrule.checker.sign_repairs import operator_repair


def memory_repairs(scene: Scene) -> Iterator[Repair]:
    """Turn the sign before what is remembered, or before the weights: in all layers at once."""
    terms = _terms(scene)
    for turn in (_without_minus, _other_operator):
        repairs = [repair for term in terms if (repair := turn(scene, term))]
        if repairs:
            yield scene.writer.together(repairs)
            yield from repairs


def _terms(scene: Scene) -> list[ast.AST]:
    """Where the last update, or the weights, were multiplied by some number."""
    slip = scene.slip
    is_penalty = slip.cause == "regularisation_sign"
    begin, end = scene.window
    found: dict[int, ast.AST] = {}
    for term in scene.judged.batch.weights if is_penalty else slip.follows:
        if term.size < 2:
            continue
        for sighting in scene.evidence.find(term, begin, end, scaled=True):
            if abs(abs(sighting.factor) - 1) > 1e-9 and sighting.place.kind == "BinOp":
                found.setdefault(sighting.place.number, scene.node(sighting.place))
    return list(found.values())


def _without_minus(scene: Scene, term: ast.AST) -> Repair | None:
    """The first factor without its minus."""
    for node in ast.walk(term):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return scene.writer.replace(node, scene.writer.said(node.operand))
    return None


def _other_operator(scene: Scene, term: ast.AST) -> Repair | None:
    """Added instead of subtracted, or the other way round."""
    around: ast.AST | None = term
    while around is not None:
        around = scene.parent(around)
        if isinstance(around, ast.AugAssign | ast.BinOp) and isinstance(
            around.op, ast.Add | ast.Sub
        ):
            return operator_repair(scene, around)
    return None
