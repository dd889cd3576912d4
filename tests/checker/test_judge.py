"""From explained steps to one finding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.checker.explanation import Explanation, Fit
from chainrule.checker.forward import FoundLayer, Network, Pass
from chainrule.checker.judge import _added, _before_running_away, judge
from chainrule.checker.judged import Judged, is_unexplained, sizes
from chainrule.checker.slips import Slip
from chainrule.checker.steps import Step
from chainrule.checker.targets import Targets
from chainrule.layer import Array

ONES = np.ones((2, 1))
DONE = Pass(0, h=[np.ones((4, 2))], weights=[ONES], biases=[None], z=[np.ones((4, 1))])
STEP = Step([DONE], [0 * ONES], [None], 0, 1)
LAYER = FoundLayer(("W",), turned=False, bias=None, bias_row="", activations=frozenset({"sigmoid"}))
NETWORK = Network((LAYER,), columns=False, place=0)
TARGETS = Targets(np.zeros((4, 1)), frozenset(), error_seen=True)


def judged(*causes: str, extra: str = "", gradient: Array = ONES) -> Judged:
    """A step that was explained with some mistakes."""
    slips = tuple(Slip(cause, 0) for cause in causes)
    fit = Fit(0, "weights", 0.1, gradient, ())
    found = Explanation(slips, "squared", 0.1, (), (fit,), extra)
    return Judged(NETWORK, STEP, DONE, [DONE], TARGETS, found)


def test_nothing_explained_is_nothing_said() -> None:
    assert judge([]).verdict == "unchecked"


def test_steps_that_are_right() -> None:
    assert judge([judged(), judged()]).verdict == "correct"
    # The first step of momentum has none; the one that shows it is told.
    telling = judged(extra="momentum 0.9")
    finding = judge([judged(), telling])
    assert (finding.verdict, finding.judged) == ("correct", telling)


def test_one_step_of_four_is_chance() -> None:
    assert judge([judged("sign_turned"), judged(), judged(), judged()]).verdict == "correct"
    assert judge([judged("sign_turned"), judged(), judged()]).verdict == "wrong"


def test_the_commonest_mistake_is_the_one() -> None:
    finding = judge([judged("transposed"), judged("early_update"), judged("early_update")])
    assert finding.slip is not None
    assert (finding.verdict, finding.slip.cause) == ("wrong", "early_update")


def test_a_mistake_without_a_name_costs_more() -> None:
    assert is_unexplained(judged("unexplained"))
    assert not is_unexplained(judged("transposed"))
    assert judged("unexplained").explanation.cost > judged("transposed").explanation.cost
    # The same mistake seen in two places is one.
    assert judged("transposed", "transposed").explanation.cost == 1


def test_steps_that_have_run_away_are_not_looked_at() -> None:
    def step(size: float) -> Step:
        return replace(STEP, passes=[replace(DONE, weights=[size * ONES])])

    steps = [step(1.0), step(50.0), step(101.0), step(2.0)]
    assert len(_before_running_away(steps)) == 2
    assert len(_before_running_away([step(1.0), step(np.inf)])) == 1
    assert _before_running_away([]) == []


def test_gradients_are_added_up_as_long_as_they_are_known() -> None:
    first = _added((), judged(), is_first=True)
    second = _added(first, judged(gradient=2 * ONES), is_first=False)
    assert [total.tolist() for total in second] == [[[3.0], [3.0]]]
    assert _added(first, judged("gradients_not_reset"), is_first=False) != ()
    assert _added(first, judged("transposed"), is_first=False) == ()
    assert _added(first, None, is_first=False) == ()
    assert _added((), judged(), is_first=False) == ()


def test_sizes_of_a_network() -> None:
    assert sizes(DONE) == [2, 1]
