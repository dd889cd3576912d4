"""The arrays of one layer in a file, and how they become the parameters of a layer here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import InvalidShape
from chainrule.layer import Array, Layer, Shape
from chainrule.saving.weights.places import Place, channels_first_index
from chainrule.saving.weights.tensors import Tensor, TensorFile


@dataclass(frozen=True)
class Group:
    """The arrays of one layer in a file.

    Attributes
    ----------
    name : str
        As its owner calls it: ``"fc1"``, ``"dense_1"``.
    tensors : dict of str to Tensor
        By their names in the layer: ``"weight"``, ``"kernel"``.
    chain : tuple
        Groups of one chain are known to stand in the order that they are listed in.
    settings : dict
        What the file says of the layer, where it does.
    """

    name: str
    tensors: dict[str, Tensor]
    chain: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name!r} ({described({n: t.shape for n, t in self.tensors.items()})})"


@dataclass(frozen=True)
class Source:
    """Where a parameter of a layer here comes from.

    Attributes
    ----------
    name : str
        Of the array there.
    axes : tuple of int, optional
        Order in which the axes there become ours; the same without it.
    default : float, optional
        What the parameter is where the array is absent, if it may be.
    spreads : bool
        Whether one number there may stand for all of ours.
    squeezed : bool
        Whether there may be axes of size 1 before ours.
    of_inputs : bool
        Whether our first axis counts the inputs of a layer on rows of numbers.
    """

    name: str
    axes: tuple[int, ...] | None = None
    default: float | None = None
    spreads: bool = False
    squeezed: bool = False
    of_inputs: bool = True

    def shape_there(self, shape: Shape) -> Shape:
        """Shape of the array there, for the shape of ours."""
        if self.axes is None:
            return shape
        return tuple(shape[self.axes.index(axis)] for axis in range(len(shape)))


Recipe = Mapping[str, Source]  # by the names of a layer's parameters


@dataclass(frozen=True)
class Framework:
    """How a framework writes its layers down.

    Attributes
    ----------
    name : str
    recipes : dict of type of Layer to Recipe
    channels_first : bool
        Whether it flattens images with their channels first.
    """

    name: str
    recipes: Mapping[type[Layer], Recipe]
    channels_first: bool

    def recipe(self, place: Place) -> Recipe:
        """How the parameters at a place are written.

        Raises
        ------
        InvalidShape
            For layers that have no counterpart.
        """
        found = self.recipes.get(type(place.owner))
        if found is None:
            raise InvalidShape(
                f"{place.at_the_start} has no counterpart in {self.name} whose weights could be "
                f"taken; expected {', '.join(kind.__name__ for kind in self.recipes)}. "
                "For a Residual give the projection as a layer of its own, such as Conv2D."
            )
        return found

    def fits(self, place: Place, group: Group) -> bool:
        """Whether a group holds the parameters of a place, all of them and nothing else."""
        recipe = self.recipe(place)
        needed = {source.name for name, source in recipe.items() if name in place.shapes}
        return group.tensors.keys() <= needed and all(
            self._fits_one(recipe[name], shape, group) for name, shape in place.shapes.items()
        )

    def _fits_one(self, source: Source, shape: Shape, group: Group) -> bool:
        tensor = group.tensors.get(source.name)
        if tensor is None:
            return source.default is not None
        found = tensor.shape
        if source.squeezed and tensor.count == math.prod(shape):
            found = found[-len(shape) :]
        return found == source.shape_there(shape) or (source.spreads and found == (1,))

    def expected(self, place: Place) -> str:
        """What a group must hold for a place, in words."""
        recipe = self.recipe(place)
        return described(
            {recipe[name].name: recipe[name].shape_there(s) for name, s in place.shapes.items()}
        )

    def arrays(self, file: TensorFile, place: Place, group: Group) -> dict[str, Array]:
        """Return the parameters of a place out of a group that fits, as new arrays.

        Raises
        ------
        UnreadableFile
            When numbers are no floats, or not finite.
        """
        found = {}
        for name, shape in place.shapes.items():
            source = self.recipe(place)[name]
            tensor = group.tensors.get(source.name)
            if tensor is None:
                found[name] = np.full(shape, source.default, np.float32)
                continue
            values = file.numbers(tensor)
            if source.axes is not None:
                values = values.transpose(source.axes)
            values = np.broadcast_to(values.reshape(values.shape[-len(shape) :]), shape)
            if place.image is not None and self.channels_first and source.of_inputs:
                values = values[channels_first_index(place.image)]
            found[name] = values
        return found


def described(shapes: Mapping[str, Shape]) -> str:
    """``"weight (3, 4), bias (3,)"``."""
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
