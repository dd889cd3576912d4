"""``diagnose``: whatever the network, the loss and the data; and what is printed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from contracts.examples import examples, layer_examples, outputs_for, random_for, targets_for

import chainrule as cr
from chainrule.diagnosis import Diagnosis, Finding, diagnose
from chainrule.layer import Array, Layer, Parameter, Shape, Trace
from diagnosis.problems import standardised

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = np.tanh(X @ [1.0, -1.0, 0.5])


def state_of(network: cr.NeuralNetwork) -> list[Any]:
    state = network.training_state
    vectors = {name: vector.tobytes() for name, vector in state.optimizer.vectors.items()}
    return [
        network.parameter_vector.storage.tobytes(), vectors, state.optimizer.step, state.step,
        state.epoch, dict(state.schedule), repr(network),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("optimizer", [cr.Adam(cr.ReduceOnPlateau(0.01)), cr.LBFGS()])
def test_nothing_of_the_network_changes(engine: str, optimizer: cr.Optimizer) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(8), cr.BatchNorm(), cr.Tanh(), cr.Dropout(0.3), cr.Dense(1),
        optimizer=optimizer, engine=engine,
    )  # fmt: skip
    net.fit(X, Y, epochs=2, progress=False)
    twin, before = copy.deepcopy(net), state_of(net)
    assert diagnose(net, X, Y).names == []
    assert state_of(net) == before
    net.fit(X, Y, epochs=2, progress=False)
    twin.fit(X, Y, epochs=2, progress=False)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_a_network_that_is_not_built_stays_so() -> None:
    net = cr.NeuralNetwork(cr.Dense(4, "relu"), cr.Dense(1), seed=5)
    assert diagnose(net, X, Y).names == []
    assert not net.is_built
    assert net.build(3).training_state.step == 0


@pytest.mark.parametrize("example", layer_examples(), ids=lambda example: repr(example[0]))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_layer(example: tuple[Layer, Shape], dtype: str) -> None:
    layer, shape = example
    net = cr.NeuralNetwork(copy.deepcopy(layer), cr.Flatten(), cr.Dense(1), dtype=dtype, seed=1)
    x = random_for(repr(layer)).normal(size=(20, *shape))
    y = x.reshape(20, -1).sum(axis=1)
    assert "exploding_gradients" not in diagnose(net, x, y).names


@pytest.mark.parametrize("loss", examples(cr.Loss), ids=repr)
def test_every_loss(loss: cr.Loss) -> None:
    last = {
        "probabilities": "softmax" if loss.targets == "classes" else "sigmoid",
        "logarithms of probabilities": "log_softmax",
        "positive": "softplus",
    }.get(loss.outputs, "identity")
    net = cr.NeuralNetwork(cr.Dense(6, "tanh"), cr.Dense(3, last), loss=loss, seed=2)
    y = targets_for(loss, (60, 3), random_for(repr(loss)))
    assert outputs_for(loss, (60, 3), RANDOM).shape == y.shape
    history = net.fit(X, y, epochs=2, progress=False)
    assert diagnose(net, X, y, history=history).names == []


class Doubled(Layer):
    """A layer of one's own with weights that are no penalized parameter, and no z."""

    matrix = Parameter()

    def output_shape(self, input_shape: Shape) -> Shape:
        return (2,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"matrix": (input_shape[0], 2)}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return np.full(shape, 0.3)

    def feedforward(self, x: Array, trace: Trace) -> Array:
        trace.seen = x
        return x @ self.matrix

    def backprop(self, d_output: Array, trace: Trace) -> Array:
        trace.d_matrix = trace.seen.T @ d_output
        return d_output @ self.matrix.T


def test_a_layer_of_your_own_is_looked_at() -> None:
    layer = Doubled()
    same = cr.Dense(1, weights_initializer=cr.Constant(0.5))
    found = diagnose(cr.NeuralNetwork(layer, same), X, Y)
    assert found.names == ["identical_units"]
    assert found[0].where == ("layer 1",)


