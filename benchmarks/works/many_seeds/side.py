"""The truth table from 1,000 seeds: the same training from 1,000 different starts.

Every side starts from the weights that chainrule draws from the seeds 0 to 999.
"""

from __future__ import annotations

import numpy as np

import chainrule as cr
from benchmarks.work import Evidence, Side
from benchmarks.works.truth_table.side import Array

SEEDS = range(1000)
LEARNED = 0.01  # sum of squares below which a network has learned the table
SHOWN = 5  # networks whose losses are compared, every one of them


def network(seed: int = 0, engine: str = "reference") -> cr.NeuralNetwork:
    """Return a network with weights drawn from the seed."""
    return cr.NeuralNetwork(
        cr.Dense(4, activation="sigmoid", use_bias=False),
        cr.Dense(1, activation="sigmoid", use_bias=False),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(learning_rate=1.0),
        dtype="float64",
        inputs=3,
        seed=seed,
        engine=engine,
    )


def starting_weights() -> tuple[Array, Array]:
    """(networks, 3, 4) and (networks, 4, 1)."""
    vectors = np.array([network(seed).parameters for seed in SEEDS])
    return vectors[:, :12].reshape(-1, 3, 4), vectors[:, 12:].reshape(-1, 4, 1)


class ManySeeds(Side):
    """A side that trains all networks and gives their losses (networks, iterations)."""

    def evidence(self) -> Evidence:
        """Every loss of the first networks, and the part of all that learned the table."""
        losses = self.run()
        return Evidence(losses[:SHOWN].ravel().tolist(), float((losses[:, -1] < LEARNED).mean()))

    def run(self) -> Array:
        """Train."""
        raise NotImplementedError(f"{type(self).__name__} defines no run")
