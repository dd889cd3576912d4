"""Many networks at once end as each of them would alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr

X, Y = cr.data.truth_table()
ENGINES = pytest.mark.parametrize("engine", ["reference", "compiled"])


def network(engine: str = "reference", learning_rate: float = 1.0) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Dense(4, activation="sigmoid"),
        cr.Dense(1, activation="sigmoid"),
        loss="sum_of_squares",
        optimizer=cr.Adam(learning_rate / 10),
        dtype="float64",
        engine=engine,
    )


@ENGINES
@pytest.mark.parametrize("batch_size", [None, 3])
def test_each_is_the_training_of_its_seed(engine: str, batch_size: int | None) -> None:
    many = cr.train_many(network(engine), X, Y, seeds=range(3, 7), epochs=30, batch_size=batch_size)
    for number, seed in enumerate(range(3, 7)):
        alone = network(engine)
        alone.seed = seed
        history = alone.fit(X, Y, epochs=30, batch_size=batch_size)
        np.testing.assert_array_equal(many.losses[number], history.losses)
        np.testing.assert_array_equal(many.parameters[number], alone.parameters)
        np.testing.assert_array_equal(many.predict(X)[number], alone.predict(X))
    assert many.engine == engine


def test_random_masks_follow_the_seed_too() -> None:
    def dropping() -> cr.NeuralNetwork:
        return cr.NeuralNetwork(
            cr.Dense(8, "tanh"), cr.Dropout(0.5), cr.Dense(1), engine="compiled"
        )

    many = cr.train_many(dropping(), X, Y, seeds=3, epochs=10, batch_size=None)
    for seed in range(3):
        alone = dropping()
        alone.seed = seed
        np.testing.assert_array_equal(
            many.losses[seed], alone.fit(X, Y, epochs=10, batch_size=None).losses
        )


@ENGINES
def test_learning_rates_share_one_start(engine: str) -> None:
    net = network(engine).build(3)
    before = net.parameters.copy()
    many = cr.train_many(net, X, Y, learning_rates=[0.0, 0.01, 0.1], epochs=20, batch_size=None)
    np.testing.assert_array_equal(net.parameters, before)  # the template stays as it is
    np.testing.assert_array_equal(many.losses[:, 0], many.losses[0, 0])
    np.testing.assert_array_equal(many.parameters[0], before)
    assert many.losses[2, -1] < many.losses[1, -1] < many.losses[0, -1]
    assert many.learning_rates is not None


def test_starts_are_taken_as_they_are() -> None:
    net = network().build(3)
    starts = np.linspace(-1, 1, 2 * len(net.parameters)).reshape(2, -1)
    many = cr.train_many(net, X, Y, starts=starts, epochs=5, batch_size=None)
    for start, losses in zip(starts, many.losses, strict=True):
        net.parameters[...] = start
        assert losses[0] == pytest.approx(net.evaluate(X, Y)["loss"])


def test_a_trained_network_comes_out() -> None:
    many = cr.train_many(network(), X, Y, seeds=3, epochs=10, batch_size=None)
    net = many.network(2)
    assert net.seed == 2
    np.testing.assert_array_equal(net.predict(X), many.predict(X)[2])
    net.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(many.network(2).predict(X), many.predict(X)[2])


@ENGINES
def test_a_training_that_fails_does_not_stop_the_others(engine: str) -> None:
    many = cr.train_many(
        cr.NeuralNetwork(cr.Dense(1), optimizer=cr.GradientDescent(), engine=engine),
        X * 1e3,
        Y,
        learning_rates=[1e-8, 1e30],
        epochs=50,
        batch_size=None,
    )
    assert list(many.failures) == [1]
    assert "not finite" in many.failures[1]
    assert np.isfinite(many.losses[0]).all()
    assert np.isnan(many.losses[1, -1])
    assert np.isfinite(many.parameters).all()


def test_networks_keep_the_engine_that_was_chosen() -> None:
    net = network("compiled")
    net.engine = cr.Compiled(threads=2)
    many = cr.train_many(net, X, Y, seeds=3, epochs=5, batch_size=None)
    assert net.engine.threads == 2
    assert many.network(0).engine.threads == 2


def test_the_picture_marks_those_that_did_not_learn() -> None:
    many = cr.train_many(network(), X, Y, seeds=4, epochs=10, batch_size=None)
    axes = many.plot([False, True, False, False])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "Each of 4 networks",
        "The 1 that did not learn",
        "Median",
    ]
    assert "4 networks, 10 iterations" in repr(many)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "neither seeds nor learning_rates nor starts"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1"),
        ({"seeds": "many"}, "expected whole numbers, one for each training"),
        ({"seeds": []}, "expected whole numbers, one for each training"),
        ({"seeds": [1, -2]}, "seeds"),
        ({"learning_rates": 0.1}, "expected a number for each training"),
        ({"learning_rates": [0.1, "fast"]}, "learning_rates"),
        ({"seeds": 3, "learning_rates": [0.1]}, "seeds of 3, learning_rates of 1"),
        ({"starts": np.zeros((2, 3))}, "expected (networks, 21)"),
        ({"starts": np.full((2, 21), np.nan)}, "finite"),
        ({"seeds": 2, "epochs": 0}, "epochs"),
        ({"seeds": 2, "batch_size": 0}, "batch_size"),
        ({"seeds": 2, "batch_size": "all"}, "batch_size"),
        ({"seeds": 2, "batch_size": None, "shuffle": "yes"}, "shuffle"),
        ({"seeds": 2, "progress": "loud"}, "progress"),
        ({"starts": [["a"] * 21] * 2}, "starts holds text"),
        ({"starts": [[1.0], [1.0, 2.0]]}, "rows of different lengths"),
    ],
)
@ENGINES
def test_what_cannot_be_trained_is_refused(engine: str, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(cr.InvalidInput, match=words.replace("(", r"\(").replace(")", r"\)")):
        cr.train_many(network(engine), X, Y, **{"epochs": 2, **wrong})


def test_only_networks_can_be_trained() -> None:
    with pytest.raises(cr.InvalidSetting, match="expected a NeuralNetwork"):
        cr.train_many(cr.Dense(3), X, Y, seeds=2)  # type: ignore[arg-type]
    many = cr.train_many(network(), X, Y, seeds=2, epochs=1)
    with pytest.raises(cr.InvalidSetting, match="from 0 to 1"):
        many.network(2)
