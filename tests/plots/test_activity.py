"""Feature maps: the numbers that are drawn, and the layers that can be chosen."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

import chainrule as cr
from chainrule import plots
from plots.image_networks import convolutions, drawn, image
from plots.reading import network, written


def test_feature_maps_are_what_the_trace_holds() -> None:
    net, x = convolutions(), image(9, 8, 1)
    axes = plots.feature_maps(net, x, at_most=3)
    trace = net.new_trace()
    net.feedforward(x[np.newaxis], trace)
    first = trace["layer 1"].a[0]
    shown = drawn(axes)
    assert len(shown) == 1 + 3 * 3
    np.testing.assert_array_equal(shown[0], x[..., 0])
    np.testing.assert_array_equal(shown[1:4], np.moveaxis(first, 2, 0)[:3])
    pooled = first[:6, :6].reshape(3, 2, 3, 2, 5).max(axis=(1, 3))
    np.testing.assert_array_equal(shown[4:7], np.moveaxis(pooled, 2, 0)[:3])
    clims = [one.get_clim() for one in axes.images[1:]]
    assert clims[0] == clims[1] == clims[2] == (-first.max(), first.max())
    assert axes.get_title() == "Feature maps, the first 3 of each layer"
    largest = f"largest {first.max():.3g}"
    assert written(axes)[:6] == ["Image", "9 × 8 × 1", "Layer 1", "Conv2D", "7 × 7 × 5", largest]


def test_layers_can_be_chosen_also_those_that_give_no_images() -> None:
    net, x = convolutions(), image(9, 8, 1)
    axes = plots.feature_maps(net, x, layers=[5])
    output = net.feedforward(x[np.newaxis])[0]
    np.testing.assert_array_equal(drawn(axes)[1:], output.reshape(3, 1, 1))
    assert axes.get_title() == "Feature maps"
    assert "Layer 5" in written(axes)


def test_in_feature_maps_nothing_is_dropped() -> None:
    net = network(cr.Dropout(0.9), inputs=(4, 4, 1))
    axes = plots.feature_maps(net, np.ones((4, 4, 1)))
    np.testing.assert_array_equal(drawn(axes)[1], np.ones((4, 4)))


def test_colours_and_bytes_are_drawn_as_they_are() -> None:
    coloured = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    axes = plots.feature_maps(convolutions(channels=3), coloured)
    np.testing.assert_allclose(drawn(axes)[0], coloured / 255, atol=1e-12)
    two = plots.feature_maps(convolutions(channels=2), 4 * image(9, 8, 2) - 2)
    assert drawn(two)[0].shape == (9, 8)
    assert 0 <= drawn(two)[0].min() < drawn(two)[0].max() <= 1


def test_feature_maps_that_cannot_be_drawn() -> None:
    net, x = convolutions(), image(9, 8, 1)
    with pytest.raises(cr.NotBuilt):
        plots.feature_maps(cr.NeuralNetwork(cr.Conv2D(2, 3)), x)
    with pytest.raises(cr.InvalidShape, match=r"image has shape \(9, 8, 3\)"):
        plots.feature_maps(net, image(9, 8, 3))
    with pytest.raises(cr.InvalidSetting, match="no layer 6; expected 1 to 5"):
        plots.feature_maps(net, x, layers=[1, 6])
    with pytest.raises(cr.InvalidSetting, match="A number in layers"):
        plots.feature_maps(net, x, layers=[0])
    with pytest.raises(cr.InvalidSetting, match="layers is empty"):
        plots.feature_maps(net, x, layers=[])
    with pytest.raises(cr.InvalidSetting, match=r"No layer.*layers=\[2\]"):
        plots.feature_maps(network(cr.Flatten(), cr.Dense(2), inputs=(9, 8, 1)), x)
    deep = network(cr.Reshape((3, 3, 2, 4)), inputs=(9, 8, 1))
    with pytest.raises(cr.InvalidSetting, match=r"Layer 1.*\(3, 3, 2, 4\).*three axes"):
        plots.feature_maps(deep, x, layers=[1])
    assert plt.get_fignums() == []
