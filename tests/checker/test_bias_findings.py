"""Biases that are not used, not updated, or updated by a sum that says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from checker.small import BATCH, BIAS_1, BIAS_2, WITHOUT_BIASES, Edit, checked, line_of

from chainrule.checker.bias_findings import _is_step


def test_a_bias_takes_a_step_of_the_weights_rate() -> None:
    gradient = np.array([1.0, -2.0, 3.0])
    assert _is_step(-0.1 * gradient, gradient, 0.1)
    assert _is_step(0.1 * gradient, gradient, 0.1)  # uphill it is a bias, too
    assert not _is_step(-0.5 * gradient, gradient, 0.1)
    assert not _is_step(gradient**2, gradient, 0.1)
    assert not _is_step(0 * gradient, gradient, 0.1)
    assert not _is_step(gradient, 0 * gradient, 0.1)
    assert _is_step(np.array([[-0.2]]), np.array([2.0]), 0.1)
    assert not _is_step(np.array([[-0.3]]), np.array([2.0]), 0.1)


SOFTMAX = """import numpy as np

rng = np.random.default_rng(2)
X = rng.normal(size=(10, 3))
labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
Y = np.eye(3)[labels]
W1, b1 = rng.normal(size=(3, 4)), np.zeros(4)
W2, b2 = rng.normal(size=(4, 3)), np.zeros(3)

for epoch in range(8):
    a1 = np.tanh(X @ W1 + b1)
    z2 = a1 @ W2 + b2
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    a2 = e / e.sum(axis=1, keepdims=True)
    d2 = (a2 - Y) / len(X)
    d1 = d2 @ W2.T * (1 - a1 ** 2)
    W2 -= 0.5 * a1.T @ d2
    b2 -= 0.5 * d2.sum(axis=0)
    W1 -= 0.5 * X.T @ d1
    b1 -= 0.5 * d1.sum(axis=0)
"""

TANH: tuple[Edit, ...] = (
    ("return 1 / (1 + np.exp(-z))", "return np.tanh(z)"),
    ("error * a2 * (1 - a2)", "error * (1 - a2 ** 2)"),
    ("W2.T * a1 * (1 - a1)", "W2.T * (1 - a1 ** 2)"),
)
A_SAMPLE_OF_ZEROS: Edit = (
    "X = rng.normal(size=(12, 3))\n",
    "X = rng.normal(size=(12, 3))\nX[:2] = 0\n",
)
ITS_TARGET: Edit = (" > 0).astype(float)", " >= 0).astype(float)")

RIGHT: dict[str, tuple[str, tuple[Edit, ...]]] = {
    "no biases at all": (BATCH, WITHOUT_BIASES),
    "no biases with zeros, through a sigmoid": (
        BATCH,
        (*WITHOUT_BIASES, A_SAMPLE_OF_ZEROS, ITS_TARGET),
    ),
    "no biases with zeros that belong to 0": (BATCH, (*TANH, *WITHOUT_BIASES, A_SAMPLE_OF_ZEROS)),
    "no bias in the output layer": (
        BATCH,
        (("a1 @ W2 + b2", "a1 @ W2"), (BIAS_2, ""), (", np.zeros((1, 1))", ", 0")),
    ),
    "softmax": (SOFTMAX, ()),
}


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("name", RIGHT)
def test_biases_that_are_right(name: str) -> None:
    program, edits = RIGHT[name]
    verdict = checked(program, *edits)
    assert verdict.verdict == "correct", verdict.message


def test_zeros_that_no_weights_can_move_need_a_bias() -> None:
    verdict = checked(BATCH, *TANH, *WITHOUT_BIASES, A_SAMPLE_OF_ZEROS, ITS_TARGET)
    assert (verdict.cause, verdict.layer) == ("bias_missing", 1), verdict.message


WRONG: dict[str, tuple[str, Edit, str, int, str]] = {
    "not used in the output layer": (
        BATCH, ("a1 @ W2 + b2", "a1 @ W2"), "bias_missing", 2, "a2 = sigmoid(a1 @ W2)",
    ),
    "not used in the hidden layer": (
        BATCH, ("X @ W1 + b1", "X @ W1"), "bias_missing", 1, "a1 = sigmoid(X @ W1)",
    ),
    "never updated": (BATCH, (BIAS_1, ""), "bias_never_updated", 1, ""),
    "summed over everything": (
        BATCH,
        (BIAS_1, "    b1 -= rate * delta1.sum()\n"),
        "bias_gradient_axis",
        1,
        "b1 -= rate * delta1.sum()",
    ),
    "one sample's": (
        BATCH,
        (BIAS_1, "    b1 -= rate * delta1[0]\n"),
        "bias_gradient_not_summed",
        1,
        "b1 -= rate * delta1[0]",
    ),
    "a sum that is always zero": (
        SOFTMAX,
        ("d2.sum(axis=0)", "d2.sum()"),
        "bias_gradient_axis",
        2,
        "b2 -= 0.5 * d2.sum()",
    ),
}  # fmt: skip


@pytest.mark.sweep(sample=4)
@pytest.mark.parametrize("name", WRONG)
def test_biases_that_are_wrong(name: str) -> None:
    program, edit, cause, layer, line = WRONG[name]
    verdict = checked(program, edit)
    assert (verdict.cause, verdict.layer) == (cause, layer), verdict.message
    assert not line or line_of(program, verdict, edit) == line


def test_a_bias_that_is_added_but_another_one_updated() -> None:
    edits = (("X @ W1 + b1", "X @ W1 + np.zeros((1, 4))"),)
    verdict = checked(BATCH, *edits)
    assert (verdict.cause, verdict.layer) == ("bias_never_updated", 1), verdict.message
