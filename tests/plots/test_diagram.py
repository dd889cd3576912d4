"""The network diagram: circles, lines, boxes and words."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

import chainrule as cr
from chainrule import plots
from chainrule.plots.canvas import BLUE, VERMILION
from plots.reading import legend_of, network, written


class Flatten(cr.Layer, register=False):
    """A layer of another shape, and not a weighted sum."""

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (int(np.prod(input_shape)),)


class Square(cr.Layer, register=False):
    """A layer whose samples are no row of numbers."""

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (2, 2)


def weight_lines(axes: Axes) -> list[LineCollection]:
    return [lines for lines in axes.collections if isinstance(lines, LineCollection)]


def test_a_circle_for_each_unit_and_a_line_for_each_weight() -> None:
    net = network(cr.Dense(4, "sigmoid"), cr.Dense(1, "tanh"), inputs=3)
    axes = plots.network_diagram(net)
    assert sum(isinstance(patch, Circle) for patch in axes.patches) == 3 + 4 + 1
    assert [len(lines.get_segments()) for lines in weight_lines(axes)] == [12, 4]
    assert written(axes) == [
        *("Inputs", "3"),
        *("Layer 1", "Dense", "4 units", "sigmoid"),
        *("Layer 2", "Dense", "1 unit", "tanh"),
    ]
    assert axes.get_title() == "Network of 21 parameters"


def test_colour_is_the_sign_and_width_the_size_on_one_scale() -> None:
    net = network(cr.Dense(2, use_bias=False), cr.Dense(1, use_bias=False), inputs=1)
    net.layers[0].weights, net.layers[1].weights = [[-4, 2]], [[1], [0]]
    axes = plots.network_diagram(net)
    first, second = weight_lines(axes)
    top, bottom = 0.31, -0.31  # half the largest distance between units
    ends = [segment[1, 1] for segment in first.get_segments()]
    np.testing.assert_allclose(ends, [bottom, top])  # the larger one is drawn last, over the other
    colours = [to_rgba(c)[:3] for c in first.get_colors()]
    assert colours == [to_rgba(BLUE)[:3], to_rgba(VERMILION)[:3]]
    np.testing.assert_allclose(first.get_linewidths(), [0.3 + 3 * 2 / 4, 0.3 + 3 * 4 / 4])
    np.testing.assert_allclose(second.get_linewidths(), [0.3, 0.3 + 3 * 1 / 4])
    assert legend_of(axes) == ["Positive weight", "Negative weight", "Size 4, the largest"]


@pytest.mark.parametrize(("count", "shown"), [(12, 12), (13, 12), (784, 12)])
def test_a_large_layer_shows_its_first_and_last_units(count: int, shown: int) -> None:
    net = network(cr.Dense(1), inputs=count)
    net.layers[0].weights = -np.ones((count, 1))
    net.layers[0].weights[[0, 5, -6, -1]] = 1  # the ends of what is shown
    axes = plots.network_diagram(net)
    assert sum(isinstance(patch, Circle) for patch in axes.patches) == shown + 1
    assert len(axes.lines) == (count > shown)  # the dots
    positive = [to_rgba(c)[:3] == to_rgba(BLUE)[:3] for c in weight_lines(axes)[0].get_colors()]
    assert (len(positive), sum(positive)) == (12, 4)


def test_other_layers_are_boxes() -> None:
    net = network(Flatten(), cr.Dense(2, cr.PReLU()), cr.Softmax(), inputs=(2, 2, 1))
    axes = plots.network_diagram(net)
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == 3
    assert {"samples", "Flatten", "Softmax", "2 × 2 × 1", "prelu"} <= set(written(axes))
    assert [len(lines.get_segments()) for lines in weight_lines(axes)] == [8]


def test_lines_into_a_lower_box_end_on_it() -> None:
    axes = plots.network_diagram(network(cr.Dense(12), Square(), inputs=1))
    box = next(patch for patch in axes.patches if isinstance(patch, Rectangle))
    assert len(axes.lines) == 12
    for line in axes.lines:
        assert box.get_y() < line.get_ydata()[1] < box.get_y() + box.get_height()


def test_weights_of_zero_are_drawn_without_a_scale() -> None:
    net = network(cr.Dense(2, weights_initializer="zeros"))
    axes = plots.network_diagram(net)
    assert len(weight_lines(axes)[0].get_segments()) == 4
    assert legend_of(axes) == []


@pytest.mark.parametrize("units", [1, 4, 12, 30])
def test_an_inch_of_the_plan_is_an_inch_of_the_picture(units: int) -> None:
    axes = plots.network_diagram(network(cr.Dense(units), cr.Dense(1)))
    axes.figure.canvas.draw()
    pixels = axes.transData.transform([[0, 0], [1, 1]])
    np.testing.assert_allclose((pixels[1] - pixels[0]) / axes.figure.dpi, 1, atol=0.03)


def test_text_shrinks_with_the_axes_it_is_given() -> None:
    net = network(cr.Dense(3), cr.Dense(2))
    own = plots.network_diagram(net)
    given = Figure(figsize=(4, 3)).subplots()
    assert plots.network_diagram(net, axes=given) is given
    assert given.texts[0].get_fontsize() < own.texts[0].get_fontsize()


def test_networks_that_cannot_be_drawn() -> None:
    with pytest.raises(cr.NotBuilt, match=r"net\.build"):
        plots.network_diagram(cr.NeuralNetwork(cr.Dense(1)))
    with pytest.raises(cr.InvalidSetting, match=r"max_units.*at least 2"):
        plots.network_diagram(network(cr.Dense(1)), max_units=1)
    broken = network(cr.Dense(2), cr.Dense(1))
    broken.parameters[-2] = np.nan
    with pytest.raises(cr.InvalidData, match="layer 2 hold NaN"):
        plots.network_diagram(broken)
    assert plt.get_fignums() == []
