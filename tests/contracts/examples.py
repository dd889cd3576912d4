"""Example objects of every registered class, and numbers to feed them.

A class is found through its registry and made with its default settings. One that has settings
also stands in ``OTHER_SETTINGS``, one that cannot do without in ``LAYERS``; the test
``test_examples.py`` says so when an entry is missing.
"""

from __future__ import annotations

import inspect
import zlib
from typing import Any, TypeVar

import numpy as np

import chainrule as cr
from chainrule.layer import Array, Shape
from chainrule.loss import Loss
from chainrule.registry import Registered

Member = TypeVar("Member", bound=Registered)

OTHER_SETTINGS: dict[type[Registered], list[Any]] = {
    cr.LeakyReLU: [cr.LeakyReLU(slope=0.3)],
    cr.PReLU: [cr.PReLU(initial_slope=0.4)],
    cr.ELU: [cr.ELU(alpha=0.7)],
    cr.Huber: [cr.Huber(delta=0.5)],
    cr.BinaryCrossEntropy: [cr.BinaryCrossEntropy(label_smoothing=0.1)],
    cr.SigmoidCrossEntropy: [cr.SigmoidCrossEntropy(label_smoothing=0.1)],
    cr.MultilabelCrossEntropy: [cr.MultilabelCrossEntropy(label_smoothing=0.1)],
    cr.CategoricalCrossEntropy: [cr.CategoricalCrossEntropy(label_smoothing=0.1)],
    cr.SoftmaxCrossEntropy: [cr.SoftmaxCrossEntropy(label_smoothing=0.1)],
    cr.GradientDescent: [
        cr.GradientDescent(0.02, momentum=0.8),
        cr.GradientDescent(0.02, momentum=0.8, nesterov=True, weight_decay=0.1),
    ],
    cr.Adagrad: [cr.Adagrad(0.3, epsilon=1e-6, weight_decay=0.1)],
    cr.RMSProp: [cr.RMSProp(0.02, decay=0.8, epsilon=1e-6, clip_norm=2.0)],
    cr.Adadelta: [cr.Adadelta(0.9, decay=0.9, epsilon=1e-4, clip_value=0.5)],
    cr.Adam: [
        cr.Adam(0.02, mean_decay=0.8, square_decay=0.99, epsilon=1e-6, weight_decay=0.1),
        cr.Adam(0.02, epsilon=1e-3, epsilon_hat=True),
    ],
    cr.AMSGrad: [cr.AMSGrad(0.02, mean_decay=0.8, square_decay=0.99)],
    cr.AdamW: [cr.AdamW(0.02, weight_decay=0.1, clip_norm=2.0)],
    cr.Nadam: [cr.Nadam(0.02, mean_decay=0.8, square_decay=0.99, weight_decay=0.1)],
    cr.Lion: [cr.Lion(0.01, step_decay=0.8, mean_decay=0.9, weight_decay=0.1)],
    cr.LBFGS: [cr.LBFGS(memory=5, tolerance=1e-5, loss_tolerance=1e-9, evaluations=500)],
    cr.Constant: [cr.Constant(0.3)],
    cr.Uniform: [cr.Uniform(-1.0, 2.0)],
    cr.Normal: [cr.Normal(mean=1.0, standard_deviation=0.2)],
    cr.Orthogonal: [cr.Orthogonal(gain=2.0)],
}

