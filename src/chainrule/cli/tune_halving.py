"""Successive halving by scikit-learn, which tells of each trial and can be interrupted.

All settings are tried for a few epochs, the better third of them for three times as many, and so
on: ``HalvingGridSearchCV`` does that, here over settings that were drawn at random. What is added:
each trial is told as soon as it is measured, one stays to the end to compare with, and Ctrl-C ends
the search with what it has found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - the next line needs it
from sklearn.model_selection import HalvingGridSearchCV

PREFIX = "network__"  # of what is searched: it belongs to that part of a pipeline
_EPOCHS = f"{PREFIX}epochs"


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
            candidates = list(candidates)  # an array from the second round on
            stays = {**self.stays, _EPOCHS: candidates[0][_EPOCHS]}
            if stays not in candidates:
                candidates.append(stays)
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


def _trials(results: dict[str, Any]) -> list[Trial]:
    columns = ("params", "n_resources", "mean_test_score", "std_test_score", "mean_fit_time")
    found = []
    for params, epochs, *figures in zip(*(results[name] for name in columns), strict=True):
        settings = {name.removeprefix(PREFIX): value for name, value in params.items()}
        del settings["epochs"]
        score, spread, seconds = map(float, figures)
        found.append(Trial(settings, int(epochs), score, spread, seconds))
    return found
