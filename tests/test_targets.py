"""What goes in as x and y: every usable form comes out the same, everything else is told."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.typing import ArrayLike

import chainrule as cr
from chainrule.layer import Shape
from chainrule.targets import check_targets, numeric_array, one_hot

SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")


class TestNumericArray:
    @pytest.mark.parametrize(
        "values",
        [
            [[1, 0], [0, 2]],
            [[1.0, 0.0], [0.0, 2.0]],
            ((1, False), (False, 2)),
            np.array([[1, 0], [0, 2]], dtype=np.uint8),
            np.array([[1, 0], [0, 2]], dtype=np.float16),
            np.array([[1, 0], [0, 2]], dtype=object),
            np.asfortranarray([[1.0, 0.0], [0.0, 2.0]]),
            np.array([[1, 9, 0], [0, 9, 2]])[:, ::2],
            pd.DataFrame({"a": [1, 0], "b": [0.0, 2.0]}),
        ],
        ids=lambda values: type(values).__name__,
    )
    @pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
    def test_numbers_of_any_kind(self, values: Any, dtype: np.dtype[Any]) -> None:
        array = numeric_array("x", values, dtype)
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, [[1, 0], [0, 2]])

    def test_an_array_that_fits_already_is_not_copied(self) -> None:
        array = np.ones((2, 3), dtype=np.float32)
        assert numeric_array("x", array, SINGLE) is array

    def test_a_single_number_keeps_its_shape(self) -> None:
        assert numeric_array("x", 3, SINGLE).shape == ()

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ([["a", "b"]], "x holds text; expected numbers"),
            ([[b"a"]], "x holds text"),
            ([["1", "2"]], "x holds text"),
            ([[1, "a"]], "x holds text"),
            (np.array([[1, "a"]], dtype=object), "x holds text \\('a'\\); expected numbers"),
            ([[{}]], "x holds objects that are not numbers"),
            ([[1j]], "x holds complex128 values"),
            ([np.datetime64("2020-01-01")], r"x holds datetime64\[D\] values"),
            ([date(2020, 1, 1)], "x holds objects that are not numbers"),
            (scipy.sparse.eye_array(3), "x is a sparse matrix; expected a dense array"),
            ([[1, float("nan")]], r"x holds nan at \[0, 1\] \(1 such values\)"),
            ([[1, None]], r"x holds nan at \[0, 1\]"),
            ([[float("inf"), float("nan")]], r"x holds inf at \[0, 0\] \(2 such values\)"),
            ([[1.0, 1e300]], r"x holds 1e\+300 at \[0, 1\], too large for float32"),
            (np.array([[1.0, 1e300]], dtype=object), "too large for float32"),
            ([[10**400]], "x holds"),
        ],
        ids=lambda given: str(given)[:30],
    )
    def test_everything_else_is_told(self, values: Any, message: str) -> None:
        with pytest.raises(cr.InvalidData, match=message):
            numeric_array("x", values, SINGLE)

    def test_rows_of_different_lengths(self) -> None:
        with pytest.raises(cr.InvalidShape, match="y has rows of different lengths"):
            numeric_array("y", [[1, 2], [3]], SINGLE)


class TestCheckTargets:
    @pytest.mark.parametrize(
        ("kind", "y", "output_shape", "expected"),
        [
            ("numbers", [1, 2], (1,), [[1], [2]]),  # (batch,) where there is one output
            ("numbers", [[1], [2]], (1,), [[1], [2]]),
            ("numbers", [[1, 2], [3, 4]], (2,), [[1, 2], [3, 4]]),
            ("numbers", [[[1, 2]]], (1, 2), [[[1, 2]]]),
            ("numbers", [[1, 2]], (2, 1), [[[1], [2]]]),
            ("probabilities", [True, False], (1,), [[1], [0]]),
            ("probabilities", [[0.2, 1.0]], (2,), [[0.2, 1.0]]),
            ("classes", [[0, 1, 0]], (3,), [[0, 1, 0]]),
            ("classes", [[0.5, 0.25, 0.25]], (3,), [[0.5, 0.25, 0.25]]),
            ("signs", [1, -1], (1,), [[1], [-1]]),
            ("counts", [0, 7], (1,), [[0], [7]]),
        ],
    )
    def test_usable_forms(
        self, kind: str, y: ArrayLike, output_shape: Shape, expected: ArrayLike
    ) -> None:
        checked = check_targets(kind, y, output_shape, SINGLE)
        assert checked.dtype == SINGLE
        np.testing.assert_array_equal(checked, np.array(expected, dtype=SINGLE))

    @pytest.mark.parametrize("labels", [[2, 0], [2.0, 0.0], np.array([2, 0], np.uint8)])
    def test_class_labels_stay_whole_numbers(self, labels: ArrayLike) -> None:
        checked = check_targets("classes", labels, (3,), SINGLE)
        assert checked.dtype == np.int64
        assert checked.tolist() == [2, 0]

    def test_a_label_for_each_pixel(self) -> None:
        checked = check_targets("classes", [[0, 1], [2, 1]], (2, 3), SINGLE)
        np.testing.assert_array_equal(one_hot(checked, 3, SINGLE)[1], [[0, 0, 1], [0, 1, 0]])

    @pytest.mark.parametrize(
        ("kind", "y", "output_shape", "error", "message"),
        [
            ("numbers", [[1, 2]], (1,), cr.InvalidShape, r"\(1, 2\).*\(batch, 1\).*layer 2 outp"),
            ("numbers", [1, 2], (2,), cr.InvalidShape, r"\(2,\).*\(batch, 2\).*layer 1 outputs"),
            ("numbers", 3.0, (1,), cr.InvalidShape, r"y has shape \(\)"),
            ("classes", [[0], [2]], (3,), cr.InvalidShape, r"one-hot rows.*Pass y.ravel\(\)"),
            ("classes", [0, 1, 2], (2, 2), cr.InvalidShape, "last layer 3 outputs"),
            ("classes", [[0, 1, 0]], (2,), cr.InvalidShape, "last layer 3 outputs"),
            ("classes", [0, 1], (1,), cr.InvalidShape, "has 1 output.*sigmoid_cross_entropy"),
            ("classes", [0, 3], (3,), cr.InvalidData, "label 3, but the network has 3 outputs"),
            ("classes", [0, -1], (3,), cr.InvalidData, "label -1.*Number the classes from 0"),
            ("classes", [0, 0.5], (3,), cr.InvalidData, "label 0.5; expected whole numbers from"),
            ("classes", [[0.5, 0.6]], (2,), cr.InvalidData, "A row of y sums to 1.1"),
            ("classes", [[0.5, 0.505]], (2,), cr.InvalidData, "A row of y sums to 1.005"),
            ("classes", [[1, 1, 0]], (3,), cr.InvalidData, "sums to 2.*sigmoid_cross_entropy"),
            ("classes", [[2, -1]], (2,), cr.InvalidData, "y holds 2; this loss expects values"),
            ("probabilities", [0, 2], (1,), cr.InvalidData, "y holds 2; .*softmax_cross_entropy"),
            ("probabilities", [-0.5], (1,), cr.InvalidData, "y holds -0.5"),
            ("signs", [0, 1], (1,), cr.InvalidData, r"y holds 0; .*2 \* y - 1"),
            ("counts", [3, -1], (1,), cr.InvalidData, "y holds -1; the Poisson loss"),
            ("numbers", [1.0, 1e300], (1,), cr.InvalidData, "too large for float32"),
            ("numbers", ["a", "b"], (1,), cr.InvalidData, "y holds text"),
        ],
    )
    def test_everything_else_is_told(
        self,
        kind: str,
        y: ArrayLike,
        output_shape: Shape,
        error: type[cr.ChainruleError],
        message: str,
    ) -> None:
        with pytest.raises(error, match=message):
            check_targets(kind, y, output_shape, SINGLE)

    def test_rounded_probabilities_may_miss_one_a_little(self) -> None:
        check_targets("classes", [[0.333, 0.333, 0.334], [0.3333, 0.3333, 0.3333]], (3,), SINGLE)


def test_one_hot() -> None:
    encoded = one_hot(np.array([2, 0]), 3, SINGLE)
    np.testing.assert_array_equal(encoded, [[0, 0, 1], [1, 0, 0]])
    assert encoded.dtype == SINGLE


def test_every_kind_of_target_a_loss_names_is_known() -> None:
    good = {"numbers": [[0.5, 3]], "counts": [[0, 3]], "signs": [[-1, 1]]}
    for name in cr.Loss.names():
        kind = cr.Loss.member(name).targets
        check_targets(kind, good.get(kind, [[0, 1]]), (2,), SINGLE)
