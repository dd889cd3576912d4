"""Gradients from outputs of an earlier pass."""

from __future__ import annotations

from checker.small import BATCH, WITHOUT_BIASES, Edit, checked, line_of

FORWARD = "    a1 = sigmoid(X @ W1 + b1)\n    a2 = sigmoid(a1 @ W2 + b2)\n"
LOOP = "for epoch in range(8):\n"

BEFORE_THE_LOOP: Edit = (
    LOOP + FORWARD,
    "a1 = sigmoid(X @ W1 + b1)\na2 = sigmoid(a1 @ W2 + b2)\n" + LOOP,
)
AND_IN_THE_LOOP: Edit = (LOOP, "a1 = sigmoid(X @ W1 + b1)\nprint(a1)\n" + LOOP)
FIRST_ERROR: Edit = (
    "    error = a2 - y\n",
    "    if epoch == 0:\n        error = a2 - y\n",
)


def test_a_pass_before_the_loop_serves_one_step_only() -> None:
    verdict = checked(BATCH, BEFORE_THE_LOOP)
    assert (verdict.cause, verdict.layer) == ("stale_output", 2), verdict.message
    assert line_of(BATCH, verdict, BEFORE_THE_LOOP).startswith("a1 = sigmoid")


def test_a_pass_before_the_loop_beside_those_in_it() -> None:
    verdict = checked(BATCH, AND_IN_THE_LOOP)
    assert verdict.verdict == "correct", verdict.message


def test_an_error_of_the_first_pass_is_not_called_right() -> None:
    verdict = checked(BATCH, *WITHOUT_BIASES, FIRST_ERROR)
    assert verdict.verdict != "correct", verdict.message


LAST_OUTPUT: tuple[Edit, ...] = (
    (LOOP, "last = np.zeros((12, 1))\n" + LOOP),
    ("    error = a2 - y\n", "    now, a2 = a2, last\n    last = now\n    error = a2 - y\n"),
)


def test_the_output_alone_is_that_of_the_step_before() -> None:
    verdict = checked(BATCH, *LAST_OUTPUT)
    assert (verdict.cause, verdict.layer) == ("stale_output", 2), verdict.message
