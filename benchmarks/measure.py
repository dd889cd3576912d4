"""Times the sides of a work against each other, in turn, in several rounds.

Each side lives in a process of its own, so that the thread pools and settings of one library cannot
disturb another. They never work at the same time: in each round every side runs once, A B C A B C,
so that a slow moment of the machine meets all of them, and ratios are taken within a round.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchmarks.agreement import compare
from benchmarks.work import OURS, Evidence, Side, Work

Result = TypeVar("Result")

# Threads of the side before may still spin for a moment, waiting for more work: let them sleep.
_REST_SECONDS = 0.1


@dataclass
class Contender:
    """One side with one number of threads, and its times.

    Attributes
    ----------
    rounds : list of float
        For each round, the median seconds of one run.
    """

    side: Side
    threads: int | None
    compile_seconds: float | None = None
    rounds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The library's name."""
        return self.side.name

    @property
    def setting(self) -> str:
        """What distinguishes it from others of the same name: ``"fused Adam, 2 threads"``."""
        threads = {None: "", 1: "1 thread"}.get(self.threads, f"{self.threads} threads")
        return ", ".join(part for part in (self.side.setting, threads) if part)

    @property
    def median(self) -> float:
        """Median seconds of the rounds."""
        return statistics.median(self.rounds)


@dataclass
class Outcome:
    """What came of a work.

    Attributes
    ----------
    contenders : list of Contender
        All that were timed.
    agreement : str
        How closely the sides agreed before they were timed.
    missing : dict of str to str
        Name and package of the sides that are not installed.
    """

    work: Work
    contenders: list[Contender]
    agreement: str
    missing: dict[str, str]

    def best(self, name: str) -> Contender | None:
        """Return the fastest setting of a library, None if it was not timed."""
        tried = [contender for contender in self.contenders if contender.name == name]
        return min(tried, key=lambda contender: contender.median, default=None)

    def ratios(self, peer: Contender) -> list[float]:
        """Chainrule's time divided by the peer's, round by round; below 1 chainrule is faster."""
        ours = self.best(OURS)
        if ours is None:
            return []
        return [mine / its for mine, its in zip(ours.rounds, peer.rounds, strict=True)]


def measure(work: Work, rounds: int, seconds: float, say: Callable[[str], None]) -> Outcome:
    """Prepare all sides, compare their evidence, then time them.

    Parameters
    ----------
    work : Work
    rounds : int
    seconds : float
        In each round a side repeats its run for at least so long.
    say : callable
        Is told what is going on.

    Raises
    ------
    Disagreement
        When the sides do not do the same job. Nothing is timed then.
    """
    installed = [side for side in work.sides if importlib.util.find_spec(side.package)]
    missing = {side.name: side.package for side in work.sides if side not in installed}
    contenders = [Contender(side, threads) for side in installed for threads in side.threads]
    with ExitStack() as processes:
        workers = [processes.enter_context(_Worker(contender)) for contender in contenders]
        evidence: list[tuple[str, Evidence]] = []
        for contender, worker in zip(contenders, workers, strict=True):
            say(f"{work.name}: preparing {contender.name} {contender.setting}")
            contender.compile_seconds = worker.call(_prepare, contender.side)
            evidence.append((f"{contender.name} {contender.setting}", worker.call(_evidence)))
        agreement = compare(evidence, work.tolerance, work.score_tolerance)
        for number in range(1, rounds + 1):
            say(f"{work.name}: round {number} of {rounds}")
            for contender, worker in zip(contenders, workers, strict=True):
                contender.rounds.append(statistics.median(worker.call(_times, seconds)))
    return Outcome(work, contenders, agreement, missing)


class _Worker:
    """The process of one contender."""

    def __init__(self, contender: Contender) -> None:
        self._environment = _thread_settings(contender.threads)
        self._process = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.shutdown()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a function there and wait for its result; its errors are raised here."""
        with _environment(self._environment):  # the first call starts the process
            future = self._process.submit(function, *arguments)
        return future.result()


def _thread_settings(threads: int | None) -> dict[str, str]:
    if threads is None:
        return {}
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
    settings = dict.fromkeys(names, str(threads))
    if threads == 1:
        settings["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return settings


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


# --- what runs in the process of a side: it holds that one side between the calls ---------------

_prepared: list[Side] = []


def _prepare(side: Side) -> float | None:
    side.prepare()
    _prepared.append(side)
    return side.compile_seconds


def _evidence() -> Evidence:
    return _prepared[0].evidence()


def _times(at_least: float) -> list[float]:
    (side,) = _prepared
    time.sleep(_REST_SECONDS)
    times: list[float] = []
    while sum(times) < at_least:
        times.append(side.seconds())
    return times
