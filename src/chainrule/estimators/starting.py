"""Where scikit-learn's networks start, and in what order they see the samples.

The same ``random_state`` draws the same numbers in the same order as there, so that a network
starts from the same weights and goes the same way.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.layer import Array
from chainrule.layers.dense import Dense
from chainrule.network import NeuralNetwork

GLOROTS = ("identity", "sigmoid", "tanh", "relu")  # what scikit-learn knows, by our names
_MOST = np.iinfo(np.int32).max


def draw_start(network: NeuralNetwork, random: np.random.RandomState) -> None:
    """Draw starting weights and biases, Glorot's for each layer.

    Both are uniform within ±√(6 / (inputs + outputs)), ±√(2 / ...) for the sigmoid (Glorot and
    Bengio, 2010). The output layer takes the factor of the hidden layer before it. Layers with
    an activation that is none of scikit-learn's start from what suits it.

    Parameters
    ----------
    network : NeuralNetwork
        Built; of dense layers, among others.
    random : RandomState
    """
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    names = [layer.activation.name for layer in dense]
    # The last activation belongs to the loss.
    names[-1] = names[-2] if len(names) > 1 else "identity"
    for layer, name in zip(dense, names, strict=True):
        inputs, outputs = layer.weights.shape
        if name in GLOROTS:
            limit = math.sqrt((2 if name == "sigmoid" else 6) / (inputs + outputs))
            layer.weights[...] = random.uniform(-limit, limit, (inputs, outputs))
            layer.bias[...] = random.uniform(-limit, limit, outputs)


def draw_seed(random: np.random.RandomState) -> int:
    """Draw the seed of a network that has more to be random than weights and orders."""
    return int(random.randint(_MOST))


class Orders:
    """A new order of the samples for each epoch; each shuffles the one before.

    Parameters
    ----------
    count : int
        Samples.
    random : RandomState
    """

    def __init__(self, count: int, random: np.random.RandomState) -> None:
        self.random = random
        self.order: Array = np.arange(count)

    def __call__(self, epoch: Any = None) -> Array:
        """Return the order in the next epoch, int64 (samples,)."""
        shuffled = np.arange(len(self.order))
        self.random.shuffle(shuffled)
        self.order = self.order[shuffled]
        return self.order
