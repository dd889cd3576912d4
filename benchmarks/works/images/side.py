"""Training a network for images: softmax cross-entropy, Adam, shuffled batches, float32.

One run is one epoch, from the same starting weights each time. For the timing every side shuffles
in its own way. As evidence all train once on the batches that chainrule draws.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.work import Evidence, Side
from benchmarks.works import orders
from benchmarks.works.images import data

_TRIED = 8  # batches


@dataclass(frozen=True)
class Job:
    """What is trained.

    Attributes
    ----------
    model : str
        A key of ``chainrule.models.MODELS``.
    batch_size : int
    images : int
        How many; one epoch of them is a run.
    compared : int
        Steps whose losses must agree. Later, rounding has put some z on the other side of ReLU's
        corner, or another of four pixels has become the largest, and losses part slowly.
    """

    model: str
    batch_size: int
    images: int
    compared: int


class ImageTraining(Side):
    """A side that trains on given orders of the images.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    def evidence(self) -> Evidence:
        """Losses of the first steps on chainrule's batches, and the accuracy in the end."""
        self.reset()
        losses = self.train(orders.chainrules(self.job.images, 1))
        right = self.classes(data.scaled(data.images().test_x)) == data.images().test_y
        return Evidence(losses[: self.job.compared], float(right.mean()))

    def run(self) -> None:
        """Train on orders of its own."""
        self.train(self.orders())

    def trial(self) -> float:
        """Train on a few batches; what all would take."""
        order = np.arange(_TRIED * self.job.batch_size)
        self.reset()
        began = time.perf_counter()
        self.train([order])
        return (time.perf_counter() - began) * self.job.images / len(order)

    def orders(self) -> Iterator[Any]:
        """A new order of the images, drawn as suits the library."""
        raise NotImplementedError(f"{type(self).__name__} defines no orders")

    def train(self, orders: Iterable[Any]) -> list[float]:
        """Train one epoch for each order; returns the loss of every step."""
        raise NotImplementedError(f"{type(self).__name__} defines no train")

    def classes(self, x: data.Array) -> data.Array:
        """Class of each image (images, 28, 28, 1), by the network as trained."""
        raise NotImplementedError(f"{type(self).__name__} defines no classes")
