"""The truth table from 1,000 seeds in chainrule."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from benchmarks.work import OURS, REFERENCE, Evidence, thread_counts
from benchmarks.works.many_seeds.side import SEEDS, SHOWN, ManySeeds, network
from benchmarks.works.truth_table.side import ITERATIONS, Array, X, Y


class Chainrule(ManySeeds):
    """All networks in one call."""

    name = OURS
    threads = thread_counts()

    def run(self) -> Array:
        return cr.train_many(
            network(engine="compiled"),
            X,
            Y,
            seeds=SEEDS,
            epochs=ITERATIONS,
            batch_size=None,
            progress=False,
        ).losses


class ReferenceEngine(ManySeeds):
    """Some networks one after another; all others are compared with them."""

    name = REFERENCE
    timed = False

    def evidence(self) -> Evidence:
        losses = [
            network(seed).fit(X, Y, epochs=ITERATIONS, batch_size=None, progress=False).losses
            for seed in SEEDS[:SHOWN]
        ]
        return Evidence(np.concatenate(losses).tolist())
