"""The losses of a history on the scale from a guess (1) to perfection (0)."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.scale import LossScale
from chainrule.layer import Array
from chainrule.loss import Loss
from chainrule.training.history import History


class Curve:
    """How a training went, in numbers that can be compared between problems.

    Parameters
    ----------
    history : History
    loss : Loss
    scale : LossScale

    Attributes
    ----------
    history : History
    steps : ndarray (iterations,)
        The loss of each iteration; its batch is noise to it.
    epochs : ndarray (epochs,)
        The mean of each epoch.
    validation : ndarray (epochs,) or None
    was_stopped_early : bool
        Whether training ended because the validation loss had stopped improving.
    """

    def __init__(self, history: History, loss: Loss, scale: LossScale) -> None:
        self.history = history
        self._scale, self._sums = scale, loss.reduction == "sum"
        self.steps = self._placed(history.losses, "batch_size")
        self.epochs = self._placed(history["loss"], "samples")
        self.validation: Array | None = None
        if "validation_loss" in history.epochs:
            self.validation = self._placed(history["validation_loss"], "validation_samples")
        # In the words of EarlyStopping, which by then has put the best weights back.
        self.was_stopped_early = "has not improved" in history.stopped_because

    @property
    def fall(self) -> float:
        """Part of the first epoch's loss that is gone in the last one; 0 before there are two."""
        if len(self.epochs) < 2:
            return 0.0
        return float((self.epochs[0] - self.epochs[-1]) / abs(self.epochs[0]))

    def _placed(self, losses: Array, samples: str) -> Array:
        """Give losses their place; one that sums has grown with the number of its samples."""
        times = self._scale.samples / self.history.settings[samples] if self._sums else 1.0
        return np.asarray(self._scale.unexplained(losses * times), np.float64)
