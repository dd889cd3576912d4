"""Peak memory of processes, each a Python that has just been started: see ``child.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.work import OURS, Evidence, Side, temporary_folder
from benchmarks.works.images import data

_ROOT = Path(__file__).resolve().parents[3]


class Memory(Side):
    """A side that starts a Python and lets it tell how much memory it had at most."""

    arguments: tuple[str, ...] = ()

    def evidence(self) -> Evidence:
        """Nothing to compare; the first run compiles."""
        self.figure()
        return Evidence()

    def figure(self) -> float:
        """Bytes."""
        command = [sys.executable, "-m", "benchmarks.works.memory.child", *self.arguments]
        run = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return float(run.stdout)


class Training(Memory):
    """Trains, with what it needs."""

    name = OURS

    def prepare(self) -> None:
        folder = temporary_folder(self)
        x, y = Path(folder, "x.npy"), Path(folder, "y.npy")
        np.save(x, data.images().x)
        np.save(y, data.images().y)
        self.arguments = (str(x), str(y))


class Interpreter(Memory):
    """Imports and does nothing."""

    name = "Python with NumPy, numba and SciPy"
