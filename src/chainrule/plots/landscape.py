"""The loss landscape: how high the loss lies around the parameters, and the way that led there."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.plots.canvas import (
    DARK,
    VERMILION,
    colour_scale,
    legend_below,
    matplotlib_module,
    open_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from chainrule.landscape import LossLandscape

_SPAN_FOR_LOGARITHMS = 20.0  # largest loss over smallest, from which equal steps hide the valley
_MOST_LINES = 10
_SHADES = 64
_MOST_DOTS = 100  # of a path: each shows a moment, so the dots show where training was slow
_STRETCHED = 3.0  # sides that differ by more than this are drawn on axes of their own scale
_LONGER_SIDE, _BESIDE, _BELOW = 5.2, 2.0, 1.75  # inches
_NARROWEST = 5.0  # inches: so wide is the legend
_NOT_FINITE, _YELLOW = "#DDDDDD", "#F0E442"
_WORDS = 8.0  # points
# Shares of the picture that a label keeps from the edges and the path, and from other labels.
_FROM_EDGES, _FROM_LABELS = 0.05, 0.11
_ALONG = np.linspace(0, 1, 20)  # places on each piece of the path that labels keep away from


def loss_landscape(landscape: LossLandscape, *, axes: Axes | None = None) -> Axes:
    """Draw the height of the loss in a plane through the parameters, with the path of training.

    Dark is low. Lines join points of equal loss and say which. Where all losses are positive and
    the largest is more than 20 times the smallest, heights are drawn by their logarithm. Grey
    are the points where the loss is not finite.

    Parameters
    ----------
    landscape : LossLandscape
        As ``chainrule.landscape.loss_landscape`` measures it.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InvalidSetting
        When it is something else than a measured landscape.
    """
    if not hasattr(landscape, "losses") or not hasattr(landscape, "plane"):
        raise InvalidSetting(
            f"Received {type(landscape).__name__} as landscape; expected what "
            "chainrule.landscape.loss_landscape(net, X, y) returns."
        )
    width, height = np.ptp(landscape.alphas), np.ptp(landscape.betas)
    longer = max(width, height)
    equal = longer <= _STRETCHED * min(width, height)
    shape = (width / longer, height / longer) if equal else (1.0, 0.8)
    across, up = _LONGER_SIDE * shape[0], _LONGER_SIDE * shape[1]
    axes = open_axes(axes, width=max(across, _NARROWEST) + _BESIDE, height=up + _BELOW)
    axes.set(xlim=landscape.alphas[[0, -1]], ylim=landscape.betas[[0, -1]])
    if equal:
        axes.set_aspect("equal")  # the same distance among the parameters in every direction
    _draw_heights(axes, landscape)
    _draw_places(axes, landscape)
    some = landscape.samples < landscape.samples_of
    of = f" ({landscape.samples:,} of {landscape.samples_of:,} samples)" if some else ""
    axes.set_title(f"Loss around the parameters{of}", pad=10)
    axes.set_xlabel(_direction(landscape, 0))
    axes.set_ylabel(_direction(landscape, 1))
    axes.locator_params(nbins=6)
    legend_below(axes, inches=0.75, columns=2)
    return axes


def _draw_heights(axes: Axes, landscape: LossLandscape) -> None:
    ticker, colors = matplotlib_module("ticker"), matplotlib_module("colors")
    losses = np.ma.masked_invalid(landscape.losses)
    low, high = float(losses.min()), float(losses.max())
    logarithmic = low > 0 and high > _SPAN_FOR_LOGARITHMS * low
    levels = _logarithmic_levels(low, high) if logarithmic else _even_levels(low, high)
    if high == low:  # a plain: a colour, and no lines
        low, high, levels = low - 0.5, high + 0.5, np.array([low])
    if logarithmic:
        shades, scale = np.geomspace(low, high, _SHADES), colors.LogNorm(low, high)
    else:
        shades, scale = np.linspace(low, high, _SHADES), colors.Normalize(low, high)
    shades[[0, -1]] = low, high  # exactly, so that no point falls out
    grid = landscape.alphas, landscape.betas, losses
    axes.set_facecolor(_NOT_FINITE)
    filled = axes.contourf(*grid, levels=shades, cmap=_depths(), norm=scale)
    digits = _digits(levels, logarithmic=logarithmic)
    if len(levels) > 1:
        lines = axes.contour(*grid, levels=levels, colors=DARK, linewidths=0.7, alpha=0.7)
        _label(axes, lines, landscape, digits)
    label = f"Loss ({landscape.loss_name}{', logarithmic scale' if logarithmic else ''})"
    colour_scale(axes, filled, label, ticks=ticker.FixedLocator(levels))
    beside = axes.child_axes[-1].yaxis
    beside.set_major_formatter(ticker.FuncFormatter(lambda loss, _: f"{loss:.{digits}g}"))
    beside.set_minor_locator(ticker.NullLocator())


def _label(axes: Axes, lines: Any, landscape: LossLandscape, digits: int) -> None:
    """Write each line's loss on it once, where it hides nothing."""
    corner = np.array([landscape.alphas[0], landscape.betas[0]])
    size = np.array([np.ptp(landscape.alphas), np.ptp(landscape.betas)])
    marks = [np.zeros(2), np.array(landscape.lowest[:2])]
    if landscape.path is not None:
        marks += [
            first + share * (second - first)
            for first, second in pairwise(landscape.path)
            for share in _ALONG
        ]
    taken = (np.stack(marks) - corner) / size
    labels = np.empty((0, 2))
    for line in lines.get_paths():
        places = (line.vertices - corner) / size
        if not len(places):
            continue
        from_edges = np.minimum(places, 1 - places).min(axis=1) / _FROM_EDGES
        from_marks = _distance(places, taken) / _FROM_EDGES
        from_labels = _distance(places, labels) / _FROM_LABELS
        room = np.minimum(np.minimum(from_edges, from_marks), from_labels)
        if room.max() >= 1:
            labels = np.vstack([labels, places[room.argmax()]])
    halo = matplotlib_module("patheffects").withStroke(linewidth=2.5, foreground="white")
    texts = axes.clabel(
        lines,
        fontsize=_WORDS,
        fmt=lambda loss: f"{loss:.{digits}g}",
        inline=False,
        manual=labels * size + corner,
    )
    for text in texts:
        text.set(path_effects=[halo], color=DARK)


