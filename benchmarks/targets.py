"""What chainrule is meant to reach, and whether it did.

A target missed is told, not an error. "Enough" is what issue and documentation promise; the aim is
what would be better still.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.work import OURS, REFERENCE, Work

if TYPE_CHECKING:
    from benchmarks.measure import Contender, Outcome


@dataclass(frozen=True)
class Verdict:
    """One line of the summary: everything as text, ready to be printed."""

    work: str
    what: str
    reached: str
    enough: str
    aim: str
    result: str

    def __str__(self) -> str:
        wanted = ", ".join(part for part in (self.enough, self.aim and f"aim {self.aim}") if part)
        return f"{self.what} ({wanted}): {self.reached}, {self.result}"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A figure that is to be reached.

    Parameters
    ----------
    enough : float, optional
        What it must be.
    aim : float, optional
        What it had better be.
    """

    enough: float | None = None
    aim: float | None = None
    more_is_better = True

    def what(self) -> str:
        """Name the figure: ``"times as fast as JAX"``."""
        raise NotImplementedError(f"{type(self).__name__} defines no what")

    def reached(self, outcome: Outcome) -> float | None:
        """Compute the figure; None where a side that it needs was not measured."""
        raise NotImplementedError(f"{type(self).__name__} defines no reached")

    def shown(self, figure: float, work: Work) -> str:
        """Return the figure with its unit."""
        return f"{figure:.3g} x"

    def verdict(self, outcome: Outcome) -> Verdict:
        """Judge what came of a work."""
        return self.judge(self.reached(outcome), outcome.work)

    def judge(self, reached: float | None, work: Work) -> Verdict:
        """Judge a figure."""
        limit = "at least" if self.more_is_better else "at most"
        enough = "" if self.enough is None else f"{limit} {self.shown(self.enough, work)}"
        aim = "" if self.aim is None else self.shown(self.aim, work)
        found = "-" if reached is None else self.shown(reached, work)
        return Verdict(work.name, self.what(), found, enough, aim, self._result(reached))

    def _result(self, reached: float | None) -> str:
        if reached is None:
            return "not measured"
        if self.aim is not None and self._is_good(reached, self.aim):
            return "aim met"
        if self.enough is None:
            return "aim MISSED"
        return "met" if self._is_good(reached, self.enough) else "MISSED"

    def _is_good(self, reached: float, wanted: float) -> bool:
        return reached >= wanted if self.more_is_better else reached <= wanted


@dataclass(frozen=True, kw_only=True)
class TimesAsFast(Target):
    """The peer's time divided by chainrule's, round by round, and the median of that.

    Parameters
    ----------
    peer : str
        Name of a side; its fastest setting counts.
    of : str
        Which side of chainrule's.
    """

    peer: str
    of: str = OURS

    def what(self) -> str:
        whose = "the reference engine " if self.of == REFERENCE else ""
        return f"{whose}times as fast as {self.peer}"

    def reached(self, outcome: Outcome) -> float | None:
        ours, its = outcome.best(self.of), outcome.best(self.peer)
        return _median_ratio(its, ours)


@dataclass(frozen=True, kw_only=True)
class AtMost(Target):
    """What chainrule takes: time or memory."""

    more_is_better = False

    def what(self) -> str:
        return "chainrule alone"

    def reached(self, outcome: Outcome) -> float | None:
        ours = outcome.best(OURS)
        return None if ours is None else ours.median

    def shown(self, figure: float, work: Work) -> str:
        return f"{work.shown(figure)} {work.unit}"


@dataclass(frozen=True, kw_only=True)
class AtMostOver(AtMost):
    """What chainrule takes more than another side does."""

    peer: str

    def what(self) -> str:
        return f"over {self.peer}"

    def reached(self, outcome: Outcome) -> float | None:
        ours, its = outcome.best(OURS), outcome.best(self.peer)
        if ours is None or its is None:
            return None
        return statistics.median(
            mine - other for mine, other in zip(ours.rounds, its.rounds, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class TwoThreads(Target):
    """How much faster chainrule is with two threads than with one."""

    def what(self) -> str:
        return "two threads over one"

    def reached(self, outcome: Outcome) -> float | None:
        one, two = (
            next((c for c in outcome.timed if c.name == OURS and c.threads == threads), None)
            for threads in (1, 2)
        )
        return _median_ratio(one, two)


@dataclass(frozen=True, kw_only=True)
class ShareOfPeak(Target):
    """Operations per second in the network's matrix products, as a share of the gauge's.

    Parameters
    ----------
    flops : callable
        Gives the operations in one run.
    gauge : str
        Name of the side that measures what the machine can do.
    """

    flops: Callable[[], float]
    gauge: str

    def what(self) -> str:
        return f"share of {self.gauge}"

    def reached(self, outcome: Outcome) -> float | None:
        ours, gauge = outcome.best(OURS), outcome.best(self.gauge)
        times = _median_ratio(gauge, ours)
        return None if times is None or gauge is None else times * self.flops() / gauge.side.flops

    def shown(self, figure: float, work: Work) -> str:
        return f"{100 * figure:.0f} %"


def _median_ratio(its: Contender | None, ours: Contender | None) -> float | None:
    if its is None or ours is None:
        return None
    return statistics.median(
        other / mine for other, mine in zip(its.rounds, ours.rounds, strict=True)
    )
