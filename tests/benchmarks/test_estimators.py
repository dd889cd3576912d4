"""The works that fit estimators: both libraries do the same job, and the page has a place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import agreement, estimators
from benchmarks.works.estimators import SOLVERS, WORKS, data
from benchmarks.works.estimators.side import Chainrule, Job, ScikitLearn

PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.md"


def test_every_set_meets_every_solver() -> None:
    assert {work.name for work in WORKS} == {
        f"fit-{name}-{solver}" for name in data.DATA for solver in SOLVERS
    }


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("digits", (1797, 64), "float64"),
        ("table", (20_000, 50), "float64"),
        ("tiny", (150, 4), "float64"),
    ],
)
def test_the_sets_are_what_they_are_called(name: str, shape: tuple[int, int], dtype: str) -> None:
    x, y = data.DATA[name].load()
    assert x.shape == shape
    assert x.dtype == dtype
    assert y.shape == shape[:1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_both_libraries_learn_the_same(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.DATA, "tiny", data.Data("two fits", data.tiny, (5,), fits=2))
    evidence = []
    for side in (ScikitLearn, Chainrule):
        one = side(Job("tiny", solver, 4), [None])
        one.prepare()
        evidence.append((one.name, one.evidence()))
    assert "scores of 2 sides" in agreement.compare(evidence, 1e-3, 0.01)
    numbers = evidence[0][1].numbers
    assert numbers is not None
    assert len(numbers) == (1 if solver == "lbfgs" else 4)
    assert np.isfinite(numbers).all()


def test_the_page_has_a_place_for_the_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for word in ("begin", "end"):
        assert f"<!-- {word}: written by {estimators.COMMAND} -->" in text
