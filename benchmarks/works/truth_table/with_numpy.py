"""The truth table in plain NumPy, as tutorials write it: no class, no function but sigmoid."""

from __future__ import annotations

import numpy as np

from benchmarks.works.truth_table.side import (
    ITERATIONS,
    Array,
    TruthTableSide,
    X,
    Y,
    sigmoid,
    starting_weights,
)


class TutorialLoop(TruthTableSide):
    """The loop that tutorials write out, with the gradient itself and an update that subtracts."""

    name = "tutorial loop"

    def reset(self) -> None:
        self.weights = starting_weights()

    def run(self) -> list[float] | None:
        weights1, weights2 = self.weights
        for _ in range(ITERATIONS):
            hidden = sigmoid(np.dot(X, weights1))
            output = sigmoid(np.dot(hidden, weights2))

            d_z2 = 2 * (output - Y) * output * (1 - output)
            d_z1 = np.dot(d_z2, weights2.T) * hidden * (1 - hidden)

            weights2 -= np.dot(hidden.T, d_z2)
            weights1 -= np.dot(X.T, d_z1)
        return None

    def predictions(self) -> Array:
        return sigmoid(sigmoid(X @ self.weights[0]) @ self.weights[1])


class TutorialLoopWithLosses(TutorialLoop):
    """The same loop, which also keeps the loss of each iteration, as a loss graph needs it."""

    name = "tutorial loop, keeping the losses"

    def run(self) -> list[float]:
        weights1, weights2 = self.weights
        losses = []
        for _ in range(ITERATIONS):
            hidden = sigmoid(np.dot(X, weights1))
            output = sigmoid(np.dot(hidden, weights2))
            losses.append(float(np.sum((output - Y) ** 2)))

            d_z2 = 2 * (output - Y) * output * (1 - output)
            d_z1 = np.dot(d_z2, weights2.T) * hidden * (1 - hidden)

            weights2 -= np.dot(hidden.T, d_z2)
            weights1 -= np.dot(X.T, d_z1)
        return losses
