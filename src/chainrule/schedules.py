"""Learning rates over time.

Time is counted in epochs as a real number: with 100 steps in an epoch, step 250 is epoch 2.5. So a
schedule means the same whatever the batch size.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.registry import Registered


class Schedule(Registered, family="schedule"):
    """A learning rate that changes during training.

    To write your own, define ``rate(epoch, state)``. What a schedule has to remember between
    epochs stands in ``state``, a dictionary that the training owns (and a checkpoint can store).
    """

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        """Learning rate at that time; ``epoch`` counts from 0 and has a fraction."""
        raise NotImplementedError(f"{type(self).__name__} defines no rate")

    def observe(self, loss: float, state: dict[str, float]) -> None:
        """Take note of an epoch's loss (validation loss where there is one) when it ends."""


class ConstantRate(Schedule):
    """The same learning rate throughout: what a plain number means.

    Parameters
    ----------
    learning_rate : float
    """

    name = "constant"

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = checks.number("learning_rate", learning_rate, at_least=0)

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return self.learning_rate


class StepDecay(Schedule):
    """Multiply by ``factor`` after every ``every`` epochs.

    Parameters
    ----------
    initial : float
    factor : float, default 0.1
    every : float, default 10
        Epochs between two steps.
    """

    def __init__(self, initial: float, factor: float = 0.1, every: float = 10.0) -> None:
        self.initial = checks.number("initial", initial, above=0)
        self.factor = checks.number("factor", factor, above=0, at_most=1)
        self.every = checks.number("every", every, above=0)

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return self.initial * self.factor ** math.floor(epoch / self.every)


class ExponentialDecay(Schedule):
    """Shrink by the same ``factor`` in every epoch, smoothly: η = initial · factor^epoch.

    Parameters
    ----------
    initial : float
    factor : float, default 0.95
    """

    def __init__(self, initial: float, factor: float = 0.95) -> None:
        self.initial = checks.number("initial", initial, above=0)
        self.factor = checks.number("factor", factor, above=0, at_most=1)

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return self.initial * self.factor**epoch


class InverseScaling(Schedule):
    """η = initial / (1 + epoch)^power (Robbins and Monro, 1951, for power in (½, 1]).

    Parameters
    ----------
    initial : float
    power : float, default 0.5
    """

    def __init__(self, initial: float, power: float = 0.5) -> None:
        self.initial = checks.number("initial", initial, above=0)
        self.power = checks.number("power", power, at_least=0)

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return self.initial / (1 + epoch) ** self.power


class Cosine(Schedule):
    """Half a cosine from ``initial`` down to ``final``; warm-up before, restarts on request.

    SGDR (Loshchilov and Hutter, 2017), with the linear warm-up of Goyal et al. (2017).

    Parameters
    ----------
    initial : float
        The highest learning rate.
    epochs : float
        Length of the (first) descent, warm-up included. Without restarts the rate stays at
        ``final`` afterwards.
    final : float, default 0
    warm_up : float, default 0
        Epochs in which the rate first rises in a straight line.
    restarts : bool, default False
        Begin the descent anew (without warm-up) each time it ends.
    stretch : float, default 1
        How much longer each descent is than the one before.
    """

    def __init__(
        self,
        initial: float,
        epochs: float,
        *,
        final: float = 0.0,
        warm_up: float = 0.0,
        restarts: bool = False,
        stretch: float = 1.0,
    ) -> None:
        self.initial = checks.number("initial", initial, above=0)
        self.epochs = checks.number("epochs", epochs, above=0)
        self.final = checks.number("final", final, at_least=0)
        self.warm_up = checks.number("warm_up", warm_up, at_least=0)
        self.restarts = checks.flag("restarts", restarts)
        self.stretch = checks.number("stretch", stretch, at_least=1)
        if self.final > self.initial:
            raise InvalidSetting(
                f"Cosine: final is {final!r} and initial {initial!r}; expected a rate that falls."
            )
        if self.warm_up >= self.epochs:
            raise InvalidSetting(
                f"Cosine: warm_up is {warm_up!r} of {epochs!r} epochs; expected less, so that "
                "something is left to descend in."
            )

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        if epoch < self.warm_up:
            # The first step of all must move too: start one part in a hundred up the line.
            return self.initial * max(epoch / self.warm_up, 0.01)
        length = self.epochs - self.warm_up
        position = epoch - self.warm_up
        while self.restarts and position >= length:
            position -= length
            length *= self.stretch
        part = min(position / length, 1.0)
        return self.final + (self.initial - self.final) * (1 + math.cos(math.pi * part)) / 2


class ReduceOnPlateau(Schedule):
    """Multiply by ``factor`` when the loss has not improved for ``patience`` epochs.

    Parameters
    ----------
    initial : float
    factor : float, default 0.5
    patience : int, default 5
        Epochs without improvement to wait for.
    tolerance : float, default 1e-4
        An improvement is a fall by more than this part of the best loss so far.
    minimum : float, default 0
        The rate never falls below this.
    """

    def __init__(
        self,
        initial: float,
        factor: float = 0.5,
        *,
        patience: int = 5,
        tolerance: float = 1e-4,
        minimum: float = 0.0,
    ) -> None:
        self.initial = checks.number("initial", initial, above=0)
        self.factor = checks.number("factor", factor, above=0, below=1)
        self.patience = checks.whole_number("patience", patience, at_least=1)
        self.tolerance = checks.number("tolerance", tolerance, at_least=0)
        self.minimum = checks.number("minimum", minimum, at_least=0, at_most=self.initial)

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return max(self.initial * self.factor ** state.get("reductions", 0), self.minimum)

    def observe(self, loss: float, state: dict[str, float]) -> None:
        best = state.get("best", math.inf)
        if loss < best - self.tolerance * abs(best if math.isfinite(best) else 0):
            state["best"], state["waited"] = loss, 0
            return
        state["waited"] = state.get("waited", 0) + 1
        if state["waited"] >= self.patience:
            state["reductions"] = state.get("reductions", 0) + 1
            state["waited"] = 0


def as_schedule(learning_rate: Any) -> Schedule:
    """Let a schedule pass; make a plain number a constant one."""
    if isinstance(learning_rate, Schedule):
        return learning_rate
    return ConstantRate(learning_rate)
