"""Borders around images, and images enlarged, out of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.layers import UpSample, ZeroPad
from chainrule.saving.onnx.chain import Step, Value
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.reader import Reader


@reads("Pad", any_layout=True)
def read_pad(reader: Reader, node: Node) -> Value:
    """A border of zeros around images."""
    value = reader.flow(node)
    if None in value.axes:
        first = reader.wants_channels_first(node.outputs[0])
        value = (reader.channels_first if first else reader.channels_last)(node, value)
    rank = len(value.axes) + 1
    border, mode = reader.optional(node, 2, "border"), node.text("mode", "constant")
    filling = node.number("value", 0.0) if border is None else float(np.abs(border).max(initial=0))
    given = reader.wholes(node, 1, "pads")
    pads = (node.listed("pads") or node.listed("paddings")) if given is None else given
    axes = reader.wholes(node, 3, "axes")
    chosen = list(range(rank)) if axes is None else [axis % rank for axis in axes]
    if mode != "constant" or filling != 0 or pads is None or len(pads) != 2 * len(chosen):
        raise node.refuse(f"pads {pads} with {filling:g}, mode {mode}; expected zeros.")
    if not any(pads):
        return value
    sides = [[0, 0] for _ in value.shape]
    for axis, before, after in zip(chosen, pads, pads[len(chosen) :], strict=False):
        if not (before or after):
            continue
        ours = value.axes[axis - 1] if axis else None
        if ours is None or ours == len(value.shape) - 1 or len(value.shape) != 3:
            raise node.refuse(
                f"pads the axis {axis} of samples {value.standing}; expected height or width of "
                "images. Sequences are padded by the convolution itself here."
            )
        sides[ours] = [before, after]
    return reader.then(value, Step(ZeroPad, {"padding": _border(sides[0], sides[1])}))


def _border(rows: list[int], columns: list[int]) -> Any:
    """Write a border as a person would."""
    if rows[0] == rows[1] and columns[0] == columns[1]:
        return rows[0] if rows == columns else (rows[0], columns[0])
    return tuple(rows), tuple(columns)


@reads("Resize", "Upsample", channels_first=True)
def read_resize(reader: Reader, node: Node) -> Value:
    """Whole factors, each pixel a block."""
    value = reader.channels_first(node, reader.flow(node))
    node.ignore("cubic_coeff_a", "exclude_outside", "extrapolation_value", "antialias")
    node.ignore("keep_aspect_ratio_policy")
    mode = node.text("mode", "nearest")
    way = node.text("coordinate_transformation_mode", "half_pixel" if reader.opset > 10 else "")
    nearest = node.text("nearest_mode", "round_prefer_floor" if reader.opset > 10 else "floor")
    blocks = (way in ("asymmetric", "") and nearest == "floor") or (
        way == "half_pixel" and nearest.startswith("round")
    )
    factors = _factors(reader, node, value)
    whole = [round(factor) for factor in factors]
    if (
        mode != "nearest"
        or not blocks
        or len(value.shape) != 3
        or whole != factors
        or min(whole) < 1
    ):
        raise node.refuse(
            f"resizes by {factors}, mode {mode} {way} {nearest}; expected whole factors of images "
            "to the nearest pixel, each a block."
        )
    if whole[0] != 1 or node.listed("axes") is not None:
        raise node.refuse("resizes the channels, or axes of its own.")
    factor = whole[1] if whole[1] == whole[2] else (whole[1], whole[2])
    return reader.then(value, Step(UpSample, {"factor": factor}))


def _factors(reader: Reader, node: Node, value: Value) -> list[float]:
    """By how much each axis of a sample grows."""
    attribute = node.get("scales")
    if isinstance(attribute, list) and all(isinstance(scale, float) for scale in attribute):
        scales = list(attribute)
    else:
        place = 2 if node.operator == "Resize" and reader.opset > 10 else 1
        found = reader.optional(node, place, "scales")
        scales = [] if found is None else [float(size) for size in found.reshape(-1)]
    sizes = reader.wholes(node, 3, "sizes") if not scales else None
    if sizes is not None and len(sizes) == len(value.standing) + 1:
        scales = [
            1.0,
            *(n / m for n, m in zip(sizes[1:], value.standing, strict=True)),
        ]
    if len(scales) != len(value.standing) + 1 or scales[0] != 1 or min(scales) <= 0:
        raise node.refuse(f"has the scales {scales}; expected one for each axis, 1 for the batch.")
    return scales[1:]
