"""What can be said of a file in which no training step was seen."""

from __future__ import annotations

import ast
import re

from chainrule.checker.instrument import Place
from chainrule.checker.other_findings import Structural, sums_of_rows
from chainrule.checker.process import Record
from chainrule.checker.source import Source

_PRODUCT = re.compile(r"not aligned|mismatch in its core dimension|matmul")
_BROADCAST = re.compile(r"could not be broadcast|non-broadcastable")


def shapes_that_do_not_fit(
    record: Record, places: list[Place], source: Source
) -> Structural | None:
    """A product or sum of arrays whose shapes do not fit, as NumPy said itself."""
    outcome = record.outcome
    line, message = outcome.get("line"), str(outcome.get("message"))
    if outcome.get("error") != "ValueError" or not isinstance(line, int):
        return None
    words = {"number": message}
    if _PRODUCT.search(message):
        return Structural("transposed", 0, line, words=words)
    if _BROADCAST.search(message):
        shapes = [
            tuple(int(number) for number in re.findall(r"\d+", shape))
            for shape in re.findall(r"\(([\d,]+)\)", message)
        ]
        if len(shapes) > 1 and len(shapes[0]) == 2 and shapes[0] == shapes[1][::-1]:
            return Structural("transposed", 0, line, words=words)
        is_sum = "sum(" in source.line(line) or "mean(" in source.line(line)
        if is_sum or (shapes and _is_bias(shapes[0])):
            by_rows = is_sum or sums_of_rows(record, places, line, shapes[0], len(record.events))
            cause = "bias_gradient_axis" if by_rows else "bias_gradient_not_summed"
            return Structural(cause, 0, line, words=words)
        return Structural("elementwise_for_matrix", 0, line, words=words)
    return None


def _is_bias(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape holds one number for each neuron: (5,), (1, 5) or (5, 1)."""
    return len(shape) == 1 or (len(shape) == 2 and 1 in shape)


def zeros_only(record: Record, places: list[Place]) -> Structural | None:
    """Products with a matrix of zeros, again and again: weights that never left their start."""
    if record.outcome["ended"] == "failed":
        return None
    by_node = {id(place.node): place.number for place in places}
    latest: dict[int, int] = {}
    counts: dict[int, int] = {}
    shapes: set[tuple[int, ...]] = set()
    for number, value in record.events:
        latest[number] = value
        operands = _operands(places[number].node)
        if len(operands) != 2 or record.values[value].any():
            continue
        known = [latest.get(by_node.get(id(operand), -1)) for operand in operands]
        arrays = [record.values[index] for index in known if index is not None]
        zeros = [array for array in arrays if array.ndim == 2 and not array.any()]
        if len(arrays) == 2 and len(zeros) == 1:
            counts[number] = counts.get(number, 0) + 1
            shapes.add(zeros[0].shape)
    if not counts or max(counts.values()) < 5:
        return None
    of_zeros = [place for place in places if place.kind == "Call" and "zeros" in place.text]
    made = {place.number: set[tuple[int, ...]]() for place in of_zeros}
    for number, value in record.events:
        if number in made:
            made[number].add(record.values[value].shape)
    for place in of_zeros:
        if made[place.number] & shapes:
            return Structural("zero_initialisation", 0, place.line)
    return None


def _operands(node: ast.AST) -> list[ast.expr]:
    """The two sides of a matrix product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return [node.left, node.right]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return []
    if node.func.attr not in ("dot", "matmul"):
        return []
    return list(node.args) if len(node.args) == 2 else [node.func.value, *node.args]
