"""What ONNX says of windows over images, as the layers here take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.saving.onnx.chain import Value
from chainrule.saving.onnx.node import Node

Sides = list[tuple[int, int]]


def steps(node: Node, positions: int) -> tuple[list[int], list[int]]:
    """Strides and dilations."""
    ones = [1] * positions
    found = [node.wholes(name, ones, positions) for name in ("strides", "dilations")]
    if min(found[0] + found[1]) < 1:
        raise node.refuse(
            f"has the strides {found[0]} and dilations {found[1]}; expected 1 or more."
        )
    return found[0], found[1]


def padding_of(node: Node, value: Value, spans: Sequence[int], strides: Sequence[int]) -> Any:
    """Padding as the layers here take it."""
    way, positions = node.text("auto_pad", "NOTSET"), len(spans)
    pads = node.wholes("pads", [0] * 2 * positions, 2 * positions)
    match way:
        case "NOTSET" | "":
            sides = list(zip(pads[:positions], pads[positions:], strict=True))
        case "VALID":
            return "valid"
        case "SAME_UPPER":
            return "same"
        case "SAME_LOWER":
            sides = []
            for n, span, stride in zip(value.shape[:-1], spans, strides, strict=True):
                total = max((-(-n // stride) - 1) * stride + span - n, 0)
                sides.append((total - total // 2, total // 2))
        case _:
            raise node.refuse(f"has the attribute auto_pad={way}, which is unknown.")
    return shortest(sides)


def shortest(sides: Sides) -> Any:
    """Write padding as a person would: "valid", one number, one for each axis, or all sides."""
    if not any(map(any, sides)):
        return "valid"
    if len(sides) == 1:
        return sides[0][0] if sides[0][0] == sides[0][1] else sides[0]
    if all(before == after for before, after in sides):
        return pair([before for before, _ in sides])
    return tuple(sides)


def sides_of(padding: Any, positions: int) -> Sides:
    """Take what ``_shortest`` wrote apart again."""
    if padding == "valid":
        return [(0, 0)] * positions
    if isinstance(padding, int):
        return [(padding, padding)] * positions
    if positions == 1:
        return [padding]
    return [side if isinstance(side, tuple) else (side, side) for side in padding]


def pair(sizes: Sequence[int]) -> Any:
    """One number where all are the same."""
    found = [int(size) for size in sizes]
    return found[0] if len(set(found)) == 1 else tuple(found)
