"""One wrong call, and networks to make it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import chainrule as cr

ROWS = 12
X = np.random.default_rng(0).normal(size=(ROWS, 2))
LABELS = np.arange(ROWS) % 3
NUMBERS = X.sum(axis=1)


def classifier(inputs: int | None = 2) -> cr.NeuralNetwork:
    """Three classes from two numbers."""
    return cr.NeuralNetwork(
        cr.Dense(4, activation="tanh"), cr.Dense(3), loss="softmax_cross_entropy", inputs=inputs
    )


def regressor(inputs: int | None = 2) -> cr.NeuralNetwork:
    """One number from two."""
    return cr.NeuralNetwork(cr.Dense(4, activation="tanh"), cr.Dense(1), inputs=inputs)


def one_layer(
    outputs: int, loss: str, activation: str = "identity"
) -> Callable[[int | None], cr.NeuralNetwork]:
    """Return a maker of networks with that loss."""

    def make(inputs: int | None = 2) -> cr.NeuralNetwork:
        return cr.NeuralNetwork(cr.Dense(outputs, activation), loss=loss, inputs=inputs)

    return make


@dataclass(frozen=True)
class BadCall:
    """A call that cannot be answered.

    Attributes
    ----------
    name : str
    call : callable
        Makes the call; gets the network.
    error : type
        What it must raise, exactly.
    words : tuple of str
        What the message must contain: what was received, what was expected, what to do.
    network : callable
        Makes the network, for so many inputs, or one that is not built yet for None.
    built : bool
        Whether the network is built beforehand.
    """

    name: str
    call: Callable[[Any], object]
    error: type[cr.ChainruleError]
    words: tuple[str, ...]
    network: Callable[[int | None], cr.NeuralNetwork] = classifier
    built: bool = True


def bad(
    name: str,
    call: Callable[[Any], object],
    error: type[cr.ChainruleError],
    *words: str,
    network: Callable[[int | None], cr.NeuralNetwork] = classifier,
    built: bool = True,
) -> BadCall:
    return BadCall(name, call, error, words, network, built)


def unbuilt(row: BadCall) -> BadCall:
    """Make the same call on a network that does not know its inputs yet."""
    return replace(row, name=f"{row.name} (not built)", built=False)
