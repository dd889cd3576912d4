"""One ``fit`` with the same settings, in scikit-learn and in chainrule.

Both estimators take the same parameters and draw the same random numbers from ``random_state``, so
the losses of every epoch can be compared, not only the last.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.work import OURS, Evidence, Side
from benchmarks.works.estimators.data import DATA

PEER = "scikit-learn"


@dataclass(frozen=True)
class Job:
    """What is fitted, how, and for how long.

    Attributes
    ----------
    data : str
        One of ``DATA``.
    solver : str
    iterations : int
        Epochs; with L-BFGS iterations.
    """

    data: str
    solver: str
    iterations: int

    @property
    def setting(self) -> str:
        """One line that says what a run is."""
        units = ", ".join(map(str, DATA[self.data].hidden))
        what = "iterations" if self.solver == "lbfgs" else "epochs in batches of 200 at most"
        return f"{units} hidden units, everything else as it comes; {self.iterations} {what}"

    def settings(self, start: int) -> dict[str, Any]:
        """Return the parameters of one estimator. With tol=0 none stops early."""
        return {
            "hidden_layer_sizes": DATA[self.data].hidden,
            "solver": self.solver,
            "max_iter": self.iterations,
            "n_iter_no_change": self.iterations,
            "tol": 0.0,
            "random_state": start,
        }


class Fit(Side):
    """``MLPClassifier`` of one library.

    Parameters
    ----------
    job : Job
    threads : sequence of (int or None)
    """

    package = "sklearn"
    module: str

    def __init__(self, job: Job, threads: Sequence[int | None]) -> None:
        self.job = job
        self.threads = threads

    def prepare(self) -> None:
        self.estimator = importlib.import_module(self.module).MLPClassifier
        self.x, self.y = DATA[self.job.data].load()

    def evidence(self) -> Evidence:
        """Losses of all epochs, or the last one of L-BFGS, and the accuracy on the same rows."""
        last = self.run()
        losses = [last.loss_] if self.job.solver == "lbfgs" else last.loss_curve_
        return Evidence([float(loss) for loss in losses], last.score(self.x, self.y))

    def run(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged is no news here
            for start in range(DATA[self.job.data].fits):
                fitted = self.estimator(**self.job.settings(start)).fit(self.x, self.y)
        return fitted


class ScikitLearn(Fit):
    """The peer."""

    name = PEER
    module = "sklearn.neural_network"

    def __init__(self, job: Job, threads: Sequence[int | None]) -> None:
        super().__init__(job, threads)
        if job.solver == "lbfgs" and job.data == "images":
            self.differs = "computes in float64 with L-BFGS, whatever the data are"


class Chainrule(Fit):
    """Ours, with the engine that it takes by itself."""

    name = OURS
    module = "chainrule"
