"""chainrule's networks for images, and the operations in their matrix products."""

from __future__ import annotations

import math

import chainrule as cr
from benchmarks.works.images import data
from benchmarks.works.torch_training import RATE
from chainrule.models import MODELS


def network(name: str, engine: str) -> cr.NeuralNetwork:
    """Return a network of ``chainrule.models`` with seed 0, and without dropout.

    Each library draws dropout's masks in its own way, so they could not be made to learn the same.
    """
    settings = {"dropout": 0.0} if name == "small-cnn" else {}
    return MODELS[name](
        data.CLASSES,
        **settings,
        optimizer=cr.Adam(learning_rate=RATE),
        inputs=data.SHAPE,
        engine=engine,
    )


def product_flops(name: str, *, training: bool) -> float:
    """Operations in the matrix products for one image, a multiplication and an addition being two.

    Forward there is one product for each array of weights. In training two come back, for the
    weights and for the inputs; the first layer needs no derivative of its inputs.
    """
    made = network(name, "reference")
    total = 0.0
    weights = [slot for slot in made.parameter_vector.slots if len(slot.shape) > 1]
    for slot in weights:
        if len(slot.path) > 1:
            raise ValueError(f"{name} has layers inside of layers, whose shapes are not known here")
        pixels = math.prod(made.shapes[slot.path[0] + 1][:-1])
        products = (2 if slot is weights[0] else 3) if training else 1
        total += products * 2 * pixels * math.prod(slot.shape)
    return total
