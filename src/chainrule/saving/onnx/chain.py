"""What is known of an array while a graph is read: the layers that give it, and its layout."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.layer import Array, Layer, Shape

Axes = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """A layer to be: its class, its settings, and its parameters.

    Attributes
    ----------
    kind : type of Layer
    settings : dict
        Arguments for it.
    arrays : dict of str to ndarray
        Parameters by name; "slope" is that of its activation.
    inner : tuple of Step
        The layers inside, where it is a ``Residual``.
    projection : Step, optional
        And what stands on the way around them.
    """

    kind: type[Layer]
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    inner: tuple[Step, ...] = ()
    projection: Step | None = None

    def layer(self) -> Layer:
        """Make the layer, without parameters yet."""
        settings = copy.deepcopy(dict(self.settings))
        if self.projection is not None:
            settings["projection"] = self.projection.layer()
        return self.kind(*(step.layer() for step in self.inner), **settings)

    def fill(self, layer: Any) -> None:
        """Give the layer, in a network by now, its parameters."""
        for name, values in self.arrays.items():
            owner = layer.activation if name == "slope" and layer.activation else layer
            setattr(owner, name, values)
        for step, inner in zip(self.inner, getattr(layer, "layers", ()), strict=bool(self.inner)):
            step.fill(inner)
        if self.projection is not None:
            self.projection.fill(layer.projection)

    def all_arrays(self) -> Iterator[Array]:
        """Every parameter, also of the layers inside."""
        yield from self.arrays.values()
        for step in (*self.inner, *((self.projection,) if self.projection else ())):
            yield from step.all_arrays()


@dataclass(frozen=True, eq=False)
class Chain:
    """A step and all those before it; the first one, the input, has no step."""

    before: Chain | None = None
    step: Step | None = None

    def links(self) -> list[Chain]:
        """All from the input to here."""
        found: list[Chain] = []
        link: Chain | None = self
        while link is not None:
            found.append(link)
            link = link.before
        return found[::-1]

    def then(self, step: Step) -> Chain:
        """Put a step after this."""
        return Chain(self, step)


@dataclass(frozen=True)
class Order:
    """The order of the numbers of an image that was flattened with its axes exchanged.

    Attributes
    ----------
    shape : tuple of int
        The image's, as chainrule has it.
    axes : tuple of int
        The order in which they were flattened.
    """

    shape: Shape
    axes: tuple[int, ...]

    def index(self) -> Array:
        """For each number in the graph, where chainrule's ``Flatten`` puts it."""
        return np.arange(math.prod(self.shape)).reshape(self.shape).transpose(self.axes).ravel()


@dataclass(frozen=True, eq=False)
class Value:
    """An array of the graph that depends on the input.

    Attributes
    ----------
    chain : Chain
        The layers that compute it.
    shape : tuple of int
        Of one sample, as chainrule has it, channels last.
    axes : tuple of int or None
        For each axis of a sample in the graph, which of ``shape`` it is; None for one of size 1
        that chainrule does not have.
    order : Order or None
        Of rows of numbers that were images once: in the graph they may stand in another order.
    """

    chain: Chain
    shape: Shape
    axes: Axes
    order: Order | None = None

    @property
    def standing(self) -> Shape:
        """Shape of one sample as it stands in the graph."""
        return tuple(1 if axis is None else self.shape[axis] for axis in self.axes)

    @property
    def is_row(self) -> bool:
        """Whether a sample is one row of numbers for chainrule."""
        return len(self.shape) == 1

    @property
    def long_axes(self) -> list[int]:
        """Axes of ``shape`` with more than one number, in the order of the graph."""
        return [axis for axis in self.axes if axis is not None and self.shape[axis] > 1]

    def in_our_order(self, values: Array) -> Array:
        """Bring one number for each unit from the order in the graph into chainrule's."""
        if self.order is None:
            return values
        placed = np.empty_like(values)
        placed[self.order.index()] = values
        return placed


def plain_axes(rank: int) -> Axes:
    """Axes that stand in the graph as they do here."""
    return tuple(range(rank))


def channels_first_axes(rank: int) -> Axes:
    """(channels, ...) in the graph, (..., channels) here."""
    return (rank - 1, *range(rank - 1))
