"""Random trainings, each of another kind, and what a network is made of bit by bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from contracts.examples import examples

import chainrule as cr

OPTIMIZERS = [o for o in examples(cr.Optimizer) if not isinstance(o, cr.LBFGS)]
SCHEDULES = [
    cr.ConstantRate(0.02),
    cr.StepDecay(0.02, 0.5, every=1.5),
    cr.Cosine(0.02, epochs=3, warm_up=0.5, restarts=True),
    cr.ReduceOnPlateau(0.02, patience=1, tolerance=0.05),
]


@dataclass
class Run:
    """A network that can be made again and again, and what its ``fit`` is given."""

    network: Callable[[], cr.NeuralNetwork]
    data: tuple[Any, Any]
    settings: dict[str, Any] = field(default_factory=dict)

    def fit(self, *callbacks: cr.Callback) -> cr.History:
        return self.network().fit(*self.data, callbacks=callbacks, **self.settings)


def random_run(seed: int, engine: str) -> Run:
    """Every third one on images, of which every second has bytes; the others on rows."""
    random = np.random.default_rng(seed)
    images = seed % 3 == 0
    batch_size = [7, 5, 11, None][random.integers(4)]
    rows = 25
    settings: dict[str, Any] = {
        "batch_size": batch_size,
        "epochs": int(random.integers(14, 18)) if batch_size else 60,
        "shuffle": bool(random.random() < 0.8),
    }
    if random.random() < 0.4:
        settings |= {"validation": 0.2, "metrics": ["accuracy"]}
    weighted = random.random() < 0.4
    if images:
        x = random.integers(0, 256, size=(rows, 6, 6, 1)).astype(np.uint8)
        layers = [
            lambda: cr.Conv2D(3, 3, "relu"),
            *pick(random, [cr.BatchNorm, lambda: cr.SpatialDropout(0.3), cr.MaxPool2D], 2),
            cr.Flatten,
            lambda: cr.Dense(3),
        ]
        if seed % 2:
            x = x.astype(np.float32) / 255
        if not weighted:
            settings["augment"] = [cr.data.Shift(1), "flip", "mix_up"]
    else:
        x = random.normal(size=(rows, 4))
        kinds = [
            cr.BatchNorm,
            lambda: cr.Dropout(0.3),
            cr.LayerNorm,
            lambda: cr.Residual(cr.Dense(5, "tanh"), cr.BatchNorm()),
            lambda: cr.Dense(5, cr.PReLU()),
        ]
        layers = [lambda: cr.Dense(5, "tanh"), *pick(random, kinds, 3), lambda: cr.Dense(3)]
    if weighted:
        settings["sample_weight"] = random.uniform(0.5, 2, size=rows)
    optimizer = copy.deepcopy(OPTIMIZERS[random.integers(len(OPTIMIZERS))])
    if random.random() < 0.7:
        optimizer.learning_rate = SCHEDULES[random.integers(len(SCHEDULES))]
    keywords = {
        "loss": "softmax_cross_entropy",
        "seed": seed,
        "dtype": ["float32", "float64"][seed // 2 % 2],
        "l2": [0.0, 0.01][random.integers(2)],
        "inputs": x.shape[1:],
        "engine": engine,
    }

    def network() -> cr.NeuralNetwork:
        return cr.NeuralNetwork(
            *(layer() for layer in layers), optimizer=copy.deepcopy(optimizer), **keywords
        )

    return Run(network, (x, random.integers(0, 3, size=rows)), settings)


def pick(random: np.random.Generator, kinds: list[Any], count: int) -> list[Any]:
    return [kinds[index] for index in random.permutation(len(kinds))[:count]]


def bits(network: cr.NeuralNetwork) -> dict[str, Any]:
    """All that training changes: parameters, statistics, optimizer, counters, schedule."""
    state = network.training_state
    return {
        "storage": network.parameter_vector.storage.tobytes(),
        "vectors": {name: v.tobytes() for name, v in state.optimizer.vectors.items()},
        "counts": (state.epoch, state.step, state.optimizer.step),
        "schedule": dict(state.schedule),
    }


class Recorder(cr.Callback):
    """Keeps the bits of every step."""

    def before_training(self, network: cr.NeuralNetwork, history: cr.History) -> None:
        self.seen = {0: bits(network)}

    def after_step(self, network: cr.NeuralNetwork, history: cr.History) -> None:
        self.seen[history.iterations] = bits(network)

    after_epoch = after_step  # what the schedule has learned from the epoch


class StopAt(cr.Callback):
    """Ends a training after so many steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def after_step(self, network: cr.NeuralNetwork, history: cr.History) -> None:
        if history.iterations == self.step:
            history.stop("as asked")
