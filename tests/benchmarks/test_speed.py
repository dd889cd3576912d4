"""The harness: it refuses sides that differ, compares within a round, and reports what it has."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import agreement, measure, report, work, works
from benchmarks.targets import AtMost, Target, TimesAsFast
from benchmarks.works import orders


def quiet(_: str) -> None:
    """Nobody watches."""


class Named(work.Side):
    def __init__(self, name: str, setting: str = "", package: str = "numpy") -> None:
        self.name, self.setting, self.package = name, setting, package


def outcome(targets: list[Target], **rounds: list[float]) -> measure.Outcome:
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
        losses.append(side.train(orders.chainrules(640, works.mlp_training.side.EPOCHS)))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


# --- ratios and targets -------------------------------------------------------------------------


def test_ratios_are_taken_within_a_round() -> None:
    """A moment in which the whole machine is slow changes no ratio."""
    found = outcome([], chainrule=[1.0, 10.0, 1.0], peer=[2.0, 20.0, 2.0])
    peer = found.best("peer")
    assert peer is not None
    assert found.ratios(peer) == [2.0, 2.0, 2.0]


def test_the_best_setting_of_a_peer_counts() -> None:
    found = outcome(
        [TimesAsFast(peer="peer", enough=1.0)],
        chainrule=[0.002] * 3,
        peer_slow=[0.004] * 3,
        peer_fast=[0.001] * 3,
    )
    best = found.best("peer")
    assert best is not None
    assert best.setting == "fast"
    text = report.text(found)
    assert "peer, also tried: slow 4" in text
    assert "target: times as fast as peer (at least 1 x): 0.5 x, MISSED" in text


def test_targets_of_time_alone_and_of_absent_peers() -> None:
    found = outcome(
        [AtMost(enough=0.050), TimesAsFast(peer="absent", enough=1.0)],
        chainrule=[0.040, 0.045, 0.070],
    )
    lines = report.text(found).splitlines()
    assert "  target: chainrule alone (at most 50 ms): 45 ms, met" in lines
    assert "  target: times as fast as absent (at least 1 x): -, not measured" in lines


def test_rates_are_shown_from_the_smallest() -> None:
    rate = work.Work("rate", "A rate", "", [Named("chainrule")], unit="samples/s", samples=1000)
    contender = measure.Contender(rate.sides[0], 2, rounds=[0.1, 0.2, 0.4])
    assert contender.setting == "2 threads"
    assert "5,000 (2,500 - 10,000)" in report.text(measure.Outcome(rate, [contender], "", {}))


def test_a_side_that_only_shows_evidence_and_a_gauge_are_no_rows() -> None:
    gauge, proof, ours = Named("a gauge"), Named("a proof"), Named("chainrule")
    gauge.flops, proof.timed = 2e9, False
    short = work.Work("short", "A short work", "", [proof, ours, gauge], unit="ms")
    contenders = [
        measure.Contender(proof, None),
        measure.Contender(ours, 1, rounds=[1.0]),
        measure.Contender(gauge, 2, rounds=[0.5]),
    ]
    text = report.text(measure.Outcome(short, contenders, "agreed", {}))
    assert "a proof" not in text
    assert text.endswith("  a gauge: 4 GFLOP/s with 2 threads")


def test_the_time_that_most_runs_stay_within() -> None:
    contender = measure.Contender(Named("chainrule"), None)
    contender.add_round([float(number) for number in range(101)])
    assert contender.rounds == [50.0]
    assert contender.tails == [95.0]


def test_thread_counts_start_at_one() -> None:
    counts = work.thread_counts()
    assert counts[0] == 1
    assert len(set(counts)) == len(counts)


# --- the whole, in real processes ---------------------------------------------------------------

SMALL = dataclasses.replace(
    works.truth_table.WORK,
    sides=(
        works.truth_table.with_chainrule.ReferenceEngine(),
        works.truth_table.with_numpy.TutorialLoopWithLosses(),
        works.truth_table.with_numpy.TutorialLoop(),
        Named("a peer", package="no_such_package"),
    ),
)


def test_the_command_writes_text_json_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command.machine, "source", lambda: "none")
    page, numbers = tmp_path / "page.md", tmp_path / "numbers.json"
    begin = f"<!-- begin: written by {command.COMMAND} -->"
    end = f"<!-- end: written by {command.COMMAND} -->"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")

    assert command.main(["--quick", "--json", str(numbers), "--write", str(page)], [SMALL]) == 0

    printed = capsys.readouterr().out
    assert "1,500 numbers of 2 sides equal to" in printed
    assert "scores of 3 sides from 1.0000 to 1.0000" in printed
    written = page.read_text(encoding="utf-8")
    assert written.startswith(f"before\n{begin}\n\n| work | what | reached | ")
    assert "\n\n```text\ntruth-table: " in written
    assert written.endswith(f"```\n\n{end}\nafter\n")
    assert "old" not in written
    (found,) = json.loads(numbers.read_text(encoding="utf-8"))["works"]
    assert found["not_installed"] == {"a peer": "no_such_package"}
    assert [len(side["rounds"]) for side in found["sides"]] == [2, 2, 2]
    assert all(seconds > 0 for side in found["sides"] for seconds in side["rounds"])


def test_sides_that_differ_are_not_timed() -> None:
    strict = dataclasses.replace(SMALL, sides=SMALL.sides[:2], tolerance=0.0)
    with pytest.raises(agreement.Disagreement, match="tutorial loop, keeping the losses"):
        measure.measure(strict, 1, 0.0, quiet)


def test_a_disagreement_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def disagree(*_: object) -> measure.Outcome:
        raise agreement.Disagreement("they differ")

    monkeypatch.setattr(command, "measure", disagree)
    assert command.main([], [SMALL]) == 1
    told = capsys.readouterr()
    assert "NOT TIMED. they differ" in told.out
    assert "Not timed: truth-table" in told.err


class Sleeping(Named):
    """As fast as its setting says."""

    def run(self) -> None:
        time.sleep(float(self.setting))


def test_settings_far_from_a_librarys_best_are_only_tried() -> None:
    sides = [Sleeping("chainrule", "0.05"), Sleeping("peer", "0.001"), Sleeping("peer", "0.05")]
    short = work.Work("short", "A short work", "", sides)
    found = measure.measure(short, 2, 0.0, quiet)
    assert [len(contender.rounds) for contender in found.contenders] == [2, 2, 0]
    assert found.contenders[2].trial >= 0.05
    assert "peer, also tried: 0.05 5" in report.text(found)


class Broken(Named):
    def prepare(self) -> None:
        raise ValueError("no such thing")


def test_a_side_that_breaks_is_named_and_ends_its_work_alone() -> None:
    short = work.Work("short", "A short work", "", [Named("chainrule"), Broken("peer", "old")])
    with pytest.raises(measure.SideFailed, match="peer old failed: ValueError: no such thing"):
        measure.measure(short, 1, 0.0, quiet)


def test_an_unknown_work_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["no-such-work"])
    assert "no work is called 'no-such-work'; truth-table, " in capsys.readouterr().err


def test_a_page_without_a_place_for_results_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no place for results"):
        report.replace_results(page, command.COMMAND, "new")
    assert page.read_text(encoding="utf-8") == "nothing here\n"
