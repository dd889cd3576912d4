"""One network for every layer, activation, loss and optimizer there is, found by the registries."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from contracts.examples import examples, layer_examples, random_for

import chainrule as cr
from chainrule.layer import Array, Shape
from chainrule.saving.eject.check import targets_for

_LAST = {
    "probabilities": "sigmoid",
    "positive": "softplus",
    "logarithms of probabilities": "log_softmax",
}

Kind = tuple[str, cr.NeuralNetwork]


def network(*layers: cr.Layer, inputs: int | Shape, **settings: Any) -> cr.NeuralNetwork:
    """Build a float64 network on the reference engine, of layers of its own."""
    own = copy.deepcopy(layers)
    return cr.NeuralNetwork(*own, inputs=inputs, dtype="float64", engine="reference", **settings)


def data_for(net: cr.NeuralNetwork, *case: object, samples: int = 4) -> tuple[Array, Array]:
    """Samples that a network may be trained on."""
    random = random_for("eject", *case)
    x = random.normal(size=(samples, *net.shapes[0]))
    y = targets_for(net.loss.targets, net.output_shape, random)
    return x, np.resize(y, (samples, *y.shape[1:]))


def layers() -> Iterator[Kind]:
    """Every layer first and alone, and between two others."""
    for number, (layer, shape) in enumerate(layer_examples()):
        name = f"{layer.name} {number}"
        alone = network(layer, inputs=shape)
        if len(alone.parameters):
            yield f"{name} alone", alone
        if len(shape) == 3:
            first: cr.Layer = cr.Conv2D(shape[-1], 1)
        elif len(shape) == 2:
            first = cr.Conv1D(shape[-1], 1)
        else:
            first = cr.Dense(shape[0])
        between = (first, layer, cr.Flatten(), cr.Dense(2))
        optimizer = cr.GradientDescent(0.01, momentum=0.9)
        yield f"{name} between", network(*between, inputs=shape, optimizer=optimizer)


def losses() -> Iterator[Kind]:
    """Every loss, with penalties."""
    for number, loss in enumerate(examples(cr.Loss)):
        last = _LAST.get(loss.outputs, "identity")
        if loss.outputs == "probabilities" and loss.targets == "classes":
            last = "softmax"
        for outputs in (3,) if loss.targets == "classes" else (1, 3):
            net = network(
                *(cr.Dense(4, "tanh"), cr.Dense(outputs, last)),
                inputs=3, loss=loss, optimizer=cr.GradientDescent(0.05), l1=0.001, l2=0.01,
            )  # fmt: skip
            yield f"{loss.name} {number} {outputs}", net


def optimizers() -> Iterator[Kind]:
    """Every optimizer but SciPy's."""
    for number, optimizer in enumerate(examples(cr.Optimizer)):
        if not isinstance(optimizer, cr.LBFGS):
            net = network(cr.Dense(4, "tanh"), cr.Dense(2), inputs=3, optimizer=optimizer)
            yield f"{optimizer.name} {number}", net


def has_dropout(net: cr.NeuralNetwork) -> bool:
    """Whether training draws random numbers."""
    return any(isinstance(layer, cr.Dropout) for layer in net.layers)
