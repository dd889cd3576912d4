"""Trainings in which nothing is wrong: sensible settings, through to a good score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.diagnosis import Diagnosis, diagnose
from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.report import checked_samples
from chainrule.layer import Array
from diagnosis.problems import IMAGES, Problem

Problems = Callable[[np.random.Generator], Problem]

ACTIVATIONS = ("relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus", "selu",
               "softsign", "mish", "prelu")  # fmt: skip


@dataclass
class Run:
    """A training and the diagnoses made on its way.

    Attributes
    ----------
    told : str
        What was trained on what.
    diagnoses : list of (str, Diagnosis)
        When, and what.
    left, left_for_validation : float
        Part of a guess's loss that is left in the end, on all samples and on those for validation
        (0 where there are none).
    reachable : float
        What a good network leaves.
    """

    told: str
    diagnoses: list[tuple[str, Diagnosis]]
    left: float
    left_for_validation: float
    reachable: float


def healthy_run(number: int, seed: int, problems: Mapping[str, Problems]) -> Run:
    """Train one of the healthy runs, and diagnose it before, during and after.

    A training that does not come to a good score is not healthy, and others are tried.
    """
    for attempt in range(20):
        try:
            run = _run(number, problems, np.random.default_rng([seed, number, attempt]))
        except cr.LossNotFinite:
            continue
        if run.left < run.reachable and run.left_for_validation < run.reachable + 0.1:
            return run
    raise AssertionError("None of twenty trainings came to a good score.")


def _run(number: int, problems: Mapping[str, Problems], random: np.random.Generator) -> Run:
    names = list(problems)
    name = names[number % len(names)]
    problem = problems[name](random)
    epochs, settings, layers = _choices(random, problem, is_image=name in IMAGES)
    net = cr.NeuralNetwork(*layers, **settings)
    y = _targets(problem, net.loss)
    diagnoses = [("before", diagnose(net, problem.x, y))]
    looks = {1, 5, epochs // 3}

    def look(network: Any, history: cr.History) -> None:
        done = len(history.epochs["loss"])
        if done in looks:
            diagnoses.append((f"epoch {done}", diagnose(network, problem.x, y, history=history)))

    callbacks: list[cr.Callback] = [cr.OnEpoch(look)]
    validation = float(random.choice([0.2, 0.3])) if random.random() < 0.7 else None
    if validation is not None:
        callbacks.append(cr.EarlyStopping(patience=5))
    batch = int(random.choice([16, 32, 64]))
    history = net.fit(
        problem.x, y, epochs=epochs, batch_size=batch, validation=validation, callbacks=callbacks,
        progress=False,
    )  # fmt: skip
    diagnoses.append(("after", diagnose(net, problem.x, y, history=history)))
    diagnoses.append(("after, without history", diagnose(net, problem.x, y)))
    evidence = Evidence(net, checked_samples(net, problem.x, y, None), history)
    output = net.feedforward(evidence.some.x)
    left = float(evidence.scale.unexplained(net.loss.value(output, evidence.some.y)))
    assert evidence.curve is not None
    curve = evidence.curve.validation
    left_for_validation = 0.0 if curve is None else float(curve.min())
    return Run(f"{name}: {net!r}", diagnoses, left, left_for_validation, problem.reachable)


def _choices(
    random: np.random.Generator, problem: Problem, *, is_image: bool
) -> tuple[int, dict[str, Any], list[cr.Layer]]:
    activation = str(random.choice(ACTIVATIONS))
    loss, last = _loss_and_last(random, problem)
    optimizer, epochs = _optimizer(random, len(problem.x))
    if is_image:
        layers = _image_layers(random, activation)
        epochs = 15
        optimizer = cr.Adam(0.005)
    else:
        widths = random.choice([8, 16, 24, 32], int(random.integers(1, 4)))
        layers = [layer for width in widths for layer in _block(random, int(width), activation)]
    settings = {
        "loss": loss,
        "optimizer": optimizer,
        "seed": int(random.integers(1000)),
        "dtype": str(random.choice(["float32", "float64"])),
        "l2": float(random.choice([0.0, 0.0, 1e-4])),
    }
    return epochs, settings, [*layers, last]


def _block(random: np.random.Generator, width: int, activation: str) -> Iterator[cr.Layer]:
    kind = random.random()
    if kind < 0.8:
        yield cr.Dense(width, activation)
    elif kind < 0.9:
        yield cr.Dense(width)
        yield cr.BatchNorm() if random.random() < 0.5 else cr.LayerNorm()
        yield cr.Activation.get(activation)
    else:
        yield cr.Dense(width, activation)
        yield cr.Residual(cr.Dense(width, activation), cr.Dense(width))
    if random.random() < 0.1:
        yield cr.Dropout(0.2)


def _image_layers(random: np.random.Generator, activation: str) -> list[cr.Layer]:
    if random.random() < 0.5:
        return [
            cr.Conv2D(8, 3, activation),
            cr.MaxPool2D(2),
            cr.Flatten(),
            cr.Dense(24, activation),
        ]
    return [
        cr.Conv2D(8, 3, padding="same"),
        cr.BatchNorm(),
        cr.Activation.get(activation),
        cr.Residual(cr.Conv2D(8, 3, activation, padding="same")),
        cr.AveragePool2D(2),
        cr.Flatten(),
    ]


def _optimizer(random: np.random.Generator, samples: int) -> tuple[cr.Optimizer, int]:
    epochs = int(random.choice([60, 100]))
    choices: list[cr.Optimizer] = [
        cr.Adam(0.01),
        cr.Adam(0.003),
        cr.Adam(cr.Cosine(0.01, epochs)),
        cr.AdamW(0.01, weight_decay=0.1),
        cr.GradientDescent(0.05, momentum=0.9),
        cr.GradientDescent(0.02, momentum=0.9, nesterov=True),
        cr.GradientDescent(0.1),
        cr.RMSProp(0.003),
        cr.Nadam(0.005),
        cr.Adagrad(0.02),
        cr.Lion(0.001),
        cr.AMSGrad(0.01),
        cr.LBFGS(),
    ]
    return choices[int(random.integers(len(choices)))], epochs


def _loss_and_last(random: np.random.Generator, problem: Problem) -> tuple[str, cr.Layer]:
    if problem.classes == 0:
        outputs = 1 if problem.y.ndim == 1 else problem.y.shape[1]
        loss = str(random.choice(["mean_squared_error", "huber", "log_cosh"]))
        return loss, cr.Dense(outputs)
    pairs = [
        ("softmax_cross_entropy", "identity", problem.classes),
        ("categorical_cross_entropy", "softmax", problem.classes),
        ("negative_log_likelihood", "log_softmax", problem.classes),
    ]
    if problem.classes == 2:
        pairs += [
            ("sigmoid_cross_entropy", "identity", 1),
            ("binary_cross_entropy", "sigmoid", 1),
            ("mean_squared_error", "sigmoid", 1),
            ("hinge", "identity", 1),
        ]
    loss, activation, outputs = pairs[int(random.integers(len(pairs)))]
    return loss, cr.Dense(outputs, activation)


def _targets(problem: Problem, loss: cr.Loss) -> Array:
    return 2 * problem.y - 1 if loss.name == "hinge" else problem.y
