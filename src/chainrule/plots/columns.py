"""What the network diagram shows, and where: one column for the inputs and for each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InvalidData
from chainrule.layer import Array, Shape
from chainrule.plots.canvas import shorten

# Inches, which are also the units of the diagram's coordinates.
COLUMN_WIDTH = 1.55
_BODY_HEIGHT = 3.2
_LARGEST_PITCH = 0.62
_BOX_HALF_HEIGHT = 0.85
_LONGEST_NAME = 17  # characters that fit into a column, or along a box


@dataclass
class Column:
    """The inputs, or a layer: what is drawn, and where lines meet it.

    Attributes
    ----------
    pitch : float
        Distance from unit to unit.
    x : float
        Where its middle stands.
    units : ndarray of int (shown,)
        Numbers of the units shown, from 0; just [0] where a sample is no row of numbers.
    heights : ndarray (shown,)
        Where each of them stands, 0 in the middle.
    count : int
        How many units there really are.
    weights : ndarray (inputs, outputs) or None
        None for the inputs, and for layers that are drawn as a box.
    box : str
        What to write in the box; empty where there are circles.
    above, below : list of str
        Lines of text.
    """

    pitch: float
    x: float
    units: Array
    heights: Array
    count: int
    weights: Array | None
    box: str
    above: list[str]
    below: list[str]

    @property
    def half_height(self) -> float:
        """How far it reaches above and below the middle."""
        circles = float(self.heights[0]) + self.pitch / 2
        return max(circles, _BOX_HALF_HEIGHT) if self.box else circles


def choose_pitch(shapes: list[Shape], max_units: int) -> float:
    """Distance from unit to unit with which the largest layer fits in."""
    largest = max(shape[0] if len(shape) == 1 else 1 for shape in shapes)
    return min(_LARGEST_PITCH, _BODY_HEIGHT / min(largest, max_units + 1))


def make_columns(network: Any, max_units: int, pitch: float) -> Iterator[Column]:
    """Describe the inputs and every layer of a built network.

    Raises
    ------
    InvalidData
        When a weight is NaN or infinite.
    """
    shapes = network.shapes
    box = "" if len(shapes[0]) == 1 else "samples"
    places = _places(shapes[0], max_units, pitch)
    yield Column(pitch, 0.0, *places, None, box, ["Inputs"], [_size(shapes[0])])
    for number, layer in enumerate(network.layers, start=1):
        kind, below = shorten(type(layer).__name__, _LONGEST_NAME), [_size(shapes[number])]
        weights = _weights_of(layer, number, shapes[number - 1], shapes[number])
        if weights is not None:
            below[0] += " unit" if shapes[number] == (1,) else " units"
        if layer.activation is not None:
            below.append(shorten(layer.activation.name, _LONGEST_NAME))
        yield Column(
            pitch,
            number * COLUMN_WIDTH,
            *_places(shapes[number], max_units, pitch),
            weights,
            kind if weights is None else "",
            [f"Layer {number}"] if weights is None else [f"Layer {number}", kind],
            below,
        )


def _weights_of(layer: Any, number: int, before: Shape, after: Shape) -> Array | None:
    """Weights of a layer with one for each pair of input and unit; None of any other layer."""
    weights: Any = getattr(layer, "weights", None)
    if not (len(before) == len(after) == 1 and np.shape(weights) == before + after):
        return None
    if not np.isfinite(weights).all():
        raise InvalidData(
            f"The weights of layer {number} hold NaN or infinity; expected finite numbers."
        )
    return weights


def _places(shape: Shape, max_units: int, pitch: float) -> tuple[Array, Array, int]:
    """Numbers of the units to show, their heights, and how many there are in all."""
    count = shape[0] if len(shape) == 1 else 1
    if count <= max_units:
        return np.arange(count), ((count - 1) / 2 - np.arange(count)) * pitch, count
    first, last = (max_units + 1) // 2, max_units // 2
    units = np.concatenate([np.arange(first), np.arange(count - last, count)])
    slots = np.delete(np.arange(max_units + 1), first)  # the dots stand in that one
    return units, (max_units / 2 - slots) * pitch, count


def _size(shape: Shape) -> str:
    return " × ".join(map(str, shape))
