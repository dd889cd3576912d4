"""Training networks for images in chainrule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.work import OURS, REFERENCE, Evidence, thread_counts
from benchmarks.works.images import data
from benchmarks.works.images.networks import network
from benchmarks.works.images.side import ImageTraining
from chainrule import Callback, History, NeuralNetwork


class Chainrule(ImageTraining):
    """``fit``, with the checks and the history that belong to it."""

    name = OURS
    engine = "compiled"
    threads: Sequence[int | None] = thread_counts()

    def prepare(self) -> None:
        self.x = data.scaled(data.images().x[: self.job.images])
        self.y = data.images().y[: self.job.images]

    def reset(self) -> None:
        self.network = network(self.job.model, self.engine)

    def orders(self) -> Iterator[Any]:
        return iter(())  # fit draws them

    def train(self, orders: Iterable[Any]) -> list[float]:
        history = self.network.fit(
            self.x, self.y, epochs=1, batch_size=self.job.batch_size, progress=False
        )
        return history.losses.tolist()

    def classes(self, x: data.Array) -> data.Array:
        return self.network.predict_classes(x)


class ReferenceEngine(Chainrule):
    """The engine that explains: the first steps, which all others are compared with."""

    name = REFERENCE
    engine = "reference"
    threads = (None,)
    timed = False

    def evidence(self) -> Evidence:
        self.reset()
        history = self.network.fit(
            self.x,
            self.y,
            epochs=1,
            batch_size=self.job.batch_size,
            callbacks=[_StopAfter(self.job.compared)],
            progress=False,
        )
        return Evidence(history.losses.tolist())


class _StopAfter(Callback):
    """Ends a training early.

    Parameters
    ----------
    steps : int
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def after_step(self, network: NeuralNetwork, history: History) -> None:
        """Stop once so many are made."""
        if history.iterations == self.steps:
            history.stop(f"{self.steps} steps are enough")
