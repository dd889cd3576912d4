"""What can be done between the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from chainrule import checks
from chainrule.checks import shown
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.layer import Array
from chainrule.metrics import Metric
from chainrule.samples import Samples
from chainrule.training.history import History


class Callback:
    """Base of the callbacks: override what you need; ``history.stop("reason")`` ends training.

    Only the methods that a callback overrides are called, so an idle one costs nothing. One may
    change the network: its parameters, or what its layers and its optimizer are set to. That holds
    from the next step on, and the loop takes a snapshot for ``history.at``.

    Attributes
    ----------
    only_watches : bool
        Whether the methods that a class defines leave the network alone. Then the loop does not
        compare it before and after, which in every step takes time.
    """

    only_watches: ClassVar[bool] = False

    def check(self, columns: Sequence[str]) -> None:
        """Refuse a training that this callback can do nothing with, before anything happens.

        Parameters
        ----------
        columns : sequence of str
            What the history will hold for each epoch.
        """

    def take_samples(self, samples: Samples) -> None:
        """Run once, before everything else: what is trained on, checked; it stays as it is."""

    def before_training(self, network: Any, history: History) -> None:
        """Run once, before the first step."""

    def after_step(self, network: Any, history: History) -> None:
        """Run after every update of the parameters."""

    def after_epoch(self, network: Any, history: History) -> None:
        """Run at the end of every epoch, when its row stands in ``history.epochs``."""

    def after_training(self, network: Any, history: History) -> None:
        """Run once, also after Ctrl-C."""

    def to_keep(self) -> dict[str, Any]:
        """What a checkpoint must hold of this, by name: arrays, and whatever JSON can hold."""
        return {}

    def before_resuming(self, network: Any, history: History, kept: dict[str, Any]) -> None:
        """Run in place of ``before_training`` where a training goes on from a checkpoint.

        Parameters
        ----------
        kept : dict
            What ``to_keep`` gave when the checkpoint was taken.
        """
        self.before_training(network, history)


class Keeper(Callback):
    """Base of callbacks that keep the training itself, as ``Checkpoint``: they see the loop.

    Attributes
    ----------
    next_step : float
        Step of the network's life at which it wants to look next.
    counts_steps : bool
        Whether it must look right there, and not some steps later.
    """

    next_step: float = math.inf
    counts_steps: bool = True

    def begin(self, loop: Any) -> None:
        """Run right before the first step."""
        raise NotImplementedError(f"{type(self).__name__} defines no begin")

    def keep(self, loop: Any) -> None:
        """Look after ``next_step``, when all other callbacks have run; set a later one."""
        raise NotImplementedError(f"{type(self).__name__} defines no keep")

    def end(self, loop: Any) -> None:
        """Run after the last step, also after Ctrl-C, and before any ``after_training``."""
        raise NotImplementedError(f"{type(self).__name__} defines no end")


class EarlyStopping(Callback):
    """Stop when a column of the history has stopped improving, and take the best weights back.

    Parameters
    ----------
    monitor : str, default "validation_loss"
        A column of the history: ``"loss"``, ``"validation_loss"`` or a metric.
    patience : int, default 10
        Epochs without improvement to wait for.
    min_delta : float, default 0
        What counts as an improvement.
    restore_best : bool, default True
        Whether the parameters of the best epoch are put back at the end.

    Attributes
    ----------
    best, best_epoch
        The best value, and its epoch, counted from 1 within this training.
    """

    only_watches = True  # until training has ended

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if not isinstance(monitor, str):
            raise InvalidSetting(
                f"EarlyStopping: monitor must be the name of a column of the history, such as "
                f"'validation_loss'; received {shown(monitor)}."
            )
        self.monitor = monitor
        self.patience = checks.whole_number("patience", patience, at_least=1)
        self.min_delta = checks.number("min_delta", min_delta, at_least=0)
        self.restore_best = checks.flag("restore_best", restore_best)

    def check(self, columns: Sequence[str]) -> None:
        """Need the column, and one number in it for each epoch."""
        check_column(f"EarlyStopping(monitor={self.monitor!r})", self.monitor, columns)

    def before_training(self, network: Any, history: History) -> None:
        """Forget an earlier training."""
        self._sign = sign_of(self.monitor)
        self.best = self._sign * math.inf
        self.best_epoch = 0
        self._best_parameters: Array | None = None

    def after_epoch(self, network: Any, history: History) -> None:
        """Compare this epoch with the best one."""
        epoch = len(history.epochs[self.monitor])
        value = history.epochs[self.monitor][-1]
        if self._sign * value < self._sign * self.best - self.min_delta:
            self.best, self.best_epoch = value, epoch
            if self.restore_best:
                self._best_parameters = network.parameter_vector.storage.copy()
        elif epoch - self.best_epoch >= self.patience:
            history.stop(
                f"{self.monitor} has not improved since epoch {self.best_epoch} ({self.best:.4g})"
            )

    def to_keep(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_parameters": self._best_parameters,
        }

    def before_resuming(self, network: Any, history: History, kept: dict[str, Any]) -> None:
        """Go on with what was the best so far."""
        self.before_training(network, history)
        best, epoch = kept.get("best"), kept.get("best_epoch")
        parameters, storage = kept.get("best_parameters"), network.parameter_vector.storage
        if (
            not isinstance(best, int | float)
            or not isinstance(epoch, int)
            or not isinstance(parameters, np.ndarray | None)
            or (parameters is not None and parameters.shape != storage.shape)
        ):
            raise InvalidData(
                "EarlyStopping: what was kept of it does not fit this network; expected the best "
                "value, its epoch, and the parameters of that epoch."
            )
        self.best, self.best_epoch = best, epoch
        self._best_parameters = None if parameters is None else parameters.astype(storage.dtype)

    def after_training(self, network: Any, history: History) -> None:
        """Put the best parameters back, however the training ended."""
        if self._best_parameters is not None:
            network.parameter_vector.storage[...] = self._best_parameters


class OnEpoch(Callback):
    """Call a function of (network, history) after each epoch.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[[Any, History], object]) -> None:
        if not callable(function):
            raise InvalidSetting(
                f"OnEpoch received {shown(function)}; expected a function of (network, history)."
            )
        self.function = function

    def after_epoch(self, network: Any, history: History) -> None:
        """Call it."""
        self.function(network, history)


