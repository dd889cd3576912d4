"""Mistakes, saliency and occlusion; and what is true of every picture of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import chainrule as cr
from chainrule import attribution, plots
from plots import test_every_picture as every
from plots.reading import network, written

X = np.random.default_rng(0).random((30, 8, 6, 1))


def by_brightness(classes: int = 2) -> cr.NeuralNetwork:
    """The logit of class 1 is ten times the first pixel, less 5; those of the others are 0."""
    net = network(cr.Flatten(), cr.Dense(classes), inputs=(8, 6, 1), loss="softmax_cross_entropy")
    weights = np.zeros((48, classes))
    weights[0, 1] = 10
    net.layers[1].weights = weights
    net.layers[1].bias = np.where(np.arange(classes) == 1, -5, 0)
    return net


def convolutional(shape: tuple[int, ...] = (8, 6, 1), classes: int = 3) -> cr.NeuralNetwork:
    return network(
        cr.Conv2D(20, 3, "tanh"),
        cr.MaxPool2D(2),
        cr.Conv2D(12, 2),
        cr.Flatten(),
        cr.Dense(classes),
        inputs=shape,
        loss="softmax_cross_entropy",
    )


def test_the_surest_mistakes_come_first() -> None:
    net = by_brightness()
    labels = net.predict_classes(X)
    wrong = [3, 7, 21]
    labels[wrong] = 1 - labels[wrong]
    probabilities = net.predict(X)
    order = sorted(wrong, key=lambda sample: -probabilities[sample].max())
    axes = plots.mistakes(net, X, labels, names=["dark", "bright"])
    shown = [np.asarray(one.get_array()) for one in axes.images]
    np.testing.assert_array_equal(shown, X[order][..., 0])
    first = order[0]
    predicted = ["dark", "bright"][probabilities[first].argmax()]
    actual = ["dark", "bright"][labels[first]]
    words = [f"{predicted}, {100 * probabilities[first].max():.1f} %", f"actual: {actual}"]
    assert written(axes)[1:3] == words
    assert axes.get_title() == "3 mistakes in 30 images, surest first"
    fewer = plots.mistakes(net, X, labels, at_most=2)
    assert fewer.get_title() == "The 2 most confident of 3 mistakes in 30 images"
    assert len(fewer.images) == 2
    assert written(fewer)[2] == f"actual: {labels[first]}"


def test_labels_can_be_one_hot_and_images_bytes() -> None:
    net = by_brightness()
    whole = (X * 255).astype(np.uint8)
    labels = 1 - net.predict_classes(whole)
    one, other = plots.mistakes(net, whole, labels), plots.mistakes(net, whole, np.eye(2)[labels])
    assert written(one) == written(other)
    shown = np.asarray(one.images[0].get_array())
    assert (np.abs(whole[..., 0] / 255 - shown).max(axis=(1, 2)) < 1e-12).sum() == 1


def test_one_output_stands_for_two_classes() -> None:
    net = network(cr.Flatten(), cr.Dense(1), inputs=(8, 6, 1), loss="sigmoid_cross_entropy")
    wrong = 1 - net.predict_classes(X)
    axes = plots.mistakes(net, X, wrong, names=["no", "yes"], at_most=1)
    probability = net.predict(X)[:, 0]
    surest = np.abs(probability - 0.5).argmax()
    np.testing.assert_array_equal(axes.images[0].get_array(), X[surest, ..., 0])
    assert written(axes)[2] == f"actual: {['no', 'yes'][wrong[surest]]}"


def test_no_mistakes_are_told() -> None:
    net = by_brightness()
    axes = plots.mistakes(net, X, net.predict_classes(X))
    assert axes.get_title() == "Most confident mistakes"
    assert written(axes) == ["No mistakes in 30 images."]
    one = plots.mistakes(net, X[:1], 1 - net.predict_classes(X[:1]))
    assert one.get_title() == "1 mistake in 1 image"


def test_what_is_not_quite_certain_is_not_called_so() -> None:
    net = by_brightness()
    net.layers[1].weights = 100 * net.layers[1].weights
    net.layers[1].bias = [0, 0]
    bright = np.ones((1, 8, 6, 1))
    assert written(plots.mistakes(net, bright, [0]))[1] == "1, 100.0 %"
    net.layers[1].weights = net.layers[1].weights / 100
    assert written(plots.mistakes(net, bright, [0]))[1] == "1, > 99.9 %"


@pytest.mark.parametrize(
    ("labels", "options", "error", "message"),
    [
        (np.zeros(29), {}, cr.InvalidShape, r"labels has shape \(29,\).*\(30,\)"),
        (np.full(30, 2), {}, cr.InvalidData, "labels holds 2; expected classes.*0 to 1"),
        (np.full(30, 0.5), {}, cr.InvalidData, "labels holds 0.5"),
        (np.zeros(30), {"names": ["a"]}, cr.InvalidShape, "names holds 1 names; expected 2"),
        (np.zeros(30), {"at_most": 0}, cr.InvalidSetting, "at_most"),
    ],
)
def test_labels_that_do_not_fit(
    labels: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.mistakes(by_brightness(), X, labels, **options)
    assert plt.get_fignums() == []


def test_networks_and_images_without_mistakes_to_draw() -> None:
    labels = np.zeros(30)
    with pytest.raises(cr.NotBuilt):
        plots.mistakes(cr.NeuralNetwork(cr.Flatten(), cr.Dense(2)), X, labels)
    with pytest.raises(cr.InvalidShape, match=r"\(30, 8, 6\); expected \(batch, 8, 6, 1\)"):
        plots.mistakes(by_brightness(), X[..., 0], labels)
    regression = network(cr.Flatten(), cr.Dense(1), inputs=(8, 6, 1))
    with pytest.raises(cr.InvalidSetting, match="no probabilities"):
        plots.mistakes(regression, X, labels)


def test_saliency_draws_the_largest_gradient_of_the_channels_beside_the_image() -> None:
    net, image = convolutional((8, 6, 3)), np.random.default_rng(1).random((8, 6, 3))
    axes = plots.saliency(net, image, target=2)
    shown, size = axes.images
    np.testing.assert_array_equal(shown.get_array(), image)
    gradient = attribution.input_gradient(net, image, 2)
    np.testing.assert_array_equal(size.get_array(), np.abs(gradient).max(axis=2))
    assert size.get_clim() == (0, np.abs(gradient).max())
    probability = 100 * net.predict(image[np.newaxis])[0, 2]
    assert axes.get_title() == f"Saliency: class 2 ({probability:.1f} %)"
    assert axes.child_axes[0].get_ylabel() == "|∂ logit / ∂ pixel|"
    named = plots.saliency(net, image, target=2, names=["a", "b", "c"])
    assert named.get_title() == f"Saliency: c ({probability:.1f} %)"


def test_occlusion_draws_falls_pixel_by_pixel_and_the_patch_that_takes_most() -> None:
    net = by_brightness()
    axes = plots.occlusion(net, np.ones((8, 6, 1)), patch=3, stride=2)
    falls = attribution.occlusion_falls(net, np.ones((8, 6, 1)), patch=3, stride=2)
    pixels = np.asarray(axes.images[1].get_array())
    assert pixels.shape == (8, 6)
    for row, column in np.ndindex(8, 6):
        assert pixels[row, column] == falls[row // 2, column // 2]
    assert axes.images[1].get_clim() == (-falls.max(), falls.max())
    left, right, _, top = axes.images[0].get_extent()
    pixel = (right - left) / 6
    dashes = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_linestyle() == "--"]
    assert len(dashes) == 1
    # The patch of the first cell starts one pixel above and left of the image, and is cut there.
    place = np.divide([dashes[0].get_x() - left, dashes[0].get_y() - top], pixel)
    np.testing.assert_allclose(place, [0, 0], atol=1e-9)
    assert dashes[0].get_width() / pixel == pytest.approx(2)
    assert dashes[0].get_height() / pixel == pytest.approx(2)


def test_where_nothing_falls_no_patch_is_drawn() -> None:
    net = by_brightness()
    axes = plots.occlusion(net, np.full((8, 6, 1), 0.5), target=1)
    assert not any(patch.get_linestyle() == "--" for patch in axes.patches)
    assert "Image" in written(axes)
    assert axes.images[1].get_clim() == (-1, 1)


@pytest.mark.parametrize("draw", [plots.saliency, plots.occlusion])
def test_images_whose_class_cannot_be_looked_for(draw: Callable[..., Axes]) -> None:
    net = convolutional()
    with pytest.raises(cr.NotBuilt):
        draw(cr.NeuralNetwork(cr.Flatten(), cr.Dense(2)), X[0])
    with pytest.raises(cr.InvalidShape, match=r"image has shape \(30, 8, 6, 1\).*images\[0\]"):
        draw(net, X)
    with pytest.raises(cr.InvalidSetting, match="target received 3"):
        draw(net, X[0], target=3)
    with pytest.raises(cr.InvalidShape, match="names holds 2"):
        draw(net, X[0], names=["a", "b"])
    with pytest.raises(cr.InvalidSetting, match="no probabilities"):
        draw(network(cr.Flatten(), cr.Dense(2), inputs=(8, 6, 1)), X[0])
    with pytest.raises(cr.InvalidSetting, match="patch received 9"):
        plots.occlusion(net, X[0], patch=9)
    assert plt.get_fignums() == []


LONG = ["a name much too long", "W" * 20, "$x^$"]
PICTURES: dict[str, Callable[..., Axes]] = {
    "kernels": lambda **axes: plots.kernels(convolutional(), **axes),
    "one kernel": lambda **axes: plots.kernels(convolutional(), at_most=1, **axes),
    "kernels of pairs": lambda **axes: plots.kernels(convolutional(), 3, **axes),
    "kernels of a pair": lambda **axes: plots.kernels(convolutional(), 3, at_most=1, **axes),
    "kernels of many pairs": lambda **axes: plots.kernels(convolutional(), 3, at_most=240, **axes),
    "coloured kernels": lambda **axes: plots.kernels(convolutional((8, 6, 3)), **axes),
    "feature maps": lambda **axes: plots.feature_maps(convolutional(), X[0], **axes),
    "one feature map": lambda **axes: plots.feature_maps(
        convolutional(), X[0], layers=[5], at_most=1, **axes
    ),
    "all layers": lambda **axes: plots.feature_maps(
        convolutional(), X[0], layers=[1, 2, 3, 4, 5], at_most=40, **axes
    ),
    "mistakes": lambda **axes: plots.mistakes(convolutional(), X, np.zeros(30), names=LONG, **axes),
    "one mistake": lambda **axes: plots.mistakes(
        convolutional(), X, np.zeros(30), names=LONG, at_most=1, **axes
    ),
    "no mistakes": lambda **axes: plots.mistakes(
        by_brightness(), X, by_brightness().predict_classes(X), **axes
    ),
    "saliency": lambda **axes: plots.saliency(convolutional(), X[0], target=1, names=LONG, **axes),
    "occlusion": lambda **axes: plots.occlusion(
        convolutional((24, 6, 3)), np.ones((24, 6, 3)), target=1, names=LONG, **axes
    ),
}
every_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=list(PICTURES))


@every_picture
@pytest.mark.parametrize(
    "check",
    [
        every.test_nothing_is_cut_off,
        every.test_no_words_overlap,
        every.test_every_picture_goes_where_it_is_told,
        every.test_axes_must_be_axes,
    ],
)
def test_what_is_true_of_every_picture(
    check: Callable[[Callable[..., Axes]], None], draw: Callable[..., Axes]
) -> None:
    check(draw)


@every_picture
def test_small_pictures_cover_neither_each_other_nor_words(draw: Callable[..., Axes]) -> None:
    axes = draw()
    axes.figure.canvas.draw()
    boxes = [one.get_window_extent() for one in (*axes.images, *axes.texts, axes.title)]
    for number, first in enumerate(boxes):
        for second in boxes[:number]:
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            down = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert min(across, down) < 0.01


@every_picture
def test_every_picture_can_be_saved(draw: Callable[..., Axes], tmp_path: Path) -> None:
    path = plots.save(draw(), tmp_path / "picture.png")
    assert path.stat().st_size > 3000
    assert plt.get_fignums() == []


def test_the_scale_of_colours_fits_beside_the_smallest_picture() -> None:
    for name in ("one kernel", "kernels of a pair", "one feature map"):
        axes = PICTURES[name]()
        axes.figure.canvas.draw()
        scale = axes.child_axes[0]
        label = scale.yaxis.label.get_window_extent()
        assert label.height <= axes.figure.bbox.height
        assert label.y0 >= 0
