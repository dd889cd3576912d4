"""Training networks for images in PyTorch, eager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.work import thread_counts
from benchmarks.works import orders, torch_training
from benchmarks.works.images import data, networks, torch_networks
from benchmarks.works.images.side import ImageTraining, Job


class TorchEager(ImageTraining):
    """Both layouts that PyTorch has for images in memory.

    Parameters
    ----------
    job : Job
    layout : str
        "NCHW" or "channels_last".
    adam : str
        "foreach" or "fused".
    """

    name = "PyTorch eager"
    package = "torch"
    threads = thread_counts()

    def __init__(self, job: Job, layout: str, adam: str) -> None:
        super().__init__(job)
        self.layout, self.adam = layout, adam
        self.setting = f"{layout}, {adam} Adam"

    def prepare(self) -> None:
        import torch

        torch.set_flush_denormal(True)
        self.x = self._tensor(data.scaled(data.images().x[: self.job.images]))
        self.y = torch.from_numpy(data.images().y[: self.job.images])

    def _tensor(self, x: data.Array) -> Any:
        """(images, 28, 28, 1) -> (images, 1, 28, 28), mirrored where the network is."""
        import torch

        if self.job.model in torch_networks.MIRRORED:
            x = x[:, ::-1, ::-1].copy()
        return self._in_layout(torch.from_numpy(x).permute(0, 3, 1, 2))

    def _in_layout(self, module_or_tensor: Any) -> Any:
        import torch

        if self.layout == "channels_last":
            return module_or_tensor.to(memory_format=torch.channels_last)
        return module_or_tensor.to(memory_format=torch.contiguous_format)

    def reset(self) -> None:
        ours = networks.network(self.job.model, "reference")
        self.network = self._in_layout(torch_networks.torch_network(self.job.model, ours))
        self.optimizer = torch_training.adam(self.network, self.adam)

    def orders(self) -> Iterator[Any]:
        return orders.torchs(self.job.images, 1)

    def train(self, orders: Iterator[Any]) -> list[float]:
        self.network.train()
        return torch_training.train(
            self.network, self.optimizer, self.x, self.y, orders, self.job.batch_size
        )

    def classes(self, x: data.Array) -> data.Array:
        import torch

        self.network.eval()
        with torch.inference_mode():
            return self.network(self._tensor(x)).argmax(dim=1).numpy()
