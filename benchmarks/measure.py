"""Times the sides of a work against each other, in turn, in several rounds.

Each side lives in a process of its own, so that the thread pools and settings of one library cannot
disturb another. They never work at the same time: in each round every side runs once, A B C A B C,
so that a slow moment of the machine meets all of them, and ratios are taken within a round. A trial
before all finds the settings of a peer that are too slow to be its best: they are left out.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchmarks.agreement import compare
from benchmarks.targets import Verdict
from benchmarks.work import OURS, Evidence, Side, Work

Result = TypeVar("Result")

# A setting this many times as slow in the trial as the fastest of its library is not its best.
_TOO_SLOW = 1.35
_TRIAL_SECONDS = 0.3

# Threads of the side before may still spin for a moment, waiting for more work: let them sleep.
_REST_SECONDS = 0.1


class SideFailed(Exception):
    """A side raised an error, or its process has died: its work cannot be timed."""


@dataclass
class Contender:
    """One side with one number of threads, and its times.

    Attributes
    ----------
    trial : float
        Seconds of its fastest run in the trial; 0 where there was none.
    rounds : list of float
        For each round, the median seconds of one run. Empty where the trial was enough.
    tails : list of float
        For each round, the seconds that 95 % of the runs stayed within.
    """

    side: Side
    threads: int | None
    compile_seconds: float | None = None
    chosen: str = ""
    trial: float = 0.0
    rounds: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The library's name."""
        return self.side.name

    @property
    def setting(self) -> str:
        """What distinguishes it from others of the same name: ``"fused Adam, 2 threads"``."""
        as_it_comes = "threads as it comes" if len(self.side.threads) > 1 else ""
        threads = {None: as_it_comes, 1: "1 thread"}.get(self.threads, f"{self.threads} threads")
        return ", ".join(part for part in (self.side.setting, threads, self.chosen) if part)

    @property
    def median(self) -> float:
        """Median seconds of the rounds, or of the trial where it was enough."""
        return statistics.median(self.rounds) if self.rounds else self.trial

    def add_round(self, figures: list[float]) -> None:
        """Keep what matters of the runs in a round."""
        self.rounds.append(statistics.median(figures))
        self.tails.append(sorted(figures)[int(0.95 * (len(figures) - 1))])


@dataclass
class Outcome:
    """What came of a work.

    Attributes
    ----------
    contenders : list of Contender
        All that took part.
    agreement : str
        How closely the sides agreed before they were timed.
    missing : dict of str to str
        Name and package of the sides that are not installed.
    """

    work: Work
    contenders: list[Contender]
    agreement: str
    missing: dict[str, str]

    @property
    def timed(self) -> list[Contender]:
        """Those that were timed in all rounds."""
        return [contender for contender in self.contenders if contender.rounds]

    def best(self, name: str) -> Contender | None:
        """Return the fastest setting of a library, None if it was not timed."""
        tried = [contender for contender in self.timed if contender.name == name]
        return min(tried, key=lambda contender: contender.median, default=None)

    def ratios(self, peer: Contender) -> list[float]:
        """The peer's time divided by chainrule's, round by round; above 1 chainrule is faster."""
        ours = self.best(OURS)
        if ours is None or not peer.rounds:
            return []
        return [its / mine for mine, its in zip(ours.rounds, peer.rounds, strict=True)]

    @property
    def verdicts(self) -> list[Verdict]:
        """What was to be reached, and whether it was."""
        return [target.verdict(self) for target in self.work.targets]


