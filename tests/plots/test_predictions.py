"""Predictions beside actual values, as rows and as a cloud."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt

import chainrule as cr
from chainrule import plots
from plots.reading import legend_of


def test_few_rows_stand_one_under_the_other() -> None:
    axes = plots.predictions_against_actual([0, 1, 1], np.array([[0.1], [0.9], [0.8]]))
    rings, dots = axes.lines
    np.testing.assert_array_equal(rings.get_xydata(), [[0, 0], [1, 1], [1, 2]])
    np.testing.assert_allclose(dots.get_xydata(), [[0.1, 0], [0.9, 1], [0.8, 2]])
    assert rings.get_markersize() > dots.get_markersize()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "2", "3"]
    bottom, top = axes.get_ylim()
    assert bottom > top  # the first row is on top
    assert legend_of(axes) == ["Actual value", "Prediction"]


def test_rows_can_have_names_with_any_characters() -> None:
    names = ["cost in $ or in x^$", "a name much too long to stand beside a picture"]
    axes = plots.predictions_against_actual([1, 2], [1, 2], labels=names)
    axes.figure.canvas.draw()
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == ["cost in $ or in x^$", "a name much too long to sta…"]


def test_many_rows_become_a_cloud_about_the_diagonal() -> None:
    y = np.linspace(-5, 5, 21)
    axes = plots.predictions_against_actual(y, y[::-1])
    cloud, diagonal = axes.lines
    np.testing.assert_array_equal(cloud.get_xydata(), np.stack([y, y[::-1]], axis=1))
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert axes.get_xlim() == axes.get_ylim() == pytest.approx((-5.5, 5.5))
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Actual value", "Prediction")


def test_only_a_large_cloud_becomes_an_image() -> None:
    small, large = (plots.predictions_against_actual(np.zeros(n), np.ones(n)) for n in (5000, 5001))
    assert not small.lines[0].get_rasterized()
    assert large.lines[0].get_rasterized()


def test_equal_values_leave_room_around_them() -> None:
    axes = plots.predictions_against_actual(np.ones(30), np.ones(30))
    assert axes.get_xlim() == pytest.approx((0.95, 1.05))


@pytest.mark.parametrize(
    ("y", "predictions", "labels", "error", "message"),
    [
        ([], [], None, cr.InvalidData, "y holds no rows"),
        ([1, 2], [1], None, cr.InvalidShape, "y holds 2 rows and predictions 1"),
        ([1, 2], [[1, 2], [3, 4]], None, cr.InvalidShape, r"predictions\[:, 0\]"),
        (["cat"], [1], None, cr.InvalidData, "y holds text"),
        ([1], [np.nan], None, cr.InvalidData, "predictions holds nan"),
        ([1, 2], [1, 2], ["one"], cr.InvalidShape, "labels holds 1 names; expected 2.*row"),
    ],
)
def test_predictions_that_cannot_be_drawn(
    y: Any, predictions: Any, labels: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.predictions_against_actual(y, predictions, labels=labels)
    assert plt.get_fignums() == []
