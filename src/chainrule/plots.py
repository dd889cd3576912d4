"""Pictures. They draw plain numbers, or a network seen from outside; matplotlib loads on use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chainrule.errors import optional_package
from chainrule.layer import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def loss_graph(
    losses: Array,
    *,
    validation_losses: Sequence[float] | None = None,
    steps_per_epoch: float = 1.0,
    axes: Axes | None = None,
) -> Axes:
    """Draw the loss over iterations, with the validation loss at the end of each epoch.

    Parameters
    ----------
    losses : ndarray (iterations,)
    validation_losses : sequence of float, optional
        One for each epoch.
    steps_per_epoch : float, default 1
    axes : matplotlib Axes, optional
        Where to draw; a new figure without it.
    """
    pyplot = optional_package("matplotlib.pyplot", "Drawing a picture")
    if axes is None:
        _, axes = pyplot.subplots()
    axes.plot(losses)
    return axes
