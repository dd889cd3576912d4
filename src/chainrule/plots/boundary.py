"""The decision boundary: where a network of two inputs changes its mind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData, InvalidShape, NotBuilt
from chainrule.layer import Array
from chainrule.plots.canvas import (
    CLASS_COLOURS,
    DARK,
    colour_scale,
    legend_below,
    matplotlib_module,
    open_axes,
)
from chainrule.targets import numeric_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]  # one more than colours: pairs repeat late


def decision_boundary(
    network: Any, X: Any, y: Any, *, axes: Axes | None = None, resolution: int = 200
) -> Axes:
    """Draw what a network of two inputs predicts everywhere around the samples.

    Of two classes the prediction itself becomes the colour, the probability of class 1 where the
    loss is about probabilities, and a line shows where the decision changes. Of more classes
    each has the region where it is the most probable. The samples lie on top.

    Parameters
    ----------
    network : NeuralNetwork
        Built, for samples of two numbers, with one output or one for each class.
    X : array_like (samples, 2)
    y : array_like
        Classes: (samples,) or (samples, 1), numbered 0 ... K-1 (-1 and 1 for the hinge loss),
        or (samples, K), one-hot.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.
    resolution : int, default 200
        Points to predict along each side.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidShape
        When the network has not two inputs, or X and y do not fit it.
    InvalidData
        When y holds something else than the network's classes.
    """
    outputs, targets = _check_network(network), network.loss.targets
    classes = np.array([-1, 1]) if targets == "signs" else np.arange(max(outputs, 2))
    points = _check_points(X)
    members = _check_classes(y, classes, outputs, len(points))
    resolution = checks.whole_number("resolution", resolution, at_least=2)

    sides = [np.linspace(*_with_margin(column), resolution) for column in points.T]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    prediction = network.predict(grid.reshape(-1, 2)).astype(np.float64)
    prediction = prediction.reshape(resolution, resolution, outputs)

    axes = open_axes(axes, height=5.0)
    if len(classes) == 2:
        _draw_shades(axes, sides, prediction[..., -1], targets)
    else:
        _draw_regions(axes, sides, prediction)
    size = float(np.clip(8000 / len(points), 12, 40))  # square points
    for number, value in enumerate(classes):
        mine = points[members == number]
        axes.scatter(
            mine[:, 0],
            mine[:, 1],
            s=size,
            color=CLASS_COLOURS[number % len(CLASS_COLOURS)],
            marker=_MARKERS[number % len(_MARKERS)],
            edgecolors=DARK,
            linewidths=0.5,
            zorder=3,
            label=f"Class {value}",
        )
    axes.set(title="Decision boundary", xlabel="Input 1", ylabel="Input 2")
    axes.set(xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]])
    legend_below(axes, inches=0.5, columns=min(len(classes), 5), markerscale=math.sqrt(40 / size))
    return axes


def _draw_shades(axes: Axes, sides: list[Array], values: Array, targets: str) -> None:
    """Shade one output from class 0 to class 1, with a line where the decision changes."""
    threshold = 0.0 if targets == "signs" else 0.5
    farthest = float(np.abs(values - threshold).max())
    reach = 0.5 if threshold and farthest <= 0.5 else farthest or 1.0  # probabilities: 0 to 1
    shades = matplotlib_module("colors").LinearSegmentedColormap.from_list(
        "classes", ["#E89A66", "#F8E3D6", "#FFFFFF", "#D6E6F2", "#6FAAD2"]
    )
    levels = np.linspace(threshold - reach, threshold + reach, 11)
    filled = axes.contourf(*sides, values, levels=levels, cmap=shades)
    if values.min() < threshold < values.max():
        axes.contour(*sides, values, levels=[threshold], colors=DARK, linewidths=1.5)
    probable = targets in {"probabilities", "classes"}
    label = "Probability of class 1" if probable else f"Prediction (class 1 above {threshold:g})"
    colour_scale(axes, filled, label, ticks=matplotlib_module("ticker").MaxNLocator(6))


def _draw_regions(axes: Axes, sides: list[Array], probabilities: Array) -> None:
    """Fill the region where each class is the most probable one."""
    for number in range(probabilities.shape[-1]):
        # Its lead over the next is zero on the border, which so lies between the grid's points.
        others = np.delete(probabilities, number, axis=-1).max(axis=-1)
        lead = probabilities[..., number] - others
        if lead.max() <= 0:
            continue
        colour = CLASS_COLOURS[number % len(CLASS_COLOURS)]
        axes.contourf(*sides, lead, levels=[0, lead.max()], colors=[colour], alpha=0.25)
        if lead.min() < 0:
            axes.contour(*sides, lead, levels=[0], colors=DARK, linewidths=1)


def _check_network(network: Any) -> int:
    """Return the number of outputs of a network that can be drawn."""
    if network.input_shape is None:
        raise NotBuilt(
            "This network has no weights yet, so it decides nothing. Train it first: net.fit(X, y)."
        )
    if network.input_shape != (2,):
        raise InvalidShape(
            f"This network takes samples of shape {network.input_shape}; a decision boundary is "
            "drawn on two axes and needs a network of two inputs. Train one on two of the columns."
        )
    shape = network.output_shape
    if len(shape) != 1 or (shape[0] > 1 and network.loss.targets != "classes"):
        raise InvalidShape(
            f"This network has outputs of shape {shape} and loss={network.loss.name!r}; a decision "
            "boundary needs one output, or one for each class with loss='softmax_cross_entropy'."
        )
    return shape[0]


def _check_points(X: Any) -> Array:
    points = numeric_array("X", X, np.dtype(np.float64))
    if points.ndim != 2 or points.shape[1] != 2:
        raise InvalidShape(f"X has shape {points.shape}; expected (samples, 2).")
    if not len(points):
        raise InvalidData("X holds no samples; expected at least one.")
    return points


def _check_classes(y: Any, classes: Array, outputs: int, samples: int) -> Array:
    """Return for each sample the place of its class in ``classes``."""
    labels = numeric_array("y", y, np.dtype(np.float64))
    if outputs > 1 and labels.shape == (samples, outputs):
        return labels.argmax(axis=1)
    if labels.shape == (samples, 1):
        labels = labels[:, 0]
    if labels.shape != (samples,):
        raise InvalidShape(
            f"y has shape {labels.shape}; expected the class of each sample of X: ({samples},)."
        )
    strange = labels[~np.isin(labels, classes)]
    if len(strange):
        raise InvalidData(
            f"y holds {strange[0]:g}; expected the classes of this network: "
            f"{', '.join(map(str, classes))}. For numbers use predictions_against_actual."
        )
    return np.searchsorted(classes, labels)


def _with_margin(column: Array) -> tuple[float, float]:
    margin = 0.08 * (column.max() - column.min()) or 1.0
    return column.min() - margin, column.max() + margin