def check_column(who: str, column: str, columns: Sequence[str]) -> None:
    """Refuse a column that the history will not hold, or whose rows are not numbers."""
    if column not in columns:
        raise InvalidSetting(
            f"{who}: this training records {', '.join(columns)}. Pass validation=(X, y) or "
            "validation=0.2 to fit for validation_loss, and metrics=[...] for a metric."
        )
    metric = _metric(column)
    if metric is not None and not metric.is_number:
        raise InvalidSetting(
            f"{who}: {metric.name} is a table, and one table is not better than another. Watch "
            "validation_loss, validation_accuracy, ..."
        )


def sign_of(column: str) -> float:
    """Return 1 where less is better, as of a loss, and -1 where more is."""
    metric = _metric(column)
    return -1.0 if metric is not None and metric.greater_is_better else 1.0


def _metric(column: str) -> Metric | None:
    """Return the metric of a column, None where it is a loss."""
    name = column.removeprefix("validation_").removeprefix("training_")
    return Metric.get(name) if name in Metric.names() else None


def overriding(callbacks: list[Callback], method: str) -> list[Any]:
    """Return that method of every callback which has its own."""
    return [
        getattr(callback, method)
        for callback in callbacks
        if getattr(type(callback), method) is not getattr(Callback, method)
    ]


def may_change_the_network(callbacks: list[Callback], method: str) -> bool:
    """Whether that method of any callback may; a class speaks for what it defines itself."""
    return any(
        not vars(definer).get("only_watches", False)
        for callback in callbacks
        if (definer := _definer(type(callback), method)) is not Callback
    )


def _definer(kind: type, method: str) -> type:
    return next(base for base in kind.__mro__ if method in vars(base))
