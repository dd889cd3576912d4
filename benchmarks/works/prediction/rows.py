"""Prediction with the 784-128-10 network: class probabilities of one row, or of many at once.

One run is one call; the figure is the median over all calls of a round.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.targets import Target
from benchmarks.work import OURS, REFERENCE, Evidence, Side, Work, thread_counts
from benchmarks.works import mlp
from benchmarks.works.prediction import onnx_graphs

_WARM = 5  # calls; some libraries get ready for the next ones in the first two


class Prediction(Side):
    """A side that turns ``x`` (rows, 784) into probabilities (rows, 10).

    Parameters
    ----------
    rows : int
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def prepare(self) -> None:
        self.x: Any = mlp.data().test_x[: self.rows].copy()

    def evidence(self) -> Evidence:
        """All probabilities, by a call that is not the first ones."""
        for _ in range(_WARM):
            self.run()
        return Evidence(np.asarray(self.run()).ravel().tolist())

    def run(self) -> Any:
        """Predict."""
        raise NotImplementedError(f"{type(self).__name__} defines no run")


class Chainrule(Prediction):
    """``predict``, with its check of the inputs."""

    name = OURS
    engine = "compiled"
    threads = thread_counts()

    def prepare(self) -> None:
        super().prepare()
        self.network = mlp.network(self.engine)

    def run(self) -> mlp.Array:
        return self.network.predict(self.x)


class ReferenceEngine(Chainrule):
    """The engine that explains."""

    name = REFERENCE
    engine = "reference"


class PlainNumpy(Prediction):
    """The formula, without any check."""

    name = "NumPy by hand"
    threads = thread_counts()

    def prepare(self) -> None:
        super().prepare()
        self.weights = mlp.starting_weights()

    def run(self) -> mlp.Array:
        return mlp.probabilities(self.x, self.weights)


class TorchInference(Prediction):
    """Eager, in inference mode from the start, on a ready tensor."""

    name = "PyTorch inference_mode"
    package = "torch"
    threads = thread_counts()

    def prepare(self) -> None:
        super().prepare()
        import torch

        torch.set_flush_denormal(True)
        self.inference = torch.inference_mode()
        self.inference.__enter__()  # for the life of this process
        self.x = torch.from_numpy(self.x)
        self.network = mlp.torch_network(mlp.starting_weights()).eval()

    def run(self) -> Any:
        return self.network(self.x).softmax(dim=1)


class OnnxRuntime(Prediction):
    """The graph as onnxruntime has optimized it, called with NumPy's array."""

    name = "onnxruntime"
    package = "onnxruntime"
    threads = (1, None)

    def prepare(self) -> None:
        super().prepare()
        self.session = onnx_graphs.session(onnx_graphs.mlp_graph(mlp.starting_weights()))

    def run(self) -> mlp.Array:
        return self.session.run(None, {"x": self.x})[0]


class ScikitLearn(Prediction):
    """``predict_proba``, with its check of the inputs."""

    name = "scikit-learn"
    package = "sklearn"
    threads = thread_counts()

    def prepare(self) -> None:
        super().prepare()
        from sklearn.neural_network import MLPClassifier

        self.network = MLPClassifier(hidden_layer_sizes=(mlp.HIDDEN,), random_state=0)
        some = mlp.data()
        self.network.partial_fit(some.x[:100], some.y[:100], classes=np.arange(mlp.CLASSES))
        weights1, bias1, weights2, bias2 = mlp.starting_weights()
        self.network.coefs_ = [weights1, weights2]
        self.network.intercepts_ = [bias1, bias2]

    def run(self) -> mlp.Array:
        return self.network.predict_proba(self.x)


def work(rows: int, *targets: Target) -> Work:
    """Return the prediction of that many rows in one call."""
    return Work(
        name=f"predict-{rows}",
        title=f"predicting {rows:,} row{'s' if rows > 1 else ''} with an MLP 784-128-10",
        setting="ReLU, softmax, float32; median time of one call",
        sides=(
            ReferenceEngine(rows),
            Chainrule(rows),
            PlainNumpy(rows),
            TorchInference(rows),
            OnnxRuntime(rows),
            ScikitLearn(rows),
        ),
        tolerance=1e-4,
        unit="us",
        rounds=9 if rows == 1 else 5,
        targets=targets,
        tail=rows == 1,
    )
