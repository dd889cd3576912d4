"""Examples of scikit-learn's gallery that use its networks, written anew, without the pictures."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import (
    load_diabetes,
    load_digits,
    load_iris,
    make_circles,
    make_classification,
    make_moons,
)
from sklearn.ensemble import StackingRegressor, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import cross_val_score, learning_curve, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier


def separable() -> tuple[np.ndarray, np.ndarray]:
    """Two clouds that a straight line nearly parts; the gallery's third set of points."""
    X, y = make_classification(
        n_features=2,
        n_redundant=0,
        n_informative=2,
        random_state=0,
        n_clusters_per_class=1,
    )
    X += 2 * np.random.default_rng(2).uniform(size=X.shape)
    return X, y


POINTS = {
    "moons": make_moons(noise=0.3, random_state=0),
    "circles": make_circles(noise=0.2, factor=0.5, random_state=1),
    "separable": separable(),
}


@pytest.mark.parametrize("points", POINTS)
def test_varying_regularization(neural_network: ModuleType, points: str) -> None:
    """The larger alpha, the smaller the weights; at 10 the surface is flat enough to err."""
    X, y = POINTS[points]
    X_train, _, y_train, _ = train_test_split(
        StandardScaler().fit_transform(X), y, test_size=0.4, random_state=42
    )
    lengths, scores = [], []
    for alpha in np.logspace(-1, 1, 3):
        network = neural_network.MLPClassifier(
            solver="lbfgs",
            alpha=alpha,
            random_state=1,
            max_iter=2000,
            early_stopping=True,  # without effect on lbfgs, as in the gallery
            hidden_layer_sizes=[10, 10],
        ).fit(X_train, y_train)
        lengths.append(sum((weights**2).sum() for weights in network.coefs_))
        scores.append(network.score(X_train, y_train))
    assert lengths[0] > lengths[1] > lengths[2]
    assert scores[0] >= 0.9
    assert scores[0] >= scores[1] >= scores[2]