# Layers that are no activations, each with the shape of one input sample.
LAYERS: dict[type[cr.Layer], list[tuple[cr.Layer, Shape]]] = {
    cr.Dense: [
        (cr.Dense(4), (3,)),
        (cr.Dense(1, activation="sigmoid", use_bias=False), (5,)),
        (cr.Dense(3, activation=cr.PReLU(initial_slope=0.4)), (3,)),
        (cr.Dense(3, activation="softmax"), (4,)),
        (
            cr.Dense(
                4,
                activation=cr.ELU(alpha=0.7),
                weights_initializer=cr.Orthogonal(gain=2.0),
                bias_initializer=cr.Constant(0.5),
            ),
            (1,),
        ),
    ],
    cr.AveragePool1D: [(cr.AveragePool1D(), (6, 2)), (cr.AveragePool1D(3, 2, "same"), (6, 2))],
    cr.AveragePool2D: [
        (cr.AveragePool2D(), (4, 6, 2)),
        (cr.AveragePool2D(3, 2, "same"), (5, 4, 2)),
    ],
    cr.BatchNorm: [(cr.BatchNorm(), (4,)), (cr.BatchNorm(momentum=0.5, epsilon=0.1), (3, 4, 2))],
    cr.Conv1D: [
        (cr.Conv1D(3, 2), (5, 2)),
        (cr.Conv1D(4, 3, "tanh", stride=2, padding=(2, 0), dilation=2, groups=2), (6, 2)),
    ],
    cr.Conv2D: [
        (cr.Conv2D(2, 2), (4, 3, 1)),
        (cr.Conv2D(4, (2, 3), "tanh", stride=(2, 1), padding="same", groups=2), (5, 4, 2)),
        (
            cr.Conv2D(3, 2, padding=((1, 0), (0, 2)), dilation=(2, 1), groups=3, use_bias=False),
            (4, 4, 3),
        ),
    ],
    cr.ConvTranspose2D: [
        (cr.ConvTranspose2D(2, 2), (3, 3, 1)),
        (
            cr.ConvTranspose2D(4, 3, "tanh", stride=2, padding=1, output_padding=(1, 0), groups=2),
            (3, 2, 2),
        ),
        (cr.ConvTranspose2D(3, 2, stride=(3, 2), padding="same", use_bias=False), (2, 3, 2)),
    ],
    cr.Dropout: [(cr.Dropout(), (4,)), (cr.Dropout(0.2), (3, 2, 2))],
    cr.Flatten: [(cr.Flatten(), (3, 2, 2)), (cr.Flatten(), (4,))],
    cr.GlobalAveragePool: [(cr.GlobalAveragePool(), (3, 4, 2)), (cr.GlobalAveragePool(), (5, 2))],
    cr.GlobalMaxPool: [(cr.GlobalMaxPool(), (3, 4, 2)), (cr.GlobalMaxPool(), (5, 2))],
    cr.GroupNorm: [(cr.GroupNorm(2), (6,)), (cr.GroupNorm(3, epsilon=0.1), (2, 3, 6))],
    cr.LayerNorm: [(cr.LayerNorm(), (4,)), (cr.LayerNorm(epsilon=0.1), (2, 3, 4))],
    cr.MaxPool1D: [(cr.MaxPool1D(), (6, 2)), (cr.MaxPool1D(3, 1, (1, 2)), (6, 2))],
    cr.MaxPool2D: [
        (cr.MaxPool2D(), (4, 6, 2)),
        (cr.MaxPool2D(3, 2, "same"), (5, 4, 2)),
        (cr.MaxPool2D((2, 3), (1, 2), ((1, 0), (2, 1))), (4, 5, 2)),
    ],
    cr.RMSNorm: [(cr.RMSNorm(), (4,)), (cr.RMSNorm(epsilon=0.1), (2, 3, 4))],
    cr.Reshape: [(cr.Reshape(4), (2, 2)), (cr.Reshape((2, 3)), (6,))],
    cr.Residual: [
        (cr.Residual(cr.Dense(4, "tanh")), (4,)),
        (
            cr.Residual(cr.Conv2D(3, 3, "tanh", padding="same"), cr.BatchNorm(), projection="auto"),
            (3, 4, 2),
        ),
    ],
    cr.SpatialDropout: [(cr.SpatialDropout(0.3), (3, 4, 2))],
    cr.UpSample: [(cr.UpSample(2), (2, 3, 2)), (cr.UpSample((1, 3)), (2, 2, 1))],
    cr.ZeroPad: [(cr.ZeroPad(1), (2, 3, 2)), (cr.ZeroPad(((0, 1), (2, 0))), (2, 2, 1))],
}


def members(family: type[Member]) -> list[type[Member]]:
    """List chainrule's own members of a family (not those that some test or example defined)."""
    found = [family.member(name) for name in family.names()]
    return [member for member in found if member.__module__.startswith("chainrule.")]


def examples(family: type[Member]) -> list[Member]:
    """Make one object of each member with default settings, then those with other settings."""
    found: list[Member] = []
    for member in members(family):
        if not needs_arguments(member):
            found.append(member())
        found += OTHER_SETTINGS.get(member, [])
    return found


def layer_examples() -> list[tuple[cr.Layer, Shape]]:
    """Every kind of layer, with the shape of one input sample."""
    found = [example for kind in members(cr.Layer) for example in LAYERS.get(kind, [])]
    for activation in examples(cr.Activation):
        found += [(activation, (3,)), (activation, (2, 3))]
    return found


def needs_arguments(member: type) -> bool:
    """Whether a class cannot be made without arguments."""
    empty, several = (
        inspect.Parameter.empty,
        (
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.VAR_KEYWORD,
        ),
    )
    parameters = inspect.signature(member).parameters.values()
    return any(p.default is empty and p.kind not in several for p in parameters)


def random_for(*case: object) -> np.random.Generator:
    """Random numbers that belong to one case, whatever other cases there are."""
    return np.random.default_rng(zlib.crc32(repr(case).encode()))


def outputs_for(loss: Loss, shape: Shape, random: np.random.Generator) -> Array:
    """Network outputs (float64) such as the loss takes, well inside what is allowed."""
    if loss.outputs == "probabilities" and loss.targets == "classes":
        return random.dirichlet(np.full(shape[-1], 3.0), shape[:-1])
    if loss.outputs == "logarithms of probabilities":
        return np.log(random.dirichlet(np.full(shape[-1], 3.0), shape[:-1]))
    if loss.outputs == "probabilities":
        return random.uniform(0.05, 0.95, shape)
    if loss.outputs == "positive":
        return random.uniform(0.1, 5, shape)
    return random.normal(0, 2, shape)


def targets_for(loss: Loss, shape: Shape, random: np.random.Generator) -> Array:
    """Actual values (float64) such as the loss takes."""
    match loss.targets:
        case "numbers":
            return random.normal(0, 2, shape)
        case "probabilities":
            return random.uniform(0, 1, shape)
        case "classes":
            return random.dirichlet(np.ones(shape[-1]), shape[:-1])
        case "signs":
            return random.choice([-1.0, 1.0], shape)
        case "counts":
            return random.poisson(3, shape).astype(np.float64)
    raise AssertionError(f"Say in targets_for what targets of kind {loss.targets!r} look like.")
