"""Samples that are torn from their targets, left out or used twice, and batches that are right."""

from __future__ import annotations

import numpy as np
import pytest
from checker.small import MINI_BATCHES, Edit, checked, line_of

from chainrule.checker.data_findings import _epochs, _overlap, _table
from chainrule.checker.evidence import Evidence
from chainrule.checker.process import Record
from chainrule.layer import Array

ROWS = np.arange(12.0).reshape(6, 2)


def evidence_with(*values: Array) -> Evidence:
    """A record in which some arrays occur."""
    return Evidence(Record({"ended": "finished"}, values=list(values)), [])


def test_an_epoch_ends_where_a_row_comes_back() -> None:
    assert _epochs([[0, 1], [2, 3], [1, 0], [3, 2], [0]]) == [[0, 1, 2, 3], [1, 0, 3, 2], [0]]
    assert _epochs([[0], [0], [0]]) == [[0], [0], [0]]


def test_the_overlap_of_batches() -> None:
    assert _overlap([0, 1, 2], [2, 3, 4]) == 1
    assert _overlap([0, 1, 2], [1, 2, 3]) == 2
    assert _overlap([0, 1, 2], [3, 4, 5]) == 0
    assert _overlap([0, 1, 2], [0, 1, 2]) == 0  # a whole batch again is another epoch


def test_the_table_is_the_smallest_that_holds_all_rows() -> None:
    everything = np.vstack([ROWS, 100 + ROWS])
    evidence = evidence_with(everything, ROWS, np.ones((6, 2)))
    table = _table(evidence, [ROWS[:2], ROWS[2:]], larger=False)
    assert table == pytest.approx(ROWS)  # the other rows are kept for testing


def test_the_table_may_lie_in_columns() -> None:
    for value in (np.ascontiguousarray(ROWS.T), ROWS.reshape(6, 2, 1)):
        table = _table(evidence_with(value), [ROWS[:3]], larger=True)
        assert table == pytest.approx(ROWS)


def test_a_batch_is_no_table_of_batches() -> None:
    assert _table(evidence_with(ROWS[:3]), [ROWS[:3]], larger=True) is None
    assert _table(evidence_with(ROWS[:3]), [ROWS[:3]], larger=False) == pytest.approx(ROWS[:3])


def test_rows_that_occur_twice_are_no_table() -> None:
    assert _table(evidence_with(np.vstack([ROWS, ROWS])), [ROWS[:3]], larger=True) is None


SHUFFLE = "    X, y = X[order], y[order]\n"
RANGE = "range(0, len(X), size)"
BATCH = "X[start:start + size], y[start:start + size]"
SPLIT: Edit = (
    "rate, size = 0.5, 5\n",
    "rate, size = 0.5, 5\n"
    "order = rng.permutation(20)\n"
    "X_test, y_test = X[order[15:]], y[order[15:]]\n"
    "X, y = X[order[:15]], y[order[:15]]\n",
)
SEVEN: Edit = ("rate, size = 0.5, 5\n", "rate, size = 0.5, 7\n")

RIGHT = {
    "a train and test split": (SPLIT,),
    "a last batch that is smaller": (SEVEN,),
    "never shuffled": ((SHUFFLE, ""),),
    "drawn at random": (
        (RANGE, "range(4)"),
        (BATCH, "*(lambda rows: (X[rows], y[rows]))(rng.integers(0, 20, size))"),
    ),
}


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("name", RIGHT)
def test_batches_that_are_right(name: str) -> None:
    verdict = checked(MINI_BATCHES, *RIGHT[name])
    assert verdict.verdict == "correct", verdict.message


WRONG = {
    "x_shuffled_without_y": ((SHUFFLE, "    X = X[order]\n"),),
    "batches_drop_rows": ((RANGE, "range(0, len(X) - size, size)"),),
    "batches_drop_rows of a smaller last one": (
        SEVEN,
        (RANGE, "range(0, len(X) // size * size, size)"),
    ),
    "batches_drop_rows of a split": (SPLIT, (RANGE, "range(0, len(X) - size, size)")),
    "batches_repeat_rows": ((RANGE, "range(0, len(X) - 1, size - 1)"),),
    "batches_repeat_rows and grow": ((BATCH, "X[:start + size], y[:start + size]"),),
}


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("name", WRONG)
def test_batches_that_are_wrong(name: str) -> None:
    verdict = checked(MINI_BATCHES, *WRONG[name])
    cause = name.partition(" ")[0]
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message
    line = line_of(MINI_BATCHES, verdict, *WRONG[name])
    assert line.startswith("X = X[order]" if "shuffled" in cause else "for start in range")
