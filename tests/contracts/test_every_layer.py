"""What every layer promises: shapes, determinism, no state of its own, copies that agree."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Shape
from contracts.examples import layer_examples, random_for

EXAMPLES = layer_examples()
ALL = pytest.mark.parametrize(
    ("layer", "input_shape"), EXAMPLES, ids=[f"{layer!r} {shape}" for layer, shape in EXAMPLES]
)


def network(layer: cr.Layer, input_shape: Shape, dtype: str = "float64") -> cr.NeuralNetwork:
    """Build a network of a copy of this one layer."""
    return cr.NeuralNetwork(copy.deepcopy(layer), inputs=input_shape, dtype=dtype)


def batch(net: cr.NeuralNetwork, size: int = 6, seed: int = 0) -> tuple[Array, Array]:
    """Inputs, and derivatives of some loss with respect to the outputs."""
    random = random_for(repr(net.layers[0]), size, seed)
    x = random.normal(size=(size, *net.shapes[0]))
    return x.astype(net.dtype), random.normal(size=(size, *net.output_shape)).astype(net.dtype)


def both_passes(layer: cr.Layer, x: Array, d_output: Array) -> dict[str, Array]:
    """Run forwards and back with a trace of their own; every number of them by name."""
    trace = cr.Trace()
    found = {"output": layer.feedforward(x, trace)}
    d_x = layer.backprop(d_output, trace)
    assert d_x is not None
    return found | {"d_x": d_x} | trace.fields()


def assert_same(found: dict[str, Any], expected: dict[str, Array]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def parts(layer: cr.Layer) -> Iterator[cr.Layer]:
    """Walk a layer and the layers in its attributes: its activation, what it is composed of."""
    yield layer
    for value in vars(layer).values():
        for inner in value if isinstance(value, list | tuple) else [value]:
            if isinstance(inner, cr.Layer):
                yield from parts(inner)


def held(layer: cr.Layer) -> list[dict[str, Any]]:
    """Everything a layer and its parts hold, numbers copied."""
    return [
        {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in vars(part).items()}
        for part in parts(layer)
    ]


def own_parameters(layer: cr.Layer, shape: Shape) -> list[tuple[str, cr.Layer, Shape]]:
    """Name, owner and shape of what leaves its gradient in the layer's own trace."""
    found = layer.parameter_owners(shape)
    return [
        (name, owner, shape)
        for path, name, owner, shape in found
        if path == () and owner.declared(name).trainable
    ]


@ALL
def test_shapes_are_as_it_says(layer: cr.Layer, input_shape: Shape) -> None:
    net = network(layer, input_shape)
    x, d_output = batch(net)
    found = both_passes(net.layers[0], x, d_output)
    assert found["output"].shape == (len(x), *layer.output_shape(input_shape))
    assert found["d_x"].shape == x.shape
    for name, owner, shape in own_parameters(net.layers[0], input_shape):
        assert getattr(owner, name).shape == shape
        assert found[f"d_{name}"].shape == shape


@ALL
@pytest.mark.parametrize("size", [1, 7])
def test_a_batch_is_its_samples_one_by_one(layer: cr.Layer, input_shape: Shape, size: int) -> None:
    """No sample sees another, and gradients of parameters are sums over the batch."""
    net = network(layer, input_shape)
    x, d_output = batch(net, size)
    together = both_passes(net.layers[0], x, d_output)
    alone = [both_passes(net.layers[0], x[i : i + 1], d_output[i : i + 1]) for i in range(len(x))]
    for name in ("output", "d_x"):
        np.testing.assert_allclose(
            together[name], np.concatenate([one[name] for one in alone]), rtol=1e-12, atol=1e-14
        )
    for name, _, _ in own_parameters(net.layers[0], input_shape):
        total = sum(one[f"d_{name}"] for one in alone)
        np.testing.assert_allclose(together[f"d_{name}"], total, rtol=1e-11, atol=1e-13)


@ALL
def test_it_is_deterministic(layer: cr.Layer, input_shape: Shape) -> None:
    first, second = network(layer, input_shape), network(layer, input_shape)
    np.testing.assert_array_equal(first.parameters, second.parameters)
    x, d_output = batch(first)
    expected = both_passes(first.layers[0], x, d_output)
    assert_same(both_passes(first.layers[0], x, d_output), expected)
    assert_same(both_passes(second.layers[0], x, d_output), expected)


@ALL
def test_a_pass_changes_nothing_in_the_layer_nor_in_its_inputs(
    layer: cr.Layer, input_shape: Shape
) -> None:
    net = network(layer, input_shape)
    x, d_output = batch(net)
    x.flags.writeable = d_output.flags.writeable = False
    before = held(net.layers[0])
    both_passes(net.layers[0], x, d_output)
    after = held(net.layers[0])
    assert [list(part) for part in after] == [list(part) for part in before]
    for part, earlier in zip(after, before, strict=True):
        for name, value in earlier.items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(part[name], value)
            else:
                assert part[name] is value