def test_layers_inside_others_are_named() -> None:
    dead = cr.Dense(3, "relu", bias_initializer=cr.Constant(-50.0))
    net = cr.NeuralNetwork(cr.Dense(3), cr.Residual(cr.Residual(dead, cr.Dense(3))), cr.Dense(1))
    found = next(finding for finding in diagnose(net, X, Y) if finding.name == "dead_relus")
    assert found.where == ("layer 2.1.1",)


def test_images_as_bytes_labels_and_weights() -> None:
    images = RANDOM.integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)
    labels = RANDOM.integers(0, 3, 40)
    weight = np.where(np.arange(40) < 30, 0.0, 1.0)
    net = cr.NeuralNetwork(
        cr.Conv2D(4, 3, "relu"), cr.Flatten(), cr.Dense(3), loss="softmax_cross_entropy"
    )
    assert diagnose(net, images, labels).names == []
    assert diagnose(net, images, labels, sample_weight=weight).names == []
    only = diagnose(net, images.astype(np.float32), labels)
    assert only.names == ["unscaled_inputs"]
    assert only[0].where == ("channel 0",)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_samples_are_not_enough_to_say_much(rows: int) -> None:
    net = cr.NeuralNetwork(cr.Dense(4), cr.BatchNorm(), cr.ReLU(), cr.Dense(1))
    assert diagnose(net, X[:rows], Y[:rows]).names == []


def test_the_truth_table_and_the_bundled_sets_as_people_train_them() -> None:
    x, y = cr.data.truth_table()
    net = cr.NeuralNetwork(
        cr.Dense(4, "sigmoid"), cr.Dense(1, "sigmoid"),
        loss="sum_of_squares", optimizer=cr.GradientDescent(1.0),
    )  # fmt: skip
    history = net.fit(x, y, epochs=1500, progress=False)
    assert diagnose(net, x, y, history=history).names == []
    x, labels = cr.data.load("iris")
    net = cr.NeuralNetwork(cr.Dense(16, "relu"), cr.Dense(3), loss="softmax_cross_entropy")
    history = net.fit(standardised(x), labels, epochs=60, validation=0.2, progress=False)
    assert diagnose(net, standardised(x), labels, history=history).names == []


def test_a_training_that_broke_off_leaves_a_history_to_look_at() -> None:
    net = cr.NeuralNetwork(
        cr.Dense(16, "relu"), cr.Dense(16, "relu"), cr.Dense(1), optimizer=cr.GradientDescent(50.0)
    )
    with pytest.raises(cr.LossNotFinite) as caught:
        net.fit(X, Y, epochs=20, progress=False)
    found = diagnose(net, X, Y, history=caught.value.history)
    assert "learning_rate_too_high" in found.names


def test_numbers_that_are_not_finite_are_told() -> None:
    net = cr.NeuralNetwork(cr.Dense(4), cr.Dense(1), inputs=3)
    net.parameters[...] = 1e30
    found = diagnose(net, X, Y)
    exploding = next(finding for finding in found if finding.name == "exploding_gradients")
    assert "not finite" in exploding.evidence


def test_wrong_samples_are_refused_as_by_fit() -> None:
    net = cr.NeuralNetwork(cr.Dense(1), inputs=3)
    with pytest.raises(cr.InvalidShape, match=r"received x of shape \(60, 2\)"):
        diagnose(net, X[:, :2], Y)
    with pytest.raises(cr.InvalidShape, match="60 samples and y 59"):
        diagnose(net, X, Y[:-1])
    with pytest.raises(cr.InvalidData, match="holds nan"):
        diagnose(net, X * np.nan, Y)
    with pytest.raises(cr.InvalidSetting, match="history received 'last'; expected what fit"):
        diagnose(net, X, Y, history="last")  # type: ignore[arg-type]  # the mistake


