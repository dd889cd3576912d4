"""Work and Side: what is measured, and who does it. Start reading here.

A work is one job, such as training one network on one data set. Each of its sides does that job
with one library. Before anything is timed every side shows evidence that it does the same job.
To add a work, write a file in ``works/`` that makes a ``Work``, and list it in its ``__init__.py``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.targets import Target

OURS = "chainrule"
REFERENCE = "chainrule's reference engine"


@dataclass(frozen=True)
class Evidence:
    """What a side has learned or computed, to be compared with the other sides.

    Attributes
    ----------
    numbers : sequence of float, optional
        Losses step by step, or outputs, that every side must reproduce number by number. None
        where a library does not let the same start or the same batches be given to it.
    score : float, optional
        How well it does the job in the end, such as an accuracy from 0 to 1.
    """

    numbers: Sequence[float] | None = None
    score: float | None = None


class Side:
    """One library, in one setting, doing one work.

    Objects are made in the main process, sent to a process of their own and prepared there, so
    ``__init__`` keeps settings only. Sides of one ``name`` are settings of one library that are
    all tried; the best is reported.

    Attributes
    ----------
    name : str
        The library: ``"PyTorch"``.
    package : str
        What has to be installed: ``"torch"``.
    threads : sequence of (int or None)
        Numbers of threads to try; None leaves the library as it comes.
    setting : str
        What is particular about this object among those of the same name: ``"fused Adam"``.
    differs : str
        What this library does differently, where it cannot do quite the same.
    chosen : str
        What ``prepare`` found to be best, where it tries something itself: ``"batches of 250"``.
    compile_seconds : float or None
        Time of a compilation ahead of the work, which is not part of any timing.
    timed : bool
        False for a side that only shows evidence: the others are compared with it.
    flops : float
        For a gauge, which measures the machine and not a library: operations of one run.
    """

    name: str
    package: str = "numpy"
    threads: Sequence[int | None] = (None,)
    setting: str = ""
    differs: str = ""
    chosen: str = ""
    compile_seconds: float | None = None
    timed: bool = True
    flops: float = 0.0

    def prepare(self) -> None:
        """Import, load data, build and compile: everything that is not timed."""

    def evidence(self) -> Evidence:
        """Do the work once, in a form that can be compared; this also warms everything up."""
        return Evidence()

    def reset(self) -> None:
        """Go back to where the work starts; not timed, before each run."""

    def run(self) -> object:
        """Do the work once; this is timed."""
        raise NotImplementedError(f"{type(self).__name__} defines no run")

    def figure(self) -> float:
        """Measure once: seconds of one run, or what else the work counts."""
        self.reset()
        began = time.perf_counter()
        self.run()
        return time.perf_counter() - began

    def trial(self) -> float:
        """Measure about the same, in less time where a run is long, to find slow settings."""
        return self.figure()


@dataclass(frozen=True)
class Work:
    """One job, the sides that do it, and how their evidence and their times are read.

    Attributes
    ----------
    name : str
        For the command line.
    title, setting : str
        One line each: what is done, and with what.
    sides : sequence of Side
        The first one is the reference that all evidence is compared with.
    tolerance : float
        Largest relative difference between the numbers of two sides.
    score_tolerance : float
        Largest difference between their scores.
    unit : str
        "s", "ms", "us", "samples/s", or "MB".
    samples : int
        How many samples one run goes through, for samples/s.
    rounds : int
        Most rounds that are worth their time.
    tail : bool
        Whether the table shows the time that 95 % of the runs stay within.
    """

    name: str
    title: str
    setting: str
    sides: Sequence[Side]
    tolerance: float = 0.0
    score_tolerance: float = 0.0
    unit: str = "ms"
    samples: int = 1
    targets: Sequence[Target] = ()
    rounds: int = 9
    tail: bool = False

    def shown(self, figure: float) -> str:
        """Return a figure (seconds; bytes where the unit is MB) in the work's unit."""
        if self.unit == "samples/s":
            return f"{self.samples / figure:,.0f}"
        value = figure * {"s": 1.0, "ms": 1e3, "us": 1e6, "MB": 1e-6}[self.unit]
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def thread_counts() -> list[int | None]:
    """Numbers of threads worth trying here: one, two, and one for each core."""
    cores = os.cpu_count() or 1
    return [count for count in sorted({1, 2, cores}) if count <= cores]


def allowed_threads() -> int | None:
    """Threads that the process of a side may use; None leaves the library as it comes."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return int(allowed) if allowed.isdigit() else None


def temporary_folder(owner: Side) -> str:
    """Make a folder that goes when the side does."""
    folder = tempfile.mkdtemp()
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder
