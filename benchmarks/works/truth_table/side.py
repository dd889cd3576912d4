"""The truth table: 1,500 iterations of gradient descent on four rows.

The arithmetic is almost nothing, so this measures what a library adds to each iteration. Three
inputs, 4 hidden sigmoid units and 1 sigmoid output without biases, sum of squares, learning rate 1,
the whole table in every step, float64. The weights are those of the reference run with seed 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.work import Evidence, Side

ITERATIONS = 1500
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], np.float64)
Y = np.array([[0], [1], [1], [0]], np.float64)

Array = npt.NDArray[Any]


def starting_weights() -> tuple[Array, Array]:
    """(3, 4) and (4, 1), as ``np.random.seed(0)`` and two calls of ``rand`` give them."""
    random = np.random.RandomState(0)
    return random.rand(3, 4), random.rand(4, 1)


def sigmoid(z: Array) -> Array:
    """As tutorials write it."""
    return 1 / (1 + np.exp(-z))


class TruthTableSide(Side):
    """A side that trains from ``starting_weights`` and gives the loss before each update."""

    def evidence(self) -> Evidence:
        """Every loss, and how many of the rows are right in the end."""
        self.reset()
        losses = self.run()
        numbers = None if losses is None else np.asarray(losses).tolist()
        return Evidence(numbers, float(((self.predictions() > 0.5) == Y).mean()))

    def run(self) -> Sequence[float] | Array | None:
        """Train; returns the losses where they are those of the reference run."""
        raise NotImplementedError(f"{type(self).__name__} defines no run")

    def predictions(self) -> Array:
        """Outputs (4, 1) after the run."""
        raise NotImplementedError(f"{type(self).__name__} defines no predictions")
