"""Files that stop before a step was seen: what NumPy said of the shapes, and zeros for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from checker.small import BATCH, BIAS_1, Edit, checked, edited, line_of, record_of

from chainrule.checker.no_network import shapes_that_do_not_fit, zeros_only
from chainrule.checker.other_findings import Structural
from chainrule.checker.process import Record
from chainrule.checker.source import Source


def found_in(line: str, message: str) -> Structural | None:
    """What is made of NumPy's message about a program of one line."""
    record = Record({"ended": "failed", "error": "ValueError", "message": message, "line": 1})
    return shapes_that_do_not_fit(record, [], Source(Path("network.py"), line + "\n"))


@pytest.mark.parametrize(
    ("line", "message", "cause"),
    [
        (
            "dW = X @ d",
            "matmul: Input operand 1 has a mismatch in its core dimension 0, ...",
            "transposed",
        ),
        (
            "dW = X.dot(d)",
            "shapes (4,3) and (4,2) not aligned: 3 (dim 1) != 4 (dim 0)",
            "transposed",
        ),
        (
            "W -= dW",
            "operands could not be broadcast together with shapes (3,4) (4,3) ",
            "transposed",
        ),
        (
            "W -= dW",
            "operands could not be broadcast together with shapes (3,4) (12,4) ",
            "elementwise_for_matrix",
        ),
        (
            "b -= d.sum(axis=1)",
            "operands could not be broadcast together with shapes (4,) (12,) (4,) ",
            "bias_gradient_axis",
        ),
        (
            "b -= d",
            "non-broadcastable output operand with shape (1,4) doesn't match the broadcast shape "
            "(12,4)",
            "bias_gradient_not_summed",
        ),
    ],
)
def test_shapes_that_do_not_fit(line: str, message: str, cause: str) -> None:
    found = found_in(line, message)
    assert found is not None
    assert (found.cause, found.line, found.words) == (cause, 1, {"number": message})


def test_errors_of_another_kind_say_nothing_of_shapes() -> None:
    assert found_in("x = int('a')", "invalid literal for int() with base 10: 'a'") is None
    record = Record({"ended": "finished"})
    assert shapes_that_do_not_fit(record, [], Source(Path("network.py"), "")) is None


ZEROS = """
import numpy as np
X = np.array([[1.0, 2.0], [3.0, 4.0]])
W = np.zeros((2, 3))
for i in range(6):
    z = X @ W
"""


def test_products_with_zeros_again_and_again() -> None:
    found = zeros_only(*record_of(ZEROS))
    assert found is not None
    assert (found.cause, found.line) == ("zero_initialisation", 4)


@pytest.mark.parametrize(
    "edits",
    [
        (("range(6)", "range(3)"),),
        (("np.zeros((2, 3))", "np.ones((2, 3))"),),
        (("X @ W", "X.sum() * W"),),
        (("[[1.0, 2.0], [3.0, 4.0]]", "[[0.0, 0.0], [0.0, 0.0]]"),),
        (("    z = X @ W", "    z = X @ W\nraise ValueError('no')"),),
    ],
    ids=["seldom", "ones", "no product", "data of zeros", "it failed"],
)
def test_zeros_that_say_nothing(edits: tuple[Edit, ...]) -> None:
    assert zeros_only(*record_of(edited(ZEROS, *edits))) is None


@pytest.mark.parametrize("product", ["X.dot(W)", "np.dot(X, W)", "np.matmul(X, W)"])
def test_products_in_other_words(product: str) -> None:
    assert zeros_only(*record_of(edited(ZEROS, ("X @ W", product)))) is not None


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize(
    ("cause", "edit"),
    [
        ("transposed", ("W1 -= rate * X.T @ delta1", "W1 -= rate * X @ delta1")),
        ("bias_gradient_axis", (BIAS_1, "    b1 -= rate * delta1.sum(axis=1)\n")),
        ("bias_gradient_not_summed", (BIAS_1, "    b1 -= rate * delta1\n")),
    ],
)
def test_a_program_that_stops_in_its_first_step(cause: str, edit: Edit) -> None:
    verdict = checked(BATCH, edit)
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message
    assert line_of(BATCH, verdict, edit) == edit[1].strip()
