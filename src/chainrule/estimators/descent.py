"""One training of a multilayer perceptron, as its parameters say: what ``fit`` does in the end.

The loop is chainrule's own. What is scikit-learn's way stands in its plan: the orders of the
samples, penalties that the samples of a batch share, and a ``Bookkeeper`` that ends it.
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import InvalidData, InvalidSetting
from chainrule.estimators import parts, weights
from chainrule.estimators.base import Validation
from chainrule.estimators.bookkeeping import Bookkeeper, Rules
from chainrule.estimators.scikit_learn import ConvergenceWarning, get_scorer, train_test_split
from chainrule.estimators.sparse import SparseInputs
from chainrule.estimators.starting import Orders
from chainrule.optimizers import LBFGS
from chainrule.samples import Samples
from chainrule.training.callbacks import Callback
from chainrule.training.full_batch import ALL_DONE, NO_WAY_DOWN
from chainrule.training.interrupt import INTERRUPTED
from chainrule.training.loop import TrainingLoop
from chainrule.training.plan import Plan, columns

_AUTO_BATCH = 200
_LEVEL_OF_USER = 8  # of calls between a warning and the line that called ``fit``


class Descent:
    """Trains the network of an estimator and sets what that leaves behind.

    Parameters
    ----------
    estimator : MultilayerPerceptron
        With its network. It says how actual values and scores are made, and keeps the books and
        the learning rates from one training to the next.
    incremental : bool
        Whether to make one epoch, going on from the last: ``partial_fit``.
    """

    def __init__(self, estimator: Any, incremental: bool) -> None:
        self.estimator = estimator
        self.incremental = incremental
        self.network = estimator.network_
        if incremental and estimator.early_stopping:
            raise InvalidSetting(
                "partial_fit makes one epoch, so early_stopping=True has nothing to stop. Set "
                "early_stopping=False."
            )
        if not incremental or not hasattr(estimator, "_rates"):
            self._begin()
        self.full_batch = isinstance(self.network.optimizer, LBFGS)
        self.stops_early = estimator.early_stopping and not self.full_batch

    def _begin(self) -> None:
        """Give the network an engine, and an optimizer that remembers nothing."""
        estimator, network = self.estimator, self.network
        network.engine = parts.engine_of(estimator.engine, estimator.threads)
        network.optimizer = parts.optimizer_of(estimator)
        estimator._rates = parts.schedule_of(estimator)
        drops_out = estimator.layers is None and np.any(estimator.dropout)
        if isinstance(network.optimizer, LBFGS) and drops_out:
            raise InvalidSetting(
                "solver='lbfgs' measures the same loss again and again, and dropout makes another "
                "one each time. Use solver='adam', or dropout=0."
            )

    def run(self, samples: Samples, validation: Validation | None) -> None:
        """Train on checked samples."""
        estimator = self.estimator
        if self.stops_early and validation is None:
            samples, validation = self._set_aside(samples)
        batch_size = len(samples) if self.full_batch else self._batch_size(len(samples))
        self.network.l2 = estimator.alpha / (2 * batch_size)
        shuffles = bool(estimator.shuffle) and not self.full_batch
        orders = Orders(len(samples), estimator._random_state)
        bookkeeper = self._bookkeeper(len(samples), validation)
        plan = Plan(
            epochs=1 if self.incremental else int(estimator.max_iter),
            batch_size=batch_size,
            shuffle=shuffles,
            augment=(),
            metrics=(),
            callbacks=[bookkeeper, *_callbacks(estimator.callbacks)],
            progress=estimator.progress,
            schedule=estimator._rates,
            order=orders if shuffles else None,
            penalties_for=float(batch_size),
        )
        held_out = None if validation is None else validation.samples
        for callback in plan.callbacks:
            callback.check(columns(plan, held_out is not None))
        loop = TrainingLoop(self.network, samples, held_out, plan)
        bookkeeper.loop = loop
        loop.run()
        self._close(loop, bookkeeper)
        if shuffles and batch_size == len(samples) and not self._owns_random_state():
            # Then the order makes no difference; but what somebody else draws next does.
            for _ in range(bookkeeper.epochs):
                orders()
        self._warn(loop.history.stopped_because)

    def _batch_size(self, count: int) -> int:
        chosen = self.estimator.batch_size
        if isinstance(chosen, str):
            return min(_AUTO_BATCH, count)
        if chosen > count:
            warnings.warn(
                f"batch_size={chosen} is larger than the {count} samples to train on; all of them "
                "make one batch.",
                stacklevel=_LEVEL_OF_USER,
            )
        return int(min(chosen, count))

    def _set_aside(self, samples: Samples) -> tuple[Samples, Validation]:
        """Part the samples into those to train on and those to measure on."""
        estimator = self.estimator
        rows, aside = train_test_split(
            np.arange(len(samples)),
            random_state=estimator._random_state,
            test_size=estimator.validation_fraction,
            stratify=estimator._stratified_by(samples.y),
        )
        if len(aside) < 2:
            raise InvalidData(
                f"validation_fraction={estimator.validation_fraction} of {len(samples)} samples "
                f"sets {len(aside)} aside; expected two or more to measure on."
            )
        held_out = samples.rows(aside)
        x = held_out.x.source[aside] if isinstance(held_out.x, SparseInputs) else held_out.x
        actual = estimator._decode(held_out.y)
        return samples.rows(rows), Validation(held_out, x, actual, held_out.weight)

    def _bookkeeper(self, count: int, validation: Validation | None) -> Bookkeeper:
        estimator = self.estimator
        books = estimator._books.copy()
        if validation is not None and books.scores is None:
            books.scores, books.validation_losses = [], []
        if self.stops_early and books.best_score is None:
            books.best_score, books.best_loss = -math.inf, None
        tol = -math.inf if self.full_batch else estimator.tol  # L-BFGS has its own ways to end
        rules = Rules(tol, estimator.n_iter_no_change, self.stops_early, estimator.verbose)
        rate = estimator._rates if isinstance(estimator._rates, parts.EpochRate) else None
        next_rate = self._scaled_rate if estimator.learning_rate == "invscaling" else None
        measure = None if validation is None else self._measure_of(validation)
        reported = estimator._reported_loss
        return Bookkeeper(books, rules, count, rate, next_rate, measure, reported)

    def _scaled_rate(self, seen: int) -> float:
        """Learning rate after so many samples: η / (t + 1)^power_t."""
        first, power = self.estimator.learning_rate_init, self.estimator.power_t
        return float(first) / (seen + 1) ** power

    def _measure_of(self, validation: Validation) -> Callable[[], float]:
        """What measures the score on those samples."""
        estimator, scoring = self.estimator, self.estimator.scoring
        x, y, weight = validation.x, validation.y, validation.weight
        if scoring is None:
            return lambda: float(estimator._score_of(x, y, weight))
        if isinstance(scoring, str) and scoring == "loss":
            return lambda: -float(self.network.scores(validation.samples, ())["loss"])
        scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
        weighted = {} if weight is None else {"sample_weight": weight}

        def measure() -> float:
            # These rows have lost the names of their columns; scikit-learn would warn of that.
            names = estimator.__dict__.pop("feature_names_in_", None)
            try:
                return float(scorer(estimator, x, y, **weighted))
            finally:
                if names is not None:
                    estimator.feature_names_in_ = names

        return measure

    def _close(self, loop: TrainingLoop, bookkeeper: Bookkeeper) -> None:
        """Set what the training leaves behind."""
        estimator, network, books = self.estimator, self.network, bookkeeper.books
        if bookkeeper.best_storage is not None:
            network.parameter_vector.storage[...] = bookkeeper.best_storage
        estimator._books = books
        estimator.n_iter_, estimator.t_ = bookkeeper.epochs, books.seen
        estimator.loss_ = books.losses[-1] if books.losses else math.nan
        if loop.ending is not None:
            squares = sum(float(np.vdot(w, w)) for w in weights.views(network, "weights"))
            penalty = network.l2 * loop.batches.penalty_scale(loop.samples) * squares
            estimator.loss_ = estimator._reported_loss(loop.ending.loss, penalty)
            estimator.t_ = 0
        estimator.loss_curve_ = books.losses
        estimator.validation_scores_ = books.scores
        estimator.validation_loss_curve_ = books.validation_losses
        estimator.best_loss_ = books.best_loss
        estimator.best_validation_score_ = books.best_score
        loop.history.forget()
        estimator.history_ = network.last_history = loop.history

    def _warn(self, reason: str) -> None:
        """Tell what may not have been meant: an interrupt, and a training that has not ended."""
        estimator = self.estimator
        if reason == INTERRUPTED:
            warnings.warn("Training interrupted by user.", stacklevel=_LEVEL_OF_USER)
        elif reason in (ALL_DONE, NO_WAY_DOWN):
            warnings.warn(
                f"lbfgs has not converged after {estimator.n_iter_} iterations ({reason}). Give "
                f"it more (max_iter={estimator.max_iter}, max_fun={estimator.max_fun}), or scale "
                "the data.",
                ConvergenceWarning,
                stacklevel=_LEVEL_OF_USER,
            )
        elif reason.startswith("all ") and not self.incremental:
            warnings.warn(
                f"Stochastic optimizer: the maximum of {estimator.max_iter} iterations is "
                "reached, and the training has not converged yet.",
                ConvergenceWarning,
                stacklevel=_LEVEL_OF_USER,
            )

    def _owns_random_state(self) -> bool:
        """Whether nobody else draws from this fit's random numbers."""
        return isinstance(self.estimator.random_state, numbers.Integral)


def _callbacks(given: Any) -> list[Callback]:
    listed = [given] if isinstance(given, Callback) else list(given)
    for callback in listed:
        if not isinstance(callback, Callback):
            raise InvalidSetting(
                f"callbacks holds {callback!r}; expected Callback objects. A plain function goes "
                "in as OnEpoch(function)."
            )
    return listed
