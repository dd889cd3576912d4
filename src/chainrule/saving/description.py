"""Networks as plain data, and back: names and settings that JSON can hold.

A member of a family (a layer, an activation, a loss, ...) is described as ::

    {"family": "layer", "name": "dense", "settings": {"outputs": 4, ...}}

where a setting may be a member itself. A layer or activation that occurs again is described once;
its other places say ``{"same": n}``, counting the layers and activations from 0 in the order in
which their descriptions end.

Reading a description back looks every name up in its family's registry and calls what it finds with
the settings. Nothing is imported, evaluated or unpickled, so a description from elsewhere can build
what is registered here and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.activation import Activation
from chainrule.data.augmentation import Augmentation
from chainrule.engines.choice import Engine
from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.initializers import Initializer
from chainrule.layer import Layer, Shape
from chainrule.loss import Loss
from chainrule.metrics import Metric
from chainrule.network import NeuralNetwork
from chainrule.optimizer import Optimizer
from chainrule.parameters import label
from chainrule.registry import Registered
from chainrule.schedules import Schedule

# An activation is a layer too, so its family comes first.
FAMILIES: dict[str, type[Registered]] = {
    "activation": Activation,
    "layer": Layer,
    "initializer": Initializer,
    "loss": Loss,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "augmentation": Augmentation,
    "metric": Metric,
    "engine": Engine,
}

_MOST_POSITIONS = 100_000  # a few descriptions, each used twice in the next, would make billions

# What a class may raise that is called with settings nobody has checked.
WRONG = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def describe(value: Any) -> Any:
    """Turn a member, or one of its settings, into plain data.

    Raises
    ------
    InvalidSetting
        For a setting that JSON cannot hold, such as a function or an array.
    """
    return _Describer().describe(value)


def build(description: Any) -> Any:
    """Turn what ``describe`` gave back into a member or a setting.

    Raises
    ------
    UnreadableFile
        When it names something unknown, or settings that its class refuses.
    """
    return _Builder().build(description)


class _Describer:
    """Describes things that may have layers in common."""

    def __init__(self) -> None:
        self._met: list[Layer] = []

    def describe(self, value: Any) -> Any:
        if isinstance(value, Registered):
            family = next((name for name, root in FAMILIES.items() if isinstance(value, root)), "")
            if family:
                return self._member(family, value)
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list | tuple):
            return [self.describe(item) for item in value]
        raise InvalidSetting(
            f"A {type(value).__name__} ({value!r}) cannot be described in a file; expected "
            "numbers, text, True, False, None, lists of these, and registered members as settings."
        )

    def _member(self, family: str, member: Registered) -> dict[str, Any]:
        for number, layer in enumerate(self._met):
            if layer is member:
                return {"same": number}
        settings = {name: self.describe(setting) for name, setting in member.settings().items()}
        if isinstance(member, Layer):
            self._met.append(member)
        return {"family": family, "name": member.name, "settings": settings}


class _Builder:
    """Builds what one describer described."""

    def __init__(self) -> None:
        self._met: list[tuple[Layer, int]] = []  # each with how many positions are in it
        self._positions = 0

    def build(self, description: Any) -> Any:
        if isinstance(description, list):
            return [self.build(item) for item in description]
        if not isinstance(description, dict):
            return description
        if "same" in description:
            return self._same(description["same"])
        before = self._positions
        self._count(1)
        try:
            family, name = FAMILIES[description["family"]], description["name"]
            settings = {key: self.build(value) for key, value in description["settings"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise UnreadableFile(
                f"a part of the network is described wrongly ({error!r})."
            ) from error
        try:
            built = family.member(name).from_settings(settings)
        except WRONG as error:
            raise UnreadableFile(
                f"the {description['family']} {name!r} cannot be built here ({error}). A class of "
                "your own must be defined or imported before loading."
            ) from error
        if isinstance(built, Layer):
            self._met.append((built, self._positions - before))
        return built

    def _same(self, number: Any) -> Layer:
        if not isinstance(number, int) or not 0 <= number < len(self._met):
            raise UnreadableFile(f"a layer is said to be the same as number {number!r}.")
        layer, positions = self._met[number]
        self._count(positions)
        return layer

    def _count(self, more: int) -> None:
        self._positions += more
        if self._positions > _MOST_POSITIONS:
            raise UnreadableFile(f"its network has more than {_MOST_POSITIONS:,} parts.")


def describe_network(network: NeuralNetwork) -> dict[str, Any]:
    """Describe a built network: everything but the numbers in its parameters.

    Raises
    ------
    NotBuilt
        When there are no weights yet.
    InvalidSetting
        When a setting cannot be described, or the settings do not say all of a layer.
    """
    shapes = network.shapes
    layers = describe(network.layers)
    description = {
        "layers": layers,
        "loss": describe(network.loss),
        "optimizer": describe(network.optimizer),
        "l1": network.l1,
        "l2": network.l2,
        "seed": network.seed,
        "dtype": str(network.dtype),
        "input_shape": list(shapes[0]),
    }
    slots = {slot.label: slot.shape for slot in network.parameter_vector.all_slots}
    if parameter_shapes(build_layers(layers), shapes[0]) != slots:
        raise InvalidSetting(
            "The settings of a layer of this network do not say all that it is made from. Keep "
            "every argument of its __init__, and every layer inside it, under its own name."
        )
    return description


def build_layers(descriptions: Any) -> list[Layer]:
    """Build a stack of layers; a layer used twice becomes one object again.

    Raises
    ------
    UnreadableFile
    """
    layers: list[Layer] = []
    builder = _Builder()
    if not isinstance(descriptions, list):
        raise UnreadableFile("the layers are described wrongly; expected a list of them.")
    for description in descriptions:
        if isinstance(description, dict) and "same_as" in description:  # format 1: its position
            first = description["same_as"]
            if not isinstance(first, int) or not 0 <= first < len(layers):
                raise UnreadableFile(f"a layer is said to be the same as layer {first!r}.")
            layers.append(layers[first])
            continue
        layer = builder.build(description)
        if not isinstance(layer, Layer):
            raise UnreadableFile(f"one of the layers is described as {layer!r}.")
        layers.append(layer)
    return layers


def build_network(description: Any, layers: Sequence[Layer]) -> NeuralNetwork:
    """Build the network from its description and its layers; parameters get starting values.

    Raises
    ------
    UnreadableFile
    """
    try:
        return NeuralNetwork(
            *layers,
            loss=build(description["loss"]),
            optimizer=build(description["optimizer"]),
            l1=description["l1"],
            l2=description["l2"],
            seed=description["seed"],
            dtype=description["dtype"],
            inputs=tuple(description["input_shape"]),
        )
    except WRONG as error:
        raise UnreadableFile(f"the network is described wrongly ({error}).") from error


def parameter_shapes(layers: Sequence[Layer], input_shape: Shape) -> dict[str, Shape]:
    """Label and shape of each parameter, without making any.

    The labels are those of ``chainrule.parameters.Slot``.
    """
    return dict(_parameters(layers, input_shape))


def _parameters(layers: Sequence[Layer], shape: Shape) -> Iterator[tuple[str, Shape]]:
    met: set[tuple[int, str]] = set()
    for position, layer in enumerate(layers):
        for path, name, owner, parameter_shape in layer.parameter_owners(shape, (position,)):
            if (id(owner), name) not in met:
                met.add((id(owner), name))
                yield label(path, name), parameter_shape
        shape = layer.output_shape(shape)
