"""The search: scikit-learn's successive halving over networks for a table.

All settings are tried for a few epochs, the better third of them for three times as many, and so
on. ``HalvingGridSearchCV`` does that, here over settings that were drawn at random. What is added:
each trial is told as soon as it is measured, and Ctrl-C ends the search with what it has found.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import joblib
import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - the class below needs it
from sklearn.model_selection import HalvingGridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline

from chainrule.cli.choices import Wishes, choose_network
from chainrule.cli.train_table import PATIENCE
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

_EPOCHS = "network__epochs"


@dataclass(frozen=True)
class Trial:
    """Settings and how they did.

    Attributes
    ----------
    settings : dict
        Names and values as in ``Wishes``.
    epochs : int
        How long each network was trained, at most.
    score, spread : float
        Mean and standard deviation over the folds: accuracy, or R² of numbers.
    seconds : float
        To train one network.
    """

    settings: dict[str, Any]
    epochs: int
    score: float
    spread: float
    seconds: float


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
    tried = [{f"network__{name}": value for name, value in one.items()} for one in settings]
    halving = Halving(
        Pipeline([("columns", Columns(target, wishes.categories)), ("network", network)]),
        [{name: [value] for name, value in one.items()} for one in tried],
        resource=_EPOCHS,
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


class Halving(HalvingGridSearchCV):  # type: ignore[misc]  # scikit-learn has no types
    """The search that tells of each trial and can be interrupted.

    Attributes
    ----------
    tell : callable
    stays : dict
        Settings that no round drops, to compare with.
    trials : list of Trial
    interrupted : bool
    """

    tell: Callable[[list[Trial]], None]
    stays: dict[str, Any]
    trials: list[Trial]
    interrupted = False

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """Let scikit-learn search, with its way to evaluate candidates wrapped up.

        That is where searches of one's own plug in; in some versions it gets a context too.
        """

        def evaluate(
            candidates: Sequence[Any], cv: Any, more_results: dict[str, Any], **context: Any
        ) -> Any:
            stays = {**self.stays, _EPOCHS: candidates[0][_EPOCHS]}
            if stays not in candidates:
                candidates = [*candidates, stays]
                more_results = {name: [*more, more[0]] for name, more in more_results.items()}
            at_once = joblib.effective_n_jobs(self.n_jobs)
            for start in range(0, len(candidates), at_once):
                part = slice(start, start + at_once)
                more = {name: values[part] for name, values in more_results.items()}
                results = evaluate_candidates(candidates[part], cv, more_results=more)
                self.trials = _trials(results)
                self.tell(self.trials)
            return results

        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        self.trials = []
        try:
            super()._run_search(evaluate, **context)
        except KeyboardInterrupt:
            if not self.trials:
                raise
            self.interrupted = True

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what tells: workers get a copy of the search with each trial."""
        return {name: value for name, value in super().__getstate__().items() if name != "tell"}


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


def _trials(results: dict[str, Any]) -> list[Trial]:
    columns = ("params", "n_resources", "mean_test_score", "std_test_score", "mean_fit_time")
    found = []
    for params, epochs, *figures in zip(*(results[name] for name in columns), strict=True):
        settings = {name.removeprefix("network__"): value for name, value in params.items()}
        del settings["epochs"]
        score, spread, seconds = map(float, figures)
        found.append(Trial(settings, int(epochs), score, spread, seconds))
    return found


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
