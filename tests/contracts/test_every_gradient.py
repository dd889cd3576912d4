"""Backprop against central differences: every layer, option, activation and loss.

Data are keyed by the case, so each case always sees the same numbers. A few functions have corners
(ReLU at 0, hinge at the margin); random numbers come within a step of 1e-5 of one so seldom that
none of these cases does.
"""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Shape
from contracts.examples import examples, layer_examples, random_for, targets_for

BATCH = 4
LOSSES = examples(cr.Loss)
ACTIVATIONS = examples(cr.Activation)
LAYERS = layer_examples()
OPTIONS = [{}, {"l1": 0.1, "l2": 0.2}, {"sample_weight": True}]


def fits(loss: cr.Loss, activation: cr.Activation) -> bool:
    """Whether a network with this loss may end in this activation."""
    try:
        loss.check_activation(activation)
    except cr.InvalidSetting:
        return False
    return True


def last_activation(loss: cr.Loss) -> str:
    """Name an activation that any network with this loss can end in."""
    fitting = {
        "probabilities": "softmax",
        "logarithms of probabilities": "log_softmax",
        "positive": "softplus",
    }
    return fitting.get(loss.outputs, "identity")


def check(
    *layers: cr.Layer,
    loss: cr.Loss,
    input_shape: Shape = (3,),
    sample_weight: bool = False,
    **penalties: Any,
) -> None:
    """Build the network in float64, move its biases off zero, and compare its gradients."""
    case = (*map(repr, layers), repr(loss), input_shape, sample_weight, *penalties)
    random = random_for(*case)
    net = cr.NeuralNetwork(
        *copy.deepcopy(layers), loss=loss, inputs=input_shape, dtype="float64", **penalties
    )
    net.parameters[...] += random.normal(0, 0.3, len(net.parameters))
    x = random.normal(size=(BATCH, *input_shape))
    y = targets_for(loss, (BATCH, *net.output_shape), random)
    weight: Array | None = random.uniform(0.2, 2, BATCH) if sample_weight else None
    result = net.check_gradients(x, y, sample_weight=weight)
    assert result, repr(result)
    labels = [slot.label for slot in net.parameter_vector.slots]
    assert [comparison.name for comparison in result.comparisons] == [*labels, "x"]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[f"{x!r} {s}" for x, s in LAYERS])
def test_every_layer(layer: cr.Layer, shape: Shape) -> None:
    """By itself, and between two others whose gradients pass through it."""
    check(layer, loss=cr.SumOfSquares(), input_shape=shape)
    if len(shape) == 1 and len(layer.output_shape(shape)) == 1:
        around = (cr.Dense(shape[0], activation="tanh"), layer, cr.Dense(2))
        check(*around, loss=cr.SumOfSquares(), input_shape=(3,))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_loss(loss: cr.Loss, options: dict[str, Any]) -> None:
    """Plain, with penalties on the weights, and with sample weights."""
    check(
        cr.Dense(4, activation="tanh"),
        cr.Dense(3, activation=last_activation(loss)),
        loss=loss,
        **options,
    )


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no bias"])
def test_every_activation_in_a_hidden_layer(activation: cr.Activation, use_bias: bool) -> None:
    check(
        cr.Dense(4, activation=activation, use_bias=use_bias),
        cr.Dense(2, use_bias=use_bias),
        loss=cr.MeanSquaredError(),
    )


@pytest.mark.sweep(sample=60)
@pytest.mark.parametrize(
    ("hidden", "loss", "options"), list(product(ACTIVATIONS, LOSSES, OPTIONS)), ids=str
)
def test_every_activation_with_every_loss(
    hidden: cr.Activation, loss: cr.Loss, options: dict[str, Any]
) -> None:
    check(
        cr.Dense(4, activation=hidden),
        cr.Dense(3, activation=last_activation(loss)),
        loss=loss,
        **options,
    )


ENDINGS = [pair for pair in product(ACTIVATIONS, LOSSES) if fits(pair[1], pair[0])]


@pytest.mark.sweep(sample=40)
@pytest.mark.parametrize(("last", "loss"), ENDINGS, ids=str)
@pytest.mark.parametrize("apart", [False, True], ids=["in Dense", "a layer of its own"])
def test_every_allowed_ending(last: cr.Activation, loss: cr.Loss, apart: bool) -> None:
    ending = [cr.Dense(3), last] if apart else [cr.Dense(3, activation=last)]
    check(cr.Dense(4, activation="tanh"), *ending, loss=loss)


WIDE = [
    (layer, shape) for layer, shape in LAYERS if len(shape) == len(layer.output_shape(shape)) == 1
]


@pytest.mark.sweep(sample=40)
@pytest.mark.parametrize(("first", "second"), list(product(WIDE, WIDE)), ids=str)
def test_every_layer_after_every_other(
    first: tuple[cr.Layer, Shape], second: tuple[cr.Layer, Shape]
) -> None:
    check(
        first[0],
        cr.Dense(second[1][0], activation="tanh"),
        second[0],
        loss=cr.SumOfSquares(),
        input_shape=first[1],
    )


def test_numbers_at_rest_have_a_derivative_of_zero() -> None:
    """A unit that ReLU has silenced for every sample moves nothing."""
    layer = cr.Dense(2, activation="relu")
    net = cr.NeuralNetwork(layer, cr.Dense(1), inputs=2, dtype="float64")
    layer.bias = [-100.0, 100.0]
    trace = net.new_trace()
    x = np.random.default_rng(0).normal(size=(5, 2))
    net.feedforward(x, trace)
    net.backprop(x[:, 0], trace)
    np.testing.assert_array_equal(trace[0].d_weights[:, 0], 0)
    assert net.check_gradients(x, x[:, 0])
