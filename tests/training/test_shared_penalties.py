"""Penalties that the samples of a batch share, and orders of one's own: what a plan may say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array
from chainrule.samples import Samples
from chainrule.training.batches import Batches
from chainrule.training.history import History
from chainrule.training.loop import TrainingLoop
from chainrule.training.plan import Plan

X = np.random.default_rng(3).normal(size=(7, 2))
Y = X[:, :1] - X[:, 1:]


def train(
    engine: str, weight: Array | None = None, loss: Any = "half_squared_error", **options: Any
) -> tuple[cr.NeuralNetwork, History]:
    """Train on seven samples in batches of three, three and one."""
    network = cr.NeuralNetwork(
        cr.Dense(1), inputs=2, l1=0.03, l2=0.06, dtype="float64", engine=engine, loss=loss,
        optimizer=cr.GradientDescent(0.1), seed=1,
    )  # fmt: skip
    plan = Plan(
        epochs=2, batch_size=3, shuffle=False, augment=(), metrics=(), callbacks=[],
        progress=False, **options,
    )  # fmt: skip
    loop = TrainingLoop(network, Samples(X, Y, weight), None, plan)
    return network, loop.run()


def by_hand(weight: Array, factor: float) -> Array:
    """The same steps, written out: θ ← θ - η (x̄ (ŷ - y) + (l1 sign(w) + 2 l2 w) · 3 / Σ weights).

    ``factor`` is 2 where the loss is not halved.
    """
    network = cr.NeuralNetwork(cr.Dense(1), inputs=2, dtype="float64", seed=1)
    w, b = network.layers[0].weights.copy(), 0.0
    for _ in range(2):
        for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
            total = weight[rows].sum()
            error = factor * (X[rows] @ w + b - Y[rows]) * weight[rows, None] / total
            shared = 3 / total
            d_w = X[rows].T @ error + shared * (0.03 * np.sign(w) + 2 * 0.06 * w)
            w, b = w - 0.1 * d_w, b - 0.1 * error.sum()
    return np.append(w, b)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_a_batch_that_weighs_less_has_larger_penalties(engine: str, weighted: bool) -> None:
    weight = np.array([1.0, 2, 3, 0.5, 0.5, 2, 0.25])
    network, _ = train(engine, weight if weighted else None, penalties_for=3.0)
    expected = by_hand(weight if weighted else np.ones(7), 1)
    np.testing.assert_allclose(network.parameters, expected, rtol=1e-12)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_of_a_mean_as_well(engine: str) -> None:
    network, _ = train(engine, penalties_for=3.0, loss="mean_squared_error")
    np.testing.assert_allclose(network.parameters, by_hand(np.ones(7), 2), rtol=1e-12)


@pytest.mark.parametrize("loss", ["half_squared_error", "sum_of_squares"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_both_engines_tell_the_same_losses(loss: str, weighted: bool) -> None:
    weight = np.array([1.0, 2, 3, 0, 0, 0, 0.25]) if weighted else None
    found = [train(engine, weight, loss, penalties_for=3.0) for engine in ("reference", "compiled")]
    np.testing.assert_allclose(found[1][1].losses, found[0][1].losses, rtol=1e-12)
    np.testing.assert_allclose(found[1][1]["loss"], found[0][1]["loss"], rtol=1e-12)
    np.testing.assert_allclose(found[1][0].parameters, found[0][0].parameters, rtol=1e-12)


def test_a_batch_that_counts_nothing_has_the_penalties_of_a_full_one() -> None:
    batches = Batches(Samples(X, Y), 3, seed=0, shuffle=False, penalties_for=3.0)
    assert batches.penalty_scale(Samples(X[:2], Y[:2])) == 1.5
    assert batches.penalty_scale(Samples(X[:2], Y[:2], np.array([4.0, 2.0]))) == 0.5
    assert batches.penalty_scale(Samples(X[:2], Y[:2], np.zeros(2))) == 1
    plain = Batches(Samples(X, Y), 3, seed=0, shuffle=False)
    assert plain.penalty_scale(Samples(X[:2], Y[:2])) == 1


def test_an_order_of_ones_own() -> None:
    asked: list[int] = []

    def backwards(epoch: int) -> Array:
        asked.append(epoch)
        return np.arange(7)[::-1].copy()

    batches = Batches(Samples(X, Y), 3, seed=0, shuffle=True, order_of=backwards)
    np.testing.assert_array_equal(next(batches.epoch(5)).x, X[[6, 5, 4]])
    assert asked == [5]
