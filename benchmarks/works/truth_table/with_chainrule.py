"""The truth table in chainrule."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from benchmarks.work import OURS, REFERENCE
from benchmarks.works.truth_table.side import (
    ITERATIONS,
    Array,
    TruthTableSide,
    X,
    Y,
    starting_weights,
)


class Chainrule(TruthTableSide):
    """The public API as a user writes it, training the same network again and again."""

    name = OURS
    engine = "compiled"

    def prepare(self) -> None:
        self.start = np.concatenate([weights.ravel() for weights in starting_weights()])
        self.network = cr.NeuralNetwork(
            cr.Dense(4, activation="sigmoid", use_bias=False),
            cr.Dense(1, activation="sigmoid", use_bias=False),
            loss="sum_of_squares",
            optimizer=cr.GradientDescent(learning_rate=1.0),
            dtype="float64",
            inputs=3,
            engine=self.engine,
        )

    def reset(self) -> None:
        self.network.parameters[...] = self.start

    def run(self) -> Array:
        history = self.network.fit(X, Y, epochs=ITERATIONS, batch_size=None, progress=False)
        return history.losses

    def predictions(self) -> Array:
        return self.network.predict(X)


class ReferenceEngine(Chainrule):
    """The engine that explains."""

    name = REFERENCE
    engine = "reference"
