"""First fits, each in a Python that has just been started: see ``child.py`` for what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.work import OURS, REFERENCE, Evidence, Side, temporary_folder

_ROOT = Path(__file__).resolve().parents[3]


class FirstFit(Side):
    """A side that starts a Python and lets it tell the seconds of its fit.

    Parameters
    ----------
    model : str
        A key of ``chainrule.models.MODELS``.
    timed : bool, default True
    """

    engine: str

    def __init__(self, model: str, *, timed: bool = True) -> None:
        self.model = model
        self.timed = timed

    def evidence(self) -> Evidence:
        """The loss of the step."""
        return Evidence([self.fit()[1]])

    def figure(self) -> float:
        """Seconds of the fit."""
        return self.fit()[0]

    def fit(self) -> tuple[float, float]:
        """Return seconds and loss of a fit in a new process."""
        raise NotImplementedError(f"{type(self).__name__} defines no fit")

    def fit_with(self, cache: str) -> tuple[float, float]:
        """Fit with this folder for compiled code."""
        module = "benchmarks.works.first_fit.child"
        run = subprocess.run(
            [sys.executable, "-m", module, self.model, self.engine],
            cwd=_ROOT,
            env=os.environ | {"NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seconds, loss = map(float, run.stdout.split())
        return seconds, loss


class CachedFit(FirstFit):
    """Compiled code is there already: the fit that shows evidence has put it there."""

    name = OURS
    engine = "compiled"

    def prepare(self) -> None:
        self.folder = temporary_folder(self)

    def fit(self) -> tuple[float, float]:
        return self.fit_with(self.folder)


class ReferenceFit(CachedFit):
    """The same fit by the engine that compiles nothing."""

    name = REFERENCE
    engine = "reference"


class ColdFit(FirstFit):
    """Nothing has been compiled."""

    name = OURS
    engine = "compiled"

    def fit(self) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as folder:
            return self.fit_with(folder)
