"""L-BFGS: how it ends, and that either engine measures for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.full_batch import (
    ALL_DONE,
    CONVERGED,
    STANDS_STILL,
    minimize_with_scipy,
)

X = np.random.default_rng(1).normal(size=(60, 3))
Y = np.argmax(X + 0.3 * X[:, ::-1], axis=1)


def bowl(parameters: Any, counted: list[int]) -> Any:
    """(θ - 3)² + 1 and its gradient."""

    def measure() -> tuple[float, Any]:
        counted.append(1)
        return float(((parameters - 3) ** 2).sum()) + 1, 2 * (parameters - 3)

    return measure


@pytest.mark.parametrize(
    ("optimizer", "reason"),
    [
        (cr.LBFGS(), CONVERGED),
        (cr.LBFGS(tolerance=0.0, loss_tolerance=0.99), STANDS_STILL),
        (cr.LBFGS(tolerance=0.0, evaluations=1), ALL_DONE),
    ],
    ids=["converged", "stands still", "all done"],
)
def test_endings(optimizer: cr.LBFGS, reason: str) -> None:
    """The bowl's bottom is 1, at 3: the search finds it in two steps."""
    parameters, counted = np.zeros(2), list[int]()
    ending = minimize_with_scipy(
        optimizer, parameters, bowl(parameters, counted), lambda loss, norm: True, 10
    )
    assert ending.reason == reason
    if reason == CONVERGED:
        np.testing.assert_allclose(parameters, 3)
        assert ending.loss == pytest.approx(1)
    if optimizer.evaluations == 1:
        assert len(counted) <= 3


def test_a_start_that_is_known_is_not_measured_again() -> None:
    parameters, counted = np.full(2, 3.0), list[int]()
    measure = bowl(parameters, counted)
    start = measure()
    counted.clear()
    minimize_with_scipy(cr.LBFGS(), parameters, measure, lambda loss, norm: True, 5, start)
    assert counted == []  # it is the minimum


def network(engine: str, **settings: Any) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Dense(6, "tanh"), cr.Dense(3), loss="softmax_cross_entropy", optimizer="lbfgs",
        engine=engine, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, 60)], ids=["plain", "weighted"])
def test_the_compiled_engine_measures_the_same(weight: Any) -> None:
    histories = [
        network(engine, dtype="float64", l2=1e-3).fit(X, Y, epochs=15, sample_weight=weight)
        for engine in ("reference", "compiled")
    ]
    assert [history.settings["engine"] for history in histories] == ["reference", "compiled"]
    np.testing.assert_allclose(histories[1].losses, histories[0].losses, rtol=1e-8)
    at = [history.at(7).parameters for history in histories]
    np.testing.assert_allclose(at[1], at[0], rtol=1e-5, atol=1e-7)


def test_statistics_are_counted_by_the_reference_engine() -> None:
    net = cr.NeuralNetwork(
        cr.Dense(6), cr.BatchNorm(), cr.Dense(3), loss="softmax_cross_entropy",
        optimizer="lbfgs", engine="compiled",
    )  # fmt: skip
    assert net.fit(X, Y, epochs=3).settings["engine"] == "reference"


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_what_is_not_finite_is_told_with_its_place(engine: str) -> None:
    layers = (cr.Dense(6, "relu"), cr.Dense(3))
    net = cr.NeuralNetwork(*layers, optimizer="lbfgs", engine=engine)
    with pytest.raises(cr.LossNotFinite, match="layer"):
        net.fit(X * 1e38, X, epochs=3)
