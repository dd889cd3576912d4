"""How the time per sample grows with the sizes of things: an outcome at each of many points."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.agreement import compare
from benchmarks.measure import Contender, Outcome, Worker, ask, figures, prepare
from benchmarks.targets import TimesAsFast
from benchmarks.work import Side, Work
from benchmarks.works.growth.points import AXES, POINTS, Point
from benchmarks.works.growth.sides import Chainrule, Torch

PEER = Torch.name
SIDES = (Chainrule(), Torch())
TARGET = TimesAsFast(peer=PEER, enough=1 / 1.1)  # nowhere is PyTorch faster by over 10 %
_TOLERANCE = 1e-3  # 64 layers add up their rounding
_ROUNDS = 3
_ENOUGH_SECONDS = 5.0  # after which a point gets no further round


@dataclass(frozen=True)
class Growth:
    """The work: like ``Work``, with many points in place of one job.

    Attributes
    ----------
    points : sequence of Point
    sides : sequence of Growing
        chainrule's first.
    """

    points: Sequence[Point] = POINTS
    sides: Sequence[Side] = SIDES
    name: str = "growth"
    title: str = "time per sample of dense networks as they and their data grow"
    target: TimesAsFast = TARGET

    def measure(self, rounds: int, seconds: float, say: Callable[[str], None]) -> GrowthOutcome:
        """Measure point after point: first that all sides learn the same, then in turn.

        The processes of the sides live on from one point to the next.

        Parameters
        ----------
        rounds, seconds, say
            As for ``benchmarks.measure.measure``, of which this takes a third.

        Raises
        ------
        Disagreement
            When the sides do not do the same job at some point.
        SideFailed
            When one of them breaks.
        """
        installed = [side for side in self.sides if importlib.util.find_spec(side.package)]
        entrants = [(side, count) for side in installed for count in side.threads]
        found = []
        with ExitStack() as processes:
            workers = [processes.enter_context(Worker(Contender(*one))) for one in entrants]
            for (side, _), worker in zip(entrants, workers, strict=True):
                worker.call(prepare, side)
            for point in self.points:
                say(f"{self.name}: {point.axis} {point.size:,}")
                contenders = [Contender(side, count) for side, count in entrants]
                outcome = self._at(point, list(zip(contenders, workers, strict=True)))
                _time(outcome, workers, min(rounds, _ROUNDS), seconds / 3)
                found.append((point, outcome))
        return GrowthOutcome(self, found)

    def _at(self, point: Point, entrants: list[tuple[Contender, Worker]]) -> Outcome:
        evidence = []
        for contender, worker in entrants:
            worker.call(ask, "take", point)
            name = f"{contender.name} {contender.setting} at {point.axis} {point.size:,}"
            evidence.append((name, worker.call(ask, "evidence")))
        agreement = compare(evidence, _TOLERANCE, 0.0)
        work = Work(
            name=f"{self.name}, {point.axis} {point.size:,}",
            title=self.title,
            setting=AXES[point.axis],
            sides=self.sides,
            unit="samples/s",
            samples=point.rows,
            targets=(self.target,),
        )
        return Outcome(work, [contender for contender, _ in entrants], agreement, {})


def _time(outcome: Outcome, workers: Sequence[Worker], rounds: int, seconds: float) -> None:
    began = time.perf_counter()
    for _ in range(rounds):
        for contender, worker in zip(outcome.contenders, workers, strict=True):
            contender.add_round(worker.call(figures, seconds))
        if time.perf_counter() - began > _ENOUGH_SECONDS:
            return


@dataclass
class GrowthOutcome:
    """What came of it: an outcome for each point."""

    work: Growth
    found: list[tuple[Point, Outcome]]

    def per_sample(self, name: str, axis: str) -> list[tuple[int, float]]:
        """Sizes along an axis, and the microseconds for a sample with the best setting there."""
        bests = [(point, outcome.best(name)) for point, outcome in self.found if point.axis == axis]
        return [(point.size, 1e6 * best.median / point.rows) for point, best in bests if best]

    @property
    def times_as_fast(self) -> list[tuple[Point, float]]:
        """At each point how many times as fast as the peer chainrule is."""
        ratios = [(point, self.work.target.reached(outcome)) for point, outcome in self.found]
        return [(point, ratio) for point, ratio in ratios if ratio is not None]

    @property
    def worst(self) -> tuple[Point, float] | None:
        """The point at which chainrule is slowest beside the peer."""
        return min(self.times_as_fast, key=lambda pair: pair[1], default=None)
