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


@dataclass(frozen=True, eq=False)
class Slot:
    """Where one parameter stands in the flat vector.

    Attributes
    ----------
    path : tuple of int
        Position of the layer that uses it: (3,) is the fourth layer, (3, 0) the first inside it;
        the first position where several share it.
    name : str
        Its name there, as ``"weights"``.
    owner : Layer
        The layer, or the layer's activation, that declares it.
    shape : tuple of int
    start, stop : int
        The piece of the flat vector.
    """

    path: tuple[int, ...]
    name: str
    owner: Layer
    shape: Shape
    start: int
    stop: int

    @property
    def layer(self) -> int:
        """Position in the network of the layer that it belongs to, from 0."""
        return self.path[0]

    @property
    def label(self) -> str:
        """What messages and files call it: ``"layer 1 weights"``, ``"layer 3.1 bias"``."""
        return label(self.path, self.name)

    def view(self, vector: Array) -> Array:
        """Return this parameter's piece of such a vector, in its own shape."""
        return vector[self.start : self.stop].reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Use:
    """One place where a slot's parameter is used.

    Attributes
    ----------
    slot : int
        Index in ``ParameterVector.slots``.
    path : tuple of int
        Position in the network whose trace takes the gradient.
    """

    slot: int
    path: tuple[int, ...]


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
    storage : ndarray
        All that training changes: the parameters, then the statistics.
    values : ndarray (count,)
        The parameters: the first part of the storage.
    slots : list of Slot
        The parameters, in order.
    statistics : list of Slot
        What layers count up instead of learning, in the second part of the storage.
    uses : list of Use
        Every position that uses a parameter, in the order of the forward pass.
    penalized : ndarray (count,)
        1 where weight decay and penalties apply (weights), 0 where not (biases).
    """

    def __init__(
        self, layers: Sequence[Layer], input_shapes: Sequence[Shape], dtype: np.dtype[Any]
    ) -> None:
        found = [
            use
            for position, (layer, shape) in enumerate(zip(layers, input_shapes, strict=True))
            for use in _checked(layer, shape, position)
        ]
        trained = [use for use in found if use[2].declared(use[1]).trainable]
        counted = [use for use in found if not use[2].declared(use[1]).trainable]
        self.slots: list[Slot] = []
        self.statistics: list[Slot] = []
        self.uses: list[Use] = []
        count = stop = _allot(trained, self.slots, 0, self.uses)
        stop = _allot(counted, self.statistics, count, [])
        self.storage = np.zeros(stop, dtype=dtype)
        self._view_storage()

    def _view_storage(self) -> None:
        """Make the arrays that follow from the storage and the slots."""
        count = self.slots[-1].stop if self.slots else 0
        self.values = self.storage[:count]
        self.penalized = np.zeros_like(self.values)
        for slot in self.slots:
            slot.view(self.penalized)[...] = slot.owner.declared(slot.name).penalized

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle each number once."""
        follow = ("values", "penalized")
        return {name: value for name, value in vars(self).items() if name not in follow}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._view_storage()

    @property
    def all_slots(self) -> list[Slot]:
        """Parameters and statistics: everything that a file must hold."""
        return self.slots + self.statistics

    def bind(self) -> None:
        """Make every layer's arrays views into the flat vector."""
        for slot in self.all_slots:
            slot.owner.bind(slot.name, slot.view(self.storage))

    def initialize(self, seed: int) -> None:
        """Draw all starting values; each parameter has its own random numbers."""
        for slot in self.all_slots:
            random = generator(seed, f"initial {slot.name}", *slot.path)
            start = np.asarray(slot.owner.initial_value(slot.name, slot.shape, random))
            if start.shape != slot.shape:
                raise InvalidShape(
                    f"The initial value of {slot.label} has shape {start.shape}; expected "
                    f"{slot.shape}. Check initial_value of {type(slot.owner).__name__}, or "
                    f"values of your {Initializer.__name__}."
                )
            slot.view(self.storage)[...] = start
            if not np.isfinite(slot.view(self.storage)).all():
                raise InvalidData(
                    f"The initial value of {slot.label} holds NaN or infinity; expected finite "
                    f"numbers. Check the initializer of {slot.owner!r}."
                )

    def views(self, vector: Array) -> list[Array]:
        """Every slot's piece of such a vector (of parameters, gradients, a mask, ...)."""
        return [slot.view(vector) for slot in self.slots]


def label(path: tuple[int, ...], name: str) -> str:
    """What messages and files call a parameter: ``"layer 3.1 bias"`` for path (2, 0)."""
    return f"layer {'.'.join(str(index + 1) for index in path)} {name}"


Found = tuple[tuple[int, ...], str, Layer, Shape]


def _checked(layer: Layer, input_shape: Shape, position: int) -> list[Found]:
    """Every parameter at a position; no two may leave their gradient under one name."""
    found = list(layer.parameter_owners(input_shape, (position,)))
    places = [(path, name) for path, name, _, _ in found]
    doubled = {name for path, name in places if places.count((path, name)) > 1}
    if doubled:
        raise InvalidSetting(
            f"{layer!r} and its activation both have a parameter called {doubled.pop()!r}. "
            "Give the activation's another name."
        )
    return found


def _allot(found: list[Found], slots: list[Slot], start: int, uses: list[Use]) -> int:
    """Give each parameter its piece from ``start`` on, a shared one only once; return the end."""
    for path, name, owner, shape in found:
        earlier = [i for i, s in enumerate(slots) if s.owner is owner and s.name == name]
        if not earlier:
            slots.append(Slot(path, name, owner, shape, start, start + math.prod(shape)))
            start = slots[-1].stop
        elif slots[earlier[0]].shape != shape:
            first = slots[earlier[0]]
            raise InvalidShape(
                f"{owner!r} is used in layers {first.layer + 1} and {path[0] + 1}, where its "
                f"{name} would need the shapes {first.shape} and {shape}. A shared layer has one "
                "set of parameters: give it inputs of one shape."
            )
        uses.append(Use(earlier[0] if earlier else len(slots) - 1, path))
    return start
