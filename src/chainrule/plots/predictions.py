"""Predictions beside what really happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidData, InvalidShape
from chainrule.layer import Array
from chainrule.plots.canvas import (
    BLUE,
    GREY,
    VERMILION,
    check_labels,
    legend_below,
    open_axes,
    plain_frame,
    shorten,
)
from chainrule.targets import numeric_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROWS_SHOWN_SINGLY = 20
_LONGEST_LABEL = 28


def predictions_against_actual(
    y: Any, predictions: Any, *, labels: Sequence[object] | None = None, axes: Axes | None = None
) -> Axes:
    """Draw each prediction beside its actual value.

    Up to 20 rows stand one under the other, with a ring for the actual value and a dot for the
    prediction: a good prediction lies in its ring. More rows become a cloud, with the diagonal on
    which prediction and actual value are equal.

    Parameters
    ----------
    y, predictions : array_like (rows,) or (rows, 1)
        Numbers, in the unit of the data.
    labels : sequence, optional
        What to call each row, where the rows stand singly; 1, 2, 3, ... without them.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InvalidData
        When there are no rows, or something else than finite numbers.
    InvalidShape
        For several columns, or y, predictions and labels of different lengths.
    """
    actual, predicted = _column("y", y), _column("predictions", predictions)
    if len(actual) != len(predicted):
        raise InvalidShape(
            f"y holds {len(actual)} rows and predictions {len(predicted)}; expected as many."
        )
    names = check_labels(labels, len(actual), "row")
    if len(actual) > _ROWS_SHOWN_SINGLY:
        return _cloud(actual, predicted, axes)
    return _row_by_row(actual, predicted, names, axes)


def _row_by_row(actual: Array, predicted: Array, names: list[str], axes: Axes | None) -> Axes:
    axes = open_axes(axes, height=1.7 + 0.28 * max(len(names), 4))
    rows = np.arange(len(names))
    axes.hlines(rows, actual, predicted, color=GREY, linewidth=1.5, zorder=1)
    axes.plot(
        actual,
        rows,
        "o",
        markersize=11,
        markeredgewidth=1.8,
        color=VERMILION,
        markerfacecolor="none",
        label="Actual value",
    )
    axes.plot(predicted, rows, "o", markersize=5.5, color=BLUE, label="Prediction")
    axes.set_title("Prediction and actual value")
    axes.set_xlabel("Value")
    axes.set_ylabel("Row")
    # Names come from the data: a dollar sign in them is no formula.
    axes.set_yticks(rows, [shorten(name, _LONGEST_LABEL) for name in names], parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first row on top, as in a table
    axes.margins(x=0.08)
    plain_frame(axes, grid="both")
    legend_below(axes, inches=0.55, columns=2)
    return axes


def _cloud(actual: Array, predicted: Array, axes: Axes | None) -> Axes:
    axes = open_axes(axes, width=5.2, height=5.5)
    axes.plot(
        actual,
        predicted,
        "o",
        color=BLUE,
        markersize=4,
        markeredgewidth=0,
        alpha=float(np.clip(40 / np.sqrt(len(actual)), 0.1, 0.7)),
        # In an SVG a hundred thousand dots are one image instead of 20 MB of text.
        rasterized=len(actual) > 5000,
        label="One row",
    )
    low, high = min(actual.min(), predicted.min()), max(actual.max(), predicted.max())
    margin = 0.05 * (high - low) or max(abs(high), 1) * 0.05
    low, high = low - margin, high + margin
    axes.plot(
        [low, high], [low, high], "--", color=GREY, zorder=1, label="Prediction = actual value"
    )
    axes.set(
        title="Prediction against actual value",
        xlabel="Actual value",
        ylabel="Prediction",
        xlim=(low, high),
        ylim=(low, high),
        aspect="equal",
    )
    plain_frame(axes, grid="both")
    for line in legend_below(axes, inches=0.55, columns=2).get_lines():
        line.set_alpha(1)
    return axes


def _column(name: str, values: Any) -> Array:
    column = numeric_array(name, values, np.dtype(np.float64))
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1:
        raise InvalidShape(
            f"{name} has shape {column.shape}; expected one number a row: (rows,) or (rows, 1). "
            f"Draw one output at a time: {name}[:, 0]."
        )
    if not len(column):
        raise InvalidData(f"{name} holds no rows; expected at least one.")
    return column
