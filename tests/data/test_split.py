from __future__ import annotations

import numpy as np
import pytest

from chainrule.data.split import split_rows
from chainrule.errors import InvalidData


def test_each_row_is_in_one_part() -> None:
    training, validation = split_rows(50, 0.2, seed=0)
    assert len(validation) == 10
    assert np.sort(np.concatenate([training, validation])).tolist() == list(range(50))
    assert (np.diff(training) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_the_seed_decides() -> None:
    assert np.array_equal(split_rows(50, 0.2, 1)[1], split_rows(50, 0.2, 1)[1])
    assert not np.array_equal(split_rows(50, 0.2, 1)[1], split_rows(50, 0.2, 2)[1])


def test_classes_keep_their_proportion() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    for part, rows in zip(split_rows(100, 0.2, 0, labels), (80, 20), strict=True):
        assert np.bincount(labels[part]).tolist() == [rows * 6 // 10, rows * 3 // 10, rows // 10]


def test_a_class_of_one_row_is_trained_on() -> None:
    labels = np.array([0] * 10 + [1] * 10 + [2])
    training, _ = split_rows(21, 0.3, 0, labels)
    assert 20 in training


def test_small_sets_have_room_for_every_class() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    training, validation = split_rows(6, 0.2, 0, labels)
    assert sorted(labels[training]) == sorted(labels[validation]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "fraction", "labels"),
    [
        (1, 0.2, None),
        (10, 0.99, None),
        (2, 0.5, [0, 1]),
        (3, 0.2, [0, 1, 2]),
        (4, 0.9, [0, 0, 1, 1]),
    ],
)
def test_too_few_rows(rows: int, fraction: float, labels: list[int] | None) -> None:
    with pytest.raises(InvalidData, match="too few to set"):
        split_rows(rows, fraction, 0, None if labels is None else np.array(labels))
