"""NeuralNetwork: built from what it is given, asked for outputs, loss and gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Shape, Trace


def samples(rows: int = 40) -> tuple[Array, Array]:
    """Three columns, and three classes by the largest of them."""
    x = np.random.default_rng(3).normal(size=(rows, 3))
    return x, x.argmax(axis=1)


def classifier(**settings: object) -> cr.NeuralNetwork:
    chosen = {"loss": "softmax_cross_entropy", "optimizer": cr.Adam(0.01), "inputs": 3} | settings
    return cr.NeuralNetwork(cr.Dense(8, activation="tanh"), cr.Dense(3), **chosen)


def number_giver(outputs: list[float], loss: str | cr.Loss) -> cr.NeuralNetwork:
    """A network that gives the same numbers whatever it is asked."""
    net = cr.NeuralNetwork(cr.Dense(len(outputs)), loss=loss, dtype="float64", inputs=1)
    net.layers[0].weights[...] = 0
    net.layers[0].bias = outputs
    return net


# --- building --------------------------------------------------------------------------------


def test_it_is_built_from_inputs_or_from_the_first_data() -> None:
    x, y = samples()
    stated, built, asked, fitted, checked = (
        classifier(inputs=inputs) for inputs in (3, None, None, None, None)
    )
    assert stated.is_built
    assert not built.is_built
    assert built.input_shape is None
    assert built.build(3) is built
    asked.feedforward(x)
    fitted.fit(x, y, epochs=0)
    checked.check_gradients(x, y, at_most=1)
    for net in (stated, built, asked, fitted, checked):
        assert net.input_shape == (3,)
        assert net.output_shape == (3,)
        assert net.shapes == [(3,), (8,), (3,)]
        np.testing.assert_array_equal(net.parameters, stated.parameters)


def test_building_again_for_the_same_inputs_keeps_the_weights() -> None:
    net = classifier()
    net.fit(*samples(), epochs=1)
    before = net.parameters.copy()
    net.build(3)
    net.build((3,))
    np.testing.assert_array_equal(net.parameters, before)
    assert net.training_state.epoch == 1
    with pytest.raises(cr.InvalidShape, match="Make a new network for other data"):
        net.build(4)


def test_changing_the_list_of_shapes_changes_nothing() -> None:
    net = classifier()
    net.shapes.append((7,))
    assert net.shapes == [(3,), (8,), (3,)]


def test_seed_and_dtype_decide_the_starting_weights() -> None:
    assert classifier(seed=4).parameters.tolist() == classifier(seed=4).parameters.tolist()
    assert not (classifier(seed=5).layers[0].weights == classifier(seed=4).layers[0].weights).any()
    double = classifier(seed=4, dtype="float64").parameters
    assert (double.dtype, classifier().parameters.dtype) == (np.float64, np.float32)
    np.testing.assert_array_equal(double.astype(np.float32), classifier(seed=4).parameters)


@pytest.mark.parametrize("dtype", ["float64", np.float64, float, np.dtype("float64")])
def test_the_dtype_may_be_a_name_or_numpys_own(dtype: object) -> None:
    assert classifier(dtype=dtype).dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_is_computed_in_the_dtype_of_the_network(dtype: str) -> None:
    net = classifier(dtype=dtype, l1=0.01, l2=0.01)
    x, y = samples()
    trace = net.new_trace()
    net.feedforward(x, trace)
    net.backprop(y, trace, np.ones(40))
    arrays = [value for _, _, value in trace.tensors()]
    arrays += [trace.output, trace.d_output, trace.gradients, net.predict(x), net.parameters]
    assert {array.dtype.name for array in arrays} == {dtype}


def test_single_precision_trains_to_nearly_the_same_network() -> None:
    x, y = samples()
    single, double = classifier(), classifier(dtype="float64")
    losses = [net.fit(x, y, epochs=30).losses for net in (single, double)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    np.testing.assert_allclose(single.predict(x), double.predict(x), atol=1e-4)
    assert not np.array_equal(single.predict(x), double.predict(x))


# --- outputs, loss and gradients -------------------------------------------------------------


def test_predict_turns_logits_into_probabilities_and_feedforward_does_not() -> None:
    net = number_giver([0.0, math.log(3.0)], "softmax_cross_entropy")
    assert net.feedforward([[5.0], [6.0]]).tolist() == [[0, math.log(3)]] * 2
    np.testing.assert_allclose(net.predict([[5.0]]), [[0.25, 0.75]], rtol=1e-15)
    assert net.predict_classes([[5.0], [1.0]]).tolist() == [1, 1]
    assert net.evaluate([[5.0]], [1])["loss"] == pytest.approx(-math.log(0.75), rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "outputs", "classes"),
    [
        ("sigmoid_cross_entropy", [0.1], [1, 1]),
        ("sigmoid_cross_entropy", [-0.1], [0, 0]),
        ("sigmoid_cross_entropy", [0.1, -0.1, 3.0], [[1, 0, 1], [1, 0, 1]]),
        ("mean_squared_error", [0.6], [1, 1]),
        ("hinge", [-0.1], [0, 0]),
        ("hinge", [0.1], [1, 1]),
    ],
)
def test_predict_classes_decides_as_the_loss_understands_its_outputs(
    loss: str, outputs: list[float], classes: list[object]
) -> None:
    found = number_giver(outputs, loss).predict_classes([[1.0], [2.0]])
    assert found.tolist() == classes
    assert found.dtype.kind == "i"


def test_loss_and_metrics_by_hand() -> None:
    """Outputs of 2 beside 1, 2, 4 and 5: distances 1, 0, 2 and 3."""
    net = number_giver([2.0], "mean_squared_error")
    x, y = np.zeros((4, 1)), [1, 2, 4, 5]
    assert net.evaluate(x, y) == {"loss": (1 + 0 + 4 + 9) / 4}
    found = net.evaluate(x, y, metrics=["mae", "rmse", "r2"])
    assert found["mae"] == 1.5
    assert found["rmse"] == pytest.approx(math.sqrt(3.5), rel=1e-15)
    assert found["r2"] == pytest.approx(1 - 14 / 10, rel=1e-14)  # around the mean 3: 4 + 1 + 1 + 4
    weighted = net.evaluate(x, y, sample_weight=[2, 1, 1, 0], metrics="mae")
    assert weighted == {"loss": (2 * 1 + 0 + 4) / 4, "mae": (2 * 1 + 0 + 2) / 4}
    trace = net.new_trace()
    net.feedforward(x, trace)
    assert net.measure(y, trace) == 3.5
    assert net.measure(y, trace, [2, 1, 1, 0]) == 1.5


def test_the_loss_of_backprop_is_that_of_measure_and_evaluate() -> None:
    net, (x, y) = classifier(l1=0.01, l2=0.1, dtype="float64"), samples()
    weight = np.arange(40)
    trace = net.new_trace()
    net.feedforward(x, trace)
    net.backprop(y, trace, weight)
    assert net.measure(y, trace, weight) == pytest.approx(trace.loss, rel=1e-15)
    assert net.evaluate(x, y, sample_weight=weight)["loss"] == pytest.approx(trace.loss, rel=1e-14)


def test_penalties_by_hand() -> None:
    """l1 (|w|) + l2 (w²) with weights 3 and -2; the bias is let off."""
    net = cr.NeuralNetwork(
        cr.Dense(1), loss="sum_of_squares", l1=0.5, l2=0.25, dtype="float64", inputs=2
    )
    net.layers[0].weights, net.layers[0].bias = [[3], [-2]], [10]
    trace = net.new_trace()
    net.feedforward([[1, 1]], trace)
    gradients = net.backprop([11], trace)  # ŷ is 11 as well: only the penalty is left
    assert trace.loss == 0.5 * (3 + 2) + 0.25 * (9 + 4)
    assert gradients.tolist() == [0.5 + 2 * 0.25 * 3, -0.5 - 2 * 0.25 * 2, 0]
    history = net.copy().fit([[1, 1]], [11], epochs=1)
    assert history.losses.tolist() == history["loss"].tolist() == [trace.loss]


@pytest.mark.parametrize("loss", ["sum_of_squares", "mean_squared_error"])
def test_the_penalty_counts_once_an_epoch_whatever_the_batch_size(loss: str) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False),
        loss=loss,
        optimizer=cr.GradientDescent(0.0),
        l2=2.0,
        dtype="float64",
        inputs=1,
    )
    net.layers[0].weights = [[3]]
    for batch_size in (None, 2, 4):
        history = net.copy().fit(np.ones((8, 1)), np.full(8, 3), batch_size=batch_size, epochs=1)
        assert history["loss"].tolist() == pytest.approx([18.0], rel=1e-15)


def test_prediction_in_pieces_is_prediction_at_once() -> None:
    net = classifier(dtype="float64")
    x, y = samples(2500)
    whole = net.predict(x)
    assert whole.shape == (2500, 3)
    by_rows = np.concatenate([net.predict(row[np.newaxis]) for row in x])
    np.testing.assert_allclose(whole, by_rows, rtol=0, atol=1e-14)
    trace = net.new_trace()
    net.feedforward(x, trace)
    assert net.evaluate(x, y)["loss"] == pytest.approx(net.measure(y, trace), rel=1e-13)


def test_a_pass_of_prediction_sees_few_rows_at_a_time() -> None:
    """So its memory is bounded, however many rows are asked for."""
    sizes = []

    class Watching(cr.Activation):
        def value(self, z: Array) -> Array:
            return z

        def feedforward(self, z: Array, trace: Trace) -> Array:
            sizes.append(len(z))
            return super().feedforward(z, trace)

    cr.NeuralNetwork(cr.Dense(2, activation=Watching()), inputs=3).predict(np.ones((5000, 3)))
    assert sum(sizes) == 5000
    assert max(sizes) <= 1024


def test_outputs_may_have_more_axes_than_one() -> None:
    class Pairs(cr.Layer):
        def output_shape(self, input_shape: Shape) -> Shape:
            return (*input_shape, 1)

        def feedforward(self, x: Array, trace: Trace) -> Array:
            return x[..., np.newaxis]

        def backprop(self, d_output: Array, trace: Trace) -> Array:
            return d_output[..., 0]

    net = cr.NeuralNetwork(cr.Dense(2), Pairs(), inputs=3)
    assert net.output_shape == (2, 1)
    x = samples(6)[0]
    for y in (np.ones((6, 2)), np.ones((6, 2, 1))):
        assert net.copy().fit(x, y, epochs=2).iterations == 2
    assert net.predict(x).shape == (6, 2, 1)


# --- small things ----------------------------------------------------------------------------


def test_a_new_optimizer_starts_from_scratch_and_the_rest_goes_on() -> None:
    x, y = samples()
    net = classifier(optimizer=cr.Adam(cr.ReduceOnPlateau(0.01)))
    net.fit(x, y, epochs=3)
    assert net.training_state.schedule
    net.optimizer = "rmsprop"
    assert isinstance(net.optimizer, cr.RMSProp)
    assert net.training_state.optimizer.step == 0
    assert set(net.training_state.optimizer.vectors) == {"squares"}
    assert net.training_state.schedule == {}
    assert (net.training_state.epoch, net.training_state.step) == (3, 6)
    assert net.fit(x, y, epochs=1).iterations == 2
    waiting = classifier(inputs=None)
    waiting.optimizer = cr.Lion()
    assert isinstance(waiting.build(3).optimizer, cr.Lion)


def test_an_optimizer_object_may_serve_two_networks() -> None:
    x, y = samples()
    adam = cr.Adam(0.01)
    first, second, alone = classifier(optimizer=adam), classifier(optimizer=adam), classifier()
    first.fit(x, y, epochs=3)
    second.fit(x, y, epochs=2)
    alone.fit(x, y, epochs=2)
    np.testing.assert_array_equal(second.parameters, alone.parameters)


def test_its_repr_reads_like_the_code_that_makes_it() -> None:
    assert repr(classifier(seed=2)) == (
        "NeuralNetwork(\n    Dense(8, activation='tanh'),\n    Dense(3),\n"
        "    loss=SoftmaxCrossEntropy(), optimizer=Adam(learning_rate=0.01), "
        "seed=2, dtype='float32',\n"
        ")  # inputs=(3,)"
    )
    assert repr(classifier(inputs=None)).endswith("# not built yet")


def test_gradients_agree_with_finite_differences_and_the_network_stays_as_it_was() -> None:
    net, (x, y) = classifier(l1=0.01, l2=0.1), samples(5)
    before = net.parameters.copy()
    assert net.check_gradients(x, y, sample_weight=np.arange(5))
    np.testing.assert_array_equal(net.parameters, before)
    assert net.parameters.dtype == np.float32


def test_a_trace_says_whether_its_pass_trains() -> None:
    net = cr.NeuralNetwork(cr.Dropout(0.5), cr.Dense(1), inputs=50)
    x = np.ones((4, 50))
    predicting, training = net.new_trace(), net.new_trace(training=True)
    np.testing.assert_array_equal(net.feedforward(x, predicting), net.feedforward(x))
    net.feedforward(x, training)
    assert (training[1].x == 0).any()
    assert (predicting[1].x == 1).all()
