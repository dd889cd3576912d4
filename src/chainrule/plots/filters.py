"""The kernels of a convolution: what each filter looks for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData, InvalidSetting, NotBuilt
from chainrule.layer import Array, Layer, Shape
from chainrule.layers import ConvTranspose2D
from chainrule.layers.kernel import KernelLayer
from chainrule.plots.mosaic import Mosaic, symmetric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NARROWEST = 4.4  # inches, for the title


def kernels(
    network: Any,
    layer: int | Layer | None = None,
    *,
    at_most: int = 64,
    axes: Axes | None = None,
) -> Axes:
    """Draw the kernels of a convolution.

    Blue weights are positive, vermilion ones negative, and all kernels share one scale that is
    as long below zero as above. A layer with one input channel has a picture for each filter. So
    has a first layer over red, green and blue: there a colour is a weight, and grey is zero. Any
    other layer has a picture for each pair, a row for each input channel and a column for each
    filter.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    layer : int or Layer, optional
        Number of the layer, from 1, or the layer itself, also one inside a ``Residual``; the
        first convolution without it.
    at_most : int, default 64
        Pictures to show. The title says of how many.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes
        The kernels drawn are its ``images``, row by row.

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidSetting
        When the layer is no convolution of this network, or there is none.
    InvalidData
        When a weight is NaN or infinite.
    """
    at_most = checks.whole_number("at_most", at_most)
    place, chosen = _find_convolution(network, layer)
    weights = chosen.kernel(chosen.weights)
    if not np.isfinite(weights).all():
        raise InvalidData(f"The weights of layer {place} hold NaN or infinity.")
    named = f"Layer {place}, {type(chosen).__name__}"
    first_of_images = place == "1" and len(network.input_shape) == 3
    if weights.shape[2] == 3 and first_of_images and not isinstance(chosen, ConvTranspose2D):
        return _draw_filters(axes, weights, at_most, named)
    if weights.shape[2] == 1:
        return _draw_filters(axes, weights, at_most, named)
    across, down = "Filter", "Input channel"
    if isinstance(chosen, ConvTranspose2D):
        across, down = down, across
    if chosen.groups > 1:
        down += " of the group"
    return _draw_pairs(axes, weights, at_most, named, (down, across))


def _draw_filters(axes: Axes | None, weights: Array, at_most: int, named: str) -> Axes:
    """One picture for each filter, numbered, in a grid that is about a square."""
    filters = weights.shape[3]
    shown = min(filters, at_most)
    columns = math.ceil(math.sqrt(shown))
    side, pitch = 0.55, (0.7, 0.85)
    width = max(columns * pitch[0], _NARROWEST)
    margin = (width - columns * pitch[0]) / 2
    title = f"{named}: {_part(shown, filters, 'kernel')}"
    coloured = weights.shape[2] == 3
    largest = float(np.abs(weights).max()) or 1.0
    rows = math.ceil(shown / columns)
    note = 0.3 if coloured else 0.0
    mosaic = Mosaic(
        axes, width, rows * pitch[1] + note, title, colours="" if coloured else "Weight"
    )
    for number in range(shown):
        row, column = divmod(number, columns)
        left, top = margin + column * pitch[0], row * pitch[1]
        mosaic.write(left + pitch[0] / 2, top + 0.13, str(number + 1), size=7)
        kernel = weights[..., number]
        picture = 0.5 + kernel / (2 * largest) if coloured else kernel[..., 0]
        options = {} if coloured else symmetric(weights)
        drawn = mosaic.add(picture, left + (pitch[0] - side) / 2, top + 0.25, side, **options)
    if coloured:
        text = f"Red, green and blue: dark is −{largest:.2g}, grey is 0, bright is {largest:.2g}"
        mosaic.write(width / 2, rows * pitch[1] + 0.18, text)
    else:
        mosaic.add_colours(drawn)
    return mosaic.axes


def _draw_pairs(
    axes: Axes | None, weights: Array, at_most: int, named: str, axis_names: tuple[str, str]
) -> Axes:
    """A row for each number of the third axis of the weights, a column for each of the fourth."""
    pairs: Shape = weights.shape[2:]
    rows = min(pairs[0], math.isqrt(at_most))
    columns = min(pairs[1], at_most // rows)
    rows = min(pairs[0], at_most // columns)
    side, pitch, edge = 0.48, 0.55, 0.5
    inner = columns * pitch
    width = max(edge + inner, _NARROWEST)
    height = max(edge + rows * pitch, edge + 1.1)
    title = f"{named}: {_part(rows * columns, pairs[0] * pairs[1], 'kernel')}"
    mosaic = Mosaic(axes, width, height, title, "Weight")
    left, top = edge + (width - edge - inner) / 2, edge
    mosaic.write(left + inner / 2, 0.12, f"{axis_names[1]} (of {pairs[1]:,})")
    across = left - 0.38, top + (height - top) / 2
    mosaic.write(*across, f"{axis_names[0]} (of {pairs[0]:,})", rotation=90)
    for column in range(columns):
        mosaic.write(left + (column + 0.5) * pitch, top - 0.1, str(column + 1), size=7)
    for row in range(rows):
        mosaic.write(left - 0.13, top + (row + 0.5) * pitch, str(row + 1), size=7)
        for column in range(columns):
            place = left + column * pitch + (pitch - side) / 2, top + row * pitch
            drawn = mosaic.add(weights[..., row, column], *place, side, **symmetric(weights))
    mosaic.add_colours(drawn)
    return mosaic.axes


def _find_convolution(network: Any, layer: int | Layer | None) -> tuple[str, KernelLayer]:
    """Return a convolution and its place: "3", or "4.1" for the first one inside layer 4."""
    if not network.is_built:
        raise NotBuilt(
            "This network has no kernels yet: their shape follows from the images. Train it first: "
            "net.fit(images, labels), or call net.build(shape of an image)."
        )
    every = dict(_walk(zip(network.layers, network.shapes, strict=False)))
    found = {place: one for place, one in every.items() if isinstance(one, KernelLayer)}
    listed = ", ".join(found) or "none"
    if layer is None:
        if not found:
            raise InvalidSetting(
                "This network has no convolution, so there are no kernels to draw."
            )
        return next(iter(found.items()))
    for place, one in every.items():
        if one is layer or (not isinstance(layer, Layer) and place == str(layer)):
            if place in found:
                return place, found[place]
            what = type(one).__name__
            raise InvalidSetting(
                f"Layer {place} is a {what}, which has no kernels; convolutions here: {listed}."
            )
    raise InvalidSetting(
        f"layer received {checks.shown(layer)}, which is no layer of this network; convolutions "
        f"here: {listed}."
    )


def _walk(layers: Any, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Place and layer of everything in the network, also inside layers."""
    for number, (layer, shape) in enumerate(layers, start=1):
        yield f"{prefix}{number}", layer
        yield from _walk(layer.inner_layers(shape), f"{prefix}{number}.")


def _part(shown: int, count: int, what: str) -> str:
    plural = what if count == 1 else f"{what}s"
    return f"{count:,} {plural}" if shown == count else f"{shown:,} of {count:,} {plural}"
