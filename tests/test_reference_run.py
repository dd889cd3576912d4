"""The reference run: four rows, four hidden sigmoid units, and the plain loop that everyone types.

Three things are held together here: the figures published with the project, a loop written out
below with formulas of its own, and ``NeuralNetwork``. What holds for every seed from 0 to 999 is
shown with the loop for all of them at once; the network is then compared with the loop at every
single iteration, for a sample of the seeds (for all with CHAINRULE_SWEEP=full).
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=np.float64)
Y = np.array([[0], [1], [1], [0]], dtype=np.float64)
ITERATIONS = 1500
SEEDS = 1000

# Sum of squared errors before the first iteration and after 100, 500, 1000 and 1500 of them, to
# the digits they are published with; then the four predictions.
PUBLISHED = {
    0: (
        {0: "1.2981", 100: "0.7878", 500: "0.0154", 1000: "0.0050", 1500: "0.0028"},
        [0.01009, 0.97159, 0.97168, 0.03296],
    ),
    1: (
        {0: "1.3118", 100: "0.9834", 500: "0.0202", 1000: "0.0060", 1500: "0.00336"},
        [0.00965, 0.96895, 0.96886, 0.03645],
    ),
    42: (
        {0: "1.2136", 100: "0.9871", 500: "0.0178", 1000: "0.0052", 1500: "0.00295"},
        [0.01043, 0.97232, 0.97091, 0.03500],
    ),
}


def starting_weights(seed: int) -> tuple[Array, Array]:
    """NumPy's old generator, ``seed`` and then ``rand`` twice, as everyone has typed it."""
    random = np.random.RandomState(seed)
    return random.rand(3, 4), random.rand(4, 1)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def plain_loop(seed: int) -> tuple[Array, Array]:
    """The tutorial's loop: the loss before each iteration, and the last predictions."""
    weights_1, weights_2 = starting_weights(seed)
    losses = []
    for _ in range(ITERATIONS):
        hidden = sigmoid(np.dot(X, weights_1))
        output = sigmoid(np.dot(hidden, weights_2))
        losses.append(np.sum((Y - output) ** 2))
        # As in the tutorial, these are the negative gradients, and so they are added.
        delta = 2 * (Y - output) * output * (1 - output)
        d_weights_2 = np.dot(hidden.T, delta)
        d_weights_1 = np.dot(X.T, np.dot(delta, weights_2.T) * hidden * (1 - hidden))
        weights_1 += d_weights_1
        weights_2 += d_weights_2
    return np.array(losses), sigmoid(np.dot(sigmoid(np.dot(X, weights_1)), weights_2))


@functools.cache
def plain_loops(scale: float = 1.0) -> tuple[Array, Array]:
    """The same loop for all seeds at once: losses (iterations, seeds), predictions (seeds, 4)."""
    drawn = [starting_weights(seed) for seed in range(SEEDS)]
    weights_1 = scale * np.array([first for first, _ in drawn])  # (seeds, 3, 4)
    weights_2 = scale * np.array([second for _, second in drawn])  # (seeds, 4, 1)
    losses = np.empty((ITERATIONS, SEEDS))
    for iteration in range(ITERATIONS):
        hidden = sigmoid(X @ weights_1)
        output = sigmoid(hidden @ weights_2)
        losses[iteration] = ((Y - output) ** 2).sum(axis=(1, 2))
        delta = 2 * (Y - output) * output * (1 - output)
        d_hidden = delta @ weights_2.transpose(0, 2, 1)
        weights_2 += hidden.transpose(0, 2, 1) @ delta
        weights_1 += X.T @ (d_hidden * hidden * (1 - hidden))
    return losses, sigmoid(sigmoid(X @ weights_1) @ weights_2)[:, :, 0]


def network(seed: int, *, use_bias: bool = False) -> cr.NeuralNetwork:
    """The same network through the public interface."""
    net = cr.NeuralNetwork(
        cr.Dense(4, activation="sigmoid", use_bias=use_bias),
        cr.Dense(1, activation="sigmoid", use_bias=use_bias),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(learning_rate=1.0),
        dtype="float64",
        inputs=3,
    )
    net.layers[0].weights, net.layers[1].weights = starting_weights(seed)
    return net


