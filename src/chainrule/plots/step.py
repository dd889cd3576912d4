"""The graph of a step: data flow forward through the layers, gradients flow back."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from chainrule.checks import shown
from chainrule.errors import InvalidInput
from chainrule.plots.canvas import (
    BLUE,
    DARK,
    VERMILION,
    matplotlib_module,
    open_axes,
    size_in_inches,
)
from chainrule.plots.step_arrows import draw_flow, draw_way, widths, write
from chainrule.plots.step_layout import (
    FONT_SIZE,
    LINE,
    PADDING,
    TITLE,
    USUAL,
    WAY,
    Layout,
    Placed,
    lay_out,
    text_width,
)
from chainrule.plots.step_parts import StepFlow, WayAround

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BETWEEN_ENTRIES, _HANDLE = 0.3, 0.55  # inches in the legend
_ABOVE = 0.15
_TITLE_SIZE = 12.0  # points
_RIM = 0.06  # of the area around a residual layer
_AREAS = ("#E3E3E3", "#F1F1F1")
_FACES = {"x": "#E3F0F8", "Loss": "#FBE9DD"}
_LEGEND = {
    BLUE: "Forward: ‖a‖, length of what flows (whole batch)",
    VERMILION: "Back: ‖∂L/∂a‖, length of its gradient",
    "none": "Width: logarithm of the length (dotted: 0 or NaN)",
}


def step_graph(flow: StepFlow, *, axes: Axes | None = None) -> Axes:
    """Draw one step: what flows forward through each layer, and the gradient that comes back.

    Boxes are the inputs, the layers and the loss. Between them a blue arrow leads forward, with
    the shape of the array that flows and its length ‖a‖, and a red one back, with the length of
    the loss's gradient with respect to it, ‖∂L/∂a‖. The thinner an arrow, the smaller its length,
    by its logarithm: where gradients vanish the red arrows fade away. In a box stand its
    parameters, their shapes and the length of the gradient of each.

    Long networks go on in the next column. A residual layer is a grey area with the way around its
    layers on the left.

    Parameters
    ----------
    flow : StepFlow
        What flows: lengths and words. ``net.explain(x, y).plot()`` reads it from a step.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it, as large as the network needs.

    Returns
    -------
    matplotlib Axes

    Notes
    -----
    Lengths are Euclidean, over the whole batch: ‖a‖ = √(Σ a²). A loss that is a mean over n samples
    has gradients about 1/n as long as one that sums.
    """
    if not isinstance(flow, StepFlow):
        raise InvalidInput(
            f"step_graph received {shown(flow)}; expected what flows in a step. "
            "net.explain(x, y).plot() draws the step of a network."
        )
    title = f"One step, forward and back: loss {flow.loss:.4g}"
    axes, page, scale = _make_room(axes, flow, title)
    _draw_residual_areas(axes, page, flow.ways)
    flows, ways = flow.flows, flow.ways
    forward = widths([between.forward for between in flows] + [way.forward for way in ways])
    back = widths([between.back for between in flows] + [way.back for way in ways])
    for number, (between, ends) in enumerate(zip(flows, pairwise(page.boxes), strict=True)):
        draw_flow(axes, page, between, *ends, forward[number], back[number], scale)
    for number, way in enumerate(ways, start=len(flows)):
        draw_way(axes, page, way, forward[number], back[number], scale)
    for placed in page.boxes:
        _draw_box(axes, page, placed, scale)
    axes.set_title(title, fontsize=_TITLE_SIZE * scale)
    return axes


def _make_room(axes: Axes | None, found: StepFlow, title: str) -> tuple[Axes, Layout, float]:
    """Set the coordinates, add the legend, and return by how much the picture is made smaller."""
    entries = [text_width(text) + _HANDLE for text in _LEGEND.values()]
    at_least = max(*entries, text_width(title) * _TITLE_SIZE / FONT_SIZE)
    room = None if axes is None else size_in_inches(open_axes(axes))
    page = lay_out(found, at_least, USUAL if room is None else room[0] / room[1])
    columns = 3 if page.width > sum(entries) + 2 * _BETWEEN_ENTRIES else 1
    below = (len(entries) / columns + 1.2) * LINE
    width, height = page.width + 0.1, _ABOVE + page.height + below
    if room is None:
        axes = open_axes(None, width=width + 0.2, height=height + 0.5)
        room = width, height
    axes = open_axes(axes)
    axes.set_axis_off()
    axes.set(aspect="equal", xlim=(-0.05, page.width + 0.05), ylim=(page.height + below, -_ABOVE))
    scale = min(1.0, room[0] / width, room[1] / height)
    _add_legend(axes, columns, scale)
    return axes, page, scale


def _draw_residual_areas(axes: Axes, page: Layout, ways: list[WayAround]) -> None:
    patches = matplotlib_module("patches")
    for way in ways:
        head, tail = page.boxes[way.first], page.boxes[way.last]
        out = page.deepest - way.depth + 1
        left, right = page.left(head) - out * WAY, page.right(head) + out * _RIM
        top, bottom = head.top - out * _RIM, tail.bottom + out * _RIM
        area = patches.Rectangle(
            (left, top),
            right - left,
            bottom - top,
            color=_AREAS[way.depth % 2],
            zorder=way.depth - 9,
        )
        axes.add_patch(area)


def _draw_box(axes: Axes, page: Layout, placed: Placed, scale: float) -> None:
    box, left, right = placed.box, page.left(placed), page.right(placed)
    shape = matplotlib_module("patches").FancyBboxPatch(
        (left, placed.top),
        page.box_width,
        placed.height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=_FACES.get(box.title, "white"),
        edgecolor=DARK,
        linewidth=scale,
        zorder=2,
    )
    axes.add_patch(shape)
    line = placed.top + PADDING + LINE / 2
    write(axes, left + PADDING, line, box.title, scale, ha="left", fontweight="bold")
    beside = left + PADDING + text_width(box.title, bold=True) + TITLE
    for text in placed.lines:
        write(axes, beside, line, text, scale, ha="left")
        line += LINE
    for name, gradient in box.rows:
        write(axes, left + PADDING, line, name, scale, ha="left")
        write(axes, right - PADDING, line, gradient, scale, ha="right", color=VERMILION)
        line += LINE


def _add_legend(axes: Axes, columns: int, scale: float) -> None:
    line = matplotlib_module("lines").Line2D
    legend = axes.legend(
        handles=[
            line([], [], color=colour, linewidth=3 * scale, label=text)
            for colour, text in _LEGEND.items()
        ],
        loc="lower center",
        ncols=columns,
        frameon=False,
        borderaxespad=0,
        fontsize=FONT_SIZE * scale,
    )
    legend.set_in_layout(False)  # it lies inside; the layout would make the picture smaller for it
