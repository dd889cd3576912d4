"""The images that all works on convolutional networks share: Fashion-MNIST, or made-up ones."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule import data
from chainrule.errors import UnreadableFile

SIZE, CLASSES = 28, 10
SHAPE = (SIZE, SIZE, 1)
TRAINING_IMAGES, TEST_IMAGES = 60_000, 1_000

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Data:
    """Bytes (images, 28, 28, 1), uint8, and classes (images,), int64."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array


@functools.cache
def images() -> Data:
    """Fashion-MNIST where its files are found, else images of ten blurred patterns in noise."""
    try:
        training, test = data.fashion_mnist(), data.fashion_mnist("test")
    except UnreadableFile:
        return _made_up()
    return Data(training.x, training.y, test.x[:TEST_IMAGES], test.y[:TEST_IMAGES])


def source() -> str:
    """Say which images they are."""
    try:
        data.fashion_mnist("test")
    except UnreadableFile:
        return "made up (Fashion-MNIST is not installed)"
    return "Fashion-MNIST"


def scaled(x: Array) -> Array:
    """Bytes as float32 from 0 to 1."""
    return x.astype(np.float32) / np.float32(255)


def _made_up() -> Data:
    random = np.random.default_rng(0)
    coarse = random.uniform(0, 130, (CLASSES, 7, 7, 1))
    patterns = coarse.repeat(4, axis=1).repeat(4, axis=2)
    count = TRAINING_IMAGES + TEST_IMAGES
    y = random.integers(0, CLASSES, count)
    x = random.integers(0, 126, (count, *SHAPE), dtype=np.uint8)
    for start in range(0, count, 1000):
        piece = slice(start, start + 1000)
        x[piece] += patterns[y[piece]].astype(np.uint8)
    return Data(x[:TRAINING_IMAGES], y[:TRAINING_IMAGES], x[TRAINING_IMAGES:], y[TRAINING_IMAGES:])
