"""The network diagram: units as circles, weights as lines."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.errors import NotBuilt
from chainrule.plots.canvas import (
    BLUE,
    DARK,
    GREY,
    VERMILION,
    matplotlib_module,
    open_axes,
    size_in_inches,
)
from chainrule.plots.columns import COLUMN_WIDTH, Column, choose_pitch, make_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches, which are also the units of the picture's coordinates.
_BOX_HALF_WIDTH = 0.2
_TEXT_LINE = 0.2
_ROOMY_PITCH = 0.4  # units closer together get thinner lines
_LEGEND_WIDTH, _WIDEST = 5.4, 60.0
# Points.
_THINNEST, _THICKEST = 0.3, 3.3
_FONT_SIZE = 9.5


def network_diagram(network: Any, *, axes: Axes | None = None, max_units: int = 12) -> Axes:
    """Draw the layers of a network, with circles for units and lines for weights.

    The colour of a line is the sign of its weight and its width the weight's size, on one scale
    for the whole network. Biases are not drawn. A layer that is no weighted sum of a row of
    numbers (an activation by itself, a convolution, ...) is a box with its name.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it, as large as the network needs.
    max_units : int, default 12
        A larger layer shows its first and last units, so many together, and dots between them.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidSetting
        When ``max_units`` is not a whole number of at least 2.
    InvalidData
        When a weight is NaN or infinite.
    """
    max_units = checks.whole_number("max_units", max_units, at_least=2)
    if not network.is_built:
        raise NotBuilt(
            "This network has no weights to draw yet: their shape follows from the number of "
            "inputs. Call net.build(number_of_inputs) or net.fit(X, y) first."
        )
    pitch = choose_pitch(network.shapes, max_units)
    columns = list(make_columns(network, max_units, pitch))
    drawn = [column.weights for column in columns if column.weights is not None]
    largest = max((float(np.abs(weights).max()) for weights in drawn), default=0.0)
    half_height = max(column.half_height for column in columns)

    axes, scale = _make_room(axes, columns[-1].x, half_height)
    line_scale = scale * min(1.0, pitch / _ROOMY_PITCH)
    for before, column in pairwise(columns):
        _draw_lines(axes, before, column, largest, line_scale)
    for column in columns:
        _draw_column(axes, column, scale)
        _write(axes, column, half_height, _FONT_SIZE * scale)
    axes.set_title(f"Network of {len(network.parameters):,} parameters")
    if largest:
        _add_legend(axes, largest, max(_THICKEST * line_scale, 1.0), _FONT_SIZE * scale)
    return axes


def _make_room(axes: Axes | None, last_x: float, half_height: float) -> tuple[Axes, float]:
    """Set the coordinates, and return by how much the picture is smaller than it would like."""
    width = max(last_x + COLUMN_WIDTH, _LEGEND_WIDTH)
    above, below = half_height + 2.4 * _TEXT_LINE, half_height + 4 * _TEXT_LINE
    room = min(width, _WIDEST), above + below
    if axes is None:
        axes = open_axes(None, width=room[0] + 0.2, height=room[1] + 0.6)
    else:
        room = size_in_inches(open_axes(axes))
    axes.set_axis_off()
    axes.set(
        aspect="equal",
        xlim=(last_x / 2 - width / 2, last_x / 2 + width / 2),
        ylim=(-below, above),
    )
    # Text and lines are measured in points: in less room they do not shrink by themselves.
    return axes, min(1.0, room[0] / width, room[1] / (above + below))


def _draw_lines(
    axes: Axes, before: Column, column: Column, largest: float, line_scale: float
) -> None:
    start = before.x + (_BOX_HALF_WIDTH if before.box else 0)
    if column.weights is None:  # a box: lines only lead into it
        reach = 0.9 * column.half_height
        ends = before.heights, before.heights.clip(-reach, reach)
        axes.plot([start, column.x], ends, color=GREY, linewidth=line_scale, zorder=1)
        return
    weights = column.weights[np.ix_(before.units, column.units)].astype(np.float64)
    order = np.abs(weights).argsort(axis=None, kind="stable")  # the large over the small
    rows, places = np.unravel_index(order, weights.shape)
    sizes = np.abs(weights.ravel()[order]) / (largest or 1.0)
    lines = matplotlib_module("collections").LineCollection(
        [
            ((start, before.heights[row]), (column.x, column.heights[place]))
            for row, place in zip(rows, places, strict=True)
        ],
        colors=np.where(weights.ravel()[order] < 0, VERMILION, BLUE),
        linewidths=(_THINNEST + (_THICKEST - _THINNEST) * sizes) * line_scale,
        alpha=0.3 + 0.6 * sizes,
        zorder=1,
    )
    axes.add_collection(lines)


def _draw_column(axes: Axes, column: Column, scale: float) -> None:
    patches = matplotlib_module("patches")
    style = {"facecolor": "white", "edgecolor": DARK, "linewidth": 1.2 * scale, "zorder": 2}
    if column.box:
        half = column.half_height
        corner = (column.x - _BOX_HALF_WIDTH, -half)
        axes.add_patch(patches.Rectangle(corner, 2 * _BOX_HALF_WIDTH, 2 * half, **style))
        return
    for height in column.heights:
        axes.add_patch(patches.Circle((column.x, height), 0.34 * column.pitch, **style))
    if column.count > len(column.units):
        last_above = column.heights[(len(column.units) + 1) // 2 - 1]
        dots = last_above + np.array([-0.78, -1, -1.22]) * column.pitch
        axes.plot([column.x] * 3, dots, ".", color=GREY, markersize=4 * scale, zorder=2)


def _write(axes: Axes, column: Column, half_height: float, font_size: float) -> None:
    """Write the names over the columns and the sizes under them, in line with each other."""
    options: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": font_size,
        "parse_math": False,
    }
    for line, text in enumerate(column.above):
        height = half_height + (1.7 - line) * _TEXT_LINE
        axes.text(column.x, height, text, fontweight="normal" if line else "bold", **options)
    for line, text in enumerate(column.below):
        axes.text(column.x, -half_height - (line + 0.7) * _TEXT_LINE, text, **options)
    if column.box:
        axes.text(column.x, 0, column.box, rotation=90, color=DARK, zorder=3, **options)


def _add_legend(axes: Axes, largest: float, thick: float, font_size: float) -> None:
    line = matplotlib_module("lines").Line2D
    legend = axes.legend(
        handles=[
            line([], [], color=BLUE, linewidth=thick, label="Positive weight"),
            line([], [], color=VERMILION, linewidth=thick, label="Negative weight"),
            line([], [], color=GREY, linewidth=thick, label=f"Size {largest:.3g}, the largest"),
        ],
        loc="lower center",
        ncols=3,
        frameon=False,
        borderaxespad=0,
        fontsize=font_size,
    )
    legend.set_in_layout(False)  # it lies inside; the layout would make the picture smaller for it
