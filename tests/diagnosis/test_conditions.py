"""Each condition where it begins: on one side of a threshold, and on the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import diagnosis
from chainrule.diagnosis import Finding, diagnose
from chainrule.layer import Array

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(80, 3))
Y = np.tanh(X @ [1.0, -1.0, 0.5])


def network(*hidden: cr.Layer, **settings: Any) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(*(hidden or [cr.Dense(6, "tanh")]), cr.Dense(1), **settings)


def found(name: str, *arguments: Any, **keywords: Any) -> Finding | None:
    """What is found of that name; None where it is not."""
    told = [one for one in diagnose(*arguments, **keywords) if one.name == name]
    return told[0] if told else None


def history(losses: list[float] | Array, epochs: int, **more: Any) -> cr.History:
    """A history with those losses, evenly cut into epochs, of a network for ``X`` and ``Y``."""
    rows = np.asarray(losses, np.float64)
    per_epoch = len(rows) // epochs
    settings = {"batch_size": 8, "samples": 80, "batches_per_epoch": per_epoch}
    made = cr.History(["loss", "learning_rate", "gradient_norm", *more], settings)
    for epoch in rows.reshape(epochs, per_epoch):
        made.record_steps(epoch, np.full(per_epoch, 0.01), np.ones(per_epoch))
        made.record_epoch(float(epoch.mean()), per_epoch, {})
    made.epochs.update({name: list(column) for name, column in more.items()})
    return made


GUESS = float(Y.var())


# --- the data ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "is_found"), [(0.001, True), (0.1, False), (5, False), (20, True)]
)
def test_inputs_that_are_too_large_or_small(times: float, is_found: bool) -> None:
    assert (found("unscaled_inputs", network(), times * X, Y) is not None) == is_found


def test_columns_of_very_different_size() -> None:
    x = X * [1.0, 1.0, 0.0005]
    told = found("unscaled_inputs", network(), x, Y)
    assert told is not None
    assert told.where == ("column 2",)
    assert "times apart" in told.evidence
    x[:, 2] = 0.0001  # constant: of no size at all
    assert found("unscaled_inputs", network(), x, Y) is None


def test_what_a_normalization_has_scaled_is_scaled() -> None:
    assert found("unscaled_inputs", network(cr.BatchNorm(), cr.Dense(4)), 500 * X, Y) is None
    without_weights = cr.NeuralNetwork(cr.Flatten())
    assert found("unscaled_inputs", without_weights, 500 * X, X) is None


@pytest.mark.parametrize(
    ("y", "what"),
    [
        (1e6 * Y, "about"),
        (1e-6 * Y, "about"),
        (50 + 0.1 * Y, "deviations from zero"),
        (np.column_stack([Y, 90 * Y, 0.5 * Y]), "times as much as another's"),
        (Y, None),
        (20 + 5 * Y, None),
    ],
)
def test_the_scale_of_targets(y: Array, what: str | None) -> None:
    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1 if y.ndim == 1 else y.shape[1]))
    told = found("unscaled_targets", net, X, y)
    if what is None:
        assert told is None
    else:
        assert told is not None
        assert what in told.evidence


def test_counts_are_counted_in_larger_units() -> None:
    net = cr.NeuralNetwork(cr.Dense(1, "softplus"), loss="poisson")
    told = found("unscaled_targets", net, X, RANDOM.poisson(1e5, 80))
    assert told is not None
    assert told.suggestion == "Count in larger units, as thousands."


def test_constant_labels_and_columns() -> None:
    net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy")
    told = found("constant_targets", net, X, np.full(80, 2))
    assert told is not None
    assert told.evidence == "All 80 samples are of class 2."
    several = cr.NeuralNetwork(cr.Dense(2))
    told = found("constant_targets", several, X, np.column_stack([Y, np.ones(80)]))
    assert told is not None
    assert told.where == ("target column 1",)
    one_hot = np.eye(3)[RANDOM.integers(0, 2, 80)]  # a class that does not occur is no fault
    assert found("constant_targets", net, X, one_hot) is None
    pictures = np.hstack([X] * 12 + [np.zeros((80, 1))])  # nor is a corner that is always black
    assert found("constant_targets", cr.NeuralNetwork(cr.Dense(37)), X, pictures) is None


@pytest.mark.parametrize("transform", [np.exp, np.cbrt, lambda y: 32 + 1.8 * y])
def test_the_target_in_another_form_leaks(transform: Any) -> None:
    told = found("label_leakage", network(), np.column_stack([X, transform(Y)]), Y)
    assert told is not None
    assert told.where == ("column 3",)


def test_a_class_among_the_columns_leaks_in_any_code() -> None:
    labels = RANDOM.integers(0, 3, 80)
    net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy")
    codes = np.array([5.0, -1.0, 2.0])[labels]
    for y in (labels, np.eye(3)[labels]):
        assert found("label_leakage", net, np.column_stack([codes, X]), y) is not None
        assert found("label_leakage", net, X, y) is None
    rare = np.where(np.arange(80) < 3, 1, 0)  # three rows agree by chance too easily
    assert found("label_leakage", net, np.column_stack([rare, X]), rare) is None


def test_labels_of_several_places_are_not_looked_for_in_columns() -> None:
    net = cr.NeuralNetwork(cr.Reshape((3, 1)), cr.Dense(4), cr.Dense(2))
    with pytest.raises(cr.InvalidShape):
        diagnose(net, X, RANDOM.integers(0, 2, (80, 3)))
    pixels = cr.NeuralNetwork(cr.Conv2D(2, 1), loss="softmax_cross_entropy")
    x = RANDOM.normal(size=(40, 2, 2, 1))
    assert found("label_leakage", pixels, x, (x[..., 0] > 0).astype(int)) is None


def test_a_loss_of_zero_at_once() -> None:
    net = network()
    easy = [GUESS, *[GUESS / 2] * 9, *[0.0] * 30]
    assert found("label_leakage", net, X, Y, history=history(easy, 1)) is not None
    slower = [*[GUESS] * 19, *[0.0] * 21]
    assert found("label_leakage", net, X, Y, history=history(slower, 1)) is None
    assert found("label_leakage", net, X, Y, history=history(easy, 4)) is None  # seen before
    net = network(optimizer="lbfgs")  # a step of which is many
    assert found("label_leakage", net, X, Y, history=history(easy, 1)) is None


# --- the network ------------------------------------------------------------------------------


def test_softmax_of_one_number() -> None:
    net = cr.NeuralNetwork(cr.Dense(1, "softmax"))
    told = found("unfitting_outputs", net, X, Y)
    assert told is not None
    assert "it gives 1 whatever the weights are" in told.evidence


@pytest.mark.parametrize(
    ("last", "loss", "y", "remedy"),
    [
        ("sigmoid", "categorical_cross_entropy", [0, 1, 2, 1] * 20, "activation='softmax'"),
        ("relu", "softmax_cross_entropy", [0, 1, 2, 1] * 20, "Drop the last activation"),
        ("tanh", "sigmoid_cross_entropy", np.eye(3)[[0, 1, 2, 1] * 20], "Drop the last"),
        ("sigmoid", "hinge", 2 * np.eye(3)[[0, 1, 2, 1] * 20] - 1, "Use no activation"),
        ("relu", "mean_squared_error", -np.eye(3)[[0, 1, 2, 1] * 20], "Use no activation"),
        ("relu", "poisson", np.eye(3)[[0, 1, 2, 1] * 20], "activation='softplus'"),
    ],
)
def test_a_last_activation_that_nothing_refuses(last: str, loss: str, y: Any, remedy: str) -> None:
    net = cr.NeuralNetwork(cr.Dense(5, "tanh"), cr.Dense(3, last), loss=loss)
    told = found("unfitting_outputs", net, X, y)
    assert told is not None
    assert told.where == ("layer 2",)
    assert remedy in told.suggestion


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("binary_cross_entropy", "probabilities from 0 to 1"),
        ("negative_log_likelihood", "which sum to 1"),
        ("poisson", "positive outputs"),
    ],
)
def test_a_last_layer_without_activation(loss: str, expected: str) -> None:
    """A layer such as Flatten says nothing of its outputs, so they are looked at."""
    net = cr.NeuralNetwork(cr.Dense(2), cr.Flatten(), loss=loss)
    y = np.eye(2)[np.arange(80) % 2]
    told = found("unfitting_outputs", net, X, y)
    assert told is not None
    assert expected in told.evidence


def test_softmax_and_squared_errors_of_one_hot_rows_fit() -> None:
    net = cr.NeuralNetwork(cr.Dense(3, "softmax"))
    assert found("unfitting_outputs", net, X, np.eye(3)[np.arange(80) % 3]) is None
    assert found("unfitting_outputs", net, X, np.ones((80, 3))) is not None


def test_equal_weights_that_will_come_apart_are_no_copies() -> None:
    """The same way in, but different ways out: the gradients differ, and soon the weights."""
    same = cr.Dense(4, "tanh", weights_initializer=cr.Constant(0.3))
    assert found("identical_units", network(same), X, Y) is None
    both = cr.NeuralNetwork(same, cr.Dense(1, weights_initializer=cr.Constant(0.3)))
    told = found("identical_units", both, X, Y)
    assert told is not None
    assert told.where == ("layer 1",)


# --- the training -----------------------------------------------------------------------------


def test_a_loss_that_rises() -> None:
    net = network().build(3)
    rising = GUESS * np.linspace(1, 3, 60)
    told = found("learning_rate_too_high", net, X, Y, history=history(rising, 3))
    assert told is not None
    assert told.evidence.startswith("The loss rose from")
    falling = GUESS * np.linspace(3, 1, 60)
    assert found("learning_rate_too_high", net, X, Y, history=history(falling, 3)) is None


def test_a_loss_that_bounces() -> None:
    net = network().build(3)
    bouncing = GUESS * np.tile([0.5, 1.0], 20)
    told = found("learning_rate_too_high", net, X, Y, history=history(bouncing, 40))
    assert told is not None
    assert told.evidence.startswith("The loss bounces")
    calm = GUESS * np.tile([0.5, 0.55], 20)
    assert found("learning_rate_too_high", net, X, Y, history=history(calm, 40)) is None


def test_a_spike_that_training_has_recovered_from() -> None:
    net = network().build(3)
    back_down = GUESS * np.array([1, 20, 10, 5, 2, 1, *[0.4] * 54])
    assert found("learning_rate_too_high", net, X, Y, history=history(back_down, 3)) is None
    left_high = GUESS * np.array([1, 20, 10, 5, 2, 1, *[0.9] * 54])
    told = found("learning_rate_too_high", net, X, Y, history=history(left_high, 3))
    assert told is not None
    assert "in step 2" in told.evidence


def test_the_validation_loss_decides_on_overfitting() -> None:
    net = network()
    training = GUESS * np.linspace(1, 0.1, 20)
    for validation, is_found in (
        (np.linspace(1, 0.2, 20), False),
        (np.r_[np.linspace(1, 0.4, 10), np.linspace(0.4, 0.9, 10)], True),
        (np.full(20, 0.8), True),  # far behind from the beginning
    ):
        record = history(training, 20, validation_loss=GUESS * validation)
        assert (found("overfitting", net, X, Y, history=record) is not None) == is_found


def test_what_the_package_offers() -> None:
    assert dir(diagnosis) == diagnosis.__all__
    assert all(getattr(diagnosis, name) is not None for name in diagnosis.__all__)
    with pytest.raises(AttributeError, match="has no 'cure'; it has"):
        diagnosis.cure  # noqa: B018 - reading it is the test
