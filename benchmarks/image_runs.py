"""The runs behind the table "Images" in docs/results.md: one record for each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule import AdamW, Conv2D, Cosine, Dense, Dropout, Flatten, MaxPool2D, NeuralNetwork
from chainrule.data import Augmentation, Flip, Rotate, Shift
from chainrule.models import lenet5, resnet8, small_cnn
from chainrule.optimizer import Optimizer


def digits_cnn(**settings: Any) -> NeuralNetwork:
    """Two convolutions and one pooling: images of 8 x 8 are too small to be halved twice."""
    return NeuralNetwork(
        Conv2D(32, 3, "relu", padding="same"),
        Conv2D(64, 3, "relu", padding="same"),
        MaxPool2D(2),
        Flatten(),
        Dropout(0.5),
        Dense(10),
        loss="softmax_cross_entropy",
        **settings,
    )


@dataclass(frozen=True, kw_only=True)
class Run:
    """A network, what it is trained on and how, and what it should reach.

    Attributes
    ----------
    name : str
    data : str
        A key of ``image_data.SPLITS``.
    model : callable
        Makes the network from ``optimizer=...`` and ``seed=...``.
    epochs, batch_size : int
    optimizer : Optimizer
        Its schedule, where it has one, ends with the last epoch.
    augmentation : tuple of Augmentation
    seeds : tuple of int
        Of the network: starting weights, order of the samples, augmentation, dropout. It is
        trained anew from each, and the mean counts. The cut of the data does not depend on them.
    target : float
        Accuracy to reach, at least.
    """

    name: str
    data: str
    model: Callable[..., NeuralNetwork]
    epochs: int
    batch_size: int
    optimizer: Optimizer
    augmentation: tuple[Augmentation, ...] = ()
    seeds: tuple[int, ...] = (0,)
    target: float

    def network(self, seed: int) -> NeuralNetwork:
        """Make the network, untrained."""
        return self.model(optimizer=self.optimizer, seed=seed)

    def settings(self) -> dict[str, Any]:
        """All of it but the name and the target, in words and numbers."""
        return {
            "data": self.data,
            "network": _called(self.model),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "optimizer": repr(self.optimizer),
            "augmentation": [repr(augmentation) for augmentation in self.augmentation],
            "seeds": list(self.seeds),
        }


RUNS = (
    Run(
        name="digits",
        data="digits",
        model=digits_cnn,
        epochs=30,
        batch_size=32,
        optimizer=AdamW(Cosine(0.002, epochs=30), weight_decay=0.01),
        target=0.988,
    ),
    Run(
        name="mnist-5k",
        data="mnist-5k",
        model=functools.partial(small_cnn, dropout=0.5),
        epochs=20,
        batch_size=64,
        optimizer=AdamW(Cosine(0.002, epochs=20), weight_decay=0.01),
        augmentation=(Shift(2), Rotate(10)),
        target=0.975,
    ),
    Run(
        name="fashion-lenet5",
        data="fashion-mnist",
        model=lenet5,
        epochs=30,
        batch_size=128,
        optimizer=AdamW(Cosine(0.003, epochs=30, warm_up=1), weight_decay=0.01),
        augmentation=(Flip(),),
        seeds=(0, 1, 2, 3, 4),
        target=0.895,
    ),
    Run(
        name="fashion-small-cnn",
        data="fashion-mnist",
        model=functools.partial(small_cnn, dropout=0.25),
        epochs=14,
        batch_size=128,
        optimizer=AdamW(Cosine(0.002, epochs=14, warm_up=1), weight_decay=0.01),
        augmentation=(Flip(),),
        target=0.915,
    ),
    Run(
        name="fashion-resnet8",
        data="fashion-mnist",
        model=resnet8,
        epochs=25,
        batch_size=128,
        optimizer=AdamW(Cosine(0.004, epochs=25, warm_up=1), weight_decay=0.05),
        augmentation=(Flip(), Shift(2)),
        target=0.930,
    ),
)


def _called(model: Callable[..., Any]) -> str:
    """How the network is made, as one would write it: ``small_cnn(dropout=0.5)``."""
    if isinstance(model, functools.partial):
        keywords = ", ".join(f"{name}={value!r}" for name, value in model.keywords.items())
        return f"{model.func.__name__}({keywords})"
    return f"{model.__name__}()"
