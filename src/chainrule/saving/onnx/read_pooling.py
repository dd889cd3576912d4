"""Pooling out of ONNX."""

from __future__ import annotations

from typing import Any

from chainrule.layer import Layer
from chainrule.layers import (
    AveragePool1D,
    AveragePool2D,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1D,
    MaxPool2D,
    ZeroPad,
)
from chainrule.saving.onnx.chain import Step, Value
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.reader import Reader
from chainrule.saving.onnx.windows import Sides, padding_of, pair, shortest, sides_of, steps


@reads("MaxPool", "AveragePool", channels_first=True)
def read_pooling(reader: Reader, node: Node) -> Value:
    """Windows whose padding takes no part."""
    node.ignore("storage_order")
    value = reader.channels_first(node, reader.flow(node))
    positions = len(value.shape) - 1
    window = node.wholes("kernel_shape", (), positions)
    if positions not in (1, 2):
        raise node.refuse(f"pools over {positions} axes; expected one or two.")
    strides, dilations = steps(node, positions)
    if set(dilations) != {1}:
        raise node.refuse(f"has the attribute dilations={dilations}; windows here have no gaps.")
    average = node.operator == "AveragePool"
    counts_padding = node.whole("count_include_pad", 0) if average else 0
    rounds_up = node.whole("ceil_mode", 0)
    padding = padding_of(node, value, window, strides)
    if rounds_up and padding != "same":
        padding = _rounded_up(value, window, strides, sides_of(padding, positions))
    if counts_padding and padding != "valid":
        if positions == 1 or rounds_up or padding == "same":
            raise node.refuse(
                "has the attribute count_include_pad=1; averages here do not count padding."
            )
        sides = sides_of(padding, positions)
        value = reader.then(value, Step(ZeroPad, {"padding": tuple(sides)}), value.axes)
        padding = "valid"
    kinds: tuple[type[Layer], ...] = (AveragePool1D, AveragePool2D)
    if not average:
        kinds = (MaxPool1D, MaxPool2D)
    settings: dict[str, Any] = {"window": pair(window), "padding": padding}
    if strides != window:
        settings["stride"] = pair(strides)
    return reader.then(value, Step(kinds[positions - 1], settings), value.axes)


@reads("GlobalAveragePool", "GlobalMaxPool", channels_first=True)
def read_global_pooling(reader: Reader, node: Node) -> Value:
    """One number for each channel; ONNX keeps the other axes, with size 1."""
    value = reader.channels_first(node, reader.flow(node))
    kind = GlobalAveragePool if node.operator == "GlobalAveragePool" else GlobalMaxPool
    return reader.then(value, Step(kind), (0, *[None] * (len(value.axes) - 1)))


@reads("ReduceMean", "ReduceMax")
def read_reduction(reader: Reader, node: Node) -> Value:
    """Global pooling, where it goes over all positions."""
    node.ignore("noop_with_empty_axes")
    value = reader.flow(node)
    rank = len(value.axes) + 1
    given = reader.wholes(node, 1, "axes")
    axes = node.listed("axes") if given is None else given
    chosen = {axis % rank for axis in axes or ()}
    left = [axis for axis in range(1, rank) if axis not in chosen]
    if len(left) == 1:
        value = reader.with_channels_at(node, value, left[0])
    last = len(value.shape) - 1
    over = {value.axes[axis - 1] for axis in chosen if axis} - {None}
    if 0 in chosen or over != set(range(last)) or not over:
        raise node.refuse(
            f"reduces the axes {axes} of samples {value.standing}; expected all positions and "
            "neither the channels nor the batch (global pooling)."
        )
    ours = [0 if axis == last else None for axis in value.axes]
    if not node.whole("keepdims", 1):
        ours = [axis for i, axis in enumerate(ours, start=1) if i not in chosen]
    kind = GlobalAveragePool if node.operator == "ReduceMean" else GlobalMaxPool
    return reader.then(value, Step(kind), tuple(ours))


def _rounded_up(value: Value, window: list[int], strides: list[int], sides: Sides) -> Any:
    """Padding that lets a last window begin on the image that does not end on it."""
    found = []
    for n, size, stride, (before, after) in zip(
        value.shape[:-1], window, strides, sides, strict=True
    ):
        count = -(-(n + before + after - size) // stride) + 1
        if (count - 1) * stride >= n + before:
            count -= 1  # it would begin beyond the image
        missing = (count - 1) * stride + size - (n + before + after)
        found.append((before, after + max(missing, 0)))
    return shortest(found)
