"""One output and one sample at a time: only several steps together say which factor is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from checker.small import ONE_BY_ONE, Edit, checked

from chainrule.checker.explanation import Explanation
from chainrule.checker.forward import Network, Pass
from chainrule.checker.judged import Judged, is_telling
from chainrule.checker.single_numbers import is_single, one_rate
from chainrule.checker.steps import Step
from chainrule.checker.targets import Targets

DONE = Pass(0, h=[np.ones((1, 2))], weights=[np.ones((2, 1))], biases=[None], a=[np.ones((1, 1))])
STEP = Step([DONE], [np.zeros((2, 1))], [None], 0, 1)


def judged_with(scale: float) -> Judged:
    """A step that was explained with some learning rate."""
    explanation = Explanation((), "squared", scale, (), ())
    targets = Targets(np.zeros((1, 1)), frozenset(), error_seen=True)
    return Judged(Network((), columns=False, place=0), STEP, DONE, [DONE], targets, explanation)


def test_one_rate_is_the_same_but_for_rounding() -> None:
    assert one_rate([judged_with(0.4), judged_with(0.4 * (1 + 1e-9)), judged_with(0.4)])
    assert not one_rate([judged_with(0.4), judged_with(0.41)])
    assert is_telling(judged_with(0.4))


def test_a_single_number_is_one_sample_with_one_output() -> None:
    assert is_single(STEP)
    two = replace(DONE, a=[np.ones((2, 1))])
    assert not is_single(replace(STEP, passes=[two]))
    assert not is_single(replace(STEP, passes=[DONE, DONE]))


DELTA = "d2 = 2 * (a2 - y) * a2 * (1 - a2)"
HIDDEN = "d1 = d2 * W2 * a1 * (1 - a1)"
WITH_PENALTY: tuple[Edit, ...] = (
    ("W2 = W2 - 0.4 * d2 * a1", "W2 = W2 - 0.4 * (d2 * a1 + 0.01 * W2)"),
    ("W1 = W1 - 0.4 * np.outer(x, d1)", "W1 = W1 - 0.4 * (np.outer(x, d1) + 0.01 * W1)"),
)

RIGHT: dict[str, tuple[Edit, ...]] = {
    "a sample of zeros": (),
    "targets of -1 and 1": (("[0.0, 1.0, 1.0, 0.0])\nW1", "[-1.0, 1.0, 1.0, -1.0])\nW1"),),
    "absolute error": (
        (DELTA, "d2 = np.sign(a2 - y) * a2 * (1 - a2)"),
        ("(a2 - y) ** 2", "abs(a2 - y)"),
    ),
    "a penalty": WITH_PENALTY,
}


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("name", RIGHT)
def test_right_factors_have_one_rate(name: str) -> None:
    verdict = checked(ONE_BY_ONE, *RIGHT[name])
    assert verdict.verdict == "correct", verdict.message


WRONG = {
    "other_activation_derivative": ((DELTA, "d2 = 2 * (a2 - y) * (1 - a2 ** 2)"),),
    "output_derivative_doubled": ((DELTA, "d2 = 2 * (a2 - y) * (a2 * (1 - a2)) ** 2"),),
    "hidden_derivative_missing": ((HIDDEN, "d1 = d2 * W2"),),
    "sign_turned": ((DELTA, "d2 = 2 * (y - a2) * a2 * (1 - a2)"),),
    "early_update": (
        ("        " + HIDDEN + "\n        W2 = W2 - 0.4 * d2 * a1\n",
         "        W2 = W2 - 0.4 * d2 * a1\n        " + HIDDEN + "\n"),
    ),
}  # fmt: skip


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("cause", WRONG)
def test_wrong_factors_are_told_by_several_steps(cause: str) -> None:
    verdict = checked(ONE_BY_ONE, *WRONG[cause])
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message
