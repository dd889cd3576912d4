"""What was to be reached: the figure, and the word for it."""

from __future__ import annotations

import pytest

from benchmarks import measure, targets, work


def outcome(**rounds: list[float]) -> measure.Outcome:
    """What comes of sides with these names and threads (``name_2``)."""
    contenders, sides = [], []
    for label, seconds in rounds.items():
        name, _, threads = label.partition("_")
        side = work.Side()
        side.name = name
        sides.append(side)
        contenders.append(
            measure.Contender(side, int(threads) if threads else None, rounds=seconds)
        )
    return measure.Outcome(work.Work("short", "", "", sides, unit="s"), contenders, "", {})


@pytest.mark.parametrize(
    ("reached", "word"), [(3.0, "aim met"), (2.0, "met"), (1.0, "MISSED"), (None, "not measured")]
)
def test_more_is_better(reached: float | None, word: str) -> None:
    target = targets.TimesAsFast(peer="peer", enough=1.5, aim=2.5)
    assert target.judge(reached, outcome().work).result == word


@pytest.mark.parametrize(("reached", "word"), [(0.2, "aim met"), (0.9, "met"), (1.1, "MISSED")])
def test_less_is_better(reached: float, word: str) -> None:
    assert targets.AtMost(enough=1.0, aim=0.3).judge(reached, outcome().work).result == word


def test_an_aim_alone_can_be_missed_too() -> None:
    target = targets.TimesAsFast(peer="peer", aim=2.0)
    assert target.judge(1.0, outcome().work).result == "aim MISSED"


def test_ratios_and_differences_are_taken_within_a_round() -> None:
    found = outcome(chainrule=[1.0, 10.0, 1.0], peer=[2.0, 20.0, 2.0])
    assert targets.TimesAsFast(peer="peer").reached(found) == 2.0
    assert targets.AtMostOver(peer="peer").reached(found) == -1.0


def test_two_threads_over_one() -> None:
    found = outcome(chainrule_1=[1.8, 1.8], chainrule_2=[1.0, 1.0])
    assert targets.TwoThreads().reached(found) == pytest.approx(1.8)
    assert targets.TwoThreads().reached(outcome(chainrule_1=[1.0])) is None


def test_the_share_of_the_peak_compares_rates() -> None:
    """4 operations in 2 s beside 10 in 1 s: 2 of 10 in a second."""
    found = outcome(chainrule=[2.0], gauge=[1.0])
    found.contenders[1].side.flops = 10.0
    target = targets.ShareOfPeak(flops=lambda: 4.0, gauge="gauge", aim=0.7)
    assert target.reached(found) == pytest.approx(0.2)
    assert str(target.verdict(found)) == "share of gauge (aim 70 %): 20 %, aim MISSED"


def test_a_verdict_as_a_line() -> None:
    found = outcome(chainrule=[1.0], peer=[1.6])
    target = targets.TimesAsFast(peer="peer", enough=1.5, aim=3.0)
    line = "times as fast as peer (at least 1.5 x, aim 3 x): 1.6 x, met"
    assert str(target.verdict(found)) == line
