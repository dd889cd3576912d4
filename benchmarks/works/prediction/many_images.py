"""Prediction of 60,000 images with small-cnn: class probabilities of all of them, in bounded time.

The images are float32 in memory, in the layout that the library likes. chainrule cuts them into
batches by itself; for the others the best of several sizes of batch is found before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.targets import Target
from benchmarks.work import OURS, REFERENCE, Evidence, Side, Work, thread_counts
from benchmarks.works.images import data, networks
from benchmarks.works.images.torch_networks import torch_network
from benchmarks.works.prediction import onnx_graphs

_MODEL = "small-cnn"
_BATCHES = (16, 64, 256, 1000, 4000)
_TRIED, _SHOWN = 4000, 1000


class ManyImages(Side):
    """A side that turns images into probabilities (images, 10)."""

    def prepare(self) -> None:
        self.x = self.prepared_images(data.scaled(data.images().x))
        self.network = self.prepared_network()

    def prepared_images(self, x: data.Array) -> Any:
        """Images (images, 28, 28, 1) in the library's layout."""
        return x

    def prepared_network(self) -> Any:
        """Return the network, ready."""
        raise NotImplementedError(f"{type(self).__name__} defines no prepared_network")

    def evidence(self) -> Evidence:
        """The probabilities of the first images."""
        return Evidence(self.predict(self.x[:_SHOWN]).ravel().tolist())

    def run(self) -> None:
        """Predict all of them."""
        self.predict(self.x)

    def trial(self) -> float:
        """Predict some of them; what all would take."""
        began = time.perf_counter()
        self.predict(self.x[:_TRIED])
        return (time.perf_counter() - began) * len(self.x) / _TRIED

    def predict(self, x: Any) -> data.Array:
        """Return the probabilities."""
        raise NotImplementedError(f"{type(self).__name__} defines no predict")


class Chainrule(ManyImages):
    """``predict``, with its check of the inputs."""

    name = OURS
    engine = "compiled"
    threads: Sequence[int | None] = thread_counts()

    def prepared_network(self) -> Any:
        return networks.network(_MODEL, self.engine)

    def predict(self, x: Any) -> data.Array:
        return self.network.predict(x)


class ReferenceEngine(Chainrule):
    """The engine that explains. All others are compared with it; it is not timed."""

    name = REFERENCE
    engine = "reference"
    threads = (None,)
    timed = False


class Batched(ManyImages):
    """A side that predicts batch by batch, into one array made before."""

    def prepare(self) -> None:
        super().prepare()
        self.found = np.empty((len(self.x), data.CLASSES), np.float32)
        times = {}
        for self.batch_size in _BATCHES:
            times[self.batch_size] = min(self.trial(), self.trial())
        self.batch_size = min(_BATCHES, key=lambda size: times[size])
        self.chosen = f"batches of {self.batch_size:,}"

    def predict(self, x: Any) -> data.Array:
        for start in range(0, len(x), self.batch_size):
            piece = slice(start, min(start + self.batch_size, len(x)))
            self.found[piece] = self.predict_batch(x[piece])
        return self.found[: len(x)]

    def predict_batch(self, x: Any) -> data.Array:
        """Return the probabilities of one batch."""
        raise NotImplementedError(f"{type(self).__name__} defines no predict_batch")


class TorchInference(Batched):
    """Eager, in inference mode from the start, on ready tensors.

    Parameters
    ----------
    layout : str
        "NCHW" or "channels_last".
    """

    name = "PyTorch inference_mode"
    package = "torch"
    threads = thread_counts()

    def __init__(self, layout: str) -> None:
        self.setting = layout

    def prepare(self) -> None:
        import torch

        torch.set_flush_denormal(True)
        self.inference = torch.inference_mode()
        self.inference.__enter__()  # for the life of this process
        last = self.setting == "channels_last"
        self.format = torch.channels_last if last else torch.contiguous_format
        super().prepare()

    def prepared_images(self, x: data.Array) -> Any:
        import torch

        return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=self.format)

    def prepared_network(self) -> Any:
        made = torch_network(_MODEL, networks.network(_MODEL, "reference"))
        return made.to(memory_format=self.format).eval()

    def predict_batch(self, x: Any) -> data.Array:
        return self.network(x).softmax(dim=1).numpy()


class OnnxRuntime(Batched):
    """The graph as onnxruntime has optimized it."""

    name = "onnxruntime"
    package = "onnxruntime"
    threads = (1, None)

    def prepared_images(self, x: data.Array) -> data.Array:
        return x.reshape(-1, 1, data.SIZE, data.SIZE)

    def prepared_network(self) -> Any:
        graph = onnx_graphs.small_cnn_graph(networks.network(_MODEL, "reference"))
        return onnx_graphs.session(graph)

    def predict_batch(self, x: Any) -> data.Array:
        return self.network.run(None, {"x": x})[0]


def work(*targets: Target) -> Work:
    """Return the prediction of 60,000 images."""
    return Work(
        name="predict-60000",
        title=f"predicting {data.TRAINING_IMAGES:,} images with {_MODEL}",
        setting="28 x 28 x 1, probabilities of ten classes, float32",
        sides=(
            ReferenceEngine(),
            Chainrule(),
            TorchInference("channels_last"),
            TorchInference("NCHW"),
            OnnxRuntime(),
        ),
        tolerance=1e-3,
        unit="samples/s",
        samples=data.TRAINING_IMAGES,
        targets=targets,
        rounds=3,
    )
