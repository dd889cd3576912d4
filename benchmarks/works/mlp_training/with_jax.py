"""The 784-128-10 training in JAX: a whole epoch is one compiled ``lax.scan`` over its batches.

The state is donated and rows are gathered with ``take(mode="clip")``, which were the fastest of the
forms tried.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.work import thread_counts
from benchmarks.works import mlp, orders
from benchmarks.works.mlp_training.side import EPOCHS, MLPTraining

RATE, MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.001, 0.9, 0.999, 1e-8


class Jax(MLPTraining):
    """Value and gradient by JAX, Adam written out."""

    name = "JAX, whole epoch compiled"
    package = "jax"
    threads = thread_counts()

    def prepare(self) -> None:
        import jax

        jax.config.update("jax_platforms", "cpu")
        self.x = jax.numpy.asarray(mlp.data().x)
        self.y = jax.numpy.asarray(mlp.data().y.astype(np.int32))
        self.reset()
        began = time.perf_counter()
        batches = self._batches(np.arange(mlp.TRAINING_ROWS))
        epoch = jax.jit(_epoch, donate_argnums=0)
        self.epoch = epoch.lower(self.state, self.x, self.y, batches).compile()
        self.compile_seconds = time.perf_counter() - began

    def reset(self) -> None:
        import jax

        # Copies, since the compiled epoch writes over what it is given.
        weights = tuple(jax.numpy.array(array) for array in mlp.starting_weights())
        mean, mean_square = (
            tuple(jax.numpy.zeros_like(array) for array in weights) for _ in range(2)
        )
        self.state = (weights, mean, mean_square, jax.numpy.float32(0))

    def _batches(self, order: mlp.Array) -> mlp.Array:
        return order.astype(np.int32).reshape(-1, self.batch_size)

    def orders(self) -> Iterator[mlp.Array]:
        return orders.numpys(mlp.TRAINING_ROWS, EPOCHS)

    def train(self, orders: Iterator[mlp.Array]) -> list[float]:
        losses = []
        for order in orders:
            self.state, epoch_losses = self.epoch(self.state, self.x, self.y, self._batches(order))
            losses.append(epoch_losses)
        return np.concatenate([np.asarray(epoch_losses) for epoch_losses in losses]).tolist()

    def weights(self) -> mlp.Weights:
        weights1, bias1, weights2, bias2 = (np.asarray(array) for array in self.state[0])
        return weights1, bias1, weights2, bias2


def _epoch(state: Any, x: Any, y: Any, batches: Any) -> Any:
    """(state, rows, classes, batches of row numbers) -> (state, losses of the steps)."""
    import jax

    def step(state: Any, rows: Any) -> Any:
        batch_x = jax.numpy.take(x, rows, axis=0, mode="clip")
        batch_y = jax.numpy.take(y, rows, mode="clip")
        loss, gradients = jax.value_and_grad(_loss)(state[0], batch_x, batch_y)
        return _adam(state, gradients), loss

    return jax.lax.scan(step, state, batches)


def _loss(weights: Any, x: Any, y: Any) -> Any:
    import jax

    weights1, bias1, weights2, bias2 = weights
    z = jax.nn.relu(x @ weights1 + bias1) @ weights2 + bias2
    return -jax.numpy.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()


def _adam(state: Any, gradients: Any) -> Any:
    import jax

    weights, mean, mean_square, steps = state
    steps = steps + 1
    mean = jax.tree.map(lambda m, g: MEAN_DECAY * m + (1 - MEAN_DECAY) * g, mean, gradients)
    mean_square = jax.tree.map(
        lambda s, g: SQUARE_DECAY * s + (1 - SQUARE_DECAY) * g * g, mean_square, gradients
    )
    mean_part, square_part = 1 - MEAN_DECAY**steps, 1 - SQUARE_DECAY**steps
    weights = jax.tree.map(
        lambda w, m, s: w - RATE * (m / mean_part) / (jax.numpy.sqrt(s / square_part) + EPSILON),
        weights,
        mean,
        mean_square,
    )
    return weights, mean, mean_square, steps
