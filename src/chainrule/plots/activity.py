"""What the layers of a network make of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule import checks
from chainrule.attribution import check_image
from chainrule.errors import InvalidSetting
from chainrule.layer import Array, Shape
from chainrule.plots.canvas import GREY, matplotlib_module, shorten
from chainrule.plots.mosaic import Mosaic, signed_colours, symmetric, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NARROWEST = 4.4  # inches, for the title


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
        largest = f"largest {abs(maps).max():.3g}"
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


def _size(shape: Shape) -> str:
    return " × ".join(map(str, shape))
