"""Where in an image a class is seen: saliency and occlusion, each beside the image itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.attribution import (
    check_image,
    choose_class,
    class_probabilities,
    input_gradient,
    occlusion_falls,
    patch_and_stride,
    patch_at,
)
from chainrule.layer import Array
from chainrule.plots.canvas import DARK, matplotlib_module
from chainrule.plots.images import class_names, percent
from chainrule.plots.mosaic import Mosaic, symmetric, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDE, _GAP, _TOP = 2.5, 0.25, 0.3  # inches


def saliency(
    network: Any,
    image: Any,
    *,
    target: int | None = None,
    names: Sequence[object] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw an image beside the pixels that its class hangs on.

    A pixel is dark where a tiny change of it would change the output of the class most:
    |∂output/∂pixel|, the largest over the channels. ``attribution.input_gradient`` gives the
    numbers, and says more about them.

    Parameters
    ----------
    network : NeuralNetwork
        Built, for images (height, width, channels), with a loss for classes.
    image : array_like (height, width, channels)
        uint8 images are divided by 255, as everywhere.
    target : int, optional
        The class, from 0; the predicted one without it.
    names : sequence, optional
        What the classes are called; their numbers without it.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes
        Its two ``images`` are the image and the map.

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData, InvalidSetting
        When the network has no weights or tells no classes, the image does not fit it, or there
        is no such class.
    """
    x = check_image(network, image)
    target, named = _name_class(network, x, target, names)
    size = np.abs(input_gradient(network, image, target)).max(axis=2)
    output = "logit" if network.loss.outputs == "logits" else "output"
    mosaic = _beside(
        axes, x[0], f"Saliency: {named}", f"|∂ {output} / ∂ pixel|", "Size of the gradient"
    )
    drawn = mosaic.add(
        size, _SIDE + _GAP, _TOP, _SIDE, cmap="Blues", vmin=0, vmax=float(size.max()) or 1.0
    )
    mosaic.add_colours(drawn)
    return mosaic.axes


def occlusion(
    network: Any,
    image: Any,
    *,
    patch: int | None = None,
    stride: int | None = None,
    target: int | None = None,
    names: Sequence[object] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw an image beside the places whose covering makes its class less probable.

    Each place has the colour of what a grey patch with its middle there takes from the
    probability of the class: blue where it falls, vermilion where it rises. A square of dashes in
    the image has the size of the patch, and lies where it takes most, if it takes anything.
    ``attribution.occlusion_falls`` gives the numbers.

    Parameters
    ----------
    network, image, target, names, axes
        As for ``saliency``.
    patch : int, optional
        Pixels along each side of the patch; a quarter of the image's shorter side without it.
    stride : int, optional
        Pixels from one place to the next; half the patch without it.

    Returns
    -------
    matplotlib Axes
        Its two ``images`` are the image and the map, pixel by pixel.

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData, InvalidSetting
        As ``saliency``; also when the patch or the stride is larger than the image.
    """
    x = check_image(network, image)
    height, width = x.shape[1:3]
    patch, stride = patch_and_stride((height, width), patch, stride)
    target, named = _name_class(network, x, target, names)
    falls = occlusion_falls(network, image, target, patch=patch, stride=stride)
    falls_somewhere = falls.max() > 0
    mosaic = _beside(
        axes,
        x[0],
        f"Occlusion: {named}",
        "Fall of the probability",
        f"Patch of {patch} × {patch} pixels",
        "Image, patch that takes most" if falls_somewhere else "Image",
    )
    pixels = falls.repeat(stride, axis=0).repeat(stride, axis=1)[:height, :width]
    drawn = mosaic.add(pixels, _SIDE + _GAP, _TOP, _SIDE, **symmetric(pixels))
    if falls_somewhere:
        cell = divmod(int(falls.argmax()), falls.shape[1])
        _outline(mosaic.axes, patch_at(cell, patch, stride), (height, width))
    mosaic.add_colours(drawn)
    return mosaic.axes


def _name_class(
    network: Any, x: Array, target: int | None, names: Sequence[object] | None
) -> tuple[int, str]:
    """Number of the class, and what the title calls it."""
    probabilities = class_probabilities(network, x)[0]
    number = choose_class(probabilities, target)
    called = class_names(names, len(probabilities))[number]
    name = called if names is not None else f"class {called}"
    return number, f"{name} ({percent(probabilities[number])})"


def _beside(
    axes: Axes | None,
    image: Array,
    title: str,
    colours: str,
    heading: str,
    over_image: str = "Image",
) -> Mosaic:
    """Draw the image, and leave the room beside it to the map."""
    mosaic = Mosaic(axes, 2 * _SIDE + _GAP, _SIDE + _TOP, title, colours)
    mosaic.write(_SIDE / 2, _TOP / 2, over_image, size=10)
    mosaic.write(1.5 * _SIDE + _GAP, _TOP / 2, heading, size=10)
    picture, options = visible(image)
    mosaic.add(picture, 0, _TOP, _SIDE, **options)
    return mosaic


def _outline(axes: Axes, place: tuple[slice, slice], size: tuple[int, int]) -> None:
    """Draw a square of dashes around a place of the first image."""
    left, right, _, top = axes.images[0].get_extent()
    pixel = (right - left) / size[1]
    rows, columns = (slice(*part.indices(side)) for part, side in zip(place, size, strict=True))
    corner = left + columns.start * pixel, top + rows.start * pixel
    extent = (columns.stop - columns.start) * pixel, (rows.stop - rows.start) * pixel
    rectangle = matplotlib_module("patches").Rectangle
    for colour, dashes in (("white", "-"), (DARK, "--")):  # visible on black and on white
        axes.add_patch(
            rectangle(corner, *extent, fill=False, edgecolor=colour, linestyle=dashes, zorder=3)
        )
