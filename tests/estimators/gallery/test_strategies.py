"""Compare Stochastic learning strategies for MLPClassifier: both libraries side by side.

The example of scikit-learn's gallery, written anew: seven ways to train on each of its four sets,
with the same settings. Scores must lie within one point and losses within 5 %; that the numbers
are the same, far closer, is tested beside this folder.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.datasets import load_digits, load_iris, make_circles, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler

import chainrule as cr

SETS = {
    "iris": load_iris(return_X_y=True),
    "digits": load_digits(return_X_y=True),
    "circles": make_circles(noise=0.2, factor=0.5, random_state=1),
    "moons": make_moons(noise=0.3, random_state=0),
}
SGD = {"solver": "sgd", "learning_rate_init": 0.2}
MOMENTUM = {"momentum": 0.9, "nesterovs_momentum": False}
NESTEROV = {"momentum": 0.9, "nesterovs_momentum": True}
STRATEGIES: dict[str, dict[str, Any]] = {
    "constant": SGD | {"learning_rate": "constant", "momentum": 0},
    "constant, momentum": SGD | {"learning_rate": "constant"} | MOMENTUM,
    "constant, Nesterov": SGD | {"learning_rate": "constant"} | NESTEROV,
    "falling": SGD | {"learning_rate": "invscaling", "momentum": 0},
    "falling, momentum": SGD | {"learning_rate": "invscaling"} | MOMENTUM,
    "falling, Nesterov": SGD | {"learning_rate": "invscaling"} | NESTEROV,
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}


@pytest.fixture(autouse=True)
def _not_converged() -> Iterator[None]:
    """As in the gallery: that some strategies do not converge is what it shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@pytest.mark.sweep(sample=10)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", SETS)
def test_the_same_scores_and_losses(name: str, strategy: str) -> None:
    X, y = SETS[name]
    X = MinMaxScaler().fit_transform(X)
    settings = STRATEGIES[strategy] | {
        "random_state": 0,
        "max_iter": 15 if name == "digits" else 400,
    }
    theirs = MLPClassifier(**settings).fit(X, y)
    ours = cr.MLPClassifier(**settings).fit(X, y)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=0.01)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=0.05)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_, rel=0.05)
