"""The loss landscape in numbers: the loss at every point is the network's own loss there."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import models
from chainrule.landscape import LossLandscape, loss_landscape

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(30, 3))
Y = X @ [[1.0, -1.0], [0.5, 2.0], [0.0, 1.0]]


def network(*layers: cr.Layer, inputs: Any = 3, **settings: Any) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(*layers, inputs=inputs, **{"dtype": "float64", **settings})


def loss_at(net: cr.NeuralNetwork, parameters: np.ndarray[Any, Any], x: Any, y: Any) -> float:
    twin = net.copy()
    twin.parameters[...] = parameters
    return float(twin.evaluate(x, y)["loss"])


def point(found: LossLandscape, row: int, column: int) -> np.ndarray[Any, Any]:
    first, second = found.plane.directions
    return found.plane.centre + found.alphas[column] * first + found.betas[row] * second


# --- the numbers ------------------------------------------------------------------------------


def test_a_bowl_by_hand() -> None:
    """ŷ = w · x with x the unit vectors and y = (1, 2): L = ((w₁ - 1)² + (w₂ - 2)²) / 2."""
    net = network(cr.Dense(1, use_bias=False), inputs=2)
    net.layers[0].weights = [[3], [2]]
    found = loss_landscape(net, np.eye(2), [1, 2], directions=np.eye(2), points=3, extent=2)
    np.testing.assert_array_equal(found.alphas, [-2, 0, 2])
    np.testing.assert_allclose(
        found.losses,  # rows: w₂ = 0, 2, 4; columns: w₁ = 1, 3, 5
        [[2, 4, 10], [0, 2, 8], [2, 4, 10]],
    )
    assert found.loss == 2
    assert found.lowest == (-2, 0, 0)
    assert found.loss_name == "mean squared error"


@pytest.mark.parametrize(
    ("net", "x", "y"),
    [
        (network(cr.Dense(4, "tanh"), cr.Dense(2), l1=0.01, l2=0.02), X, Y),
        (network(cr.Dense(5), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.3), cr.Dense(2)), X, Y),
        (network(cr.Dense(3, "selu"), loss="softmax_cross_entropy"), X, np.arange(30) % 3),
        (
            network(cr.Conv2D(2, 2, "relu"), cr.Flatten(), cr.Dense(1), inputs=(3, 3, 1)),
            RANDOM.normal(size=(5, 3, 3, 1)),
            np.arange(5.0),
        ),
    ],
    ids=["penalties", "normalized", "classes", "images"],
)
def test_every_point_is_the_loss_of_a_network_with_those_parameters(
    net: cr.NeuralNetwork, x: Any, y: Any
) -> None:
    found = loss_landscape(net, x, y, points=5)
    for row in range(5):
        for column in range(5):
            expected = loss_at(net, point(found, row, column), x, y)
            assert found.losses[row, column] == pytest.approx(expected, rel=1e-12)
    assert found.losses[2, 2] == pytest.approx(found.loss, rel=1e-15)
    assert found.loss == net.evaluate(x, y)["loss"]


def test_sample_weights_count() -> None:
    net, weight = network(cr.Dense(2)), np.arange(30.0)
    found = loss_landscape(net, X, Y, points=2, sample_weight=weight)
    assert found.loss == net.evaluate(X, Y, sample_weight=weight)["loss"]


def test_the_network_stays_as_it_is() -> None:
    net = network(cr.Dense(5, "tanh"), cr.BatchNorm(), cr.Dense(2), engine="reference")
    net.fit(X, Y, epochs=3)
    net.predict(X)
    before, report, state = pickle.dumps(net), net.engine.report(), net.training_state
    storage = net.parameter_vector.storage.copy()
    loss_landscape(net, X, Y, points=4)
    np.testing.assert_array_equal(net.parameter_vector.storage, storage)
    assert net.engine.report() == report
    assert net.training_state is state
    assert pickle.dumps(net) == before


def test_the_same_call_gives_the_same_bits() -> None:
    net = network(cr.Dense(5, "tanh"), cr.Dense(2))
    first, again, other = (loss_landscape(net, X, Y, points=4, seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.losses, again.losses)
    assert (first.losses != other.losses).any()


def test_the_compiled_engine_finds_the_same_landscape() -> None:
    found = [
        loss_landscape(
            network(cr.Dense(5, "tanh"), cr.BatchNorm(), cr.Dense(2), engine=engine), X, Y, points=6
        ).losses
        for engine in ("reference", "compiled")
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("name", list(models.MODELS))
def test_landscapes_of_the_named_models(name: str) -> None:
    net = models.named(name, 3, inputs=(12, 12, 1), engine="reference")
    images, labels = np.random.default_rng(1).random((6, 12, 12, 1)), np.arange(6) % 3
    found = loss_landscape(net, images, labels, points=3, extent=0.5)
    assert found.not_finite == 0
    for row, column in ((0, 0), (1, 2), (2, 1)):
        expected = loss_at(net, point(found, row, column), images, labels)
        assert found.losses[row, column] == pytest.approx(expected, rel=1e-5)


# --- the path ---------------------------------------------------------------------------------


def test_the_path_of_a_training() -> None:
    net = network(cr.Dense(4, "tanh"), cr.Dense(2), engine="reference")
    start = net.parameters.copy()
    history = net.fit(X, Y, epochs=30, batch_size=None)
    found = loss_landscape(net, X, Y, history=history, points=9)
    assert found.plane.kind == "path"
    assert found.path is not None
    assert found.steps is not None
    assert found.path.shape == (31, 2)
    assert found.steps[[0, -1]].tolist() == [0, 30]
    np.testing.assert_allclose(found.path[-1], 0, atol=1e-12)  # the plane goes through its end
    np.testing.assert_allclose(
        found.path[0], found.plane.directions @ (start - net.parameters), rtol=1e-12
    )
    assert found.share is not None
    assert found.shares is not None
    assert f"{found.share:.0%} of the path's variance" in repr(found)
    assert 0.9 < found.share <= 1  # gradient descent on so few parameters hardly leaves a plane
    assert sum(found.shares) == pytest.approx(found.share)
    assert found.shares[0] > found.shares[1]
    low, high = found.path.min(axis=0), found.path.max(axis=0)
    assert found.alphas[0] < low[0] < high[0] < found.alphas[-1]
    assert found.betas[0] < low[1] < high[1] < found.betas[-1]


def test_a_path_in_a_plane_is_shown_whole() -> None:
    """Where the path does lie in the plane, the landscape has the very losses of its moments."""
    net = network(cr.Dense(2, use_bias=False), inputs=2, loss="sum_of_squares")
    first, second = np.array([1.0, 0, 0, 0]), np.array([0, 0.6, 0.8, 0])
    path = [net.parameters + a * first + b * second for a, b in ((4, 0), (2, 1), (0, 0))]
    found = loss_landscape(net, X[:, :2], Y, path=path, points=3)
    assert found.share == pytest.approx(1)
    assert found.path is not None
    assert found.steps is None
    for moment, (alpha, beta) in zip(path, found.path, strict=True):
        there = found.plane.centre + alpha * found.plane.directions[0]
        there += beta * found.plane.directions[1]
        np.testing.assert_allclose(there, moment, atol=1e-12)


def test_a_path_over_random_directions_is_hardly_seen() -> None:
    net = network(cr.Dense(40, "tanh"), cr.Dense(2))
    path = [net.parameters.copy(), net.parameters + 1, net.parameters]
    found = loss_landscape(net, X, Y, path=path, directions="random", points=2)
    assert found.plane.kind == "random"
    assert found.shares is None
    assert found.share is not None
    assert found.share < 0.1


# --- large data, and losses that are too large ------------------------------------------------


def test_large_data_are_sampled_and_it_is_said() -> None:
    net = network(cr.Dense(2))
    found = loss_landscape(net, X, Y, points=3, at_most=10)
    assert (found.samples, found.samples_of) == (10, 30)
    assert "over 10 of 30 samples" in repr(found)
    assert found.loss != net.evaluate(X, Y)["loss"]
    again = loss_landscape(net, X, Y, points=3, at_most=10)
    np.testing.assert_array_equal(found.losses, again.losses)
    assert loss_landscape(net, X, Y, points=3, at_most=10, seed=1).loss != found.loss


@pytest.mark.parametrize("weight", [None, 3.0])
def test_a_sampled_sum_stands_for_all(weight: float | None) -> None:
    """Thirty samples all alike: ten of them, each counted three times, have the same loss."""
    net = network(cr.Dense(2), loss="sum_of_squares", l2=0.1)
    x, y = np.repeat(X[:1], 30, axis=0), np.repeat(Y[:1], 30, axis=0)
    weights = None if weight is None else np.full(30, weight)
    found = loss_landscape(net, x, y, points=2, at_most=10, sample_weight=weights)
    assert found.loss == pytest.approx(net.evaluate(x, y, sample_weight=weights)["loss"])


def test_bytes_are_scaled_as_everywhere() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
    net = network(cr.Flatten(), cr.Dense(2), inputs=(4, 4, 1), loss="softmax_cross_entropy")
    labels = np.arange(40) % 2
    found = loss_landscape(net, images, labels, points=2)
    assert found.loss == pytest.approx(net.evaluate(images / 255, labels)["loss"])
    assert loss_landscape(net, images, labels, points=2, at_most=7).samples == 7


def test_losses_that_are_not_finite_are_nan_and_told() -> None:
    net = network(cr.Dense(2, "relu"), cr.Dense(2), dtype="float32")
    found = loss_landscape(net, X, Y, points=5, extent=1e25)
    assert found.not_finite == 24
    assert np.isfinite(found.losses[2, 2])
    assert not np.isinf(found.losses).any()
    assert "not finite at 24 points" in repr(found)
    assert found.lowest == (0, 0, found.losses[2, 2])


def test_a_landscape_around_no_loss_is_refused() -> None:
    net = network(cr.Dense(2, "relu"), cr.Dense(2), dtype="float32")
    net.parameters[...] = 1e30
    with pytest.raises(cr.InvalidData, match="loss at the network's own parameters is"):
        loss_landscape(net, X, Y)


# --- calls ------------------------------------------------------------------------------------


def test_a_landscape_says_what_it_is() -> None:
    net = network(cr.Dense(1, use_bias=False), inputs=2)
    net.layers[0].weights = [[3], [2]]
    found = loss_landscape(net, np.eye(2), [1, 2], directions=np.eye(2), points=3, extent=2)
    assert repr(found) == (
        "LossLandscape(3 x 3 points along given directions, mean squared error 2 at the "
        "parameters, lowest 0 at (-2, 0))"
    )


def test_a_bar_counts_the_points(capsys: pytest.CaptureFixture[str]) -> None:
    loss_landscape(network(cr.Dense(2)), X, Y, points=3, progress=True)
    assert "9/9" in capsys.readouterr().err
    loss_landscape(network(cr.Dense(2)), X, Y, points=3)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 1}, "points must be a whole number of at least 2"),
        ({"points": 2.5}, "points must be a whole number"),
        ({"at_most": 0}, "at_most must be a whole number of at least 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"extent": 0}, "extent must be a finite number above 0"),
        ({"progress": "yes"}, "progress must be True, False or 'auto'"),
        ({"directions": "down"}, "directions received 'down'"),
        ({"path": [np.ones(3)]}, "path holds 1 points"),
        ({"history": "past"}, "history received 'past'"),
        ({"sample_weight": [1.0]}, r"sample_weight has shape \(1,\)"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(cr.InvalidInput, match=message):
        loss_landscape(network(cr.Dense(2)), X, Y, **options)


def test_data_that_do_not_fit() -> None:
    net = network(cr.Dense(2))
    with pytest.raises(cr.InvalidShape, match=r"Dense received x of shape \(30, 2\)"):
        loss_landscape(net, X[:, :2], Y)
    with pytest.raises(cr.InvalidShape, match="30 samples and y 29"):
        loss_landscape(net, X, Y[1:])
    with pytest.raises(cr.NotBuilt, match="nothing lies around them"):
        loss_landscape(cr.NeuralNetwork(cr.Dense(2)), X, Y)
