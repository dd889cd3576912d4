"""The truth table from 1,000 seeds in JAX."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.work import thread_counts
from benchmarks.works.many_seeds.side import ManySeeds, starting_weights
from benchmarks.works.truth_table.side import ITERATIONS, Array
from benchmarks.works.truth_table.with_jax import iteration


class Jax(ManySeeds):
    """All iterations in one ``lax.scan``, for all networks by ``vmap``, compiled."""

    name = "JAX, vmap and lax.scan compiled"
    package = "jax"
    threads = thread_counts()

    def prepare(self) -> None:
        import jax

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)

        def train(weights: Any) -> Any:
            return jax.lax.scan(jax.vmap(iteration, in_axes=(0, None)), weights, length=ITERATIONS)

        self.start = jax.tree.map(jax.numpy.asarray, starting_weights())
        began = time.perf_counter()
        self.train = jax.jit(train).lower(self.start).compile()
        self.compile_seconds = time.perf_counter() - began

    def run(self) -> Array:
        import jax

        _, losses = jax.block_until_ready(self.train(self.start))
        return np.asarray(losses).T
