"""The truth table in PyTorch, eager."""

from __future__ import annotations

from typing import Any

from benchmarks.works.truth_table.side import (
    ITERATIONS,
    Array,
    TruthTableSide,
    X,
    Y,
    sigmoid,
    starting_weights,
)


class Torch(TruthTableSide):
    """Autograd with ready tensors; losses are kept as tensors, which costs less than ``item``."""

    name = "PyTorch"
    package = "torch"
    threads = (1,)

    def __init__(self, setting: str) -> None:
        self.setting = setting

    def prepare(self) -> None:
        import torch

        self.x, self.y = torch.from_numpy(X), torch.from_numpy(Y)

    def reset(self) -> None:
        import torch

        self.weights = [torch.tensor(w, requires_grad=True) for w in starting_weights()]

    def run(self) -> list[float]:
        import torch

        update = self._by_hand if "by hand" in self.setting else self._by_optimizer
        return torch.stack(update()).tolist()

    def _loss(self) -> Any:
        weights1, weights2 = self.weights
        output = ((self.x @ weights1).sigmoid() @ weights2).sigmoid()
        return ((output - self.y) ** 2).sum()

    def _by_hand(self) -> list[Any]:
        import torch

        losses = []
        for _ in range(ITERATIONS):
            loss = self._loss()
            losses.append(loss.detach())
            gradients = torch.autograd.grad(loss, self.weights)
            with torch.no_grad():
                for weights, gradient in zip(self.weights, gradients, strict=True):
                    weights -= gradient
        return losses

    def _by_optimizer(self) -> list[Any]:
        import torch

        optimizer = torch.optim.SGD(self.weights, lr=1.0, foreach=False)
        losses = []
        for _ in range(ITERATIONS):
            loss = self._loss()
            losses.append(loss.detach())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return losses

    def predictions(self) -> Array:
        weights1, weights2 = (weights.detach().numpy() for weights in self.weights)
        return sigmoid(sigmoid(X @ weights1) @ weights2)
