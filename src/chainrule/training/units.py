"""Units that have stopped learning: dead ones of rectifiers, saturated ones of sigmoid and tanh."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.activation import Activation
from chainrule.engines.reference import NetworkTrace
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.parameters import label

_SATURATED = 0.98  # of the way from the middle of the range to its end
_MOST_SAMPLES = 0.5  # a unit counts as saturated where more samples than that find it so
_LISTED = 6


@dataclass(frozen=True)
class Units:
    """The units of one layer that one batch found without a slope to learn by.

    A unit is one output of a dense layer, or one channel of an image layer.

    Attributes
    ----------
    name : str
        ``"layer 1 ReLU"``
    count : int
        Units of the layer.
    dead : list of int
        Those with output 0 and slope 0 for every sample.
    saturated : list of int
        Those whose output is beyond 0.98 of its range for most samples.
    are_outputs : bool
        Whether they are what the network gives, which may well be certain.
    """

    name: str
    count: int
    dead: list[int]
    saturated: list[int]
    are_outputs: bool = False

    def __str__(self) -> str:
        told = [
            f"{len(numbers)} of {self.count} {what} ({_listed(numbers)})"
            for what, numbers in (("dead", self.dead), ("saturated", self.saturated))
            if numbers
        ]
        return ", ".join(told) or f"none of {self.count}"


def watched_units(
    layers: Sequence[Layer], shapes: Sequence[Shape], trace: NetworkTrace
) -> Iterator[Units]:
    """Look at every activation that can die or saturate, in the trace of one pass."""
    last = len(layers) - 1
    for position, layer in enumerate(layers):
        for units in _of_layer(layer, shapes[position], trace.layers[position], (position,)):
            yield replace(units, are_outputs=position == last)


def _of_layer(layer: Layer, shape: Shape, trace: Trace, path: tuple[int, ...]) -> Iterator[Units]:
    activation = layer if isinstance(layer, Activation) else layer.activation
    if activation is not None and {"z", "a"} <= trace.fields().keys():
        found = _units(activation, trace.z, trace.a, path)
        if found is not None:
            yield found
    for index, (inner, inner_shape) in enumerate(layer.inner_layers(shape)):
        yield from _of_layer(inner, inner_shape, trace.inner(index), (*path, index))


def _units(activation: Activation, z: Array, a: Array, path: tuple[int, ...]) -> Units | None:
    low, high = activation.outputs_within
    has_range = math.isfinite(low) and math.isfinite(high)
    if type(activation).derivative is Activation.derivative or low == -math.inf:
        return None
    z, a = (values.reshape(-1, values.shape[-1]) for values in (z, a))
    dead: Array = np.zeros(a.shape[1], bool)
    saturated = dead
    if has_range:
        middle, half = (low + high) / 2, (high - low) / 2
        saturated = (np.abs(a - middle) > _SATURATED * half).mean(axis=0) > _MOST_SAMPLES
    else:
        dead = ((a == 0) & (activation.derivative(z, a) == 0)).all(axis=0)
    name = label(path, type(activation).__name__)
    return Units(name, len(dead), np.flatnonzero(dead).tolist(), np.flatnonzero(saturated).tolist())


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_LISTED]))
    return f"{shown}, ..." if len(numbers) > _LISTED else shown
