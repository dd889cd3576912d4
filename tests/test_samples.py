"""Inputs, actual values and weights that belong together, checked where they enter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
from chainrule.samples import Samples, check_inputs, check_samples

FLOAT32 = np.dtype("float32")
X = np.arange(60.0).reshape(20, 3)


def checked(x: Any, input_shape: tuple[int, ...] | None = (3,)) -> Any:
    return check_inputs(x, input_shape, FLOAT32, "Dense(inputs=3)")


def samples(count: int = 20, *, weighted: bool = False) -> Samples:
    """Rows that carry their own number everywhere."""
    rows = np.arange(count, dtype=np.float32)
    return Samples(rows.reshape(-1, 1), rows.astype(np.int64), rows + 1 if weighted else None)


@pytest.mark.parametrize(
    "x",
    [
        X,
        X.tolist(),
        tuple(map(tuple, X)),
        X.astype(np.float32),
        X.astype(np.int8),
        X > 5,
        X.astype(object),
        np.asfortranarray(X),
        X[::2],
        pd.DataFrame(X),
        pd.DataFrame(X.astype(int)).astype("Int64"),
    ],
)
def test_whatever_holds_numbers_becomes_an_array(x: Any) -> None:
    array = checked(x)
    assert array.dtype == FLOAT32
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array, np.asarray(x, dtype=np.float32))


def test_an_array_that_fits_is_not_copied_and_never_changed() -> None:
    x = X.astype(np.float32)
    x.flags.writeable = False
    assert np.shares_memory(checked(x), x)


def test_samples_of_any_shape_go_through_while_the_network_is_not_built() -> None:
    assert checked(np.zeros((5, 4, 2)), None).shape == (5, 4, 2)
    with pytest.raises(cr.InvalidShape, match=r"reshape\(1, -1\).*reshape\(-1, 1\)"):
        checked([1, 2, 3], None)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 5)), r"received x of shape \(2, 5\); expected \(batch, 3\).*drop a column"),
        (np.zeros((2, 2)), r"inputs=2 or add the missing columns"),
        (np.zeros(3), r"For a single sample pass x\[np.newaxis\]"),
        (np.zeros((2, 3, 3)), r"Each sample must have the shape \(3,\)"),
        (4.0, "single number"),
    ],
)
def test_a_wrong_shape_says_what_to_do(x: Any, words: str) -> None:
    with pytest.raises(cr.InvalidShape, match=words):
        checked(x)


def test_no_samples_and_empty_samples_are_told_apart() -> None:
    with pytest.raises(cr.InvalidData, match="no samples"):
        checked(np.zeros((0, 3)))
    with pytest.raises(cr.InvalidData, match="samples without numbers"):
        checked(np.zeros((3, 0)), None)


def test_the_place_of_the_first_bad_number_is_told() -> None:
    x = X.copy()
    x[4, 1] = x[7, 2] = np.nan
    with pytest.raises(cr.InvalidData, match=r"x holds nan at \[4, 1\] \(2 such values\)"):
        checked(x)


def test_actual_values_and_weights_are_checked_together() -> None:
    x = checked(X)
    found = check_samples(x, np.arange(20), np.ones(20), cr.MeanSquaredError(), (1,))
    assert found.x is x
    assert found.y.shape == (20, 1)
    assert found.y.dtype == found.weight.dtype == FLOAT32
    assert len(found) == 20
    with pytest.raises(cr.InvalidShape, match="x holds 20 samples and y 19"):
        check_samples(x, np.arange(19), None, cr.MeanSquaredError(), (1,))
    with pytest.raises(cr.InvalidShape, match=r"sample_weight has shape \(19,\)"):
        check_samples(x, np.arange(20), np.ones(19), cr.MeanSquaredError(), (1,))


@pytest.mark.parametrize("weighted", [True, False])
def test_rows_are_copies_and_ranges_are_views(weighted: bool) -> None:
    all_of_them = samples(weighted=weighted)
    some = all_of_them.rows(np.array([3, 1]))
    assert some.x.ravel().tolist() == some.y.tolist() == [3, 1]
    assert not np.shares_memory(some.x, all_of_them.x)
    piece = all_of_them.row_range(4, 6)
    assert piece.y.tolist() == [4, 5]
    assert np.shares_memory(piece.x, all_of_them.x)
    assert (some.weight is None) == (piece.weight is None) == (not weighted)
    if some.weight is not None and piece.weight is not None:
        assert some.weight.tolist() == [4, 2]
        assert piece.weight.tolist() == [5, 6]


def test_a_split_sets_rows_aside_that_nobody_trains_on() -> None:
    rest, aside = samples(weighted=True).split(0.3, seed=0)
    assert (len(rest), len(aside)) == (14, 6)
    assert sorted([*rest.y, *aside.y]) == list(range(20))
    for part in (rest, aside):
        assert part.y.tolist() == sorted(part.y)  # the order of the rows stays
        assert part.x.ravel().tolist() == part.y.tolist()
        assert part.weight is not None
        assert part.weight.tolist() == [row + 1 for row in part.y]


def test_the_seed_decides_which() -> None:
    chosen = {seed: tuple(samples().split(0.3, seed)[1].y) for seed in (0, 1, 2, 3)}
    assert len(set(chosen.values())) == 4
    assert tuple(samples().split(0.3, 2)[1].y) == chosen[2]


@pytest.mark.parametrize(("count", "fraction"), [(1, 0.5), (3, 0.1), (4, 0.95)])
def test_a_split_that_leaves_one_part_empty_is_told(count: int, fraction: float) -> None:
    with pytest.raises(cr.InvalidData, match=f"of {count} samples leaves one part empty"):
        samples(count).split(fraction, seed=0)
