"""The images that a network takes for something else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.attribution import class_probabilities, need_image_network
from chainrule.errors import InvalidData, InvalidShape
from chainrule.layer import Array
from chainrule.plots.canvas import VERMILION, shorten
from chainrule.plots.mosaic import Mosaic, visible
from chainrule.samples import check_inputs
from chainrule.targets import numeric_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDE = 1.0
_PITCH = 1.35, 1.5  # inches from one image to the next one, across and down
_LONGEST_NAME = 13
_NARROWEST = 4.6  # for the title
_NOTE = 0.3


def mistakes(
    network: Any,
    images: Any,
    labels: Any,
    *,
    names: Sequence[object] | None = None,
    at_most: int = 25,
    axes: Axes | None = None,
) -> Axes:
    """Draw the images about which the network is surest, and wrong.

    Over each image stands the predicted class with its probability, and under that the actual
    class. The surest mistake comes first. Where there are no mistakes the picture says so.

    Parameters
    ----------
    network : NeuralNetwork
        Built, for images (height, width, channels), with a loss for classes.
    images : array_like (samples, height, width, channels)
        uint8 images are divided by 255, as everywhere.
    labels : array_like (samples,) or one-hot (samples, classes)
        Actual classes, from 0.
    names : sequence, optional
        What the classes are called; their numbers without it.
    at_most : int, default 25
        Images to show.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes
        The images drawn are its ``images``.

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData, InvalidSetting
        When the network has no weights or tells no classes, or images, labels and names do not
        fit it.
    """
    need_image_network(network)
    at_most = checks.whole_number("at_most", at_most)
    x = check_inputs(images, network.input_shape, network.dtype, type(network.layers[0]).__name__)
    probabilities = class_probabilities(network, images)
    actual = _check_labels(labels, *probabilities.shape)
    called = class_names(names, probabilities.shape[1])

    predicted, certainty = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != actual)
    surest = wrong[np.argsort(-certainty[wrong], kind="stable")][:at_most]
    if not len(surest):
        mosaic = Mosaic(axes, _NARROWEST, 1.2, "Most confident mistakes")
        mosaic.write(_NARROWEST / 2, 0.6, f"No mistakes in {_count(len(x), 'image')}.", size=11)
        return mosaic.axes
    columns = math.ceil(math.sqrt(len(surest)))
    width = max(columns * _PITCH[0], _NARROWEST)
    margin = (width - columns * _PITCH[0]) / 2
    height = math.ceil(len(surest) / columns) * _PITCH[1] + _NOTE
    title = f"{_count(len(wrong), 'mistake')} in {_count(len(x), 'image')}"
    if len(wrong) > 1:
        title = f"The {len(surest)} most confident of {title}"
        title = title if len(surest) < len(wrong) else f"{title.partition('of ')[2]}, surest first"
    mosaic = Mosaic(axes, width, height, title)
    note = "Over each image: predicted class and its probability"
    mosaic.write(width / 2, _NOTE / 3, note, size=9, color=VERMILION)
    for place, sample in enumerate(surest):
        row, column = divmod(place, columns)
        middle, top = margin + (column + 0.5) * _PITCH[0], row * _PITCH[1] + _NOTE
        is_said = f"{called[predicted[sample]]}, {percent(certainty[sample])}"
        room = 0.85 * _PITCH[0]  # on a screen, letters are a little wider than on paper
        mosaic.write(middle, top + 0.12, is_said, room=room, color=VERMILION)
        mosaic.write(middle, top + 0.29, f"actual: {called[actual[sample]]}", room=room)
        picture, options = visible(x[sample : sample + 1][0])
        mosaic.add(picture, middle - _SIDE / 2, top + 0.4, _SIDE, **options)
    return mosaic.axes


def class_names(names: Sequence[object] | None, classes: int) -> list[str]:
    """What to call each class, shortened.

    Raises
    ------
    InvalidShape
        When there are more or fewer names than classes.
    """
    listed = range(classes) if names is None else list(names)
    if len(listed) != classes:
        raise InvalidShape(
            f"names holds {len(listed)} names; expected {classes}: one for each class."
        )
    return [shorten(name, _LONGEST_NAME) for name in listed]


def percent(probability: float) -> str:
    """``0.9876`` -> ``"98.8 %"``, and never 100 % of what is less than certain."""
    if 0.9995 <= probability < 1:
        return "> 99.9 %"
    return f"{100 * probability:.1f} %"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _check_labels(labels: Any, samples: int, classes: int) -> Array:
    """Return class numbers (samples,)."""
    given = numeric_array("labels", labels, np.dtype(np.float64))
    if given.shape == (samples, classes):
        return given.argmax(axis=1)
    if given.shape != (samples,):
        raise InvalidShape(
            f"labels has shape {given.shape}; expected the class of each image: ({samples},)."
        )
    strange = given[~np.isin(given, np.arange(classes))]
    if len(strange):
        raise InvalidData(
            f"labels holds {strange[0]:g}; expected classes of this network, whole numbers from 0 "
            f"to {classes - 1}."
        )
    return given.astype(np.int64)
