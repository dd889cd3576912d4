"""The places of a network: its layers, those inside them, and what a pass has left there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainrule.activation import Activation, VectorActivation
from chainrule.engines.reference import NetworkTrace
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.parameters import ParameterVector, Slot, label


@dataclass(frozen=True)
class Place:
    """A layer at its position.

    Attributes
    ----------
    path : tuple of int
        (3,) is the fourth layer, (3, 0) the first one inside it.
    layer : Layer
    trace : Trace
        What the pass has left there.
    """

    path: tuple[int, ...]
    layer: Layer
    trace: Trace

    @property
    def label(self) -> str:
        """``"layer 4"``, ``"layer 4.1"``."""
        return label(self.path, "").rstrip()


@dataclass(frozen=True)
class Units:
    """Activations of a layer, number by number (not softmax, whose outputs hang together).

    Attributes
    ----------
    place : Place
    activation : Activation
    z, a : ndarray (batch, ..., units)
    """

    place: Place
    activation: Activation
    z: Array
    a: Array


@dataclass(frozen=True)
class Weights:
    """An array of weights with its gradient.

    Attributes
    ----------
    slot : Slot
    values, gradient : ndarray
    """

    slot: Slot
    values: Array
    gradient: Array


def places(layers: Sequence[Layer], shapes: Sequence[Shape], trace: NetworkTrace) -> list[Place]:
    """List every layer, also those inside others, in the order of the forward pass."""
    return [
        place
        for number, (layer, shape) in enumerate(zip(layers, shapes, strict=False))
        for place in _inside((number,), layer, shape, trace.layers[number])
    ]


def _inside(path: tuple[int, ...], layer: Layer, shape: Shape, trace: Trace) -> Iterator[Place]:
    yield Place(path, layer, trace)
    for index, (inner, inner_shape) in enumerate(layer.inner_layers(shape)):
        yield from _inside((*path, index), inner, inner_shape, trace.inner(index))


def units_of(place: Place) -> Units | None:
    """Activations at a place, if there are any."""
    layer = place.layer
    activation = layer if isinstance(layer, Activation) else layer.activation
    fields = place.trace.fields()
    if (
        activation is None
        or isinstance(activation, VectorActivation)
        or not {"z", "a"} <= {*fields}
    ):
        return None
    return Units(place, activation, fields["z"], fields["a"])


def is_weights(slot: Slot) -> bool:
    """Whether a parameter multiplies what comes in: no bias, no slope."""
    return slot.owner.declared(slot.name).penalized or len(slot.shape) > 1


def weights_of(vector: ParameterVector, trace: NetworkTrace) -> list[Weights]:
    """List all arrays of weights with the gradients that a pass has left in the traces."""
    found = []
    for number, slot in enumerate(vector.slots):
        if is_weights(slot):
            traces = [trace.at(use.path) for use in vector.uses if use.slot == number]
            gradient = sum(getattr(at, f"d_{slot.name}") for at in traces)
            found.append(Weights(slot, slot.view(vector.values), gradient))
    return found
