"""The 784-128-10 training in chainrule."""

from __future__ import annotations

from collections.abc import Iterator

import chainrule as cr
from benchmarks.work import OURS, REFERENCE, thread_counts
from benchmarks.works import mlp
from benchmarks.works.mlp_training.side import EPOCHS, MLPTraining


class Chainrule(MLPTraining):
    """``fit``, with the checks and the history that belong to it."""

    name = OURS
    engine = "compiled"
    threads = thread_counts()

    def reset(self) -> None:
        self.network = mlp.network(self.engine)

    def orders(self) -> Iterator[mlp.Array]:
        return iter(())  # fit draws them

    def train(self, orders: Iterator[mlp.Array]) -> list[float]:
        rows = mlp.data()
        history = self.network.fit(
            rows.x, rows.y, epochs=EPOCHS, batch_size=self.batch_size, progress=False
        )
        return history.losses.tolist()

    def weights(self) -> mlp.Weights:
        first, second = self.network.layers
        assert isinstance(first, cr.Dense)
        assert isinstance(second, cr.Dense)
        return first.weights, first.bias, second.weights, second.bias


class ReferenceEngine(Chainrule):
    """The engine that explains."""

    name = REFERENCE
    engine = "reference"
