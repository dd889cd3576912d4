"""What is measured at the end of an epoch, and the learning rate that follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as scikit

import chainrule as cr
from chainrule.layer import Array
from chainrule.samples import Samples

ROWS = 23
X = np.random.default_rng(5).normal(size=(ROWS, 4))
CLASSES = X[:, :3].argmax(axis=1)
NUMBERS = np.column_stack([X[:, 0] * X[:, 1], X.sum(axis=1)])


def network(optimizer: str | cr.Optimizer = "adam", **settings: Any) -> cr.NeuralNetwork:
    chosen = {"loss": "softmax_cross_entropy", "inputs": 4} | settings
    return cr.NeuralNetwork(
        cr.Dense(6, activation="tanh"), cr.Dense(3), optimizer=optimizer, **chosen
    )


def test_a_fraction_is_the_same_as_passing_those_samples() -> None:
    x, y = X.astype(np.float32), CLASSES.astype(np.int64)
    rest, aside = Samples(x, y).split(0.3, seed=4)
    by_fraction, by_hand = network(seed=4), network(seed=4)
    one = by_fraction.fit(X, CLASSES, epochs=3, batch_size=5, validation=0.3)
    two = by_hand.fit(rest.x, rest.y, epochs=3, batch_size=5, validation=(aside.x, aside.y))
    assert one.epochs == two.epochs
    np.testing.assert_array_equal(by_fraction.parameters, by_hand.parameters)
    assert one.settings["samples"] == len(rest) == 16
    assert one.settings["validation_samples"] == len(aside) == 7


def test_measuring_on_validation_samples_changes_nothing_in_the_training() -> None:
    plain, watched = network(), network()
    plain.fit(X, CLASSES, epochs=3, batch_size=5)
    metrics = ["accuracy", "confusion_matrix"]
    watched.fit(X, CLASSES, epochs=3, batch_size=5, validation=(X, CLASSES), metrics=metrics)
    np.testing.assert_array_equal(plain.parameters, watched.parameters)


@pytest.mark.parametrize("kind", ["list", "tuple"])
def test_validation_samples_may_have_weights(kind: str) -> None:
    weight = np.arange(ROWS)
    given = [X, CLASSES, weight]
    net = network()
    history = net.fit(X, CLASSES, epochs=2, validation=given if kind == "list" else tuple(given))
    measured = net.evaluate(X, CLASSES, sample_weight=weight)["loss"]
    assert history["validation_loss"][-1] == measured


@pytest.mark.parametrize("where", ["validation", "training"])
def test_metrics_of_classes_are_scikit_learns(where: str) -> None:
    net = network(cr.Adam(0.05))
    names = [
        "accuracy",
        "precision",
        "recall",
        "f1",
        "confusion_matrix",
        cr.metrics.TopKAccuracy(2),
    ]
    validation = (X[:12], CLASSES[:12]) if where == "validation" else None
    history = net.fit(X, CLASSES, epochs=4, validation=validation, metrics=names)
    rows = 12 if where == "validation" else ROWS
    y, predicted = CLASSES[:rows], net.predict(X[:rows])
    labels = predicted.argmax(axis=1)
    averaged = {"average": "macro", "zero_division": 0}
    expected = {
        "accuracy": scikit.accuracy_score(y, labels),
        "precision": scikit.precision_score(y, labels, **averaged),
        "recall": scikit.recall_score(y, labels, **averaged),
        "f1": scikit.f1_score(y, labels, **averaged),
        "confusion_matrix": scikit.confusion_matrix(y, labels, labels=[0, 1, 2]).tolist(),
        "top_k_accuracy": scikit.top_k_accuracy_score(y, predicted, k=2, labels=[0, 1, 2]),
    }
    assert {name: history.epochs[f"{where}_{name}"][-1] for name in expected} == expected


def test_metrics_of_numbers_are_scikit_learns() -> None:
    net = network(loss="mean_squared_error")
    y = np.column_stack([NUMBERS, X[:, 0]])
    history = net.fit(X, y, epochs=3, metrics=["r2", "mae", "rmse"])
    predicted = net.predict(X)
    found = [history[f"training_{name}"][-1] for name in ("r2", "mae", "rmse")]
    expected = [
        scikit.r2_score(y, predicted),
        scikit.mean_absolute_error(y, predicted),
        scikit.root_mean_squared_error(y, predicted),
    ]
    np.testing.assert_allclose(found[:2], expected[:2], rtol=1e-6)
    squares = ((y - predicted) ** 2).mean()  # over all outputs at once
    assert found[2] == pytest.approx(np.sqrt(squares), rel=1e-6)


def test_a_confusion_matrix_has_a_row_for_every_class_also_for_one_that_is_absent() -> None:
    net = network()
    absent = (CLASSES != 1) & (net.predict_classes(X) != 1)
    table = net.evaluate(X[absent], CLASSES[absent], metrics="confusion_matrix")["confusion_matrix"]
    assert np.shape(table) == (3, 3)
    assert not any(table[1])
    assert np.sum(table) == absent.sum() > 0


def test_a_schedule_observes_the_validation_loss_where_there_is_one() -> None:
    observed: list[float] = []

    class Notebook(cr.Schedule):
        def rate(self, epoch: float, state: dict[str, float]) -> float:
            return 0.01

        def observe(self, loss: float, state: dict[str, float]) -> None:
            observed.append(loss)

    optimizer = cr.Adam(Notebook())
    history = network(optimizer).fit(X, CLASSES, epochs=3, validation=(X, CLASSES))
    assert observed == history["validation_loss"].tolist()
    observed.clear()
    history = network(optimizer).fit(X, CLASSES, epochs=3)
    assert observed == history["loss"].tolist()


def test_reduce_on_plateau_sees_a_validation_loss_that_rises_while_the_loss_falls() -> None:
    """The validation samples have the opposite classes, so all that is learned is wrong there."""
    optimizer = cr.GradientDescent(cr.ReduceOnPlateau(0.5, patience=1))
    against = (X, (CLASSES + 1) % 3)
    watched = network(optimizer).fit(X, CLASSES, epochs=5, batch_size=None, validation=against)
    alone = network(optimizer).fit(X, CLASSES, epochs=5, batch_size=None)
    assert (np.diff(watched["loss"]) < 0).all()
    assert (np.diff(watched["validation_loss"]) > 0).all()
    assert watched["learning_rate"].tolist() == [0.5, 0.5, 0.25, 0.125, 0.0625]
    assert alone["learning_rate"].tolist() == [0.5] * 5


def test_the_learning_rate_moves_within_an_epoch() -> None:
    optimizer = cr.GradientDescent(cr.ExponentialDecay(0.1, 0.5))
    history = network(optimizer).fit(X, CLASSES, epochs=2, batch_size=5)
    expected = 0.1 * 0.5 ** (np.arange(10) / 5)
    np.testing.assert_allclose(history.learning_rates, expected, rtol=1e-15)
    assert history["learning_rate"].tolist() == history.learning_rates[[4, 9]].tolist()


def test_a_learning_rate_of_zero_changes_nothing() -> None:
    net = network(cr.GradientDescent(0.0))
    before: Array = net.parameters.copy()
    net.fit(X, CLASSES, epochs=3)
    np.testing.assert_array_equal(net.parameters, before)
