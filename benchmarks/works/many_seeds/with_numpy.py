"""The truth table from 1,000 seeds in NumPy: the tutorial loop on stacks of matrices."""

from __future__ import annotations

import numpy as np

from benchmarks.works.many_seeds.side import ManySeeds, starting_weights
from benchmarks.works.truth_table.side import ITERATIONS, Array, X, Y, sigmoid


class StackedLoop(ManySeeds):
    """Each step is made for all networks at once."""

    name = "tutorial loop, all networks stacked"

    def prepare(self) -> None:
        self.start = starting_weights()

    def run(self) -> Array:
        weights1, weights2 = (weights.copy() for weights in self.start)
        losses = np.empty((len(weights1), ITERATIONS))
        for iteration in range(ITERATIONS):
            hidden = sigmoid(X @ weights1)
            output = sigmoid(hidden @ weights2)
            losses[:, iteration] = ((output - Y) ** 2).sum(axis=(1, 2))

            d_z2 = 2 * (output - Y) * output * (1 - output)
            d_z1 = d_z2 @ weights2.transpose(0, 2, 1) * hidden * (1 - hidden)

            weights2 -= hidden.transpose(0, 2, 1) @ d_z2
            weights1 -= X.T @ d_z1
        return losses
