"""All parameters of a network in one flat vector.

Each layer's arrays are views into it. So whatever treats parameters as plain numbers (optimizers,
clipping, saving, drawing the loss landscape) takes one vector and knows nothing of layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.initializers import Initializer
from chainrule.layer import Array, Layer, Shape
from chainrule.randomness import generator


@dataclass(frozen=True)
class Slot:
    """Where one parameter stands in the flat vector.

    Attributes
    ----------
    layer : int
        Position of the layer that uses it, from 0; the first one where several share it.
    name : str
        Its name there, as ``"weights"``.
    owner : Layer
        The layer, or the layer's activation, that declares it.
    shape : tuple of int
    start, stop : int
        The piece of the flat vector.
    """

    layer: int
    name: str
    owner: Layer
    shape: Shape
    start: int
    stop: int

    @property
    def label(self) -> str:
        """What messages and files call it: ``"layer 1 weights"``."""
        return f"layer {self.layer + 1} {self.name}"

    def view(self, vector: Array) -> Array:
        """Return this parameter's piece of such a vector, in its own shape."""
        return vector[self.start : self.stop].reshape(self.shape)


class ParameterVector:
    """The parameters of a stack of layers: one vector, and which piece of it is what.

    Parameters
    ----------
    layers : sequence of Layer
        In order; a layer may stand at several positions and then has its parameters once.
    input_shapes : sequence of tuple of int
        What each position receives, without the batch axis.
    dtype : numpy dtype

    Attributes
    ----------
    values : ndarray (count,)
        The flat vector itself.
    slots : list of Slot
    penalized : ndarray (count,)
        1 where weight decay and penalties apply (weights), 0 where not (biases).
    """

    def __init__(
        self, layers: Sequence[Layer], input_shapes: Sequence[Shape], dtype: np.dtype[Any]
    ) -> None:
        self.slots: list[Slot] = []
        stop = 0
        for position, (layer, input_shape) in enumerate(zip(layers, input_shapes, strict=True)):
            owned = list(layer.parameter_owners(input_shape))
            _refuse_equal_names(layer, [name for name, _, _ in owned])
            for name, owner, shape in owned:
                earlier = self.slot_of(owner, name)
                if earlier is None:
                    start, stop = stop, stop + math.prod(shape)
                    self.slots.append(Slot(position, name, owner, shape, start, stop))
                elif earlier.shape != shape:
                    raise InvalidShape(
                        f"{owner!r} is used in layers {earlier.layer + 1} and {position + 1}, "
                        f"where its {name} would need the shapes {earlier.shape} and {shape}. A "
                        "shared layer has one set of parameters: give it inputs of one shape."
                    )
        self.values = np.zeros(stop, dtype=dtype)
        self.penalized = np.zeros(stop, dtype=dtype)
        for slot in self.slots:
            slot.view(self.penalized)[...] = slot.owner.is_penalized(slot.name)

    def slot_of(self, owner: Layer, name: str) -> Slot | None:
        """Return the slot of a layer's parameter, if it has one."""
        return next((s for s in self.slots if s.owner is owner and s.name == name), None)

    def bind(self) -> None:
        """Make every layer's arrays views into the flat vector."""
        for slot in self.slots:
            slot.owner.bind(slot.name, slot.view(self.values))

    def initialize(self, seed: int) -> None:
        """Draw all starting values; each parameter has its own random numbers."""
        for slot in self.slots:
            random = generator(seed, f"initial {slot.name}", slot.layer)
            start = np.asarray(slot.owner.initial_value(slot.name, slot.shape, random))
            if start.shape != slot.shape:
                raise InvalidShape(
                    f"The initial value of {slot.label} has shape {start.shape}; expected "
                    f"{slot.shape}. Check initial_value of {type(slot.owner).__name__}, or "
                    f"values of your {Initializer.__name__}."
                )
            slot.view(self.values)[...] = start
            if not np.isfinite(slot.view(self.values)).all():
                raise InvalidData(
                    f"The initial value of {slot.label} holds NaN or infinity; expected finite "
                    f"numbers. Check the initializer of {slot.owner!r}."
                )

    def views(self, vector: Array) -> list[Array]:
        """Every slot's piece of such a vector (of parameters, gradients, a mask, ...)."""
        return [slot.view(vector) for slot in self.slots]


def _refuse_equal_names(layer: Layer, names: list[str]) -> None:
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise InvalidSetting(
            f"{layer!r} and its activation both have a parameter called {doubled.pop()!r}. "
            "Give the activation's another name."
        )