def test_weights_seen_as_images(neural_network: ModuleType) -> None:
    """Visualization of MLP weights, on digits: one picture of 8 x 8 for each hidden unit."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    network = neural_network.MLPClassifier(
        hidden_layer_sizes=(40,),
        max_iter=8,
        alpha=1e-4,
        solver="sgd",
        random_state=1,
        learning_rate_init=0.2,
    )
    with pytest.warns(ConvergenceWarning, match="8"):  # time is short in a gallery
        network.fit(X_train, y_train)
    assert network.score(X_train, y_train) > 0.95
    assert network.score(X_test, y_test) > 0.93
    assert len(network.coefs_[0].T) == 40
    assert network.coefs_[0].T[0].reshape(8, 8).shape == (8, 8)
    assert network.coefs_[1].shape == (40, 10)
    never_lit = X_train.max(axis=0) == 0  # such pixels keep their start but for the penalty
    assert np.abs(network.coefs_[0][never_lit]).max() < np.abs(network.coefs_[0]).max()


@pytest.mark.parametrize(("points", "reached"), [("moons", 0.9), ("circles", 0.8)])
def test_classifier_comparison(neural_network: ModuleType, points: str, reached: float) -> None:
    X, y = POINTS[points]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=42)
    model = make_pipeline(
        StandardScaler(), neural_network.MLPClassifier(alpha=1, max_iter=1000, random_state=42)
    ).fit(X_train, y_train)
    assert model.score(X_test, y_test) >= reached
    assert not hasattr(model, "decision_function")  # so that probabilities are drawn
    mesh = np.stack(np.meshgrid(*[np.linspace(-2, 2, 9)] * 2), axis=-1).reshape(-1, 2)
    probabilities = model.predict_proba(mesh)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert probabilities[:, 1].min() < 0.2
    assert probabilities[:, 1].max() > 0.8


def test_partial_dependence(neural_network: ModuleType) -> None:
    """Advanced plotting with partial dependence: diabetes, and how it rises with bmi."""
    diabetes = load_diabetes(as_frame=True)
    model = make_pipeline(
        StandardScaler(),
        neural_network.MLPRegressor(
            hidden_layer_sizes=(100, 100), tol=1e-2, max_iter=100, random_state=0
        ),
    )
    with pytest.warns(ConvergenceWarning, match="100"):
        model.fit(diabetes.data, diabetes.target)
    found = partial_dependence(model, diabetes.data, ["bmi"], grid_resolution=10)
    assert found["average"].shape == (1, 10)
    assert found["average"][0, -1] - found["average"][0, 0] > 30
    both = partial_dependence(model, diabetes.data, ["age", "bmi"], grid_resolution=5)
    assert both["average"].shape == (1, 5, 5)


def test_quantiles_and_early_stopping(neural_network: ModuleType) -> None:
    """Partial dependence on bike sharing: its network, on a table that needs no download."""
    random = np.random.default_rng(0)
    X = random.uniform(size=(600, 4)) ** [1, 2, 4, 8]
    y = np.sin(4 * X[:, 0]) + np.sqrt(X[:, 1])
    model = make_pipeline(
        QuantileTransformer(n_quantiles=100),
        neural_network.MLPRegressor(
            hidden_layer_sizes=(30, 15),
            learning_rate_init=0.01,
            early_stopping=True,
            random_state=0,
        ),
    ).fit(X[:450], y[:450])
    assert model.score(X[450:], y[450:]) > 0.9
    network = model[-1]
    assert len(network.validation_scores_) == network.n_iter_
    assert network.best_validation_score_ == max(network.validation_scores_)
    assert network.best_loss_ is None
    importance = permutation_importance(model, X[450:], y[450:], n_repeats=2, random_state=0)
    assert set(importance.importances_mean.argsort()[-2:]) == {0, 1}


def test_stacking(neural_network: ModuleType) -> None:
    """Combine predictors using stacking: a network beside a straight line."""
    X, y = load_diabetes(return_X_y=True)
    network = make_pipeline(
        StandardScaler(),
        neural_network.MLPRegressor(
            hidden_layer_sizes=(10,), solver="lbfgs", alpha=10.0, max_iter=300, random_state=0
        ),
    )
    model = StackingRegressor([("network", network), ("line", RidgeCV())], cv=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.4
    assert model.transform(X[:5]).shape == (5, 2)


def test_a_transformed_target(neural_network: ModuleType) -> None:
    """Effect of transforming the targets: learn the logarithm, predict the number."""
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    y = np.exp(X @ [1.0, -0.5, 0.25] + 3)
    model = TransformedTargetRegressor(
        neural_network.MLPRegressor(
            hidden_layer_sizes=(8,), activation="tanh", solver="lbfgs", random_state=0, max_iter=500
        ),
        func=np.log1p,
        inverse_func=np.expm1,
    )
    model.fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.95
    assert model.regressor_.n_outputs_ == 1


def test_several_numbers_at_once(neural_network: ModuleType) -> None:
    """Face completion with a multi-output estimator: the lower half from the upper, of digits."""
    images = load_digits().data / 16
    upper, lower = images[:400, :32], images[:400, 32:]
    network = neural_network.MLPRegressor(
        hidden_layer_sizes=(40,), learning_rate_init=0.01, max_iter=60, tol=0.0, random_state=0
    )
    with pytest.warns(ConvergenceWarning):
        network.fit(upper[:350], lower[:350])
    predicted = network.predict(upper[350:])
    assert predicted.shape == (50, 32)
    mean = lower[:350].mean(axis=0)
    assert ((predicted - lower[350:]) ** 2).mean() < 0.7 * ((mean - lower[350:]) ** 2).mean()
    assert network.n_outputs_ == 32


def test_calibrated_probabilities(neural_network: ModuleType) -> None:
    """Probability calibration of classifiers: far too sure beforehand, less so afterwards."""
    X, y = make_classification(
        n_samples=600, n_features=10, n_informative=3, flip_y=0.3, random_state=0
    )
    network = neural_network.MLPClassifier(
        hidden_layer_sizes=(40,), solver="lbfgs", alpha=1e-5, max_iter=2000, random_state=0
    )
    raw = network.fit(X[:300], y[:300]).predict_proba(X[300:])[:, 1]
    calibrated = CalibratedClassifierCV(network, cv=3).fit(X[:300], y[:300])
    after = calibrated.predict_proba(X[300:])[:, 1]
    assert brier_score_loss(y[300:], after) < 0.8 * brier_score_loss(y[300:], raw)


def test_voting_and_self_training(neural_network: ModuleType) -> None:
    """Estimators that take any classifier with probabilities take this one."""
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    network = neural_network.MLPClassifier(
        hidden_layer_sizes=(6,), solver="lbfgs", alpha=0.1, random_state=0
    )
    line = LogisticRegression()
    vote = VotingClassifier([("network", network), ("line", line)], voting="soft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert cross_val_score(vote, X, y, cv=3).mean() > 0.93
        half = np.where(np.arange(150) % 2, y, -1)
        assert SelfTrainingClassifier(network).fit(X, half).score(X, y) > 0.93


def test_a_learning_curve(neural_network: ModuleType) -> None:
    """Plotting learning curves: more rows, better scores on others."""
    X, y = load_digits(return_X_y=True)
    network = neural_network.MLPClassifier(
        hidden_layer_sizes=(20,), learning_rate_init=0.01, max_iter=25, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        sizes, _, scores = learning_curve(
            network, X / 16, y, train_sizes=[100, 1000], cv=3, shuffle=True, random_state=0
        )
    assert sizes.tolist() == [100, 1000]
    few, many = scores.mean(axis=1)
    assert many > few
    assert many > 0.9
