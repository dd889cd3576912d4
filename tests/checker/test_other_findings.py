"""Starting values, shapes and numbers too large: wrong ones, and right ones that look alike."""

from __future__ import annotations

import pytest
from checker.small import (
    BATCH,
    BIAS_1,
    START,
    WITHOUT_BIASES,
    Edit,
    checked,
    line_of,
    record_of,
)

from chainrule.checker.other_findings import before_the_network

BEGINNING = "W1, b1 = rng.normal(size=(3, 4)), np.zeros((1, 4))\n"


def begins_with(weights: str) -> Edit:
    """An edit of BATCH: other first weights."""
    return (BEGINNING, f"W1, b1 = {weights}, np.zeros((1, 4))\n")


BROADCAST = """
import numpy as np
y = np.array([0.0, 1.0, 1.0])
a = np.array([[0.2], [0.7], [0.4]])
error = a - y
"""


def test_n_meets_n_by_1() -> None:
    found = before_the_network(*record_of(BROADCAST))
    assert found is not None
    assert (found.cause, found.line) == ("broadcast_n_n1", 5)


@pytest.mark.parametrize(
    "line",
    [
        "error = a - y[:, None]",  # (n, 1) and (n, 1)
        "error = a[:, 0] - y",
        "pairs = y[:, None] - y[None, :]",  # meant
        "grid = y[:, np.newaxis] * y",  # meant, too
        "square = np.outer(y, y) - np.eye(3)",
    ],
)
def test_shapes_that_are_meant(line: str) -> None:
    assert before_the_network(*record_of(BROADCAST.replace("error = a - y", line))) is None


RIGHT: dict[str, tuple[str, tuple[Edit, ...]]] = {
    "small weights": (BATCH, (begins_with("0.05 * rng.normal(size=(3, 4))"),)),
    "zeros in the output layer": (
        BATCH,
        (("W2, b2 = rng.normal(size=(4, 1))", "W2, b2 = np.zeros((4, 1))"),),
    ),
    "a large rate": (BATCH, ((START, "rate = 5.0\n"),)),
    "a rate that decays": (BATCH, (("    error = a2", "    rate *= 0.95\n    error = a2"),)),
}


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("name", RIGHT)
def test_what_looks_odd_and_is_right(name: str) -> None:
    program, edits = RIGHT[name]
    verdict = checked(program, *edits)
    assert verdict.verdict == "correct", verdict.message


WRONG: dict[str, tuple[str, tuple[Edit, ...], str]] = {
    "zeros": (BATCH, (begins_with("np.zeros((3, 4))"),), "zero_initialisation"),
    "all alike": (BATCH, (begins_with("np.full((3, 4), 0.5)"),), "constant_initialisation"),
    "tiny": (BATCH, (begins_with("1e-7 * rng.normal(size=(3, 4))"),), "tiny_initialisation"),
    "huge": (BATCH, (begins_with("60 * rng.normal(size=(3, 4))"),), "saturating"),
    "exp overflows": (
        BATCH,
        (
            ("y = (X[:, :1]", "X = 1000 * X\ny = (X[:, :1]"),
            begins_with("100 * rng.normal(size=(3, 4))"),
        ),
        "exp_overflow",
    ),
    "it runs away": (
        BATCH,
        (
            ("a2 = sigmoid(a1 @ W2 + b2)", "a2 = a1 @ W2 + b2"),
            ("2 * error * a2 * (1 - a2)", "2 * error"),
            (START, "rate = 500\n"),
        ),
        "diverging",
    ),
    "z goes on": (BATCH, (("a1 @ W2 + b2", "(X @ W1 + b1) @ W2 + b2"),), "forward_through_z"),
    "a bias becomes a matrix": (
        BATCH,
        ((BIAS_1, "    b1 = b1 - rate * delta1\n"),),
        "bias_gradient_not_summed",
    ),
    "(n,) and (n, 1)": (
        BATCH,
        (("y = (X[:, :1] * X[:, 1:2] > 0)", "y = (X[:, 0] * X[:, 1] > 0)"),),
        "broadcast_n_n1",
    ),
}


@pytest.mark.sweep(sample=5)
@pytest.mark.parametrize("name", WRONG)
def test_mistakes_outside_of_backprop(name: str) -> None:
    program, edits, cause = WRONG[name]
    verdict = checked(program, *edits)
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message


def test_zeros_that_are_added_and_never_updated() -> None:
    edits = (
        *WITHOUT_BIASES[1:],
        ("X @ W1", "X @ W1 + np.zeros(4)"),
        ("+ np.zeros(4) + b1", "+ b1"),
    )
    verdict = checked(BATCH, *edits)
    assert verdict.cause == "bias_never_updated", verdict.message


def test_the_line_of_a_start_is_where_it_is_made() -> None:
    edit = begins_with("np.zeros((3, 4))")
    verdict = checked(BATCH, edit)
    assert line_of(BATCH, verdict, edit) == edit[1].strip()
