"""Where a network stands in its training, so that the next ``fit`` goes on from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chainrule.optimizer import OptimizerState


class TrainingState:
    """Everything that training changes besides the parameters.

    ``fit(epochs=10)`` twice is the same as ``fit(epochs=20)`` once, bit for bit, because the
    shuffles, the schedule and the optimizer go on from here. (L-BFGS is SciPy's and starts anew.)

    Attributes
    ----------
    optimizer : OptimizerState
    epoch : int
        Epochs begun so far, finished or not: the number of the next one.
    step : int
        Iterations made so far.
    schedule : dict
        What the learning-rate schedule remembers.
    """

    def __init__(self, optimizer: OptimizerState) -> None:
        self.optimizer = optimizer
        self.epoch = self.step = 0
        self.schedule: dict[str, float] = {}

    def begin_again(self) -> None:
        """Go back to the state before the first step."""
        self.optimizer.begin_again()
        self.epoch = self.step = 0
        self.schedule = {}


class Begun(NamedTuple):
    """The part of an epoch that has been made when a training begins in the middle of one.

    ``TrainingState.epoch`` counts that epoch already.

    Attributes
    ----------
    batches : int
        How many of its batches; 0 where a new epoch begins.
    loss : float
        Their part of the epoch's loss.
    norms : sequence of float
        The length of the gradient in each.
    """

    batches: int = 0
    loss: float = 0.0
    norms: Sequence[float] = ()


NOTHING_BEGUN = Begun()
