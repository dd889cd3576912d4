"""Kernels: the weights that are drawn, their order and their words."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

import chainrule as cr
from chainrule import plots
from plots.image_networks import convolutions, drawn
from plots.reading import network, written


def test_the_first_convolution_has_a_picture_for_each_filter_on_one_scale() -> None:
    net = convolutions()
    axes = plots.kernels(net)
    weights = net.layers[0].weights
    assert len(axes.images) == 5
    for number, picture in enumerate(drawn(axes)):
        np.testing.assert_array_equal(picture, weights[:, :, 0, number])
    largest = np.abs(weights).max()
    assert {one.get_clim() for one in axes.images} == {(-largest, largest)}
    assert written(axes) == ["1", "2", "3", "4", "5"]
    assert axes.get_title() == "Layer 1, Conv2D: 5 kernels"
    assert axes.child_axes[0].get_ylim() == (-largest, largest)


def test_pictures_lie_upright_row_by_row() -> None:
    net = convolutions()
    axes = plots.kernels(net)
    extents = [one.get_extent() for one in axes.images]
    for left, right, bottom, top in extents:
        assert left < right
        assert top < bottom  # as the axes count: downwards
        assert (right - left) / (bottom - top) == pytest.approx(2 / 3)  # 3 x 2 weights
    tops, lefts = [extent[3] for extent in extents], [extent[0] for extent in extents]
    assert tops[0] == tops[1] == tops[2] < tops[3] == tops[4]
    assert lefts[0] == lefts[3] < lefts[1] == lefts[4] < lefts[2]


def test_kernels_over_red_green_and_blue_are_coloured() -> None:
    net = convolutions(channels=3)
    axes = plots.kernels(net)
    weights = net.layers[0].weights
    for number, picture in enumerate(drawn(axes)):
        np.testing.assert_allclose(picture, 0.5 + weights[..., number] / 2 / np.abs(weights).max())
    assert "grey is 0" in written(axes)[-1]
    assert axes.child_axes == []


def test_deeper_kernels_have_a_row_for_each_channel_and_a_column_for_each_filter() -> None:
    net = convolutions()
    inner = net.layers[2].layers[0]
    axes = plots.kernels(net, inner)
    expected = [inner.weights[:, :, row, column] for row in range(5) for column in range(4)]
    np.testing.assert_array_equal(drawn(axes), expected)
    assert axes.get_title() == "Layer 3.1, Conv2D: 20 kernels"
    assert written(axes)[:2] == ["Filter (of 4)", "Input channel (of 5)"]


@pytest.mark.parametrize(
    ("at_most", "rows", "columns"), [(1, 1, 1), (4, 2, 2), (16, 4, 4), (19, 4, 4), (20, 5, 4)]
)
def test_of_many_kernels_some_are_shown_and_the_title_says_so(
    at_most: int, rows: int, columns: int
) -> None:
    net = convolutions()
    axes = plots.kernels(net, net.layers[2].layers[0], at_most=at_most)
    assert len(axes.images) == rows * columns
    part = "20 kernels" if at_most == 20 else f"{rows * columns} of 20 kernels"
    assert axes.get_title().endswith(part)
    assert plots.kernels(net, 1, at_most=4).get_title() == "Layer 1, Conv2D: 4 of 5 kernels"


def test_other_convolutions_have_kernels_too() -> None:
    sequence = network(cr.Conv1D(2, 5), inputs=(9, 1))
    assert [one.shape for one in drawn(plots.kernels(sequence))] == [(1, 5), (1, 5)]
    transposed = network(cr.ConvTranspose2D(2, 3), inputs=(4, 4, 3))
    axes = plots.kernels(transposed)
    np.testing.assert_array_equal(drawn(axes)[1], transposed.layers[0].weights[:, :, 0, 1])
    assert written(axes)[:2] == ["Input channel (of 3)", "Filter (of 2)"]
    grouped = network(cr.Conv2D(4, 3, groups=2), inputs=(4, 4, 4))
    assert written(plots.kernels(grouped))[1] == "Input channel of the group (of 2)"


def test_kernels_of_zero_are_white() -> None:
    net = network(cr.Conv2D(2, 3, weights_initializer="zeros"), inputs=(4, 4, 1))
    assert plots.kernels(net).images[0].get_clim() == (-1, 1)


def test_kernels_that_cannot_be_drawn() -> None:
    net = convolutions()
    with pytest.raises(cr.NotBuilt, match=r"net\.build"):
        plots.kernels(cr.NeuralNetwork(cr.Conv2D(2, 3)))
    with pytest.raises(cr.InvalidSetting, match="no convolution"):
        plots.kernels(network(cr.Dense(2)))
    with pytest.raises(cr.InvalidSetting, match=r"Layer 5 is a Dense.*convolutions here: 1, 3\.1"):
        plots.kernels(net, 5)
    with pytest.raises(cr.InvalidSetting, match=r"Dense.*no kernels.*none"):
        plots.kernels(network(cr.Dense(2)), 1)
    for stranger in (6, 0, 1.5, cr.Conv2D(1, 1)):
        with pytest.raises(cr.InvalidSetting, match="is no layer of this network"):
            plots.kernels(net, stranger)  # type: ignore[arg-type] # the error tested
    with pytest.raises(cr.InvalidSetting, match="at_most"):
        plots.kernels(net, at_most=0)
    net.parameters[0] = np.inf
    with pytest.raises(cr.InvalidData, match="layer 1 hold NaN"):
        plots.kernels(net)
    assert plt.get_fignums() == []
