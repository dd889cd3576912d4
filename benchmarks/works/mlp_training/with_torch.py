"""The 784-128-10 training in PyTorch, eager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.work import thread_counts
from benchmarks.works import mlp, orders, torch_training
from benchmarks.works.mlp_training.side import EPOCHS, MLPTraining


class Torch(MLPTraining):
    """``Sequential``, ``cross_entropy``, ``backward`` and ``Adam``.

    Parameters
    ----------
    batch_size : int
    adam : str
        "foreach" or "fused": PyTorch's two fast ways to update.
    """

    name = "PyTorch"
    package = "torch"
    threads = thread_counts()

    def __init__(self, batch_size: int, adam: str) -> None:
        super().__init__(batch_size)
        self.adam = adam
        self.setting = f"eager, {adam} Adam"

    def prepare(self) -> None:
        import torch

        torch.set_flush_denormal(True)
        self.x, self.y = torch.from_numpy(mlp.data().x), torch.from_numpy(mlp.data().y)

    def reset(self) -> None:
        self.network = mlp.torch_network(mlp.starting_weights())
        self.optimizer = torch_training.adam(self.network, self.adam)

    def orders(self) -> Iterator[Any]:
        return orders.torchs(mlp.TRAINING_ROWS, EPOCHS)

    def train(self, orders: Iterator[Any]) -> list[float]:
        return torch_training.train(
            self.network, self.optimizer, self.x, self.y, orders, self.batch_size
        )

    def weights(self) -> mlp.Weights:
        first, _, second = self.network
        return (
            first.weight.detach().numpy().T,
            first.bias.detach().numpy(),
            second.weight.detach().numpy().T,
            second.bias.detach().numpy(),
        )
