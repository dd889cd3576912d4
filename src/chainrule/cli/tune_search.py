"""The search for settings that suit a table: what is trained and scored, and on which rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline

from chainrule.cli.choices import Wishes, choose_network
from chainrule.cli.train_table import PATIENCE
from chainrule.cli.tune_halving import PREFIX, Halving, Trial
from chainrule.data.columns import counted
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget, Target
from chainrule.errors import InvalidData, LossNotFinite
from chainrule.estimators import NetworkClassifier, NetworkRegressor
from chainrule.estimators.scikit_learn import BaseEstimator
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.training.interrupt import INTERRUPTED

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Found:
    """What came of a search.

    Attributes
    ----------
    trials : list of Trial
        In the order of the rounds; one that went through three rounds is there three times.
    best : Trial
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    trials: list[Trial]
    best: Trial
    interrupted: bool


def search(
    table: pd.DataFrame,
    y: Array,
    target: Target,
    settings: Sequence[dict[str, Any]],
    wishes: Wishes,
    *,
    epochs: int,
    folds: int,
    jobs: int | None,
    tell: Callable[[list[Trial]], None],
) -> Found:
    """Try settings on the rows of a table.

    Parameters
    ----------
    table : DataFrame
        The columns to predict from.
    y : ndarray (rows,)
        Class numbers, or standardised numbers.
    target : ClassTarget or NumberTarget
    settings : sequence of dict
        The first of them stay to the end.
    wishes : Wishes
        What is not tried.
    epochs : int
        For the last round.
    folds : int
    jobs : int, optional
        As joblib counts them; what is configured without it.
    tell : callable
        Gets all trials so far, after each.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C comes before any trial is measured.
    """
    learns_classes = isinstance(target, ClassTarget)
    network = (TrialClassifier if learns_classes else TrialRegressor)(
        partial(build, wishes, target),
        validation=wishes.validation,
        patience=PATIENCE,
        random_state=wishes.seed,
    )
    tried = [{PREFIX + name: value for name, value in one.items()} for one in settings]
    halving = Halving(
        Pipeline([("columns", Columns(target, wishes.categories)), ("network", network)]),
        [{name: [value] for name, value in one.items()} for one in tried],
        resource=f"{PREFIX}epochs",
        max_resources=epochs,
        min_resources="exhaust",
        cv=_folds(y, folds, wishes.seed, by_class=learns_classes),
        scoring="accuracy" if learns_classes else "r2",
        refit=False,
        error_score="raise",
        n_jobs=jobs,
    )
    halving.tell, halving.stays = tell, tried[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd in the data is told when the best is trained
        halving.fit(table, y)
    trials, interrupted = halving.trials, halving.interrupted
    best = max(range(len(trials)), key=lambda number: trials[number].score)
    return Found(trials, trials[best if interrupted else halving.best_index_], interrupted)


def build(
    wishes: Wishes, target: Target, outputs: int, samples: int, epochs: int, **settings: Any
) -> NeuralNetwork:
    """Return the network that ``train`` would take with these settings."""
    if isinstance(target, ClassTarget):  # of which a fold may lack one
        target = ClassTarget(target.name, tuple(map(str, range(outputs))))
    return choose_network(replace(wishes, epochs=epochs, **settings), target, samples)


class _Trial:
    """A network to be tried: one that fails does badly, and Ctrl-C is not for it alone."""

    network_: NeuralNetwork

    def _train(self, *arguments: Any) -> None:
        try:
            super()._train(*arguments)  # type: ignore[misc]  # of the estimator beside it
        except LossNotFinite:
            self.network_.restart()  # whose predictions are finite, and no good
        else:
            if self.history_.stopped_because == INTERRUPTED:  # type: ignore[attr-defined]  # ditto
                raise KeyboardInterrupt


class TrialClassifier(_Trial, NetworkClassifier):
    """One for classes."""


class TrialRegressor(_Trial, NetworkRegressor):
    """One for numbers."""


class Columns(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """From a table to features: learned from the rows that are trained on, and from no others.

    Parameters
    ----------
    target : ClassTarget or NumberTarget
    categories : tuple of str
    """

    def __init__(self, target: Target, categories: tuple[str, ...] = ()) -> None:
        self.target = target
        self.categories = categories

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Recognise the columns."""
        self.preprocessing_ = Preprocessing.learn(X, self.target, self.categories)
        return self

    def transform(self, X: pd.DataFrame) -> Array:
        """Return the features (rows, features)."""
        return self.preprocessing_.features(X).values


def _folds(y: Array, folds: int, seed: int, *, by_class: bool) -> list[tuple[Array, Array]]:
    """Rows to train on and rows to score; rows of classes that are too rare are trained on only."""
    rows = np.arange(len(y))
    if not by_class:
        if len(y) < 2 * folds:
            raise InvalidData(_too_few(len(y), folds))
        return list(KFold(folds, shuffle=True, random_state=seed).split(rows))
    count = np.bincount(y.astype(np.int64))
    often, rare = rows[count[y] >= folds], rows[count[y] < folds]
    if np.count_nonzero(count >= folds) < 2:
        raise InvalidData(_too_few(len(y), folds, " of each of two classes"))
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(often, y[often])
    return [(np.concatenate([often[train], rare]), often[test]) for train, test in splits]


def _too_few(rows: int, folds: int, of: str = "") -> str:
    return (
        f"{counted(rows, 'row')} to train on are too few for {folds} folds; expected at least "
        f"{2 * folds if not of else folds}{of}. Add rows, or take fewer with --folds."
    )
