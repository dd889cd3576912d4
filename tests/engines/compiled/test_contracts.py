"""What every layer promises, kept by the compiled engine too.

The parity tests compare single passes with the reference engine. Here the compiled engine answers
for itself: its gradients are those of its own loss, the same call gives the same bits, and whole
trainings end alike on any number of threads.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
from contracts.examples import layer_examples, random_for

import chainrule as cr
from chainrule.engines.choice import Compiled
from chainrule.engines.compiled.tracing import TracedPass
from chainrule.layer import Array, Shape

EXAMPLES = layer_examples()
ALL = pytest.mark.parametrize(
    ("layer", "input_shape"), EXAMPLES, ids=[f"{layer!r} {shape}" for layer, shape in EXAMPLES]
)
STEP = 1e-6
SOME = 6  # numbers of each array that are moved


def network(
    layer: cr.Layer, shape: Shape, engine: str | cr.Engine = "compiled"
) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        copy.deepcopy(layer),
        inputs=shape,
        dtype="float64",
        optimizer=cr.GradientDescent(0.01, momentum=0.5),
        engine=engine,
    )


def samples(net: cr.NeuralNetwork, rows: int) -> tuple[Array, Array]:
    random = random_for(repr(net.layers[0]), rows)
    return random.normal(size=(rows, *net.shapes[0])), random.normal(size=(rows, *net.output_shape))


def traced(net: cr.NeuralNetwork, x: Array, y: Array) -> TracedPass:
    return TracedPass(net.layers, net.shapes, net.parameter_vector, net.loss, x, y)


@ALL
def test_gradients_are_finite_differences(layer: cr.Layer, input_shape: Shape) -> None:
    net = network(layer, input_shape)
    x, y = samples(net, 4)
    found = traced(net, x, y)
    for values, gradient in ((net.parameters, found.gradients), (x, found.d_x)):
        if gradient is None or not gradient.size:
            continue
        flat, d_flat = values.reshape(-1), gradient.reshape(-1)
        scale = max(np.abs(d_flat).max(), 1e-3)
        for index in random_for("which").choice(flat.size, min(SOME, flat.size), replace=False):
            before, losses = flat[index], []
            for moved in (before + STEP, before - STEP):
                flat[index] = moved
                losses.append(traced(net, x, y).loss)
            flat[index] = before
            difference = (losses[0] - losses[1]) / (2 * STEP)
            assert abs(difference - d_flat[index]) < 1e-5 * scale


@ALL
def test_the_same_call_gives_the_same_bits(layer: cr.Layer, input_shape: Shape) -> None:
    net = network(layer, input_shape)
    x, y = samples(net, 5)
    one, other = traced(net, x, y), traced(net, x, y)
    assert one.loss == other.loss
    np.testing.assert_array_equal(one.gradients, other.gradients)
    assert list(one.fields) == list(other.fields)
    for name, value in one.fields.items():
        np.testing.assert_array_equal(value, other.fields[name], err_msg=str(name))


@pytest.mark.sweep(sample=25)
@ALL
def test_trainings_end_alike_on_any_number_of_threads(layer: cr.Layer, input_shape: Shape) -> None:
    nets = [network(layer, input_shape, e) for e in ("reference", Compiled(1), Compiled(2))]
    x, y = samples(nets[0], 21)
    histories = [net.fit(x, y, epochs=3, batch_size=8) for net in nets]
    np.testing.assert_allclose(histories[1].losses, histories[0].losses, rtol=1e-9)
    np.testing.assert_array_equal(histories[2].losses, histories[1].losses)
    one, two, three = (net.parameter_vector.storage for net in nets)
    np.testing.assert_allclose(two, one, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(three, two)
    expected = nets[0].predict(x)
    np.testing.assert_allclose(nets[1].predict(x), expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(nets[2].predict(x), nets[1].predict(x))


@ALL
def test_copies_answer_alike(layer: cr.Layer, input_shape: Shape) -> None:
    net = network(layer, input_shape)
    x, _ = samples(net, 3)
    expected = net.predict(x)
    for twin in (net.copy(), copy.deepcopy(net)):
        np.testing.assert_array_equal(twin.predict(x), expected)
        if twin.parameters.size:
            twin.parameters[...] += 0.5
    np.testing.assert_array_equal(net.predict(x), expected)
