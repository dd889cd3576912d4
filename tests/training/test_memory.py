"""Memory does not grow with the number of steps: what a step needs, the next one uses again."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import chainrule as cr

X = np.random.default_rng(0).normal(size=(1000, 20)).astype(np.float32)
CLASSES = X[:, :3].argmax(axis=1)
STEPS_PER_EPOCH = 20  # batches of 50


def peak(steps: int, **settings: Any) -> int:
    """Bytes that a training of so many steps needed at most, beyond what was there before.

    Without its snapshots, whose number and size are bounded: see ``test_snapshots.py``.
    """
    net = cr.NeuralNetwork(
        cr.Dense(32, activation="relu"), cr.Dense(3), loss="softmax_cross_entropy", inputs=20
    )
    epochs = steps // STEPS_PER_EPOCH
    net.fit(X, CLASSES, epochs=1, batch_size=50, **settings)  # what is loaded on first use
    tracemalloc.start()
    try:
        history = net.fit(X, CLASSES, epochs=epochs, batch_size=50, **settings)
        assert history.iterations == steps
        return tracemalloc.get_traced_memory()[1] - history.snapshots.bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"shuffle": False},
        {"sample_weight": np.ones(1000)},
        {"validation": (X, CLASSES)},
        {"callbacks": [cr.EarlyStopping("loss", patience=100)]},
    ],
    ids=["plain", "in order", "weighted", "validated", "watched"],
)
def test_a_thousand_steps_need_what_two_hundred_need(settings: Any) -> None:
    """Apart from the history: 24 bytes a step, and four Python floats in a list an epoch.

    One batch of inputs alone has 4,000 bytes, the gradients 3,100: a step that kept either would
    show as megabytes.
    """
    few, many = peak(200, **settings), peak(1000, **settings)
    history = 800 * 24 * 1.2 + 40 * 4 * 50
    assert abs(many - few) < history + 10_000