def _distance(places: Array, others: Array) -> Array:
    """How far each place is from the nearest of the others; far where there are none."""
    if not len(others):
        return np.full(len(places), np.inf)
    return np.linalg.norm(places[:, np.newaxis] - others, axis=2).min(axis=1)


def _draw_places(axes: Axes, landscape: LossLandscape) -> None:
    """Draw the path, where it begins and ends, and the lowest point of the grid."""
    # Marks on the edge are not cut in half.
    style: dict[str, Any] = {"linestyle": "none", "clip_on": False, "markeredgecolor": "white"}
    if landscape.path is not None:
        axes.plot(*landscape.path.T, color="white", linewidth=4, zorder=3)
        axes.plot(
            *landscape.path.T,
            color=VERMILION,
            linewidth=1.5,
            marker="." if len(landscape.path) <= _MOST_DOTS else None,
            ms=5,
            zorder=3,
            label=_training(landscape),
        )
        first, last = landscape.path[0], landscape.path[-1]
        axes.plot(*first, "o", color=VERMILION, ms=9, zorder=4, label="Its start", **style)
        away = np.abs(last) > 1e-3 * np.ptp([landscape.alphas, landscape.betas], axis=1)
        if away.any():
            axes.plot(*last, "D", color=VERMILION, ms=8, zorder=4, label="Its end", **style)
    *place, lowest = landscape.lowest
    label = f"Present parameters: loss {landscape.loss:.4g}"
    axes.plot(0, 0, "X", color=VERMILION, ms=10, zorder=5, label=label, **style)
    style["markeredgecolor"] = DARK
    label = f"Lowest point of the grid: loss {lowest:.4g}"
    axes.plot(*place, "*", color=_YELLOW, ms=17, zorder=4, label=label, **style)
    if landscape.not_finite:
        label = f"Not finite: {landscape.not_finite:,} of {landscape.losses.size:,} points"
        axes.plot([], [], "s", color=_NOT_FINITE, ms=9, label=label, **style)


def _training(landscape: LossLandscape) -> str:
    """What the line of the path is, in the legend."""
    steps = "" if landscape.steps is None else f", {landscape.steps[-1]:,} iterations"
    hidden = landscape.plane.kind != "path"  # else the axes say it
    share = f" ({landscape.share:.0%} of its variance in this plane)" if hidden else ""
    return f"Training{steps}{share}"


def _direction(landscape: LossLandscape, number: int) -> str:
    """What the axis leads along."""
    if landscape.shares is not None:
        share = f"{landscape.shares[number]:.1%} of its variance"
        return f"Principal component {number + 1} of the path\n({share})"
    if landscape.plane.kind == "given":
        return f"Direction {number + 1}"
    return f"Random direction {number + 1}\n(1: as long as the weights)"


def _digits(levels: Array, *, logarithmic: bool) -> int:
    """Digits with which neighbouring levels look different."""
    if logarithmic or len(levels) < 2:
        return 3
    return max(3, math.ceil(math.log10(np.abs(levels).max() / np.diff(levels).min())) + 1)


def _depths() -> Colormap:
    make = matplotlib_module("colors").LinearSegmentedColormap.from_list
    return make("depths", ["#00507D", "#0072B2", "#6FAAD2", "#D6E6F2", "#FFFFFF"])


def _even_levels(low: float, high: float) -> Array:
    locator = matplotlib_module("ticker").MaxNLocator(_MOST_LINES, steps=[1, 2, 5, 10])
    levels = locator.tick_values(low, high)
    return levels[(levels > low) & (levels < high)]


def _logarithmic_levels(low: float, high: float) -> Array:
    """Round numbers between the two: 1, 2, 5, 10, ... or fewer to the decade, or one in several."""
    decades = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        levels = (10.0 ** decades[:, np.newaxis] * steps).ravel()
        levels = levels[(levels > low) & (levels < high)]
        if len(levels) <= _MOST_LINES:
            return levels
    return levels[:: math.ceil(len(levels) / _MOST_LINES)]
