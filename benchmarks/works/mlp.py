"""What all works on the 784-128-10 network share: its data and its starting weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import chainrule as cr

INPUTS, HIDDEN, CLASSES = 784, 128, 10
TRAINING_ROWS, TEST_ROWS = 12_800, 2_000

Array = npt.NDArray[Any]
Weights = tuple[Array, Array, Array, Array]


@dataclass(frozen=True)
class Data:
    """Rows as wide as an MNIST image (rows, 784), float32, and their classes (rows,), int64."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array


@functools.cache
def data() -> Data:
    """Ten points in 784 dimensions, and rows scattered around them.

    The scatter is wide enough that neighbouring classes overlap: the loss stays away from zero,
    and no side gets fast or slow because there is nothing left to learn.
    """
    random = np.random.default_rng(0)
    rows = TRAINING_ROWS + TEST_ROWS
    y = random.integers(0, CLASSES, rows)
    centres = random.normal(0, 0.13, (CLASSES, INPUTS))
    x = random.standard_normal((rows, INPUTS), dtype=np.float32)
    x += centres.astype(np.float32)[y]
    return Data(x[:TRAINING_ROWS], y[:TRAINING_ROWS], x[TRAINING_ROWS:], y[TRAINING_ROWS:])


def starting_weights() -> Weights:
    """(784, 128), (128,), (128, 10), (10,), float32: the same for every side that takes them."""
    random = np.random.default_rng(1)

    def he(inputs: int, outputs: int) -> Array:
        return random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)).astype(np.float32)

    return (
        he(INPUTS, HIDDEN),
        np.zeros(HIDDEN, np.float32),
        he(HIDDEN, CLASSES),
        np.zeros(CLASSES, np.float32),
    )


def network(engine: str) -> cr.NeuralNetwork:
    """Return chainrule's network with the starting weights."""
    made = cr.NeuralNetwork(
        cr.Dense(HIDDEN, activation="relu"),
        cr.Dense(CLASSES),
        loss="softmax_cross_entropy",
        optimizer=cr.Adam(learning_rate=0.001),
        inputs=INPUTS,
        engine=engine,
    )
    made.parameters[...] = np.concatenate([array.ravel() for array in starting_weights()])
    return made


def probabilities(x: Array, weights: Weights) -> Array:
    """Class probabilities (rows, 10) in plain NumPy."""
    weights1, bias1, weights2, bias2 = weights
    z = np.maximum(x @ weights1 + bias1, 0) @ weights2 + bias2
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_accuracy(weights: Weights) -> float:
    """Part of the test rows that a network with these weights puts into the right class."""
    found = probabilities(data().test_x, weights).argmax(axis=1)
    return float((found == data().test_y).mean())


def torch_network(weights: Weights) -> Any:
    """Return the network with these weights; PyTorch keeps W the other way round."""
    import torch

    made = torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, CLASSES),
    )
    weights1, bias1, weights2, bias2 = (torch.from_numpy(array) for array in weights)
    with torch.no_grad():
        made[0].weight.copy_(weights1.T)
        made[0].bias.copy_(bias1)
        made[2].weight.copy_(weights2.T)
        made[2].bias.copy_(bias2)
    return made
