"""Going on: partial_fit, warm start, weights set by hand, copies. Bit for bit where theirs do."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn.neural_network
from estimators.data import CLASSES, LABELS, NUMBERS, TABLE, TWO, X, fit, quietly
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import chainrule as cr

ENGINES = pytest.mark.parametrize("engine", ["reference", "compiled"])
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6,), "random_state": 1, "batch_size": 32}


def weights_of(estimator: Any) -> bytes:
    return b"".join(array.tobytes() for array in estimator.coefs_ + estimator.intercepts_)


@ENGINES
@pytest.mark.parametrize("settings", [{}, {"solver": "sgd", "learning_rate": "invscaling"}])
def test_pieces_are_scikit_learns_pieces(engine: str, settings: dict[str, Any]) -> None:
    """fit, then partial_fit with other rows, with the same losses as there."""
    models = [
        sklearn.neural_network.MLPClassifier(**SMALL, **settings, max_iter=3),
        cr.MLPClassifier(**SMALL, **settings, max_iter=3, engine=engine),
    ]
    for model in models:
        fit(model, X, CLASSES)
        for rows in (slice(0, 50), slice(40, 90), slice(0, 90)):
            model.partial_fit(X[rows], CLASSES[rows])
    theirs, ours = models
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    assert ours.t_ == theirs.t_ == 3 * 90 + 50 + 50 + 90
    assert ours.n_iter_ == theirs.n_iter_ == 1
    assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-8)


def test_partial_fit_from_the_beginning() -> None:
    models = [module.MLPClassifier(**SMALL) for module in (sklearn.neural_network, cr)]
    for model in models:
        model.partial_fit(X[:40], CLASSES[:40], classes=["ash", "birch", "cedar"])
        model.partial_fit(X[40:80], CLASSES[40:80])
        assert model.classes_.tolist() == ["ash", "birch", "cedar"]
    assert_allclose(models[1].loss_curve_, models[0].loss_curve_, rtol=1e-12)
    several = [module.MLPClassifier(**SMALL) for module in (sklearn.neural_network, cr)]
    for model in several:
        model.partial_fit(X, LABELS, classes=[0, 1, 2])
    assert_allclose(several[1].loss_, several[0].loss_, rtol=1e-12)
    numbers = [module.MLPRegressor(**SMALL) for module in (sklearn.neural_network, cr)]
    for number in numbers:
        number.partial_fit(X, TABLE).partial_fit(X[:40], TABLE[:40])
    assert_allclose(numbers[1].loss_curve_, numbers[0].loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("stops", [False, True], ids=["", "early stopping"])
def test_warm_start(stops: bool) -> None:
    settings = SMALL | {"warm_start": True, "max_iter": 4, "early_stopping": stops}
    models = [module.MLPClassifier(**settings) for module in (sklearn.neural_network, cr)]
    for model in models:
        fit(model, X, CLASSES)
        fit(model, X, CLASSES)
    theirs, ours = models
    assert len(ours.loss_curve_) == 8
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-12)
    assert ours.t_ == theirs.t_
    if stops:
        assert ours.validation_scores_ == theirs.validation_scores_


def test_without_warm_start_a_fit_begins_anew() -> None:
    model = fit(cr.MLPClassifier(**SMALL, max_iter=4), X, CLASSES)
    first, network = weights_of(model), model.network_
    fit(model, X, TWO)
    assert model.classes_.tolist() == ["no", "yes"]
    fit(model, X, CLASSES)
    assert weights_of(model) == first
    assert model.network_ is not network


@ENGINES
def test_a_pickled_estimator_goes_on_bit_for_bit(engine: str) -> None:
    model = fit(cr.MLPClassifier(**SMALL, max_iter=3, engine=engine), X, CLASSES)
    twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]  # noqa: S301  # our own
    for twin in twins:
        assert weights_of(twin) == weights_of(model)
        assert np.shares_memory(twin.coefs_[0], twin.network_.parameters)
    for estimator in (model, *twins):
        estimator.partial_fit(X, CLASSES)
        estimator.partial_fit(X[::2], CLASSES[::2])
    for twin in twins:
        assert weights_of(twin) == weights_of(model)
        assert twin.loss_curve_ == model.loss_curve_
        assert_array_equal(twin.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
def test_a_pickle_holds_the_weights_once(solver: str) -> None:
    """And once what the solver remembers: nothing, a velocity, two averages."""
    wide = cr.MLPClassifier((3000,), solver=solver, random_state=0, max_iter=1)
    model = fit(wide, X, CLASSES)
    expected = {"lbfgs": 1, "sgd": 2, "adam": 3}[solver] * len(weights_of(model))
    stored = io.BytesIO()
    joblib.dump(model, stored)
    for length in (len(pickle.dumps(model)), len(stored.getvalue())):
        assert expected < length < 1.1 * expected


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.sweep(sample=0))]
)
def test_joblib_workers_train_alike(backend: str) -> None:
    ends = {"tol": 10.0, "n_iter_no_change": 1, "max_iter": 9}  # so that none has a warning to tell
    models = [cr.MLPClassifier((4,), random_state=seed, **ends) for seed in range(2)]
    here = [weights_of(clone(model).fit(X, CLASSES)) for model in models]
    with joblib.parallel_config(backend=backend, n_jobs=2):
        there = joblib.Parallel()(joblib.delayed(model.fit)(X, CLASSES) for model in models)
    assert [weights_of(model) for model in there] == here


def test_a_clone_has_the_parameters_alone() -> None:
    model = cr.MLPClassifier((4,), activation=cr.LeakyReLU(0.2), solver=cr.AdamW(0.01), alpha=0.5)
    fit(model.set_params(max_iter=1), X, TWO)
    twin = clone(model)
    assert not hasattr(twin, "network_")
    assert repr(twin) == repr(model)


# --- weights set by hand --------------------------------------------------------------------------


def test_editing_an_array_edits_the_network() -> None:
    model = fit(cr.MLPRegressor(**SMALL, max_iter=2), X, NUMBERS)
    model.coefs_[1][...] = 0
    model.intercepts_[1][...] = 2.5
    assert_array_equal(model.predict(X), 2.5)


@ENGINES
def test_arrays_and_lists_in_their_place_count_everywhere(engine: str) -> None:
    """In predict, in partial_fit (as in scikit-learn), in a pickle."""
    models = [
        fit(sklearn.neural_network.MLPRegressor(**SMALL, max_iter=2), X, NUMBERS),
        fit(cr.MLPRegressor(**SMALL, max_iter=2, engine=engine), X, NUMBERS),
    ]
    for model in models:
        model.coefs_[1] = np.full((6, 1), 0.25)
        model.intercepts_ = [np.arange(6) / 10, np.array([0.5])]
    theirs, ours = models
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12)
    again = pickle.loads(pickle.dumps(ours))  # noqa: S301  # our own
    assert_array_equal(again.predict(X), ours.predict(X))
    for model in models:
        model.partial_fit(X, NUMBERS)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-12)
    assert_allclose(ours.coefs_[1], theirs.coefs_[1], rtol=1e-10)
    assert np.shares_memory(ours.coefs_[1], ours.network_.parameters)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([np.ones((4, 6))], "holds 1 arrays; expected 2"),
        ([np.ones((4, 6)), np.ones((5, 1))], r"coefs_\[1\] was set to .* \(5, 1\); expected"),
        ([np.ones((4, 6)), np.full((6, 1), np.nan)], r"coefs_\[1\] .* not all finite"),
        ([np.ones((4, 6)), "much"], r"coefs_\[1\] holds what is no table"),
    ],
)
def test_what_cannot_be_weights_is_told(wrong: Any, words: str) -> None:
    model = fit(cr.MLPRegressor(**SMALL, max_iter=2), X, NUMBERS)
    model.coefs_ = wrong
    for call in (lambda: model.predict(X), lambda: model.partial_fit(X, NUMBERS)):
        with pytest.raises(ValueError, match=words):
            call()


# --- failing --------------------------------------------------------------------------------------


@ENGINES
def test_a_training_that_fails_leaves_the_weights_of_before(engine: str) -> None:
    settings = SMALL | {"solver": "sgd", "learning_rate_init": 1e100, "warm_start": True}
    model = fit(cr.MLPRegressor(**SMALL, max_iter=2, engine=engine), X, NUMBERS)
    before = weights_of(model)
    model.set_params(**settings)
    with pytest.raises(ValueError, match="left the finite numbers"), quietly():
        model.fit(X, NUMBERS)
    assert weights_of(model) == before
    assert len(model.loss_curve_) == 2
    model.set_params(learning_rate_init=0.001)
    fit(model, X, NUMBERS)
    assert np.isfinite(model.loss_)


def test_a_piece_that_fails_leaves_what_the_optimizer_remembers() -> None:
    """partial_fit after the failure is partial_fit without it."""
    models = [fit(cr.MLPRegressor(**SMALL, max_iter=2), X, NUMBERS) for _ in range(2)]
    with pytest.raises(ValueError, match="left the finite numbers"):
        models[0].partial_fit(X, NUMBERS * 1e300)
    for model in models:
        model.partial_fit(X, NUMBERS)
    assert weights_of(models[0]) == weights_of(models[1])
    assert models[0].loss_curve_ == models[1].loss_curve_