@ALL
def test_two_passes_do_not_disturb_each_other(layer: cr.Layer, input_shape: Shape) -> None:
    """A validation pass in the middle of a training step, of another batch size even."""
    net = network(layer, input_shape)
    (x, d_output), (other_x, other_d) = batch(net), batch(net, 4, seed=1)
    expected, expected_other = (
        both_passes(net.layers[0], x, d_output),
        both_passes(net.layers[0], other_x, other_d),
    )
    one, two = cr.Trace(), cr.Trace()
    output, other = net.layers[0].feedforward(x, one), net.layers[0].feedforward(other_x, two)
    d_x, other_d_x = net.layers[0].backprop(d_output, one), net.layers[0].backprop(other_d, two)
    assert_same({"output": output, "d_x": d_x} | one.fields(), expected)
    assert_same({"output": other, "d_x": other_d_x} | two.fields(), expected_other)


@ALL
def test_a_trace_can_be_used_again(layer: cr.Layer, input_shape: Shape) -> None:
    """Training keeps one trace for all steps; the last batch of an epoch may be smaller."""
    net = network(layer, input_shape)
    reused = cr.Trace()
    for size, seed in ((6, 0), (6, 1), (2, 2), (6, 3)):
        x, d_output = batch(net, size, seed)
        output = net.layers[0].feedforward(x, reused)
        d_x = net.layers[0].backprop(d_output, reused)
        expected = both_passes(net.layers[0], x, d_output)
        assert_same({"output": output, "d_x": d_x} | reused.fields(), expected)


@ALL
def test_threads_with_traces_of_their_own_get_the_same_numbers(
    layer: cr.Layer, input_shape: Shape
) -> None:
    net = network(layer, input_shape)
    batches = [batch(net, 5, seed) for seed in range(8)]
    expected = [both_passes(net.layers[0], *pair) for pair in batches]
    with ThreadPoolExecutor(2) as threads:
        rounds = threads.map(lambda pair: both_passes(net.layers[0], *pair), batches * 5)
        for number, found in enumerate(rounds):
            assert_same(found, expected[number % len(batches)])


@ALL
def test_a_layer_that_need_not_tell_d_x_still_tells_its_own_gradients(
    layer: cr.Layer, input_shape: Shape
) -> None:
    net = network(layer, input_shape)
    x, d_output = batch(net)
    trace = cr.Trace()
    trace.needs_d_x = False
    net.layers[0].feedforward(x, trace)
    d_x = net.layers[0].backprop(d_output, trace)
    expected = both_passes(net.layers[0], x, d_output)
    if d_x is not None:
        np.testing.assert_array_equal(d_x, expected["d_x"])
    for name, _, _ in own_parameters(net.layers[0], input_shape):
        np.testing.assert_array_equal(getattr(trace, f"d_{name}"), expected[f"d_{name}"])


@ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_that_goes_in_comes_out(layer: cr.Layer, input_shape: Shape, dtype: str) -> None:
    net = network(layer, input_shape, dtype)
    found = both_passes(net.layers[0], *batch(net))
    numbers = {name: value for name, value in found.items() if value.dtype.kind == "f"}
    assert {"output", "d_x"} <= numbers.keys()  # others may be indices: which one was the largest
    assert {str(value.dtype) for value in numbers.values()} == {dtype}


KEEPING_SHAPE = [(layer, shape) for layer, shape in EXAMPLES if layer.output_shape(shape) == shape]


@pytest.mark.parametrize(
    ("layer", "input_shape"), KEEPING_SHAPE, ids=[f"{layer!r} {s}" for layer, s in KEEPING_SHAPE]
)
def test_a_layer_used_twice_has_the_sum_of_both_gradients(
    layer: cr.Layer, input_shape: Shape
) -> None:
    """And each of the two traces keeps the gradient of its own position."""
    shared = copy.deepcopy(layer)
    net = cr.NeuralNetwork(shared, shared, loss="sum_of_squares", inputs=input_shape)
    net = net.copy(dtype="float64")
    x, y = batch(net)
    trace = net.new_trace()
    net.feedforward(x, trace)
    net.backprop(y, trace)
    for slot in net.parameter_vector.slots:
        first, second = (
            getattr(trace.at((position, *slot.path[1:])), f"d_{slot.name}") for position in (0, 1)
        )
        np.testing.assert_allclose(slot.view(trace.gradients), first + second, rtol=1e-12)
    assert net.check_gradients(x, y)


@ALL
def test_copies_of_a_network_agree_and_are_independent(layer: cr.Layer, input_shape: Shape) -> None:
    net = network(layer, input_shape)
    x, _ = batch(net)
    expected = net.predict(x).copy()
    stored = pickle.loads(pickle.dumps(net))  # noqa: S301 - our own bytes
    for twin in (copy.deepcopy(net), net.copy(), stored):
        np.testing.assert_array_equal(twin.predict(x), expected)
        twin.parameters[...] += 1
        assert [part.is_bound for part in parts(twin.layers[0])] == [
            part.is_bound for part in parts(net.layers[0])
        ]
        for _, name, owner, _ in twin.layers[0].parameter_owners(input_shape):
            assert np.shares_memory(getattr(owner, name), twin.parameter_vector.storage)
    np.testing.assert_array_equal(net.predict(x), expected)
