"""The same parameters give the same numbers as in scikit-learn: losses, scores, weights.

Both draw the same random numbers and do the same arithmetic, in another order of sums. So on
float64 the loss curves are compared to twelve digits, epoch by epoch.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network
from estimators.data import CLASSES, COUNTS, LABELS, NUMBERS, TABLE, TWO, WEIGHT, X, fit
from numpy.testing import assert_allclose

import chainrule as cr

ENGINES = pytest.mark.parametrize("engine", ["reference", "compiled"])

TARGETS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "three classes": ("MLPClassifier", CLASSES, {}),
    "two classes": ("MLPClassifier", TWO, {}),
    "labels": ("MLPClassifier", LABELS, {}),
    "numbers": ("MLPRegressor", NUMBERS, {}),
    "table": ("MLPRegressor", TABLE, {}),
    "counts": ("MLPRegressor", COUNTS, {"loss": "poisson"}),
}
SOLVERS: list[dict[str, Any]] = [
    {},
    {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False},
    {"solver": "sgd", "momentum": 0.0},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.02, "power_t": 0.3},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2},
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"batch_size": 32, "alpha": 1.0},  # the last batch has 26, and so a larger penalty
    {"batch_size": 40, "shuffle": False},
    {"early_stopping": True, "batch_size": 20, "n_iter_no_change": 3, "validation_fraction": 0.2},
    {"tol": 0.05, "n_iter_no_change": 2},
]
CASES = [
    (target, activation, {**solver, **option}, weighted)
    for target, activation, solver, option, weighted in itertools.product(
        TARGETS, ["relu", "tanh", "logistic", "identity"], SOLVERS, OPTIONS, [False, True]
    )
]


def both(target: str, engine: str, weighted: bool, **settings: Any) -> tuple[Any, Any]:
    """Fit scikit-learn's estimator and ours."""
    kind, y, more = TARGETS[target]
    common = {"hidden_layer_sizes": (7, 5), "random_state": 3, "max_iter": 8, **more, **settings}
    weight = {"sample_weight": WEIGHT} if weighted else {}
    theirs = fit(getattr(sklearn.neural_network, kind)(**common), X, y, **weight)
    return theirs, fit(getattr(cr, kind)(engine=engine, **common), X, y, **weight)


def assert_same(theirs: Any, ours: Any, tolerance: float = 1e-9) -> None:
    assert_allclose(ours.loss_, theirs.loss_, rtol=tolerance)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    assert ours.n_layers_ == theirs.n_layers_
    assert ours.n_outputs_ == theirs.n_outputs_
    assert ours.out_activation_ == theirs.out_activation_
    for own, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_,
                          strict=True):  # fmt: skip
        assert own.dtype == other.dtype
        assert_allclose(own, other, rtol=100 * tolerance, atol=100 * tolerance)
    if ours.network_.optimizer.name == "lbfgs":
        return
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=tolerance)
    for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
        own, other = getattr(ours, name), getattr(theirs, name)
        assert (own is None) == (other is None)
        if own is not None:
            assert_allclose(own, other, rtol=tolerance, atol=1e-12)


@ENGINES
@pytest.mark.sweep(sample=160)
@pytest.mark.parametrize(("target", "activation", "settings", "weighted"), CASES)
def test_every_epoch_has_the_same_loss(
    target: str, activation: str, settings: dict[str, Any], weighted: bool, engine: str
) -> None:
    assert_same(*both(target, engine, weighted, activation=activation, **settings))


@ENGINES
@pytest.mark.sweep(sample=24)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("target", [name for name in TARGETS if name != "table"])
def test_lbfgs_goes_the_same_way(target: str, activation: str, weighted: bool, engine: str) -> None:
    """Its line search amplifies rounding, so a few iterations are compared."""
    found = both(target, engine, weighted, activation=activation, solver="lbfgs", max_iter=15)
    assert_same(*found, tolerance=1e-6)


def test_lbfgs_learns_several_numbers_by_the_loss_whose_gradient_it_follows() -> None:
    """There the loss is a mean over the outputs and the gradient that of their sum."""
    theirs, ours = both("table", "reference", False, solver="lbfgs", max_iter=100, alpha=0.0)
    mean = 0.5 * ((ours.predict(X) - TABLE) ** 2).mean()
    assert ours.loss_ == pytest.approx(mean, rel=1e-9)
    assert ours.loss_ < 1.1 * theirs.loss_


@ENGINES
def test_float32_is_calculated_in_float32(engine: str) -> None:
    settings = {"hidden_layer_sizes": (7,), "random_state": 3, "max_iter": 8}
    x = X.astype(np.float32)
    theirs = fit(sklearn.neural_network.MLPClassifier(**settings), x, CLASSES)
    ours = fit(cr.MLPClassifier(engine=engine, **settings), x, CLASSES)
    assert_same(theirs, ours, tolerance=1e-5)
    assert ours.predict_proba(x).dtype == np.float32


@ENGINES
def test_predictions(engine: str) -> None:
    theirs, ours = both("three classes", engine, False)
    assert (ours.predict(X) == theirs.predict(X)).all()
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)
    assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-9)
    theirs, ours = both("labels", engine, False)
    assert (ours.predict(X) == theirs.predict(X)).all()
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)
    theirs, ours = both("counts", engine, False)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    assert ours.predict(X).shape == (90,)


@pytest.mark.parametrize("settings", [{}, {"batch_size": 32}, {"early_stopping": True}])
def test_a_generator_of_ones_own_is_drawn_from_as_often(settings: dict[str, Any]) -> None:
    """Whoever passes a RandomState goes on drawing from it."""
    left = []
    for module in (sklearn.neural_network, cr):
        random = np.random.RandomState(5)
        model = module.MLPClassifier((4,), random_state=random, max_iter=3, **settings)
        fit(model, X, CLASSES)
        left.append(random.random_sample(4).tolist())
    assert left[0] == left[1]


def test_the_global_generator_decides_without_a_random_state() -> None:
    np.random.seed(4)  # noqa: NPY002  # scikit-learn draws from it
    theirs = fit(sklearn.neural_network.MLPClassifier((4,), max_iter=3), X, TWO)
    np.random.seed(4)  # noqa: NPY002
    ours = fit(cr.MLPClassifier((4,), max_iter=3), X, TWO)
    assert_same(theirs, ours)


def test_what_is_printed_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    settings: dict[str, Any] = {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1}
    for module in (sklearn.neural_network, cr):
        for more in ({}, {"early_stopping": True}):
            model = module.MLPClassifier(
                (4,), random_state=0, max_iter=40, n_iter_no_change=2, verbose=True,
                learning_rate_init=1e-5, **settings, **more,
            )  # fmt: skip
            fit(model, X, TWO)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "Learning rate too small. Stopping." in printed[1]


def test_the_signatures_hold_every_parameter_in_its_place() -> None:
    for kind in ("MLPClassifier", "MLPRegressor"):
        theirs = getattr(sklearn.neural_network, kind)().get_params()
        ours = getattr(cr, kind)().get_params()
        assert theirs == {name: ours[name] for name in theirs}
    assert cr.MLPClassifier((3,), "tanh").activation == "tanh"
    assert cr.MLPRegressor("poisson", (3,), "tanh").hidden_layer_sizes == (3,)
