"""chainrule and PyTorch training dense networks of any size: an epoch, with Adam and ReLU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import chainrule as cr
from benchmarks.work import OURS, Evidence, Side, thread_counts
from benchmarks.works import orders, torch_training
from benchmarks.works.growth.points import CLASSES, Point

_COMPARED = 3  # steps

Array = npt.NDArray[Any]


class Growing(Side):
    """A side that takes one point after another."""

    def take(self, point: Point) -> None:
        """Get ready for a point."""
        random = np.random.default_rng(0)
        self.point = point
        self.x = random.standard_normal((point.rows, point.inputs), dtype=np.float32)
        directions = random.standard_normal((point.inputs, CLASSES), dtype=np.float32)
        self.y = (self.x @ directions).argmax(axis=1)

    def network(self, engine: str = "reference") -> cr.NeuralNetwork:
        """Return chainrule's network, with its starting weights."""
        return cr.NeuralNetwork(
            *(cr.Dense(units, "relu") for units in self.point.hidden),
            cr.Dense(CLASSES),
            loss="softmax_cross_entropy",
            optimizer=cr.Adam(torch_training.RATE),
            inputs=self.point.inputs,
            engine=engine,
        )


class Chainrule(Growing):
    """``fit``, with the checks and the history that belong to it."""

    name = OURS
    threads = thread_counts()

    def reset(self) -> None:
        self.trained = self.network("compiled")

    def run(self) -> Array:
        history = self.trained.fit(
            self.x, self.y, epochs=1, batch_size=self.point.batch, progress=False
        )
        return history.losses

    def evidence(self) -> Evidence:
        """Losses of the first steps."""
        self.reset()
        return Evidence(self.run()[:_COMPARED].tolist())


class Torch(Growing):
    """Eager, with the fused form of Adam."""

    name = "PyTorch"
    package = "torch"
    threads = thread_counts()

    def prepare(self) -> None:
        import torch

        torch.set_flush_denormal(True)

    def take(self, point: Point) -> None:
        import torch

        super().take(point)
        self.x, self.y = torch.from_numpy(self.x), torch.from_numpy(self.y)

    def reset(self) -> None:
        import torch

        modules: list[Any] = []
        for layer in self.network().layers:
            assert isinstance(layer, cr.Dense)
            made = torch.nn.Linear(*layer.weights.shape)
            with torch.no_grad():
                made.weight.copy_(torch.from_numpy(layer.weights.T.copy()))
                made.bias.copy_(torch.from_numpy(layer.bias.copy()))
            modules += [made, torch.nn.ReLU()]
        self.trained = torch.nn.Sequential(*modules[:-1])
        self.optimizer = torch_training.adam(self.trained, "fused")

    def run(self) -> None:
        self._train(orders.torchs(self.point.rows, 1))

    def evidence(self) -> Evidence:
        """Losses of the first steps on chainrule's batches."""
        self.reset()
        (order,) = orders.chainrules(self.point.rows, 1)
        if self.point.batch >= self.point.rows:
            order = np.arange(self.point.rows)  # as chainrule takes them where one batch is all
        return Evidence(self._train([order[: _COMPARED * self.point.batch]]))

    def _train(self, some: Any) -> list[float]:
        return torch_training.train(
            self.trained, self.optimizer, self.x, self.y, some, self.point.batch
        )
