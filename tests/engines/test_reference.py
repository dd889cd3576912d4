"""Through the layers forwards and back again: a network small enough to do by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.reference import NetworkTrace
from chainrule.layer import Array, Trace

# Two inputs, two hidden ReLU units, one output, two samples. All numbers are sums of powers of
# two, so that paper, float32 and float64 agree to the last bit.
X = [[1, 2], [-2, 1]]
Y = [2, 2]
WEIGHTS_1 = [[1, -1], [0.5, 1]]
BIAS_1 = [0, -2]
WEIGHTS_2 = [[1.5], [2]]
BIAS_2 = [-0.5]

BY_HAND = {
    "layer 1": {
        "x": [[1, 2], [-2, 1]],
        "z": [[1 + 1 + 0, -1 + 2 - 2], [-2 + 0.5 + 0, 2 + 1 - 2]],  # 2, -1 and -1.5, 1
        "a": [[2, 0], [0, 1]],
        "d_z": [[1.5, 0], [0, -2]],  # d_output times WEIGHTS_2, where z > 0
        "d_weights": [[1 * 1.5, -2 * -2], [2 * 1.5, 1 * -2]],
        "d_bias": [1.5, -2],
    },
    "layer 2": {
        "x": [[2, 0], [0, 1]],
        "z": [[2 * 1.5 - 0.5], [1 * 2 - 0.5]],
        "a": [[2.5], [1.5]],
        "d_z": [[1], [-1]],
        "d_weights": [[2 * 1 + 0 * -1], [0 * 1 + 1 * -1]],
        "d_bias": [1 - 1],
    },
}
OUTPUT = [[2.5], [1.5]]
LOSS = 0.5**2 + (-0.5) ** 2
D_OUTPUT = [[2 * 0.5], [2 * -0.5]]
D_X = [[1 * 1.5, 0.5 * 1.5], [-1 * -2, 1 * -2]]


def by_hand_network(dtype: str = "float64") -> cr.NeuralNetwork:
    net = cr.NeuralNetwork(
        cr.Dense(2, activation="relu"), cr.Dense(1), loss="sum_of_squares", dtype=dtype, inputs=2
    )
    net.layers[0].weights, net.layers[0].bias = WEIGHTS_1, BIAS_1
    net.layers[1].weights, net.layers[1].bias = WEIGHTS_2, BIAS_2
    return net


def random_samples(rows: int, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, 3)), random.normal(size=(rows, 2))


def by_differences(net: cr.NeuralNetwork, x: Array, y: Array) -> Array:
    """∂loss/∂parameter from the definition of a derivative, for all parameters."""
    found = np.empty_like(net.parameters)
    for index, start in enumerate(net.parameters.copy()):
        losses = []
        for step in (1e-6, -1e-6):
            net.parameters[index] = start + step
            losses.append(net.evaluate(x, y)["loss"])
        net.parameters[index] = start
        found[index] = (losses[0] - losses[1]) / 2e-6
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_number_of_both_passes_is_the_one_worked_out_by_hand(dtype: str) -> None:
    net = by_hand_network(dtype)
    trace = net.new_trace()
    np.testing.assert_array_equal(net.feedforward(X, trace), OUTPUT)
    assert net.measure(Y, trace) == LOSS
    gradients = net.backprop(Y, trace)
    for layer, numbers in BY_HAND.items():
        fields = trace[layer].fields()
        assert list(fields) == list(numbers)
        for name, number in numbers.items():
            np.testing.assert_array_equal(fields[name], number, err_msg=f"{layer} {name}")
            assert fields[name].dtype == dtype
    np.testing.assert_array_equal(trace.output, OUTPUT)
    np.testing.assert_array_equal(trace.d_output, D_OUTPUT)
    assert trace.d_x is not None
    np.testing.assert_array_equal(trace.d_x, D_X)
    assert trace.loss == LOSS
    assert gradients is trace.gradients
    np.testing.assert_array_equal(gradients, [1.5, 4, 3, -2, 1.5, -2, 2, -1, 0])


def test_the_passes_change_nothing_in_the_network() -> None:
    net = by_hand_network()
    settings, parameters = [vars(layer).copy() for layer in net.layers], net.parameters.copy()
    trace = net.new_trace()
    net.feedforward(X, trace)
    net.backprop(Y, trace)
    assert [vars(layer) for layer in net.layers] == settings
    np.testing.assert_array_equal(net.parameters, parameters)


def test_a_trace_can_be_used_again_also_for_a_batch_of_another_size() -> None:
    """Gradients are replaced and never added to those of the batch before."""
    net = by_hand_network()
    used, fresh = net.new_trace(), net.new_trace()
    for x, y in ((X, Y), (X[:1], Y[:1]), (X * 3, Y * 3), (X, Y)):
        net.feedforward(x, used)
        net.backprop(y, used)
    net.feedforward(X, fresh)
    net.backprop(Y, fresh)
    np.testing.assert_array_equal(used.gradients, fresh.gradients)
    assert np.shares_memory(used[0].d_weights, used.gradients)


def test_a_layer_used_twice_gets_the_sum_of_both_gradients() -> None:
    """z = tanh(tanh(x W + b) W + b): every weight acts at two places."""
    shared = cr.Dense(3, activation="tanh")
    net = cr.NeuralNetwork(shared, shared, cr.Dense(2), dtype="float64", inputs=3)
    assert len(net.parameters) == 3 * 3 + 3 + 3 * 2 + 2
    x, y = random_samples(5)
    trace = net.new_trace()
    net.feedforward(x, trace)
    gradients = net.backprop(y, trace)
    np.testing.assert_allclose(gradients, by_differences(net, x, y), rtol=0, atol=1e-8)
    alone = trace[0].d_weights + trace[1].x.T @ trace[1].d_z
    np.testing.assert_allclose(gradients[:9].reshape(3, 3), alone, rtol=0, atol=1e-14)
    assert not np.allclose(trace[0].d_z, trace[1].d_z)  # two positions, two traces


def test_layers_that_share_one_prelu_share_its_slopes() -> None:
    bent = cr.PReLU(initial_slope=0.3)
    net = cr.NeuralNetwork(
        cr.Dense(3, activation=bent), cr.Dense(3, activation=bent), cr.Dense(2), inputs=3
    ).copy(dtype="float64")
    shared = net.layers[0].activation
    assert shared is net.layers[1].activation is not bent
    assert [slot.label for slot in net.parameter_vector.slots] == [
        "layer 1 weights",
        "layer 1 bias",
        "layer 1 slope",
        "layer 2 weights",
        "layer 2 bias",
        "layer 3 weights",
        "layer 3 bias",
    ]
    x, y = random_samples(6)
    trace = net.new_trace()
    net.feedforward(x, trace)
    gradients = net.backprop(y, trace)
    np.testing.assert_allclose(gradients, by_differences(net, x, y), rtol=0, atol=1e-8)
    assert gradients[12:15].any()


def test_a_prelu_may_also_be_a_layer_of_its_own_elsewhere() -> None:
    bent = cr.PReLU()
    net = cr.NeuralNetwork(
        bent, cr.Dense(3, activation=bent), cr.Dense(2), dtype="float64", inputs=3
    )
    x, y = random_samples(6)
    trace = net.new_trace()
    net.feedforward(x, trace)
    gradients = net.backprop(y, trace)
    np.testing.assert_allclose(gradients, by_differences(net, x, y), rtol=0, atol=1e-8)


def test_the_first_layer_saves_the_gradient_of_the_data_where_nobody_needs_it() -> None:
    net = by_hand_network()
    trace = net.new_trace()
    trace[0].needs_d_x = False
    net.feedforward(X, trace)
    net.backprop(Y, trace)
    assert trace.d_x is None
    np.testing.assert_array_equal(trace[0].d_weights, BY_HAND["layer 1"]["d_weights"])


def test_a_layer_may_ignore_the_room_it_is_offered() -> None:
    class Plain(cr.Dense):
        def backprop(self, d_a: Array, trace: Trace) -> Array:
            d_z = self.activation.backprop(d_a, trace)
            trace.d_weights = trace.x.T @ d_z
            trace.d_bias = d_z.sum(axis=0)
            return d_z @ self.weights.T

    net = by_hand_network()
    plain = cr.NeuralNetwork(
        Plain(2, activation="relu"), Plain(1), loss="sum_of_squares", dtype="float64", inputs=2
    )
    plain.parameters[...] = net.parameters
    traces = net.new_trace(), plain.new_trace()
    for network, trace in zip((net, plain), traces, strict=True):
        network.feedforward(X, trace)
        network.backprop(Y, trace)
    np.testing.assert_array_equal(traces[0].gradients, traces[1].gradients)


def test_a_gradient_of_the_wrong_shape_is_told_with_its_layer() -> None:
    class Mistaken(cr.Dense):
        def backprop(self, d_a: Array, trace: Trace) -> Array:
            d_x = super().backprop(d_a, trace)
            trace.d_weights = trace.d_weights.T
            assert d_x is not None
            return d_x

    net = cr.NeuralNetwork(cr.Dense(4), Mistaken(2), inputs=3)
    trace = net.new_trace()
    x, y = random_samples(5)
    net.feedforward(x, trace)
    with pytest.raises(cr.InvalidShape, match=r"Mistaken\(2\) left d_weights of shape \(2, 4\)"):
        net.backprop(y, trace)


def test_tensors_come_in_the_order_they_were_computed() -> None:
    net = by_hand_network()
    trace = net.new_trace()
    net.feedforward(X, trace)
    net.backprop(Y, trace)
    forwards = [(layer, name) for layer in ("layer 1", "layer 2") for name in ("x", "z", "a")]
    gradients = ("d_z", "d_weights", "d_bias")
    backwards = [("loss", "d_output")]
    backwards += [(layer, name) for layer in ("layer 2", "layer 1") for name in gradients]
    assert [(layer, name) for layer, name, _ in trace.tensors()] == forwards + backwards


def test_a_trace_is_found_by_name_and_by_number() -> None:
    trace = by_hand_network().new_trace()
    assert len(trace) == 2
    assert trace["layer 2"] is trace[1] is list(trace)[1]
    assert trace[-1] is trace[1]


@pytest.mark.parametrize("position", ["layer 3", "hidden", 2])
def test_a_position_that_is_not_there_is_told(position: str | int) -> None:
    with pytest.raises(cr.ChainruleError, match="'layer 1', 'layer 2'"):
        by_hand_network().new_trace()[position]


@pytest.mark.parametrize("name", ["output", "d_output", "gradients", "loss", "d_x"])
def test_reading_before_the_pass_says_which_pass_to_run(name: str) -> None:
    trace = NetworkTrace(2)
    needed = "feedforward" if name == "output" else "backprop"
    with pytest.raises(cr.BackpropBeforeFeedforward, match=rf"no '{name}' yet. Run net.{needed}"):
        getattr(trace, name)


def test_any_other_name_is_plainly_absent() -> None:
    trace = by_hand_network().new_trace()
    assert not hasattr(trace, "outptu")
    assert not hasattr(trace, "__array__")


def test_threads_share_a_network_because_each_has_its_own_trace() -> None:
    net = cr.NeuralNetwork(cr.Dense(30, activation="tanh"), cr.Dense(2), inputs=3)
    batches = [random_samples(40, seed) for seed in range(8)]

    def gradients(batch: tuple[Array, Array]) -> Array:
        trace = net.new_trace()
        net.feedforward(batch[0], trace)
        return net.backprop(batch[1], trace)

    alone = [gradients(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            for together, expected in zip(pool.map(gradients, batches), alone, strict=True):
                np.testing.assert_array_equal(together, expected)
