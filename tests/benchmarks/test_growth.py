"""Growth: every point is proven and timed, and the worst one counts."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks import growth_report, measure, work
from benchmarks.agreement import Disagreement
from benchmarks.works import growth
from benchmarks.works.growth.points import AXES, POINTS, Point

SMALL = Point("depth", 2, inputs=5, hidden=(4, 4), batch=8, rows=20)


class Quick(work.Side):
    """Does nothing, and shows the number it is told."""

    def __init__(self, name: str, number: float = 1.0) -> None:
        self.name, self.number = name, number

    def take(self, point: Point) -> None:
        self.point = point

    def evidence(self) -> work.Evidence:
        return work.Evidence([self.number, self.point.size])

    def run(self) -> None:
        """Nothing."""


def quiet(_: str) -> None:
    """Nobody watches."""


def found(*axes: str, **seconds: dict[int, float]) -> growth.GrowthOutcome:
    """An outcome along some axes: for each side its time at each size."""
    sides = [Quick(growth.PEER if name == "peer" else name) for name in seconds]
    outcomes = []
    for axis, size in itertools.product(axes, seconds["chainrule"]):
        contenders = [
            measure.Contender(side, 1, rounds=[times[size]])
            for side, times in zip(sides, seconds.values(), strict=True)
        ]
        point = dataclasses.replace(SMALL, axis=axis, size=size, rows=1000)
        one = work.Work("growth", "", "", sides)
        outcomes.append((point, measure.Outcome(one, contenders, "agreed", {})))
    return growth.GrowthOutcome(growth.Growth(sides=sides), outcomes)


def test_the_sizes_are_those_of_the_documentation() -> None:
    sizes = {axis: [point.size for point in POINTS if point.axis == axis] for axis in AXES}
    assert {axis: (min(of), max(of)) for axis, of in sizes.items()} == {
        "batch": (8, 4096),
        "width": (16, 4096),
        "depth": (1, 64),
        "samples": (1000, 1_000_000),
    }


def test_the_worst_point_is_judged() -> None:
    outcome = found("depth", chainrule={1: 0.001, 2: 0.002}, peer={1: 0.003, 2: 0.001})
    assert outcome.per_sample("chainrule", "depth") == [(1, 1.0), (2, 2.0)]
    assert growth_report.text(outcome).endswith(
        "target: times as fast as PyTorch at the worst size, depth 2 (at least 0.909 x): "
        "0.5 x, MISSED"
    )


def test_without_the_peer_nothing_is_judged(tmp_path: Path) -> None:
    outcome = found(*AXES, chainrule={1: 0.001})
    text = growth_report.text(outcome)
    assert "not installed" in text
    assert text.endswith("not measured")
    growth_report.draw(outcome, tmp_path / "pictures" / "growth.png")
    assert (tmp_path / "pictures" / "growth.png").stat().st_size > 10_000


def test_points_are_measured_in_processes_that_live_on() -> None:
    sides = (Quick("chainrule"), Quick(growth.PEER))
    points = (SMALL, dataclasses.replace(SMALL, size=3))
    outcome = growth.Growth(points, sides).measure(2, 0.0, quiet)
    assert [point.size for point, _ in outcome.times_as_fast] == [2, 3]
    assert len(growth_report.as_dict(outcome)["points"]) == 2


def test_sides_that_differ_at_a_point_are_named() -> None:
    work_ = growth.Growth((SMALL,), (Quick("chainrule"), Quick("peer", 2.0)))
    with pytest.raises(Disagreement, match="peer  at depth 2 and chainrule"):
        work_.measure(1, 0.0, quiet)


def test_chainrules_side_trains_the_network_of_the_point() -> None:
    side = growth.Chainrule()
    side.take(SMALL)
    numbers = side.evidence().numbers
    reference = side.network("reference")
    history = reference.fit(side.x, side.y, epochs=1, batch_size=8, progress=False)
    assert len(reference.layers) == 3
    assert numbers is not None
    np.testing.assert_allclose(numbers, history.losses[:3], rtol=1e-5)
