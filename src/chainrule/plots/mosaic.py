"""Mosaics: many small pictures in one axes, so that they share its place, its title and its file.

The axes' coordinates are inches from the top left corner, as if nothing had to be made smaller.
Every small picture is one of ``axes.images``, in the order they were added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.layer import Array
from chainrule.plots.canvas import (
    BLUE,
    DARK,
    GREY,
    VERMILION,
    colour_scale,
    matplotlib_module,
    open_axes,
    size_in_inches,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage

_LARGEST_FIGURE = 16.0
_ROOM_FOR_COLOURS = 1.2
_ROOM_FOR_TITLE = 0.5


class Mosaic:
    """An empty mosaic of that size.

    Parameters
    ----------
    axes : matplotlib Axes or None
        Where to draw; a new figure without it.
    width, height : float
        Inches. In less room everything becomes smaller, words too.
    title : str
    colours : str
        What the scale of colours beside it will say; empty for none.

    Attributes
    ----------
    axes : matplotlib Axes
    """

    def __init__(
        self, axes: Axes | None, width: float, height: float, title: str, colours: str = ""
    ) -> None:
        room = size_in_inches(open_axes(axes)) if axes is not None else (_LARGEST_FIGURE,) * 2
        self._scale = min(1.0, room[0] / width, room[1] / height)
        self._colours = colours
        self.axes = open_axes(
            axes,
            width=width * self._scale + 0.2 + (_ROOM_FOR_COLOURS if colours else 0),
            height=height * self._scale + _ROOM_FOR_TITLE,
        )
        self.axes.set_axis_off()
        self.axes.set(xticks=[], yticks=[])
        self.axes.set(aspect="equal", xlim=(0, width), ylim=(height, 0))
        size = _size_to_fit(title, 12.0, width * self._scale)
        self.axes.set_title(title, fontsize=size, parse_math=False)

    def add(
        self, picture: Array, left: float, top: float, side: float, **options: Any
    ) -> AxesImage:
        """Put a picture (height, width[, 3]) in the middle of a square, with a thin frame."""
        rows, columns = picture.shape[:2]
        width, height = side * columns / max(rows, columns), side * rows / max(rows, columns)
        left, top = left + (side - width) / 2, top + (side - height) / 2
        drawn = self.axes.imshow(
            picture,
            extent=(left, left + width, top + height, top),
            interpolation="nearest",
            aspect="equal",
            **options,
        )
        frame = matplotlib_module("patches").Rectangle(
            (left, top), width, height, fill=False, edgecolor=GREY, linewidth=0.5 * self._scale
        )
        self.axes.add_patch(frame)
        return drawn

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 8.0,
        room: float = np.inf,
        **options: Any,
    ) -> None:
        """Write words, which may come from the data, about (x, y), smaller than ``size`` points
        where they would be wider than the room.
        """
        size = _size_to_fit(text, size, room)
        placed = {"ha": "center", "va": "center", "color": DARK, "parse_math": False, **options}
        self.axes.text(x, y, text, fontsize=size * self._scale, **placed)

    def add_colours(self, drawn: Any, **options: Any) -> None:
        """Put the scale of the colours of a picture, or of any mappable, beside the mosaic."""
        colour_scale(self.axes, drawn, self._colours, **options)


def _size_to_fit(text: str, size: float, room: float) -> float:
    """Font size with which a line of text is no wider than ``room`` inches."""
    words = matplotlib_module("textpath").TextToPath()
    font = matplotlib_module("font_manager").FontProperties(size=size)
    width = words.get_text_width_height_descent(text, font, ismath=False)[0] / 72
    return size * min(1.0, room / width)


def signed_colours() -> Colormap:
    """Vermilion for negative numbers, white for 0, blue for positive ones, as in the diagram."""
    make = matplotlib_module("colors").LinearSegmentedColormap.from_list
    return make("signed", ["#7A3500", VERMILION, "#FFFFFF", BLUE, "#003A5C"])


def symmetric(values: Array) -> dict[str, Any]:
    """Options of a picture of signed numbers: as far below 0 as above it."""
    largest = float(np.abs(values).max()) or 1.0
    return {"cmap": signed_colours(), "vmin": -largest, "vmax": largest}


def visible(image: Array) -> tuple[Array, dict[str, Any]]:
    """What to draw of an image (height, width, channels), and the options to do it with.

    Three channels are red, green and blue. Of any other number the mean is drawn, in grey.
    Numbers from 0 to 1 are drawn as they are; where some lie outside, all are moved inside.
    """
    shown = image if image.shape[2] == 3 else image.mean(axis=2)
    low, high = min(0.0, float(image.min())), max(1.0, float(image.max()))
    return (shown - low) / (high - low), {"cmap": "gray", "vmin": 0, "vmax": 1}
