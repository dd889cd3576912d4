"""A convolutional network from inside: its kernels, and what its layers make of an image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.attribution import check_image
from chainrule.errors import InvalidData, InvalidSetting, NotBuilt
from chainrule.layer import Array, Layer, Shape
from chainrule.layers import ConvTranspose2D
from chainrule.layers.kernel import KernelLayer
from chainrule.plots.canvas import GREY, matplotlib_module, shorten
from chainrule.plots.mosaic import Mosaic, signed_colours, symmetric, visible

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


def feature_maps(
    network: Any,
    image: Any,
    *,
    layers: Sequence[int] | None = None,
    at_most: int = 16,
    axes: Axes | None = None,
) -> Axes:
    """Draw what each layer makes of an image: a row for each layer, a picture for each channel.

    The outputs are what ``trace`` holds after ``feedforward``, of the network as it predicts:
    nothing is dropped. Blue is positive, vermilion negative, white zero; each row has the scale
    of its own largest number, which stands beside it.

    Parameters
    ----------
    network : NeuralNetwork
        Built, for images (height, width, channels).
    image : array_like (height, width, channels)
        uint8 images are divided by 255, as everywhere.
    layers : sequence of int, optional
        Numbers of the layers, from 1; without it all that give images. What is no image has a
        picture of one pixel for each number.
    at_most : int, default 16
        Channels to show of each layer, the first ones.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes
        Its ``images`` are the image, then the channels, row by row.

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData
        When the network has no weights, or the image does not fit it.
    InvalidSetting
        When there is no such layer, or none gives images.
    """
    x = check_image(network, image)
    at_most = checks.whole_number("at_most", at_most)
    numbers = _choose_layers(network, layers)
    outputs = _outputs(network, x)
    shown = [min(at_most, outputs[number - 1].shape[-1]) for number in numbers]
    edge, side, pitch = 1.3, 0.56, 0.62
    width = max(edge + max(shown) * pitch, _NARROWEST)
    height = (len(numbers) + 1) * pitch
    title = "Feature maps"
    if any(outputs[number - 1].shape[-1] > at_most for number in numbers):
        title += (
            f", the first {at_most} of each layer" if at_most > 1 else ", the first of each layer"
        )
    mosaic = Mosaic(axes, width, height, title, "Output / largest")
    _name_row(mosaic, 0, ["Image", _size(x.shape[1:])])
    picture, options = visible(x[0])
    mosaic.add(picture, edge, (pitch - side) / 2, side, **options)
    for row, (number, count) in enumerate(zip(numbers, shown, strict=True), start=1):
        maps, shape = _as_image(outputs[number - 1]), network.shapes[number]
        kind = shorten(type(network.layers[number - 1]).__name__, 17)
        largest = f"largest {np.abs(maps).max():.3g}"
        _name_row(mosaic, row * pitch, [f"Layer {number}", kind, _size(shape), largest])
        for channel in range(count):
            left, top = edge + channel * pitch, row * pitch + (pitch - side) / 2
            mosaic.add(maps[..., channel], left, top, side, **symmetric(maps))
    norm = matplotlib_module("colors").Normalize(-1, 1)
    mosaic.add_colours(matplotlib_module("cm").ScalarMappable(norm, signed_colours()))
    return mosaic.axes


def _outputs(network: Any, x: Array) -> list[Array]:
    """Output of each layer for one sample, without the batch axis."""
    trace, found = network.new_trace(), []
    for layer, layer_trace in zip(network.layers, trace.layers, strict=True):
        x = layer.feedforward(x, layer_trace)
        found.append(x[0])
    return found


def _choose_layers(network: Any, layers: Sequence[int] | None) -> list[int]:
    count = len(network.layers)
    if layers is None:
        numbers = [number for number in range(1, count + 1) if len(network.shapes[number]) == 3]
        if not numbers:
            raise InvalidSetting(
                "No layer of this network gives images (height, width, channels). Name the layers "
                f"whose outputs to draw all the same: layers=[{count}]."
            )
        return numbers
    numbers = [checks.whole_number("A number in layers", number) for number in layers]
    if not numbers:
        raise InvalidSetting("layers is empty; expected at least one number of a layer, from 1.")
    for number in numbers:
        if number > count:
            raise InvalidSetting(f"There is no layer {number}; expected 1 to {count}.")
        if len(network.shapes[number]) > 3:
            raise InvalidSetting(
                f"Layer {number} gives samples of shape {network.shapes[number]}; expected at "
                "most three axes: (height, width, channels)."
            )
    return numbers


def _as_image(output: Array) -> Array:
    """(channels,) or (length, channels) -> (height, width, channels)."""
    return output.reshape((1,) * (3 - output.ndim) + output.shape)


def _name_row(mosaic: Mosaic, top: float, lines: list[str]) -> None:
    for number, line in enumerate(lines):
        options: dict[str, Any] = {"weight": "bold"} if not number else {"color": GREY}
        mosaic.write(0, top + 0.11 + 0.135 * number, line, size=7.5, ha="left", **options)


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


def _size(shape: Shape) -> str:
    return " × ".join(map(str, shape))
