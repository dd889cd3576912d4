"""The 784-128-10 training in PyTorch, eager, in the settings that were found fastest.

The rows are tensors from the start and gathered with ``index_select``, which was faster than
indexing and than a shuffled copy; no DataLoader stands between. Numbers too small for float32's
full precision are flushed to zero, which PyTorch offers and which matters at small batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.work import thread_counts
from benchmarks.works import mlp
from benchmarks.works.mlp_training.side import EPOCHS, MLPTraining


class TorchEager(MLPTraining):
    """``Sequential``, ``cross_entropy``, ``backward`` and ``Adam``.

    Parameters
    ----------
    batch_size : int
    adam : str
        "foreach" or "fused": PyTorch's two fast ways to update.
    """

    name = "PyTorch eager"
    package = "torch"
    threads = thread_counts()

    def __init__(self, batch_size: int, adam: str) -> None:
        super().__init__(batch_size)
        self.adam = adam
        self.setting = f"{adam} Adam"

    def prepare(self) -> None:
        import torch

        torch.set_flush_denormal(True)
        self.x, self.y = torch.from_numpy(mlp.data().x), torch.from_numpy(mlp.data().y)

    def reset(self) -> None:
        import torch

        self.network = mlp.torch_network(mlp.starting_weights())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.001, **{self.adam: True})

    def orders(self) -> Iterator[Any]:
        import torch

        return (torch.randperm(mlp.TRAINING_ROWS) for _ in range(EPOCHS))

    def train(self, orders: Iterator[Any]) -> list[float]:
        import torch

        losses = []
        for order in orders:
            for rows in torch.as_tensor(order).split(self.batch_size):
                x, y = self.x.index_select(0, rows), self.y.index_select(0, rows)
                loss = torch.nn.functional.cross_entropy(self.network(x), y)
                losses.append(loss.detach())
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
        return torch.stack(losses).tolist()

    def weights(self) -> mlp.Weights:
        first, _, second = self.network
        return (
            first.weight.detach().numpy().T,
            first.bias.detach().numpy(),
            second.weight.detach().numpy().T,
            second.bias.detach().numpy(),
        )
