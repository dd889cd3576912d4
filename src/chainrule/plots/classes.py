"""The confusion matrix: which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidData, InvalidShape
from chainrule.layer import Array
from chainrule.plots.canvas import (
    check_labels,
    colour_scale,
    matplotlib_module,
    open_axes,
    shorten,
    size_in_inches,
)
from chainrule.targets import numeric_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_LABEL = 22
_LONGEST_UPRIGHT = 4  # longer names would run into each other under the columns


def confusion(
    matrix: Any, labels: Sequence[object] | None = None, axes: Axes | None = None
) -> Axes:
    """Draw a confusion matrix, with the counts written in.

    The colour of a field is its share of the row: of all samples of that class, the part that was
    taken for the class of the column. So a rare class shows as clearly as a frequent one.

    Parameters
    ----------
    matrix : array_like (classes, classes)
        Counts, or sums of sample weights. Row: actual class. Column: predicted class.
    labels : sequence, optional
        The classes' names; 0, 1, 2, ... without them.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InvalidShape
        When the matrix is not square, or there are more or fewer labels than classes.
    InvalidData
        When it is empty, or holds something else than numbers of zero or more.
    """
    counts = numeric_array("matrix", matrix, np.dtype(np.float64))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise InvalidShape(
            f"matrix has shape {counts.shape}; expected (classes, classes): a row for each actual "
            "class and a column for each predicted one."
        )
    if not counts.size:
        raise InvalidData("matrix is empty; expected at least one class.")
    if (counts < 0).any():
        raise InvalidData(
            f"matrix holds {counts[counts < 0][0]:g}; expected counts of zero or more."
        )
    classes = len(counts)
    names = check_labels(range(classes) if labels is None else labels, classes, "class")
    shown = [shorten(name, _LONGEST_LABEL) for name in names]
    longest = max(map(len, shown))
    slants = longest > _LONGEST_UPRIGHT
    side = float(np.clip(0.55 * classes, 2.4, 14))
    axes = open_axes(
        axes,
        width=side + 1.9 + 0.085 * longest,
        height=side + 1.1 + (0.06 * longest if slants else 0),
    )

    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    _write_counts(axes, counts, shares)
    percent = matplotlib_module("ticker").PercentFormatter(1)
    colour_scale(axes, image, "Share of the actual class", format=percent)
    axes.set(title="Confusion matrix", xlabel="Predicted class", ylabel="Actual class")
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    # Names come from the data: a dollar sign in them is no formula.
    axes.set_xticks(
        range(classes), shown, parse_math=False, **(slant if max(map(len, shown)) > 4 else {})
    )
    axes.set_yticks(range(classes), shown, parse_math=False)
    return axes


def _write_counts(axes: Axes, counts: Array, shares: Array) -> None:
    whole = bool((counts == np.round(counts)).all())
    written = [[f"{count:,.0f}" if whole else f"{count:.3g}" for count in row] for row in counts]
    longest = max(len(text) for row in written for text in row)
    field = min(size_in_inches(axes)) / len(counts) * 72  # points
    size = min(12.0, field * 0.5, field * 0.85 / (0.65 * longest))
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column,
            row,
            written[row][column],
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share > 0.55 else "black",
        )
