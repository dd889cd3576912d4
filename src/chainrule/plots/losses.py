"""The loss graph: how far training has come."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.layer import Array
from chainrule.plots.canvas import (
    BLUE,
    CLASS_COLOURS,
    DARK,
    VERMILION,
    matplotlib_module,
    open_axes,
    plain_frame,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPAN_FOR_LOGARITHMS = 100.0  # largest loss over smallest, from which a linear axis hides the end
_STEPS_FOR_MEANS = 5  # batches in an epoch from which their noise hides the trend
_EPOCHS_FOR_MEANS = 3  # fewer means than that show no trend
_EPOCHS_WITH_MARKERS = 30
_CURVES_IN_FULL = 10  # more than that are drawn fainter, down to this strength
_FAINTEST = 0.03
_OTHERS = CLASS_COLOURS[2:]  # not those of the training and of its validation
_LONGEST_NAME = 44  # letters, beside which the curves are still seen


def loss_graph(
    losses: Array | Sequence[float],
    *,
    validation_losses: Sequence[float] | None = None,
    steps_per_epoch: float = 1.0,
    branches: Sequence[tuple[str, int, Array | Sequence[float]]] = (),
    axes: Axes | None = None,
) -> Axes:
    """Draw the loss over iterations, with the validation loss at the end of each epoch.

    An epoch of many batches makes a noisy line: it is drawn faintly, and the mean of each epoch
    over it, in the middle of the epoch it is the mean of. The loss axis is logarithmic where all
    losses are positive and the largest is more than 100 times the smallest.

    Parameters
    ----------
    losses : array_like (iterations,)
        The loss of each iteration, before its update: ``losses[i]`` stands at i updates. NaN and
        infinity leave gaps.
    validation_losses : sequence of float, optional
        One for each epoch; number e (from 1) stands at ``e * steps_per_epoch`` updates.
    steps_per_epoch : float, default 1
        Iterations in an epoch.
    branches : sequence of (str, int, array_like), optional
        Trainings that left this one: a name for each, the iteration at which it left, and its
        losses from there on.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InvalidData
        When there are no losses, or none is finite.
    InvalidShape
        When the losses are no single row, or the validation losses need more iterations.
    InvalidSetting
        When a branch leaves before the start or after the end.
    """
    training = _row_of_numbers("losses", losses)
    if not np.isfinite(training).any():
        raise InvalidData(
            f"losses holds {len(training)} numbers, none of them finite; expected the loss of at "
            "least one iteration. Train first: history = net.fit(X, y), then history.plot()."
        )
    steps = checks.number("steps_per_epoch", steps_per_epoch, above=0)
    validation = _row_of_numbers(
        "validation_losses", [] if validation_losses is None else validation_losses
    )
    if len(validation) * steps > len(training) + 0.5:
        raise InvalidShape(
            f"validation_losses holds {len(validation)} epochs of {steps:g} iterations, but losses "
            f"only {len(training)} iterations; expected at most one validation loss an epoch."
        )
    others = [_branch(*branch, len(training)) for branch in branches]
    axes = open_axes(axes)
    _draw_training(axes, training, steps)
    for (name, first, branch), colour in zip(others, itertools.cycle(_OTHERS), strict=False):
        iterations = np.arange(first, first + len(branch))
        axes.plot(iterations, branch, color=colour, linewidth=1.2, label=name)
    if len(validation):
        axes.plot(
            np.arange(1, len(validation) + 1) * steps,
            validation,
            color=VERMILION,
            linestyle="--",
            marker="o" if len(validation) <= _EPOCHS_WITH_MARKERS else None,
            markersize=4,
            label="Validation loss",
        )
    _set_scale(axes, np.concatenate([training, validation, *(branch for _, _, branch in others)]))
    axes.set_title("Loss during training")
    axes.set_xlabel("Iteration")
    if len(training) == 1 and not len(validation):
        axes.set_xticks([0])
    else:
        ticker = matplotlib_module("ticker")
        axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    plain_frame(axes, grid="y")
    if len(axes.lines) > 1:
        for line in axes.legend(loc="upper right").get_lines():
            line.set_linewidth(2)
    return axes


def _draw_training(axes: Axes, losses: Array, steps: float) -> None:
    iterations = np.arange(len(losses))
    epochs = int(len(losses) / steps + 1e-9)  # complete ones; steps may be a quotient, as 25 / 3
    if steps < _STEPS_FOR_MEANS or epochs < _EPOCHS_FOR_MEANS:
        marker = "o" if len(losses) == 1 else None
        axes.plot(iterations, losses, color=BLUE, marker=marker, label="Training loss")
        return
    axes.plot(
        iterations, losses, color=BLUE, alpha=0.3, linewidth=0.8, label="Training loss, iteration"
    )
    edges = np.round(np.arange(epochs + 1) * steps).astype(np.int64)
    middles = (edges[:-1] + edges[1:] - 1) / 2
    means = np.add.reduceat(losses[: edges[-1]], edges[:-1]) / np.diff(edges)
    axes.plot(middles, means, color=BLUE, linewidth=2, label="Training loss, mean of epoch")


def _set_scale(axes: Axes, values: Array) -> None:
    finite = values[np.isfinite(values)]
    if finite.min() > 0 and finite.max() > _SPAN_FOR_LOGARITHMS * finite.min():
        axes.set_yscale("log")
        axes.set_ylabel("Loss (logarithmic scale)")
    else:
        axes.set_ylabel("Loss")


def _branch(
    name: str, first: int, losses: Array | Sequence[float], iterations: int
) -> tuple[str, int, Array]:
    """Check a branch and give its name the room that a legend has."""
    if not 0 <= first <= iterations:
        raise InvalidSetting(
            f"The branch {name!r} leaves at iteration {first}; expected one of 0 ... {iterations}, "
            "the iterations of the training that it leaves."
        )
    return shorten(name, _LONGEST_NAME), first, _row_of_numbers(name, losses)


def _row_of_numbers(name: str, values: Array | Sequence[float]) -> Array:
    try:
        row = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidData(f"{name} holds what is no number ({error}); expected numbers.") from error
    if row.ndim != 1:
        raise InvalidShape(f"{name} has shape {row.shape}; expected one row of numbers: (count,).")
    return row


def loss_curves(
    losses: Array, *, marked: Sequence[bool] | Array | None = None, axes: Axes | None = None
) -> Axes:
    """Draw the losses of many trainings over their iterations, and the median of all.

    Parameters
    ----------
    losses : array_like (networks, iterations)
        NaN and infinity leave gaps.
    marked : sequence of bool (networks,), optional
        Curves to draw strongly: those of the networks that did not learn.
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    InvalidData
        When none of them is finite.
    InvalidShape
        When it is no table of at least one curve.
    """
    curves = np.asarray(losses, dtype=np.float64)
    if curves.ndim != 2 or not curves.size:
        raise InvalidShape(
            f"losses has shape {curves.shape}; expected (networks, iterations), as train_many "
            "leaves them."
        )
    if not np.isfinite(curves).any():
        raise InvalidData("losses holds no finite number; expected the losses of some training.")
    chosen = np.zeros(len(curves), bool) if marked is None else np.asarray(marked, bool)
    if chosen.shape != (len(curves),):
        raise InvalidShape(
            f"marked has shape {chosen.shape}; expected ({len(curves)},): yes or no for each curve."
        )
    axes = open_axes(axes)
    steps = np.arange(curves.shape[1])
    lines = matplotlib_module("collections").LineCollection(
        [np.column_stack([steps, curve]) for curve in curves],
        colors=BLUE,
        alpha=min(1.0, max(_FAINTEST, _CURVES_IN_FULL / len(curves))),
        linewidths=0.8,
    )
    axes.add_collection(lines)
    axes.plot([], [], color=BLUE, label=f"Each of {len(curves):,} networks")
    for number, curve in enumerate(curves[chosen]):
        label = f"The {int(chosen.sum()):,} that did not learn" if number == 0 else None
        axes.plot(steps, curve, color=VERMILION, linewidth=1.2, label=label)
    known = np.isfinite(curves).any(axis=0)
    axes.plot(
        steps[known],
        np.nanmedian(curves[:, known], axis=0),
        color=DARK,
        linewidth=2,
        label="Median",
    )
    _set_scale(axes, curves)
    axes.autoscale_view()
    axes.set_title("Loss from many starts")
    axes.set_xlabel("Iteration")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    plain_frame(axes, grid="y")
    axes.legend(loc="upper right")
    return axes