def test_columns_are_called_by_their_names() -> None:
    x = np.column_stack([X, 5000 + 10 * X[:, 0]])
    net = cr.NeuralNetwork(cr.Dense(1))
    names = ["width", "height", "depth", "price"]
    assert diagnose(net, x, Y, columns=names)[0].where == ("'price'",)
    assert diagnose(net, x, Y)[0].where == ("column 3",)
    with pytest.raises(cr.InvalidShape, match="columns holds 3 names; expected one for each"):
        diagnose(net, x, Y, columns=names[:3])


def finding(**changes: Any) -> Finding:
    whole = {
        "name": "dead_relus", "title": "Dead ReLUs", "where": ("layer 1",), "evidence": "3 of 3.",
        "why": "They <never> wake & rise.", "suggestion": "Begin anew.", "numbers": {"dead": 1.0},
    }  # fmt: skip
    return Finding(**(whole | changes))


def test_what_is_printed() -> None:
    assert str(Diagnosis([], 13)) == "Diagnosis: nothing found (13 conditions looked for)."
    told = Diagnosis([finding()], 13)
    assert repr(told) == (
        "Diagnosis: 1 finding.\n\nDead ReLUs (layer 1)\n  3 of 3.\n"
        "  Why: They <never> wake & rise.\n  Try: Begin anew."
    )
    many = finding(where=tuple(f"layer {number}" for number in range(1, 8)))
    assert "(layer 1, layer 2, layer 3, layer 4 and 3 more)" in str(many)


def test_html_is_escaped() -> None:
    told = Diagnosis([finding(where=("<script>",))], 13)._repr_html_()
    assert "They &lt;never&gt; wake &amp; rise." in told
    assert "<script>" not in told
    assert "<ol>" not in Diagnosis([], 13)._repr_html_()


def test_a_diagnosis_is_a_sequence() -> None:
    one, two = finding(), finding(name="overfitting")
    told = Diagnosis([one, two], 13)
    assert (len(told), told[1], list(told), told[:1]) == (2, two, [one, two], (one,))
    assert told.names == ["dead_relus", "overfitting"]
    assert not Diagnosis([], 13)
    assert finding(numbers={"after": np.inf}).to_dict()["numbers"] == {"after": None}


def test_a_learning_rate_of_zero_is_too_low() -> None:
    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1), optimizer=cr.Adam(0.0))
    found = diagnose(net, X, Y)
    assert found.names == ["learning_rate_too_low"]
    assert "is 0" in found[0].evidence


def test_the_history_of_the_latest_fit_counts() -> None:
    net = cr.NeuralNetwork(cr.Dense(8, "tanh"), cr.Dense(1), optimizer=cr.Adam(30.0))
    net.fit(X, Y, epochs=8, progress=False)
    assert "learning_rate_too_high" in net.diagnose(X, Y).names


def test_early_stopping_has_dealt_with_overfitting() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(80, 12))
    y = (x[:, 0] + random.normal(0, 1.5, 80) > 0).astype(int)
    for callbacks, expected in (([], True), ([cr.EarlyStopping(patience=5)], False)):
        net = cr.NeuralNetwork(
            cr.Dense(64, "relu"), cr.Dense(2), loss="softmax_cross_entropy",
            optimizer=cr.Adam(0.01),
        )  # fmt: skip
        history = net.fit(x, y, epochs=80, validation=0.3, callbacks=callbacks, progress=False)
        assert ("overfitting" in diagnose(net, x, y, history=history).names) == expected


def test_the_end_of_a_schedule_is_no_learning_rate_that_is_too_low() -> None:
    optimizer = cr.Adam(cr.Cosine(0.01, epochs=5))
    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1), optimizer=optimizer)
    history = net.fit(X, Y, epochs=5, progress=False)
    assert diagnose(net, X, Y).names == []
    assert diagnose(net, X, Y, history=history).names == []
