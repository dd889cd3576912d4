"""A network for images, images for it, and what a mosaic holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

import chainrule as cr
from plots.reading import network


def drawn(axes: Axes) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(image.get_array()) for image in axes.images]


def convolutions(channels: int = 1) -> cr.NeuralNetwork:
    return network(
        cr.Conv2D(5, (3, 2), "relu"),
        cr.MaxPool2D(2),
        cr.Residual(cr.Conv2D(4, 3, padding="same"), cr.Tanh(), projection="auto"),
        cr.Flatten(),
        cr.Dense(3),
        inputs=(9, 8, channels),
        loss="softmax_cross_entropy",
    )


def image(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).random(shape)
