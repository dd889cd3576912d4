"""When a training ends: scikit-learn's rules, on losses that are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.estimators.bookkeeping import Bookkeeper, Books, Rules
from chainrule.estimators.parts import EpochRate
from chainrule.training.history import History


class Loop:
    """As much of a training loop as is looked at."""

    epoch_penalty = 0.0


def keep(losses: list[float], *, scores: list[float] | None = None, **options: Any) -> Any:
    """Let a bookkeeper see these epochs, until it ends them."""
    rules = Rules(
        options.pop("tol", 0.1), options.pop("patience", 2), scores is not None,
        options.pop("verbose", False),
    )  # fmt: skip
    books = Books()
    if scores is not None:
        books.scores, books.validation_losses = [], []
    remaining = iter(scores or [])
    bookkeeper = Bookkeeper(
        books, rules, 10, options.pop("rate", None), options.pop("next_rate", None),
        None if scores is None else lambda: next(remaining),
        lambda loss, penalty: loss,
    )  # fmt: skip
    bookkeeper.loop = Loop()
    network = cr.NeuralNetwork(cr.Dense(1), inputs=1)
    history = History(["loss", "learning_rate", "gradient_norm", "validation_loss"], {})
    bookkeeper.before_training(network, history)
    for number, loss in enumerate(losses):
        network.parameters[...] = number
        history.record_step(loss, 0.1, 1.0)
        history.record_epoch(loss, 1, {"validation_loss": loss})
        bookkeeper.after_epoch(network, history)
        if history.stopped_because:
            break
    return bookkeeper, history


def test_more_than_patience_epochs_without_enough_improvement() -> None:
    """1.0 is the best; 0.95 is better by less than tol. Three such epochs are one too many."""
    bookkeeper, history = keep([1.0, 0.95, 0.93, 0.91, 0.5])
    assert bookkeeper.epochs == 4
    assert bookkeeper.books.best_loss == 0.91
    assert history.stopped_because == (
        "Training loss did not improve more than tol=0.100000 for 2 consecutive epochs."
    )


def test_each_epoch_is_compared_with_the_best_one_so_far() -> None:
    """Small steps down never add up to an improvement: the best moves along with them."""
    bookkeeper, _ = keep([1.0, 0.95, 0.8, 0.75, 0.73, 0.72, 0.71])
    assert bookkeeper.epochs == 6
    assert bookkeeper.books.losses[-1] == 0.72


def test_scores_are_better_when_they_are_higher_and_the_best_weights_are_kept() -> None:
    bookkeeper, history = keep([1.0] * 7, scores=[0.2, 0.5, 0.55, 0.52, 0.51, 0.9, 0.9])
    assert bookkeeper.epochs == 5
    assert bookkeeper.books.best_score == 0.55
    assert bookkeeper.books.best_loss == np.inf
    assert bookkeeper.best_storage is not None
    assert (bookkeeper.best_storage == 2).all()  # as it was in the third epoch
    assert history.stopped_because.startswith("Validation score")


def test_an_adaptive_rate_is_divided_by_five_until_it_is_too_small() -> None:
    rate = EpochRate(2e-5)
    bookkeeper, history = keep([1.0] * 20, rate=rate)
    assert rate.now == pytest.approx(2e-5 / 25)
    assert bookkeeper.epochs == 1 + 3 * 3
    assert history.stopped_because


def test_a_rate_that_follows_the_samples_seen() -> None:
    rate = EpochRate(0.5)
    keep([3.0, 2.0, 1.0], rate=rate, next_rate=lambda seen: 1 / seen)
    assert rate.now == 1 / 30


def test_patience_may_have_no_end() -> None:
    bookkeeper, _ = keep([1.0] * 30, patience=np.inf)
    assert bookkeeper.epochs == 30


def test_books_are_copied_before_anything_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    books = Books([1.0], [0.5], [0.7])
    copied = books.copy()
    assert copied == books
    copied.losses.append(2.0)
    assert copied.scores is not None
    copied.scores.append(0.6)
    assert books == Books([1.0], [0.5], [0.7])
    keep([1.0, 0.5], verbose=True)
    assert capsys.readouterr().out == (
        "Iteration 1, loss = 1.00000000\nIteration 2, loss = 0.50000000\n"
    )
