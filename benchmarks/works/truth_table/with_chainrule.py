"""The truth table in chainrule."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from benchmarks.work import OURS
from benchmarks.works.truth_table.side import (
    ITERATIONS,
    Array,
    TruthTableSide,
    X,
    Y,
    starting_weights,
)


class Chainrule(TruthTableSide):
    """The public API as a user writes it."""

    name = OURS
    setting = "reference engine"

    def reset(self) -> None:
        """Make a new network with the starting weights."""
        self.network = cr.NeuralNetwork(
            cr.Dense(4, activation="sigmoid", use_bias=False),
            cr.Dense(1, activation="sigmoid", use_bias=False),
            loss="sum_of_squares",
            optimizer=cr.GradientDescent(learning_rate=1.0),
            dtype="float64",
            inputs=3,
        )
        self.network.parameters[...] = np.concatenate([w.ravel() for w in starting_weights()])

    def run(self) -> list[float]:
        history = self.network.fit(X, Y, epochs=ITERATIONS, batch_size=None, progress=False)
        return history.losses.tolist()

    def predictions(self) -> Array:
        return self.network.predict(X)