def measure(work: Work, rounds: int, seconds: float, say: Callable[[str], None]) -> Outcome:
    """Prepare all sides, find their best settings, compare their evidence, then time them.

    Parameters
    ----------
    work : Work
    rounds : int
        At most; a work may be content with fewer.
    seconds : float
        In each round a side repeats its run for at least so long.
    say : callable
        Is told what is going on.

    Raises
    ------
    Disagreement
        When the sides do not do the same job. Nothing is timed then.
    SideFailed
        When one of them breaks.
    """
    installed = [side for side in work.sides if importlib.util.find_spec(side.package)]
    missing = {side.name: side.package for side in work.sides if side not in installed}
    contenders = [Contender(side, threads) for side in installed for threads in side.threads]
    with ExitStack() as processes:
        entrants = [(one, processes.enter_context(Worker(one))) for one in contenders]
        for contender, worker in entrants:
            say(f"{work.name}: preparing {contender.name} {contender.setting}")
            contender.compile_seconds, contender.chosen = worker.call(prepare, contender.side)
        entrants = _after_trial(work, entrants, say)
        evidence: list[tuple[str, Evidence]] = []
        for contender, worker in entrants:
            say(f"{work.name}: what {contender.name} {contender.setting} learns")
            evidence.append((f"{contender.name} {contender.setting}", worker.call(ask, "evidence")))
        agreement = compare(evidence, work.tolerance, work.score_tolerance)
        entrants = [(one, worker) for one, worker in entrants if one.side.timed]
        rounds = min(rounds, work.rounds)
        for number in range(1, rounds + 1):
            say(f"{work.name}: round {number} of {rounds}")
            for contender, worker in entrants:
                contender.add_round(worker.call(figures, seconds))
    return Outcome(work, contenders, agreement, missing)


def _after_trial(
    work: Work, entrants: list[tuple[Contender, Worker]], say: Callable[[str], None]
) -> list[tuple[Contender, Worker]]:
    """All but the settings of a peer that are too slow to be its best; their processes end.

    Each number of threads keeps its best: whether more are better depends on the moment.
    """
    names = Counter(contender.name for contender, _ in entrants)
    for contender, worker in entrants:
        if contender.name != OURS and names[contender.name] > 1:
            say(f"{work.name}: trying {contender.name} {contender.setting}")
            contender.trial = worker.call(trial)
    going_on = []
    for contender, worker in entrants:
        fastest = min(
            other.trial
            for other, _ in entrants
            if (other.name, other.threads) == (contender.name, contender.threads)
        )
        if contender.trial <= _TOO_SLOW * fastest:
            going_on.append((contender, worker))
        else:
            worker.close()
    return going_on


class Worker:
    """The process of one contender, or of several one after another.

    Parameters
    ----------
    contender : Contender
    """

    def __init__(self, contender: Contender) -> None:
        self._name = f"{contender.name} {contender.setting}"
        self._environment = _thread_settings(contender.threads)
        self._process = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; a second time does nothing."""
        self._process.shutdown()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a function there and wait for its result.

        Raises
        ------
        SideFailed
            When the function raises something, or its process has died.
        """
        with _environment(self._environment):  # the first call starts the process
            future = self._process.submit(function, *arguments)
        try:
            return future.result()
        except Exception as error:
            raise SideFailed(f"{self._name} failed: {type(error).__name__}: {error}") from error


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


def prepare(side: Side) -> tuple[float | None, str]:
    """Prepare a side where it lives; returns what it tells about that."""
    side.prepare()
    _prepared.append(side)
    return side.compile_seconds, side.chosen


def ask(method: str, *arguments: Any) -> Any:
    """Call a method of the side."""
    (side,) = _prepared
    return getattr(side, method)(*arguments)


def trial() -> float:
    """Let the side run a few times, the first of them to get warm; returns the best figure."""
    return min(_repeated("trial", _TRIAL_SECONDS, at_least=2))


def figures(seconds: float) -> list[float]:
    """Let the side run for so many seconds, once at least; returns the figures of its runs."""
    return _repeated("figure", seconds, at_least=1)


def _repeated(method: str, seconds: float, at_least: int) -> list[float]:
    time.sleep(_REST_SECONDS)
    found: list[float] = []
    began = time.perf_counter()
    while len(found) < at_least or time.perf_counter() - began < seconds:
        found.append(ask(method))
    return found
