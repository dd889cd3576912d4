"""The picture of the loss landscape: heights, lines, the path and the marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D

import chainrule as cr
from chainrule import plots
from chainrule.landscape import LossLandscape, loss_landscape
from chainrule.plane import Plane
from plots.reading import legend_of, network

X = np.random.default_rng(0).normal(size=(20, 2))
Y = X.sum(axis=1)


def landscape(losses: Any, **changes: Any) -> LossLandscape:
    """Make a landscape out of nothing but its heights."""
    heights = np.asarray(losses, dtype=np.float64)
    settings: dict[str, Any] = {
        "alphas": np.linspace(-1, 1, heights.shape[1]),
        "betas": np.linspace(-1, 1, heights.shape[0]),
        "plane": Plane(np.zeros(2), np.eye(2), "given"),
        "loss": 1.0,
        "loss_name": "mean squared error",
        "path": None,
        "steps": None,
        "shares": None,
        "share": None,
        "samples": 20,
        "samples_of": 20,
    }
    return LossLandscape(heights, **{**settings, **changes})


def bowl(low: float, high: float, points: int = 21) -> LossLandscape:
    side = np.linspace(-1, 1, points)
    return landscape(low + (high - low) * (side**2 + side[:, np.newaxis] ** 2) / 2)


def contours(axes: Axes) -> list[QuadContourSet]:
    return [drawn for drawn in axes.collections if isinstance(drawn, QuadContourSet)]


def line(axes: Axes, label: str) -> Line2D:
    (found,) = (line for line in axes.lines if str(line.get_label()).startswith(label))
    return found


def numbers(axes: Axes) -> list[float]:
    return [float(text.get_text()) for text in axes.texts]


# --- heights ----------------------------------------------------------------------------------


def test_the_shades_reach_from_the_lowest_to_the_highest_loss() -> None:
    shades, _ = contours(plots.loss_landscape(bowl(2, 8)))
    assert (shades.levels[0], shades.levels[-1]) == (2, 8)
    assert (shades.norm.vmin, shades.norm.vmax) == (2, 8)


def test_a_line_of_equal_loss_stands_where_the_loss_is_that() -> None:
    _, lines = contours(plots.loss_landscape(bowl(0, 8, points=201)))
    assert lines.levels.tolist() == [1, 2, 3, 4, 5, 6, 7]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        x, y = path.vertices.T
        np.testing.assert_allclose(4 * (x**2 + y**2), level, atol=1e-3)


def test_every_number_stands_on_its_line() -> None:
    axes = plots.loss_landscape(bowl(0, 8, points=201))
    assert len(axes.texts) >= 6
    for text in axes.texts:
        x, y = text.get_position()
        assert 4 * (x**2 + y**2) == pytest.approx(float(text.get_text()), abs=2e-3)


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [
        (1, 19, None),
        (0, 1000, None),
        (-1, 1000, None),
        (1, 30, [2, 5, 10, 20]),
        (0.001, 0.9, [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]),
        (0.0001, 5, [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]),
        (1e-8, 0.5, [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        (1e-20, 1e20, [1e-19, 1e-15, 1e-11, 1e-7, 1e-3, 1e1, 1e5, 1e9, 1e13, 1e17]),
    ],
)
def test_heights_over_a_wide_range_are_logarithms(
    low: float, high: float, levels: list[float] | None
) -> None:
    axes = plots.loss_landscape(bowl(low, high))
    beside = axes.child_axes[-1]
    assert ("logarithmic scale" in beside.get_ylabel()) == (levels is not None)
    if levels is not None:
        np.testing.assert_allclose(contours(axes)[1].levels, levels)
        axes.figure.canvas.draw()
        shown = [float(label.get_text()) for label in beside.get_yticklabels()]
        np.testing.assert_allclose(shown, levels)


def test_levels_close_together_are_told_apart() -> None:
    axes = plots.loss_landscape(bowl(1000.1, 1000.9))
    axes.figure.canvas.draw()
    shown = [label.get_text() for label in axes.child_axes[-1].get_yticklabels()]
    assert shown == ["1000.2", "1000.3", "1000.4", "1000.5", "1000.6", "1000.7", "1000.8"]
    assert len(set(numbers(axes))) == len(axes.texts)


def test_a_plain_has_a_colour_and_no_lines() -> None:
    axes = plots.loss_landscape(landscape(np.full((4, 4), 0.25)))
    assert len(contours(axes)) == 1
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.child_axes[-1].get_yticklabels()] == ["0.25"]


def test_points_without_a_finite_loss_are_grey_and_told() -> None:
    heights = np.ones((5, 5)) + np.arange(5)
    heights[:, 3:] = np.nan
    axes = plots.loss_landscape(landscape(heights))
    assert legend_of(axes)[-1] == "Not finite: 10 of 25 points"
    assert axes.get_facecolor()[:3] == pytest.approx([0xDD / 255] * 3)
    reached = max(path.vertices[:, 0].max() for path in contours(axes)[0].get_paths() if len(path))
    assert reached == pytest.approx(0)  # the third of five columns


def test_levels_that_no_line_reaches_have_no_number() -> None:
    """Two plains with nothing finite between them: no point of either has a loss of 2 to 4."""
    heights = np.full((5, 7), np.nan)
    heights[:, :2], heights[:, 5:] = 1, 5
    axes = plots.loss_landscape(landscape(heights))
    assert len(contours(axes)[1].levels) > 2
    assert not axes.texts


# --- places -----------------------------------------------------------------------------------


def test_the_path_its_ends_and_the_lowest_point() -> None:
    found = landscape(
        bowl(1, 4).losses + 0.1 * np.arange(21),
        path=np.array([[0.8, 0.7], [0.4, 0.1], [0.0, 0.0]]),
        steps=np.array([0, 600, 1200]),
        shares=(0.9, 0.08),
        share=0.98,
        plane=Plane(np.zeros(2), np.eye(2), "path"),
    )
    axes = plots.loss_landscape(found)
    assert found.path is not None
    np.testing.assert_array_equal(line(axes, "Training").get_xydata(), found.path)
    np.testing.assert_array_equal(line(axes, "Its start").get_xydata(), [[0.8, 0.7]])
    np.testing.assert_array_equal(line(axes, "Present").get_xydata(), [[0, 0]])
    alpha, beta, lowest = found.lowest
    assert lowest == found.losses.min()
    np.testing.assert_allclose(line(axes, "Lowest").get_xydata(), [[alpha, beta]])
    assert legend_of(axes) == [
        "Training, 1,200 iterations",
        "Its start",
        "Present parameters: loss 1",
        f"Lowest point of the grid: loss {lowest:.4g}",
    ]
    assert axes.get_xlabel() == "Principal component 1 of the path\n(90.0% of its variance)"
    assert axes.get_ylabel() == "Principal component 2 of the path\n(8.0% of its variance)"


def test_a_path_that_ends_elsewhere_says_where() -> None:
    path = np.array([[0.8, 0.7], [0.5, -0.5]])
    axes = plots.loss_landscape(
        landscape(
            bowl(1, 4).losses, path=path, share=0.02, plane=Plane(np.zeros(2), np.eye(2), "random")
        )
    )
    np.testing.assert_array_equal(line(axes, "Its end").get_xydata(), [[0.5, -0.5]])
    assert legend_of(axes)[0] == "Training (2% of its variance in this plane)"
    assert axes.get_xlabel() == "Random direction 1\n(1: as long as the weights)"


def test_a_line_drawn_through_many_moments_has_no_dots() -> None:
    for moments, marker in ((100, "."), (101, "None")):
        path = np.linspace([0.9, 0.9], [0, 0], moments)
        given = landscape(bowl(1, 4).losses, path=path, share=1.0)
        assert line(plots.loss_landscape(given), "Training").get_marker() == marker


@pytest.mark.parametrize("moments", [2, 60])
def test_numbers_keep_away_from_the_path(moments: int) -> None:
    path = np.column_stack([np.linspace(-0.9, 0.9, moments), np.zeros(moments)])
    axes = plots.loss_landscape(landscape(bowl(0, 8, 101).losses, path=path, share=1.0))
    assert len(axes.texts) >= 5
    for text in axes.texts:
        assert abs(text.get_position()[1]) > 0.09


def test_the_title_says_how_many_samples() -> None:
    axes = plots.loss_landscape(landscape(bowl(1, 4).losses, samples=1000, samples_of=60000))
    assert axes.get_title() == "Loss around the parameters (1,000 of 60,000 samples)"
    assert axes.get_xlabel() == "Direction 1"


@pytest.mark.parametrize(("width", "equal"), [(1.0, True), (2.9, True), (3.1, False)])
def test_distances_are_equal_in_all_directions_unless_that_is_too_long(
    width: float, equal: bool
) -> None:
    found = landscape(bowl(1, 4).losses, alphas=np.linspace(-width, width, 21))
    axes = plots.loss_landscape(found)
    assert (axes.get_aspect() == 1) == equal
    axes.figure.canvas.draw()
    assert axes.get_xlim() == (-width, width)
    assert axes.get_ylim() == (-1, 1)


# --- calls ------------------------------------------------------------------------------------


def test_a_measured_landscape_draws_itself() -> None:
    net = network(cr.Dense(3, "tanh"), cr.Dense(1))
    found = loss_landscape(net, X, Y, points=9)
    axes = found.plot()
    shades = contours(axes)[0]
    assert (shades.levels[0], shades.levels[-1]) == (found.losses.min(), found.losses.max())
    mine = plt.figure().subplots()
    assert found.plot(mine) is mine


def test_something_else_is_no_landscape() -> None:
    with pytest.raises(cr.InvalidSetting, match="Received list as landscape; expected what"):
        plots.loss_landscape([1, 2])
    assert plt.get_fignums() == []
