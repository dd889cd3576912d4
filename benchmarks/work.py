"""Work and Side: what is measured, and who does it. Start reading here.

A work is one job, such as training one network on one data set. Each of its sides does that job
with one library. Before anything is timed every side shows evidence that it does the same job.
To add a work, write a file in ``works/`` that makes a ``Work``, and list it in its ``__init__.py``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

OURS = "chainrule"


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
        The library: ``"PyTorch eager"``.
    package : str
        What has to be installed: ``"torch"``.
    threads : sequence of (int or None)
        Numbers of threads to try; None leaves the library as it comes.
    setting : str
        What is particular about this object among those of the same name: ``"fused Adam"``.
    differs : str
        What this library does differently, where it cannot do quite the same.
    compile_seconds : float or None
        Time of a compilation ahead of the work, which is not part of any timing.
    """

    name: str
    package: str = "numpy"
    threads: Sequence[int | None] = (None,)
    setting: str = ""
    differs: str = ""
    compile_seconds: float | None = None

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

    def seconds(self) -> float:
        """Time of one run."""
        self.reset()
        began = time.perf_counter()
        self.run()
        return time.perf_counter() - began


@dataclass(frozen=True)
class Target:
    """What chainrule is meant to reach.

    Attributes
    ----------
    at_most : float
        Limit of chainrule's time divided by the peer's time; without a peer, of its seconds.
    peer : str or None
        Name of the side to compare with.
    """

    at_most: float
    peer: str | None = None


@dataclass(frozen=True)
class Work:
    """One job, the sides that do it, and how their evidence and their times are read.

    Attributes
    ----------
    name : str
        For ``--only``.
    title, setting : str
        One line each: what is done, and with what.
    sides : sequence of Side
        The first one is the reference that all evidence is compared with.
    tolerance : float
        Largest relative difference between the numbers of two sides.
    score_tolerance : float
        Largest difference between their scores.
    unit : str
        "ms", "us", or "samples/s".
    samples : int
        How many samples one run goes through, for samples/s.
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

    def shown(self, seconds: float) -> str:
        """Return a time in the work's unit."""
        if self.unit == "samples/s":
            return f"{self.samples / seconds:,.0f}"
        value = seconds * {"ms": 1e3, "us": 1e6}[self.unit]
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def thread_counts() -> list[int | None]:
    """Numbers of threads worth trying here: one, two, and one for each core."""
    cores = os.cpu_count() or 1
    return [count for count in sorted({1, 2, cores}) if count <= cores]
