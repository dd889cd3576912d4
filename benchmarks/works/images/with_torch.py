"""Training networks for images in PyTorch."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.work import Evidence, thread_counts
from benchmarks.works import orders, torch_training
from benchmarks.works.images import data, networks, torch_networks
from benchmarks.works.images.side import ImageTraining, Job


class Torch(ImageTraining):
    """Eager, in both layouts that PyTorch has for images in memory; compiled where that helps.

    Parameters
    ----------
    job : Job
    layout : str
        "NCHW" or "channels_last".
    adam : str
        "foreach" or "fused".
    exact : bool, default True
        See ``torch_networks``.
    compiled : bool, default False
        Whether the network goes through ``torch.compile``.
    """

    name = "PyTorch"
    package = "torch"
    threads = thread_counts()

    def __init__(
        self, job: Job, layout: str, adam: str, *, exact: bool = True, compiled: bool = False
    ) -> None:
        super().__init__(job)
        self.layout, self.adam, self.exact, self.compiled = layout, adam, exact, compiled
        self.setting = f"{'compiled' if compiled else 'eager'}, {layout}, {adam} Adam"
        if not exact:
            self.setting += ", other pixels around"
            self.differs = (
                "other pixels on the way around a block, so only the accuracy is compared"
            )

    def prepare(self) -> None:
        import torch

        torch.set_flush_denormal(True)
        self.x = self._tensor(data.scaled(data.images().x[: self.job.images]))
        self.y = torch.from_numpy(data.images().y[: self.job.images])
        ours = networks.network(self.job.model, "reference")
        made = torch_networks.torch_network(self.job.model, ours, exact=self.exact)
        self.network = self.trained = self._in_layout(made)
        self.start = copy.deepcopy(made.state_dict())
        if self.compiled:
            self.trained = torch.compile(self.network)
            self.reset()
            began = time.perf_counter()
            self.train([torch.arange(self.job.batch_size)])
            self.compile_seconds = time.perf_counter() - began

    def reset(self) -> None:
        """Go back to the starting weights; compiled code stays."""
        self.network.load_state_dict(self.start)
        self.optimizer = torch_training.adam(self.network, self.adam)

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

    def evidence(self) -> Evidence:
        found = super().evidence()
        return found if self.exact else Evidence(None, found.score)

    def orders(self) -> Iterator[Any]:
        return orders.torchs(self.job.images, 1)

    def train(self, orders: Iterable[Any]) -> list[float]:
        self.network.train()
        return torch_training.train(
            self.trained, self.optimizer, self.x, self.y, orders, self.job.batch_size
        )

    def classes(self, x: data.Array) -> data.Array:
        import torch

        self.network.eval()
        with torch.inference_mode():
            return self.network(self._tensor(x)).argmax(dim=1).numpy()