@pytest.mark.parametrize("seed", PUBLISHED)
def test_it_gives_the_published_figures(seed: int) -> None:
    sums, predictions = PUBLISHED[seed]
    net = network(seed)
    history = net.fit(X, Y, epochs=ITERATIONS)
    losses = [*history.losses, net.evaluate(X, Y)["loss"]]
    for iterations, published in sums.items():
        decimals = len(published.partition(".")[2])
        assert f"{losses[iterations]:.{decimals}f}" == published
    np.testing.assert_allclose(net.predict(X)[:, 0], predictions, rtol=0, atol=1e-5)


def test_with_biases_it_gives_the_published_predictions() -> None:
    net = network(0, use_bias=True)
    assert not net.layers[0].bias.any()
    assert not net.layers[1].bias.any()
    net.fit(X, Y, epochs=ITERATIONS)
    expected = [0.02327, 0.98032, 0.97994, 0.01907]
    np.testing.assert_allclose(net.predict(X)[:, 0], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 67])
def test_it_is_the_plain_loop_at_every_iteration(seed: int) -> None:
    losses, predictions = plain_loop(seed)
    net = network(seed)
    history = net.fit(X, Y, epochs=ITERATIONS)
    assert history.iterations == len(losses) == ITERATIONS
    np.testing.assert_allclose(history.losses, losses, rtol=0, atol=1e-12)
    np.testing.assert_allclose(net.predict(X), predictions, rtol=0, atol=1e-12)


def test_actual_values_may_come_without_their_axis() -> None:
    """(4,) beside outputs (4, 1) must not be broadcast to a square."""
    column = network(0).fit(X, Y, epochs=20)
    plain = network(0).fit(X, Y.ravel(), epochs=20)
    np.testing.assert_array_equal(column.losses, plain.losses)


def test_the_loops_for_all_seeds_at_once_are_the_loop_for_one() -> None:
    losses, predictions = plain_loops()
    for seed in (0, 67, 999):
        one_losses, one_predictions = plain_loop(seed)
        np.testing.assert_allclose(losses[:, seed], one_losses, rtol=0, atol=1e-12)
        np.testing.assert_allclose(predictions[seed], one_predictions[:, 0], rtol=0, atol=1e-12)


def test_the_loss_falls_at_every_iteration_of_every_seed() -> None:
    losses, _ = plain_loops()
    assert (np.diff(losses, axis=0) < 0).all()


def test_only_seed_67_fails_to_separate_the_rows() -> None:
    losses, predictions = plain_loops()
    right = ((predictions > 0.5) == (Y[:, 0] > 0.5)).all(axis=1)
    assert np.flatnonzero(~right).tolist() == [67]
    assert losses[-1, 67] == pytest.approx(0.5046, abs=5e-5)


def test_the_sum_of_squares_is_below_a_hundredth_at_a_median_of_iteration_599() -> None:
    losses, _ = plain_loops()
    below = losses < 0.01
    reached = np.where(below.any(axis=0), below.argmax(axis=0), ITERATIONS)
    assert np.median(reached) == 599


@functools.cache
def sensitivity() -> Array:
    """How far the losses of each seed move when the starting weights move by a rounding error.

    The last bit of a product depends on the order of its factors, and the tutorial and the chain
    rule order them differently. Where training passes close by a saddle (seed 756) such a
    difference grows a billionfold: no two ways of writing the loop agree there.
    """
    moved, _ = plain_loops(1 + 2 * np.finfo(np.float64).eps)
    return np.abs(moved - plain_loops()[0]).max(axis=0)


def test_rounding_hardly_matters_but_for_one_seed() -> None:
    assert np.flatnonzero(sensitivity() > 1e-10).tolist() == [756]


@pytest.mark.sweep(sample=20)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_network_runs_as_the_loops_do(seed: int) -> None:
    losses, predictions = plain_loops()
    tolerance = 1e-12 + 10 * sensitivity()[seed]
    net = network(seed)
    history = net.fit(X, Y, epochs=ITERATIONS)
    np.testing.assert_allclose(history.losses, losses[:, seed], rtol=0, atol=tolerance)
    np.testing.assert_allclose(net.predict(X)[:, 0], predictions[seed], rtol=0, atol=tolerance)
    assert (np.diff(history.losses) < 0).all()
    assert ((net.predict(X) > 0.5) == (Y > 0.5)).all() == (seed != 67)
