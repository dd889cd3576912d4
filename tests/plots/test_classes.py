"""The confusion matrix: its numbers, colours and names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt

import chainrule as cr
from chainrule import plots
from plots.reading import written


def test_confusion_writes_counts_and_colours_shares_of_the_row() -> None:
    axes = plots.confusion([[3, 1, 0], [0, 1234, 0], [0, 0, 0]], ["a", "b", "c"])
    assert written(axes) == ["3", "1", "0", "0", "1,234", "0", "0", "0", "0"]
    shares = axes.images[0].get_array()
    np.testing.assert_allclose(shares, [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    assert [text.get_color() for text in axes.texts[:3]] == ["white", "black", "black"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted class", "Actual class")


def test_confusion_takes_sums_of_weights_and_numbers_the_classes_from_0() -> None:
    axes = plots.confusion([[1.2345, 0], [0, 2]])
    assert written(axes) == ["1.23", "0", "0", "2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "1"]


def test_long_class_names_are_slanted() -> None:
    upright = plots.confusion(np.eye(2), ["yes", "no"]).get_xticklabels()[0].get_rotation()
    slanted = plots.confusion(np.eye(2), ["Adelie", "Gentoo"]).get_xticklabels()[0].get_rotation()
    assert (upright, slanted) == (0, 45)


def test_counts_are_written_smaller_where_fields_are_small() -> None:
    few, many = (plots.confusion(np.full((n, n), 12345)) for n in (2, 40))
    assert few.texts[0].get_fontsize() > 2 * many.texts[0].get_fontsize()


@pytest.mark.parametrize(
    ("matrix", "labels", "error", "message"),
    [
        ([[1, 2]], None, cr.InvalidShape, r"shape \(1, 2\).*\(classes, classes\)"),
        (np.zeros((0, 0)), None, cr.InvalidData, "empty"),
        ([[1, -2], [0, 1]], None, cr.InvalidData, "matrix holds -2"),
        ([[1, 2], [0, 1]], ["a"], cr.InvalidShape, "labels holds 1 names; expected 2.*class"),
    ],
)
def test_matrices_that_cannot_be_drawn(
    matrix: Any, labels: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.confusion(matrix, labels)
    assert plt.get_fignums() == []
