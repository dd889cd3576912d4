"""The harness: it refuses sides that differ, compares within a round, and reports what it has."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import agreement, measure, report, work, works


def quiet(_: str) -> None:
    """Nobody watches."""


class Named(work.Side):
    def __init__(self, name: str, setting: str = "", package: str = "numpy") -> None:
        self.name, self.setting, self.package = name, setting, package


def outcome(targets: list[work.Target], **rounds: list[float]) -> measure.Outcome:
    """What comes of a work in which sides of these names took these seconds."""
    contenders = []
    for label, seconds in rounds.items():
        name, _, setting = label.partition("_")
        contenders.append(measure.Contender(Named(name, setting), None, rounds=seconds))
    sides = [contender.side for contender in contenders]
    short = work.Work("short", "A short work", "nothing", sides, unit="ms", targets=targets)
    return measure.Outcome(short, contenders, "agreed", {})


# --- do all sides do the same? ------------------------------------------------------------------


def test_numbers_are_compared_relatively_and_scores_absolutely() -> None:
    first = work.Evidence([100.0, 0.0], 0.95)
    same = work.Evidence([100.0 + 1e-9, 0.0], 0.96)
    sentence = agreement.compare([("first", first), ("same", same)], 1e-10, 0.02)
    assert sentence == (
        "2 numbers of 2 sides equal to 1.0e-11 (1e-10 allowed); "
        "scores of 2 sides from 0.9500 to 0.9600 (0.02 allowed)"
    )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (work.Evidence([1.0, 2.1]), "slow and first do not do the same: number 1 is 2.1 and 2.0"),
        (work.Evidence([1.0, math.nan]), "do not do the same: number 1 is nan and 2.0"),
        (work.Evidence([1.0]), "slow shows 1 numbers and first 2"),
        (work.Evidence(None, 0.5), "do not learn the same: they reach 0.5000 and 0.9000"),
        (work.Evidence(None, math.nan), "they reach nan and 0.9000"),
    ],
)
def test_a_side_that_does_something_else_is_refused(other: work.Evidence, message: str) -> None:
    with pytest.raises(agreement.Disagreement, match=message):
        agreement.compare([("first", work.Evidence([1.0, 2.0], 0.9)), ("slow", other)], 1e-4, 0.02)


def test_the_hand_written_training_is_chainrules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both by hand and by ``fit``: the losses of the same batches, in one process."""
    whole = works.mlp.data()
    few = dataclasses.replace(whole, x=whole.x[:640], y=whole.y[:640])
    monkeypatch.setattr(works.mlp, "data", lambda: few)
    monkeypatch.setattr(works.mlp, "TRAINING_ROWS", 640)
    losses = []
    for side in (
        works.mlp_training.with_chainrule.Chainrule(128),
        works.mlp_training.with_numpy.PlainNumpy(128),
    ):
        side.prepare()
        side.reset()
        losses.append(side.train(works.mlp_training.side.chainrules_orders()))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


# --- ratios and targets -------------------------------------------------------------------------


def test_ratios_are_taken_within_a_round() -> None:
    """A moment in which the whole machine is slow changes no ratio."""
    found = outcome([], chainrule=[1.0, 10.0, 1.0], peer=[2.0, 20.0, 2.0])
    peer = found.best("peer")
    assert peer is not None
    assert found.ratios(peer) == [0.5, 0.5, 0.5]


def test_the_best_setting_of_a_peer_counts() -> None:
    found = outcome(
        [work.Target(1.0, "peer")],
        chainrule=[0.002] * 3,
        peer_slow=[0.004] * 3,
        peer_fast=[0.001] * 3,
    )
    best = found.best("peer")
    assert best is not None
    assert best.setting == "fast"
    text = report.text(found)
    assert "peer, also tried: slow 4" in text
    assert "target: at most 1 x the time of peer: 2.00, MISSED" in text


def test_targets_of_time_alone_and_of_absent_peers() -> None:
    found = outcome(
        [work.Target(0.050), work.Target(1.0, "absent")], chainrule=[0.040, 0.045, 0.070]
    )
    lines = report.text(found).splitlines()
    assert "  target: at most 50 ms: 45 ms, met" in lines
    assert "  target: at most 1 x the time of absent: not measured" in lines


def test_rates_are_shown_from_the_smallest() -> None:
    rate = work.Work("rate", "A rate", "", [Named("chainrule")], unit="samples/s", samples=1000)
    contender = measure.Contender(rate.sides[0], 2, rounds=[0.1, 0.2, 0.4])
    assert contender.setting == "2 threads"
    assert "5,000 (2,500 - 10,000)" in report.text(measure.Outcome(rate, [contender], "", {}))


def test_thread_counts_start_at_one() -> None:
    counts = work.thread_counts()
    assert counts[0] == 1
    assert len(set(counts)) == len(counts)


# --- the whole, in real processes ---------------------------------------------------------------

SMALL = dataclasses.replace(
    works.truth_table.WORK,
    sides=(
        works.truth_table.with_chainrule.Chainrule(),
        works.truth_table.with_numpy.TutorialLoopWithLosses(),
        works.truth_table.with_numpy.TutorialLoop(),
        Named("a peer", package="no_such_package"),
    ),
)


def test_the_command_writes_text_json_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(works, "ALL", [SMALL])
    page, numbers = tmp_path / "page.md", tmp_path / "numbers.json"
    begin = f"<!-- begin: written by {command.COMMAND} -->"
    end = f"<!-- end: written by {command.COMMAND} -->"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")

    assert command.main(["--quick", "--json", str(numbers), "--write", str(page)]) == 0

    printed = capsys.readouterr().out
    assert "1,500 numbers of 2 sides equal to" in printed
    assert "scores of 3 sides from 1.0000 to 1.0000" in printed
    written = page.read_text(encoding="utf-8")
    assert written.startswith(f"before\n{begin}\n\n```text\ntruth-table: ")
    assert written.endswith(f"```\n\n{end}\nafter\n")
    assert "old" not in written
    (found,) = json.loads(numbers.read_text(encoding="utf-8"))["works"]
    assert found["not_installed"] == {"a peer": "no_such_package"}
    assert [len(side["seconds_by_round"]) for side in found["sides"]] == [2, 2, 2]
    assert all(seconds > 0 for side in found["sides"] for seconds in side["seconds_by_round"])


def test_sides_that_differ_are_not_timed() -> None:
    strict = dataclasses.replace(SMALL, sides=SMALL.sides[:2], tolerance=0.0)
    with pytest.raises(agreement.Disagreement, match="tutorial loop, keeping the losses"):
        measure.measure(strict, 1, 0.0, quiet)


def test_a_disagreement_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def disagree(*_: object) -> measure.Outcome:
        raise agreement.Disagreement("they differ")

    monkeypatch.setattr(works, "ALL", [SMALL])
    monkeypatch.setattr(command, "measure", disagree)
    assert command.main([]) == 1
    told = capsys.readouterr()
    assert "NOT TIMED. they differ" in told.out
    assert "Sides disagree in: truth-table" in told.err


def test_a_page_without_a_place_for_results_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no place for results"):
        report.replace_results(page, command.COMMAND, "new")
    assert page.read_text(encoding="utf-8") == "nothing here\n"
