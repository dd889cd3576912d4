"""What an answer hangs on: gradients against finite differences, patches against brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import attribution

LAYERS = {
    "convolutions": lambda: (cr.Conv2D(4, 3, "tanh"), cr.MaxPool2D(2), cr.Flatten(), cr.Dense(3)),
    "residual": lambda: (
        cr.Conv2D(3, 3, padding="same", use_bias=False),
        cr.BatchNorm(),
        cr.Residual(cr.Conv2D(4, 3, "tanh", padding="same"), projection="auto"),
        cr.GlobalAveragePool(),
        cr.Dropout(0.5),
        cr.Dense(3),
    ),
    "dense layers": lambda: (cr.Flatten(), cr.Dense(5, "sigmoid"), cr.Dense(3)),
}


def classifier(
    *layers: cr.Layer, shape: tuple[int, ...] = (6, 7, 2), **settings: Any
) -> cr.NeuralNetwork:
    settings = {"loss": "softmax_cross_entropy", "dtype": "float64", "inputs": shape, **settings}
    return cr.NeuralNetwork(*layers, **settings)


def image(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).random(shape or (6, 7, 2))


def one_output() -> cr.NeuralNetwork:
    return classifier(cr.Flatten(), cr.Dense(1), loss="sigmoid_cross_entropy")


@pytest.mark.parametrize("layers", LAYERS.values(), ids=list(LAYERS))
@pytest.mark.parametrize("target", [0, 2])
def test_the_gradient_is_the_finite_difference_of_the_logit(layers: Any, target: int) -> None:
    net, x, step = classifier(*layers()), image(), 1e-6
    found = attribution.input_gradient(net, x, target)
    assert found.shape == x.shape
    expected = np.empty_like(x)
    for place in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[place] += step
        below[place] -= step
        logits = net.feedforward(np.stack([above, below]))[:, target]
        expected[place] = (logits[0] - logits[1]) / (2 * step)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_without_target_the_predicted_class_is_asked_about() -> None:
    net, x = classifier(*LAYERS["convolutions"]()), image()
    predicted = int(net.predict_classes(x[np.newaxis])[0])
    found = attribution.input_gradient(net, x)
    np.testing.assert_array_equal(found, attribution.input_gradient(net, x, predicted))
    falls = attribution.occlusion_falls(net, x)
    np.testing.assert_array_equal(falls, attribution.occlusion_falls(net, x, predicted))


def test_one_output_speaks_for_two_classes() -> None:
    net, x = one_output(), image()
    weights = net.layers[1].weights.reshape(x.shape)
    np.testing.assert_allclose(attribution.input_gradient(net, x, 1), weights)
    np.testing.assert_allclose(attribution.input_gradient(net, x, 0), -weights)
    for_one, for_other = (attribution.occlusion_falls(net, x, number) for number in (0, 1))
    np.testing.assert_allclose(for_one, -for_other, atol=1e-12)


def test_bytes_are_scaled_as_the_network_scales_them() -> None:
    net = classifier(*LAYERS["convolutions"](), dtype="float32")
    whole = np.random.default_rng(1).integers(0, 256, (6, 7, 2), dtype=np.uint8)
    for function in (attribution.input_gradient, attribution.occlusion_falls):
        from_bytes, from_numbers = function(net, whole), function(net, whole / np.float32(255))
        np.testing.assert_allclose(from_bytes, from_numbers, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("patch", "stride", "cells"),
    [(3, 1, (6, 7)), (3, 2, (3, 4)), (4, 3, (2, 3)), (1, 6, (1, 2)), (None, None, (6, 7))],
)
def test_falls_are_those_of_covering_one_place_after_the_other(
    patch: int | None, stride: int | None, cells: tuple[int, int]
) -> None:
    net, x = classifier(*LAYERS["convolutions"]()), image()
    found = attribution.occlusion_falls(net, x, 1, patch=patch, stride=stride, grey=0.25)
    assert found.shape == cells
    patch, stride = patch or 1, stride or 1  # a quarter of 6, and half of that
    whole = net.predict(x[np.newaxis])[0, 1]
    for row, column in np.ndindex(cells):
        covered = x.copy()
        top, left = (number * stride + (stride - patch) // 2 for number in (row, column))
        for i in range(top, top + patch):
            for j in range(left, left + patch):
                if 0 <= i < 6 and 0 <= j < 7:
                    covered[i, j] = 0.25
        fall = whole - net.predict(covered[np.newaxis])[0, 1]
        assert found[row, column] == pytest.approx(fall, abs=1e-12)


def test_many_places_are_covered_in_pieces() -> None:
    """Only the middle pixel counts, so only the patches over it take anything: a 3 x 3 square."""
    net = classifier(cr.Flatten(), cr.Dense(2), shape=(21, 21, 1))
    weights = np.zeros((441, 2))
    weights[220, 0] = 5
    net.layers[1].weights = weights
    falls = attribution.occlusion_falls(net, np.ones((21, 21, 1)), 0, patch=3, stride=1)
    expected = np.zeros((21, 21))
    expected[9:12, 9:12] = 1 / (1 + np.exp(-5)) - 1 / (1 + np.exp(-2.5))
    np.testing.assert_allclose(falls, expected, atol=1e-12)


def test_the_network_and_the_image_stay_as_they_are() -> None:
    net, x = classifier(*LAYERS["residual"]()), image()
    parameters, before = net.parameter_vector.storage.copy(), x.copy()
    attribution.input_gradient(net, x)
    attribution.occlusion_falls(net, x)
    np.testing.assert_array_equal(net.parameter_vector.storage, parameters)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("function", [attribution.input_gradient, attribution.occlusion_falls])
def test_what_cannot_be_asked(function: Any) -> None:
    net = classifier(*LAYERS["convolutions"]())
    with pytest.raises(cr.NotBuilt, match=r"net\.fit"):
        function(cr.NeuralNetwork(cr.Flatten(), cr.Dense(2)), image())
    with pytest.raises(cr.InvalidShape, match=r"shape \(42,\); expected one for images"):
        function(classifier(cr.Dense(2), shape=(42,)), image(42))
    with pytest.raises(cr.InvalidShape, match=r"image has shape \(6, 6, 2\); expected \(6, 7, 2\)"):
        function(net, image(6, 6, 2))
    with pytest.raises(cr.InvalidShape, match=r"images\[0\]"):
        function(net, image(1, 6, 7, 2))
    grey = classifier(cr.Flatten(), cr.Dense(2), shape=(6, 7, 1))
    with pytest.raises(cr.InvalidShape, match=r"image\[\.\.\., np\.newaxis\]"):
        function(grey, image(6, 7))
    with pytest.raises(cr.InvalidData, match="image holds nan"):
        function(net, np.full((6, 7, 2), np.nan))
    with pytest.raises(cr.InvalidSetting, match=r"target received 3; expected a class.*0 to 2"):
        function(net, image(), 3)
    with pytest.raises(cr.InvalidSetting, match="target must be a whole number of at least 0"):
        function(net, image(), -1)
    with pytest.raises(cr.InvalidSetting, match=r"target received 2.*0 to 1"):
        function(one_output(), image(), 2)
    with pytest.raises(cr.InvalidSetting, match=r"mean_squared_error.*no probabilities"):
        function(classifier(cr.Flatten(), cr.Dense(2), loss="mean_squared_error"), image())
    with pytest.raises(cr.InvalidShape, match=r"outputs of shape \(6, 7, 3\)"):
        function(classifier(cr.Conv2D(3, 1)), image())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch": 0}, "patch must be a whole number of at least 1"),
        ({"patch": 7}, "patch received 7 pixels for an image of 6 x 7; expected at most 6"),
        ({"stride": 1.5}, "stride must be a whole number"),
        ({"stride": 7}, "stride received 7 pixels"),
        ({"grey": np.nan}, "grey must be a finite number"),
    ],
)
def test_patches_that_cannot_be_laid(settings: dict[str, Any], message: str) -> None:
    net = classifier(*LAYERS["convolutions"]())
    with pytest.raises(cr.InvalidSetting, match=message):
        attribution.occlusion_falls(net, image(), **settings)
