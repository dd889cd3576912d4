"""What scikit-learn keeps of a training: loss curve, scores, when to stop, the best weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chainrule.estimators.parts import EpochRate
from chainrule.layer import Array
from chainrule.training.callbacks import Callback

_SMALLEST_RATE = 1e-6  # at which "adaptive" gives up
_ADAPTS_BY = 5.0


@dataclass
class Books:
    """What goes on from one call of ``fit`` or ``partial_fit`` to the next.

    Attributes
    ----------
    losses : list of float
        ``loss_curve_``.
    scores, validation_losses : list of float or None
        On the validation samples; None where there are none.
    best_loss, best_score : float or None
        One of them, by which training is ended.
    waited : int
        Epochs without enough of an improvement.
    seen : int
        ``t_``: samples passed through.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] | None = None
    validation_losses: list[float] | None = None
    best_loss: float | None = math.inf
    best_score: float | None = None
    waited: int = 0
    seen: int = 0

    def copy(self) -> Books:
        """Return books to write on in, which leave these as they are."""
        scores = None if self.scores is None else list(self.scores)
        losses = None if self.validation_losses is None else list(self.validation_losses)
        return Books(
            list(self.losses), scores, losses, self.best_loss, self.best_score, self.waited,
            self.seen,
        )  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """When a training ends.

    Attributes
    ----------
    tol, patience : float
        An improvement counts from ``tol`` on; after more than ``patience`` epochs without one
        training ends.
    early_stopping : bool
        Whether the validation score decides, and not the loss.
    verbose : bool or int
    """

    tol: float
    patience: float
    early_stopping: bool
    verbose: Any


class Bookkeeper(Callback):
    """Keeps the books after each epoch and ends the training, as scikit-learn does.

    Parameters
    ----------
    books : Books
        Written on in.
    rules : Rules
    count : int
        Samples trained on.
    rate : EpochRate or None
        The learning rate, where it changes between epochs.
    next_rate : callable or None
        Gives the rate after so many samples; without it a rate is divided by 5 where training
        would otherwise end.
    measure : callable or None
        Gives the score on the validation samples.
    reported : callable
        Makes of an epoch's loss, and the part of it that is penalty, what the curve shows.

    Attributes
    ----------
    epochs : int
        Made in this training.
    best_storage : ndarray or None
        Parameters and statistics of the best score.
    """

    only_watches = True

    def __init__(
        self,
        books: Books,
        rules: Rules,
        count: int,
        rate: EpochRate | None,
        next_rate: Callable[[int], float] | None,
        measure: Callable[[], float] | None,
        reported: Callable[[float, float], float],
    ) -> None:
        self.books, self.rules, self.count = books, rules, count
        self.rate, self.next_rate = rate, next_rate
        self.measure, self.reported = measure, reported
        self.epochs = 0
        self.loop: Any = None  # which is made with this in its plan
        self.best_storage: Array | None = None

    def before_training(self, network: Any, history: Any) -> None:
        if self.rules.early_stopping:
            self.best_storage = network.parameter_vector.storage.copy()

    def after_epoch(self, network: Any, history: Any) -> None:
        books, rules = self.books, self.rules
        self.epochs += 1
        books.seen += self.count
        loss = self.reported(history.epochs["loss"][-1], self.loop.epoch_penalty)
        books.losses.append(loss)
        self._tell(f"Iteration {self.epochs}, loss = {loss:.8f}")
        if self.measure is not None:
            self._take_score(network, self.measure(), history.epochs["validation_loss"][-1])
        if not rules.early_stopping:
            self._compare_loss(loss)
        if self.rate is not None and self.next_rate is not None:
            self.rate.set(self.next_rate(books.seen))
        if books.waited > rules.patience:
            self._end_or_slow_down(history)

    def _take_score(self, network: Any, score: float, loss: float) -> None:
        books = self.books
        assert books.scores is not None  # noqa: S101  # whoever measures has room for it
        assert books.validation_losses is not None  # noqa: S101
        books.scores.append(score)
        books.validation_losses.append(loss)
        self._tell(f"Validation score: {score:f}")
        if not self.rules.early_stopping:
            return
        best = -math.inf if books.best_score is None else books.best_score
        books.waited = books.waited + 1 if score < best + self.rules.tol else 0
        if score > best:
            books.best_score = score
            self.best_storage = network.parameter_vector.storage.copy()

    def _compare_loss(self, loss: float) -> None:
        books = self.books
        best = math.inf if books.best_loss is None else books.best_loss
        books.waited = books.waited + 1 if loss > best - self.rules.tol else 0
        books.best_loss = min(best, loss)

    def _end_or_slow_down(self, history: Any) -> None:
        what = "Validation score" if self.rules.early_stopping else "Training loss"
        reason = (
            f"{what} did not improve more than tol={self.rules.tol:f} for "
            f"{self.rules.patience} consecutive epochs."
        )
        if self.rate is None or self.next_rate is not None:
            self._tell(f"{reason} Stopping.")
            history.stop(reason)
        elif self.rate.now <= _SMALLEST_RATE:
            self._tell(f"{reason} Learning rate too small. Stopping.")
            history.stop(reason)
        else:
            self.rate.set(self.rate.now / _ADAPTS_BY)
            self._tell(f"{reason} Setting learning rate to {self.rate.now:f}")
            self.books.waited = 0

    def _tell(self, line: str) -> None:
        if self.rules.verbose:
            print(line)
