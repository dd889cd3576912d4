"""Arrows in the picture of a step: forward and back, from box to box and around."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.plots.canvas import BLUE, DARK, GREY, VERMILION, matplotlib_module
from chainrule.plots.step_layout import (
    FONT_SIZE,
    GAP,
    GUTTER,
    LINE,
    OFFSET,
    TURN,
    WAY,
    Layout,
    Placed,
)
from chainrule.plots.step_parts import Flow, WayAround

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_THICKEST, _THINNEST = 4.0, 0.6  # points
_BY_DECADE = 0.35, 0.8  # points that an arrow of a tenth of the length is thinner, as there is room

Point = tuple[float, float]


def widths(lengths: Sequence[float]) -> list[float | None]:
    """Points of each arrow, by the logarithm of its length; None where it has none to speak of."""
    real = [length for length in lengths if length and math.isfinite(length)]
    largest, smallest = max(real, default=1.0), min(real, default=1.0)
    decades = math.log10(largest) - math.log10(smallest)
    step = min(max(_BY_DECADE[0], (_THICKEST - _THINNEST) / max(decades, 1.0)), _BY_DECADE[1])
    return [
        max(_THINNEST, _THICKEST + step * (math.log10(length) - math.log10(largest)))
        if length and math.isfinite(length)
        else None
        for length in lengths
    ]


def draw_flow(
    axes: Axes,
    page: Layout,
    flow: Flow,
    start: Placed,
    end: Placed,
    width: float | None,
    width_back: float | None,
    scale: float,
) -> None:
    """Draw both arrows between two boxes, with their labels over the second one."""
    _arrow(axes, _route(page, start, end, -1), BLUE, width, scale)
    _arrow(axes, _route(page, start, end, 1)[::-1], VERMILION, width_back, scale)
    middle = end.top - GAP / 2
    left, right = end.x - 2 * OFFSET, end.x + 2 * OFFSET
    write(axes, left, middle - LINE / 2, flow.forward_label, scale, ha="right", color=BLUE)
    write(axes, left, middle + LINE / 2, flow.shape, scale, ha="right", color=GREY)
    write(axes, right, middle, flow.back_label, scale, ha="left", color=VERMILION)


def draw_way(
    axes: Axes,
    page: Layout,
    way: WayAround,
    width: float | None,
    width_back: float | None,
    scale: float,
) -> None:
    """Draw the way around at the left of the boxes that it passes."""
    head, tail = page.boxes[way.first], page.boxes[way.last]
    left, top, bottom = page.left(head), (head.top + head.bottom) / 2, (tail.top + tail.bottom) / 2
    middle = left - (page.deepest - way.depth + 0.5) * WAY
    for side, colour, points, length in (
        (-1, BLUE, width, way.forward),
        (1, VERMILION, width_back, way.back),
    ):
        x, nearer = middle + side * OFFSET / 2, side * OFFSET / 2
        corners = [(left, top + nearer), (x, top + nearer)]
        corners += [(x, bottom - nearer), (left, bottom - nearer)]
        _arrow(axes, corners if side < 0 else corners[::-1], colour, points, scale)
        beside = x + side * (OFFSET + 0.01)
        written = {"rotation": 90, "ha": "center", "color": colour}
        write(axes, beside, (top + bottom) / 2, f"{length:.3g}", scale, **written)


def write(axes: Axes, x: float, y: float, text: str, scale: float, **options: Any) -> None:
    """Write words, which may hold signs that would mean mathematics elsewhere."""
    if text:
        style = {"va": "center", "color": DARK, "parse_math": False, "zorder": 3, **options}
        axes.text(x, y, text, fontsize=FONT_SIZE * scale, **style)


def _route(page: Layout, start: Placed, end: Placed, side: int) -> list[Point]:
    """Corners of the arrow from one box to the next: -1 is the forward one, 1 the one back."""
    x, to = start.x + side * OFFSET, end.x + side * OFFSET
    if start.column == end.column:
        return [(x, start.bottom), (to, end.top)]
    # Down, through the gutter to the top of the next column, and down again. The forward arrow
    # is the outer one below and the inner one above, so that the two never cross.
    low = start.bottom + TURN * (0.85 if side < 0 else 0.5)
    high = end.top - GAP - TURN * (0.35 if side < 0 else 0.7)
    gutter = page.right(start) + GUTTER / 2 - side * OFFSET
    return [(x, start.bottom), (x, low), (gutter, low), (gutter, high), (to, high), (to, end.top)]


def _arrow(
    axes: Axes, corners: Sequence[Point], colour: str, width: float | None, scale: float
) -> None:
    """Draw an arrow along some corners; dashed where there is no length to show by its width."""
    points = _THINNEST if width is None else width
    arrow = matplotlib_module("patches").FancyArrowPatch(
        path=matplotlib_module("path").Path(corners),
        arrowstyle="-|>,head_width=0.3,head_length=0.6",
        mutation_scale=(6 + 1.5 * points) * scale,
        linewidth=points * scale,
        linestyle=(0, (2, 2)) if width is None else "solid",
        color=GREY if width is None else colour,
        joinstyle="miter",
        capstyle="butt",
        shrinkA=0,
        shrinkB=0,
        zorder=1,
    )
    axes.add_patch(arrow)
