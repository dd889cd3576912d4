"""The right product, in the names that are known at a place, in every order that fits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from chainrule.checker.evidence import Sighting
from chainrule.checker.habits import Habits
from chainrule.checker.names import Named
from chainrule.checker.repairs import Repair
from chainrule.checker.scene import Scene
from chainrule.layer import Array


def composed_at(
    scene: Scene, sighting: Sighting, deltas: list[Named], factors: list[Named]
) -> Iterator[Repair]:
    """The right product in the place of the wrong one, in every order and layout that fits."""
    node = scene.node(sighting.place)
    if not isinstance(node, ast.expr):
        return
    right = scene.slip.right
    wanted = right.shape if right is not None else None
    if right is not None and len(right) == scene.judged.batch.rows():
        wanted = (scene.last.rows(), *right.shape[1:])
    for delta in deltas[:2]:
        for named in factors:
            for text, shape in _products(scene.habits, delta, named):
                if wanted is not None and not _is_of_shape(shape, wanted):
                    continue
                for whole in _with_factors(scene, sighting, node, text):
                    yield scene.writer.replace(node, whole, scene.parent(node))


def _is_of_shape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a product may stand for an array: turned, of one sample, with a row for the bias."""
    turned, one_more = wanted[::-1], (wanted[0] + 1, *wanted[1:])
    return shape in (wanted, turned, wanted[1:], one_more, one_more[::-1])


def _with_factors(scene: Scene, sighting: Sighting, node: ast.expr, product: str) -> list[str]:
    """A product with the factors of an expression that may stay: numbers; numbers and arrays."""
    numbers = _beside(scene, sighting, node, product, arrays=False)
    if not any(_is_seen_as(scene, sighting, follow) for follow in scene.slip.follows):
        return [numbers]
    return [_beside(scene, sighting, node, product, arrays=True), numbers]


def _is_seen_as(scene: Scene, sighting: Sighting, quantity: Array) -> bool:
    """Whether a quantity was seen at a place."""
    return any(found.place is sighting.place for found in scene.sightings(quantity))


def _beside(scene: Scene, sighting: Sighting, node: ast.expr, product: str, *, arrays: bool) -> str:
    before, after = "", ""
    for factor, is_divisor in _factors(node, is_divisor=False):
        is_sum = isinstance(factor, ast.Call) and called(factor) in (
            "sum",
            "mean",
            "ones_like",
        )
        is_number = isinstance(factor, ast.Constant) or is_one_number(scene, sighting, factor)
        if is_sum or (not is_number and not arrays):
            continue  # a sum of what should have been multiplied is part of the mistake
        said = scene.writer.grouped(factor)
        whole = factor.value if isinstance(factor, ast.Subscript) else factor
        if scene.writer.said(whole) in product:
            continue
        if is_divisor:
            after = f"{after} / {said}"
        elif is_number:
            before = f"{before}{said} * "
        else:
            after = f"{after} * {said}"
    return f"{before}({product}){after}" if before or after else product


def _factors(node: ast.expr, *, is_divisor: bool) -> list[tuple[ast.expr, bool]]:
    """What is multiplied and divided by in an expression."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        turned = is_divisor ^ isinstance(node.op, ast.Div)
        left = _factors(node.left, is_divisor=is_divisor)
        return left + _factors(node.right, is_divisor=turned)
    return [(node, is_divisor)]


def _products(habits: Habits, one: Named, other: Named) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every product of two arrays, either of them transposed, with its shape."""
    if one.value.ndim == 0 or other.value.ndim == 0:
        return
    if one.value.ndim == 1 and other.value.ndim == 1:
        yield f"np.outer({one.text}, {other.text})", (one.value.size, other.value.size)
        yield f"np.outer({other.text}, {one.text})", (other.value.size, one.value.size)
        return
    ways = [
        (left, right, turned_left, turned_right)
        for left, right in ((one, other), (other, one))
        for turned_left in (False, True)
        for turned_right in (False, True)
        if not (turned_left and turned_right)
    ]
    for left, right, turned_left, turned_right in ways:
        a = left.value.T if turned_left else left.value
        b = right.value.T if turned_right else right.value
        if (turned_left and a.ndim < 2) or (turned_right and b.ndim < 2):
            continue
        if a.shape[-1] != b.shape[0]:
            continue
        first = habits.turned(left.text) if turned_left else left.text
        second = habits.turned(right.text) if turned_right else right.text
        yield habits.product(first, second), (*a.shape[:-1], *b.shape[1:])


def is_one_number(scene: Scene, sighting: Sighting, node: ast.expr) -> bool:
    """Whether an expression was one number when something was seen."""
    value = scene.latest(node, sighting.event)
    return value is not None and value.size == 1


def called(node: ast.Call) -> str:
    """The last word of what a call calls."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
