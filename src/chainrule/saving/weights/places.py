"""Where weights go: the layers of a network that have parameters, in the order data pass them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.activation import Activation
from chainrule.layer import Array, Layer, Shape
from chainrule.layers import (
    BatchNorm,
    Dropout,
    Flatten,
    GroupNorm,
    LayerNorm,
    Reshape,
    Residual,
    RMSNorm,
)

_UNIT_BY_UNIT = (Activation, BatchNorm, Dropout, LayerNorm, RMSNorm)  # units may change places


@dataclass(frozen=True, eq=False)
class Place:
    """A layer, or an activation, with parameters.

    Attributes
    ----------
    position : str
        As messages count: ``"layer 3"``, ``"layer 3.1"``.
    owner : Layer
    shapes : dict of str to tuple of int
        Its parameters and statistics.
    image : tuple of int or None
        (..., channels), where it takes rows of numbers that were such an image before.
    """

    position: str
    owner: Layer
    shapes: dict[str, Shape]
    image: Shape | None = None

    def __str__(self) -> str:
        return f"{self.position}, {self.owner!r},"

    @property
    def at_the_start(self) -> str:
        """How a sentence begins with it."""
        return f"L{str(self)[1:]}"


def places(layers: Sequence[Layer], input_shape: Shape) -> list[Place]:
    """List them; a layer that stands at several positions comes once, at the first.

    Parameters
    ----------
    layers : sequence of Layer
        They need not be built.
    input_shape : tuple of int
        Of one sample.
    """
    met: set[int] = set()
    return [place for place in _places(layers, input_shape) if not _again(met, place.owner)]


def reordering(layers: Sequence[Layer], input_shape: Shape) -> Layer | None:
    """Find a layer for which it is not enough to exchange weights if images come channels-first.

    One that makes images of rows, or that takes neighbouring numbers of a flattened image
    together, would need its inputs in another order.
    """
    for layer, shape, image in _with_images(layers, input_shape):
        after = layer.output_shape(shape)
        if image is not None and isinstance(layer, GroupNorm | Residual):
            return layer
        makes_images = isinstance(layer, Reshape) and len(after) > 1
        if (
            makes_images
            and after not in (shape, image)
            and (_has_order(shape) or _has_order(after))
        ):
            return layer
    return None


def _again(met: set[int], owner: Layer) -> bool:
    known = id(owner) in met
    met.add(id(owner))
    return known


def _places(layers: Sequence[Layer], input_shape: Shape) -> Iterator[Place]:
    for index, (layer, shape, image) in enumerate(_with_images(layers, input_shape)):
        owners: dict[int, Place] = {}
        for path, name, owner, parameter_shape in layer.parameter_owners(shape, (index,)):
            position = f"layer {'.'.join(str(number + 1) for number in path)}"
            seen = image if owner is layer else None  # its activation works on what it gives
            place = owners.setdefault(id(owner), Place(position, owner, {}, seen))
            place.shapes[name] = parameter_shape
        yield from owners.values()


def _with_images(
    layers: Sequence[Layer], shape: Shape
) -> Iterator[tuple[Layer, Shape, Shape | None]]:
    """Each layer with the shape of its inputs and, where these are a flattened image, of that."""
    image: Shape | None = None
    for layer in layers:
        yield layer, shape, image
        after = layer.output_shape(shape)
        if isinstance(layer, Flatten | Reshape):
            if len(after) > 1:
                image = None
            elif len(shape) > 1:
                image = shape if _has_order(shape) else None
        elif not isinstance(layer, _UNIT_BY_UNIT):
            image = None
        shape = after


def _has_order(shape: Shape) -> bool:
    """Whether it matters if the channels come first or last."""
    return len(shape) > 1 and shape[-1] > 1 and math.prod(shape[:-1]) > 1


def channels_first_index(image: Shape) -> Array:
    """For each number of an image as chainrule flattens it, where channels-first puts it.

    Examples
    --------
    >>> channels_first_index((1, 2, 3)).tolist()  # two pixels of three channels
    [0, 2, 4, 1, 3, 5]
    """
    channels_first = (image[-1], *image[:-1])
    return np.moveaxis(np.arange(math.prod(image)).reshape(channels_first), 0, -1).reshape(-1)
