"""What a loss means: where it stands between the best constant guess and perfect outputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.layer import Array
from chainrule.loss import Loss
from chainrule.samples import Samples


class LossScale:
    """Two losses that need no network: that of the best constant guess, and that of perfection.

    A loss of 0.4 may be excellent or hopeless. Between these two every loss has its place: 1 is
    what a network reaches that ignores its inputs and gives the mean of the targets (or how
    frequent each class is), 0 is what it reaches that knows everything. For squared errors it is
    1 - R².

    Parameters
    ----------
    loss : Loss
    samples : Samples
        y as the loss computes with it.

    Attributes
    ----------
    guess, perfect : float
    samples : int
    """

    def __init__(self, loss: Loss, samples: Samples) -> None:
        y = samples.y.astype(np.float64)
        weight = None if samples.weight is None else samples.weight.astype(np.float64)
        mean = np.average(y, axis=0, weights=weight)
        self.samples = len(y)
        with np.errstate(all="ignore"):
            self.guess = loss.value(outputs_for(loss, np.broadcast_to(mean, y.shape)), y, weight)
            self.perfect = loss.value(outputs_for(loss, y), y, weight)

    @property
    def is_known(self) -> bool:
        """Whether there is anything between the two; for constant targets there is not."""
        room = self.guess - self.perfect
        return bool(math.isfinite(room) and room > 1e-12 * abs(self.guess))

    def unexplained(self, loss: Any) -> Any:
        """Where a loss of these samples stands; NaN where the scale is not known."""
        return (loss - self.perfect) / (self.guess - self.perfect if self.is_known else math.nan)


def outputs_for(loss: Loss, prediction: Array) -> Array:
    """Outputs a network would have to give for that prediction."""
    smallest = np.finfo(np.float64).eps
    inside = np.clip(prediction, smallest, 1 - smallest)
    if loss.outputs == "probabilities":
        return inside
    if loss.outputs == "logarithms of probabilities" or (
        loss.outputs == "logits" and loss.targets == "classes"
    ):
        return np.log(inside)
    if loss.outputs == "logits":
        return np.log(inside) - np.log1p(-inside)
    return prediction
