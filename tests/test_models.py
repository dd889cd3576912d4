"""Networks with a name: what they are made of, and that they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import models, saving
from chainrule.layer import Layer
from chainrule.layers import Conv2D, Dropout, Residual
from chainrule.models import MODELS, named

ALL = pytest.mark.parametrize("name", MODELS)


def kinds(layers: Any) -> list[str]:
    return [type(layer).__name__ for layer in layers]


def images(count: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square, whose quarter of the image is the class."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 100, (count, size, size, 1), dtype=np.uint8)
    y = random.integers(0, 4, count)
    half = size // 2
    for image, label in zip(x, y, strict=True):
        row, column = (label // 2) * half, (label % 2) * half
        image[row : row + half, column : column + half] += 120
    return x, y


def test_lenet5_is_the_one_of_1998() -> None:
    net = models.lenet5(inputs=(28, 28, 1))
    assert net.shapes[1:] == [
        (28, 28, 6),
        (14, 14, 6),
        (10, 10, 16),
        (5, 5, 16),
        (400,),
        (120,),
        (84,),
        (10,),
    ]
    assert len(net.parameters) == 61_706


def test_small_cnn() -> None:
    net = models.small_cnn(inputs=(28, 28, 1))
    assert kinds(net.layers) == [
        *["Conv2D", "MaxPool2D"] * 2,
        *["Flatten", "Dropout", "Dense"],
    ]
    assert net.shapes[5] == (7 * 7 * 64,)
    assert len(net.parameters) == 320 + 18_496 + 31_370
    dropout = models.small_cnn(dropout=0.25).layers[5]
    assert isinstance(dropout, Dropout)
    assert dropout.rate == 0.25


def test_mlp() -> None:
    assert len(models.mlp(inputs=(28, 28, 1)).parameters) == 101_770
    assert kinds(models.mlp(hidden=(8, 4)).layers) == ["Flatten", "Dense", "Dense", "Dense"]


def test_resnet8_has_eight_layers_with_weights_on_its_longest_way() -> None:
    net = models.resnet8(inputs=(28, 28, 1))
    along: list[Layer] = []
    for layer in net.layers:
        along += layer.layers if isinstance(layer, Residual) else [layer]
    assert sum(isinstance(layer, Conv2D | cr.Dense) for layer in along) == 8
    blocks = [shape for shape in net.shapes if len(shape) == 3]
    assert blocks[-3:] == [(28, 28, 16), (14, 14, 32), (7, 7, 64)]
    labels = [slot.label for slot in net.parameter_vector.slots]
    assert [label for label in labels if "projection" in label] == [
        "layer 5 projection_weights",
        "layer 6 projection_weights",
    ]
    assert models.resnet8(width=4, inputs=(28, 28, 1)).shapes[-2] == (16,)


@ALL
def test_it_learns_images_of_bytes(name: str) -> None:
    size = 14 if name == "lenet5" else 8
    x, y = images(96, size)
    settings = {"width": 4} if name == "resnet8" else {}
    net = named(name, 4, optimizer=cr.Adam(0.01), seed=1, **settings)
    net.fit(x, y, epochs=12, batch_size=16)
    test_x, test_y = images(50, size, seed=1)
    assert net.evaluate(test_x, test_y, metrics=["accuracy"])["accuracy"] >= 0.9


@ALL
def test_its_gradients_are_right(name: str) -> None:
    size = 14 if name == "lenet5" else 6
    x, y = images(3, size)
    settings = {"width": 2} if name == "resnet8" else {}
    net = named(name, 4, inputs=(size, size, 1), **settings)
    # Away from the shifts' starting value: at z = 0 itself ReLU has no derivative.
    net.parameters[...] += np.random.default_rng(0).normal(0, 0.1, len(net.parameters))
    assert net.check_gradients(x, y, at_most=12)


@ALL
def test_a_model_file_keeps_it(name: str, tmp_path: Any) -> None:
    net = named(name, 3, inputs=(16, 16, 3), optimizer="gradient_descent", seed=4)
    saving.save(net, tmp_path / "model.safetensors")
    again = saving.load(tmp_path / "model.safetensors").network
    assert repr(again) == repr(net)
    x = np.random.default_rng(0).random((2, 16, 16, 3))
    np.testing.assert_array_equal(again.predict(x), net.predict(x))


@ALL
def test_settings_are_those_of_a_network(name: str) -> None:
    net = named(name, 5, loss="softmax_cross_entropy", dtype="float64", seed=9, l2=0.1)
    assert (net.seed, net.l2, str(net.dtype)) == (9, 0.1, "float64")
    assert net.build((16, 16, 2)).output_shape == (5,)


def test_names() -> None:
    assert list(MODELS) == ["mlp", "lenet5", "small-cnn", "resnet8"]
    assert repr(named("small_cnn", 4)) == repr(named("small-cnn", 4)) == repr(models.small_cnn(4))
    with pytest.raises(cr.UnknownName, match=r"no model called 'lenet-5'. Did you mean 'lenet5'\?"):
        named("lenet-5", 10)
    with pytest.raises(cr.UnknownName, match=r"'vgg'. Known: mlp, lenet5, small-cnn, resnet8"):
        named("vgg", 10)
