"""The truth table in JAX."""

from __future__ import annotations

import time
from typing import Any

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


def iteration(weights: Any, _: None) -> Any:
    """One step of gradient descent: (W1, W2) -> the next ones, and the loss before."""
    import jax

    def loss(weights: Any) -> Any:
        output = jax.nn.sigmoid(jax.nn.sigmoid(X @ weights[0]) @ weights[1])
        return ((output - Y) ** 2).sum()

    value, gradients = jax.value_and_grad(loss)(weights)
    return jax.tree.map(lambda w, g: w - g, weights, gradients), value


class Jax(TruthTableSide):
    """All iterations in one compiled ``lax.scan``."""

    name = "JAX, lax.scan compiled"
    package = "jax"

    def prepare(self) -> None:
        import jax

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)

        def train(weights: Any) -> Any:
            return jax.lax.scan(iteration, weights, length=ITERATIONS)

        self.start = jax.tree.map(jax.numpy.asarray, starting_weights())
        began = time.perf_counter()
        self.train = jax.jit(train).lower(self.start).compile()
        self.compile_seconds = time.perf_counter() - began

    def run(self) -> Array:
        import jax

        self.weights, losses = jax.block_until_ready(self.train(self.start))
        return np.asarray(losses)

    def predictions(self) -> Array:
        weights1, weights2 = (np.asarray(weights) for weights in self.weights)
        return sigmoid(sigmoid(X @ weights1) @ weights2)
