"""The record of a training: a number for each iteration, a row for each epoch."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import chainrule as cr

X = np.random.default_rng(0).normal(size=(20, 3))
CLASSES = X.argmax(axis=1)


def trained(**settings: object) -> cr.History:
    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(3), loss="softmax_cross_entropy")
    chosen = {"epochs": 3, "batch_size": 5} | settings
    return net.fit(X, CLASSES, **chosen)


def test_by_hand() -> None:
    history = cr.History(["loss", "learning_rate", "gradient_norm", "validation_loss"], {})
    assert history.iterations == 0
    assert math.isnan(history.last_loss)
    assert repr(history) == "History(no iterations yet)"
    for loss, rate, norm in ((8, 0.4, 1), (4, 0.3, 2), (2, 0.2, 3), (1, 0.1, 5)):
        history.record_step(loss, rate, norm)
    history.record_epoch(1.5, 2, {"validation_loss": 7.0})
    assert history.losses.tolist() == [8, 4, 2, 1]
    assert history.learning_rates.tolist() == [0.4, 0.3, 0.2, 0.1]
    assert history.gradient_norms.tolist() == [1, 2, 3, 5]
    assert (history.iterations, history.last_loss) == (4, 1)
    # The last rate, and the mean norm of the epoch's own two steps.
    assert history.epochs == {
        "loss": [1.5],
        "learning_rate": [0.1],
        "gradient_norm": [4.0],
        "validation_loss": [7.0],
    }
    assert repr(history) == "History(4 iterations, 1 epochs, loss 8 -> 1, running)"
    history.stop("enough")
    assert repr(history).endswith(", enough)")


def test_the_columns_are_what_was_asked_for() -> None:
    always = ["loss", "learning_rate", "gradient_norm"]
    assert list(trained().epochs) == always
    assert list(trained(metrics=["accuracy", "f1"]).epochs) == [
        *always,
        "training_accuracy",
        "training_f1",
    ]
    assert list(trained(metrics="accuracy", validation=0.2).epochs) == [
        *always,
        "validation_loss",
        "validation_accuracy",
    ]
    for history in (trained(), trained(validation=0.2, metrics=["accuracy", "confusion_matrix"])):
        assert {len(column) for column in history.epochs.values()} == {3}


def test_a_column_is_an_array() -> None:
    history = trained(validation=0.2)
    assert history["validation_loss"].shape == (3,)
    assert history["loss"].tolist() == history.epochs["loss"]
    with pytest.raises(cr.InvalidInput, match="no column 'accuracy'; it has loss, learning_rate"):
        history["accuracy"]


def test_an_epochs_loss_is_the_mean_of_its_batches_and_a_sums_is_the_sum() -> None:
    """20 samples in batches of 8, 8 and 4: the last counts half."""
    mean = trained(batch_size=8)
    expected = mean.losses.reshape(3, 3) @ [8 / 20, 8 / 20, 4 / 20]
    np.testing.assert_allclose(mean["loss"], expected, rtol=1e-12)
    net = cr.NeuralNetwork(cr.Dense(1), loss="sum_of_squares", optimizer=cr.GradientDescent(0.001))
    summed = net.fit(X, CLASSES, batch_size=8, epochs=3)
    np.testing.assert_allclose(summed["loss"], summed.losses.reshape(3, 3).sum(axis=1), rtol=1e-12)
    for history in (mean, summed):
        norms = history.gradient_norms.reshape(3, 3).mean(axis=1)
        np.testing.assert_allclose(history["gradient_norm"], norms, rtol=1e-12)


def test_what_it_was_trained_with() -> None:
    history = trained(validation=0.25, batch_size=100, shuffle=False)
    expected = {
        "engine": "reference",
        "seed": 0,
        "dtype": "float32",
        "loss": "SoftmaxCrossEntropy()",
        "optimizer": "Adam()",
        "samples": 15,
        "validation_samples": 5,
        "batch_size": 15,
        "batches_per_epoch": 1,
        "epochs": 3,
        "shuffle": False,
    }
    assert {name: history.settings[name] for name in expected} == expected
    assert trained().settings["validation_samples"] == 0
    assert history.seconds > 0
    assert history.stopped_because == "all 3 epochs done"


def test_no_epochs_are_a_history_too() -> None:
    history = trained(epochs=0, validation=0.2, metrics=["accuracy"])
    assert history.iterations == 0
    assert history["validation_accuracy"].shape == (0,)
    assert history.stopped_because == "no epochs asked for"


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", cr.Adam(cr.Cosine(0.1, epochs=3))])
def test_json_holds_all_of_it(optimizer: str | cr.Optimizer) -> None:
    net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy", optimizer=optimizer)
    metrics = ["accuracy", "top_k_accuracy", "precision", "recall", "f1", "confusion_matrix"]
    history = net.fit(X, CLASSES, epochs=3, validation=0.3, metrics=metrics)
    plain = history.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["losses"] == history.losses.tolist()
    assert plain["gradient_norms"] == history.gradient_norms.tolist()
    assert plain["learning_rates"] == history.learning_rates.tolist()
    assert plain["epochs"] == history.epochs
    assert plain["stopped_because"] == history.stopped_because
    assert (plain["settings"], plain["seconds"]) == (history.settings, history.seconds)


def test_it_draws_its_losses() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    history = trained(validation=0.2)
    assert history.plot(axes) is axes
    drawn = [line.get_ydata() for line in axes.get_lines()]
    assert any(np.array_equal(line, history["validation_loss"]) for line in drawn)
    with pytest.raises(cr.InvalidData, match="Train first"):
        trained(epochs=0).plot(Figure().subplots())
