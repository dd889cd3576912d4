"""Train one network by both engines, on one and two threads, and compare what it has learned."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.choice import Compiled
from chainrule.engines.compiled import program
from chainrule.layer import Array

STEPS_APART = 1e-9  # of the parameters' length: float64, a few steps


def cut_finely(monkeypatch: pytest.MonkeyPatch, block_bytes: int = 2000) -> None:
    """Cut even a small batch into several shards, their samples into blocks, for all threads."""
    monkeypatch.setattr(program, "_WORTH_A_SHARD", 1)
    monkeypatch.setattr(program, "_WORTH_THREADS", 0)
    monkeypatch.setattr(program, "_CACHE", block_bytes)


def train_alike(
    layers: Sequence[cr.Layer], x: Array, y: Array, *, sample_weight: Array | None = None,
    epochs: int = 2, batch_size: int = 11, **settings: Any,
) -> cr.NeuralNetwork:  # fmt: skip
    """Fit by the reference engine, and by the compiled one on 1 and 2 threads; returns the latter.

    Raises
    ------
    AssertionError
        When parameters, statistics or losses differ, or a single bit between the threads.
    """
    nets = []
    for engine in ("reference", Compiled(threads=1), Compiled(threads=2)):
        net = cr.NeuralNetwork(
            *copy.deepcopy(tuple(layers)),
            **{"loss": "mean_squared_error", "dtype": "float64", "seed": 3, **settings},
            engine=engine,
        )
        history = net.fit(
            x, y, epochs=epochs, batch_size=batch_size, sample_weight=sample_weight,
            progress=False,
        )  # fmt: skip
        nets.append((net, history.losses))
    (expected, losses), (one, losses_of_one), (two, losses_of_two) = nets
    assert "reference" not in one.engine.report()
    storage = expected.parameter_vector.storage
    apart = np.linalg.norm(one.parameter_vector.storage - storage) / np.linalg.norm(storage)
    assert apart <= STEPS_APART
    assert losses_of_one == pytest.approx(losses, rel=STEPS_APART)
    np.testing.assert_array_equal(two.parameter_vector.storage, one.parameter_vector.storage)
    np.testing.assert_array_equal(losses_of_two, losses_of_one)
    return two
