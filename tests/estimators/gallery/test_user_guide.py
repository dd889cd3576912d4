"""The short programs of scikit-learn's user guide and reference, written anew.

Where the documentation prints numbers, they are asserted: with the same ``random_state`` both
libraries give the same ones.
"""

from __future__ import annotations

import io
import pickle
from types import ModuleType

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def test_two_points_and_lbfgs(neural_network: ModuleType) -> None:
    """User guide, Classification: the first network of most people."""
    X, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    classifier = neural_network.MLPClassifier(
        solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(5, 2), random_state=1
    )
    assert classifier.fit(X, y) is classifier
    assert classifier.predict([[2.0, 2.0], [-1.0, -2.0]]).tolist() == [1, 0]
    assert [weights.shape for weights in classifier.coefs_] == [(2, 5), (5, 2), (2, 1)]
    assert [bias.shape for bias in classifier.intercepts_] == [(5,), (2,), (1,)]
    np.testing.assert_allclose(
        classifier.predict_proba([[2.0, 2.0], [1.0, 2.0]]),
        [[1.967e-04, 9.998e-01]] * 2,
        rtol=5e-4,
    )
    assert classifier.out_activation_ == "logistic"


def test_xor(neural_network: ModuleType) -> None:
    """What a network without a hidden layer cannot learn."""
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    classifier = neural_network.MLPClassifier(
        hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", random_state=0
    ).fit(X, y)
    assert classifier.predict(X).tolist() == [0, 1, 1, 0]
    assert classifier.score(X, y) == 1.0


def test_several_labels_at_once(neural_network: ModuleType) -> None:
    """User guide, Classification: multi-label, each output a yes or no of its own."""
    X, y = [[0.0, 0.0], [1.0, 1.0]], [[0, 1], [1, 1]]
    classifier = neural_network.MLPClassifier(
        solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(15,), random_state=1
    ).fit(X, y)
    assert classifier.predict([[1.0, 2.0]]).tolist() == [[1, 1]]
    assert classifier.predict([[0.0, 0.0]]).tolist() == [[0, 1]]
    assert [weights.shape for weights in classifier.coefs_] == [(2, 15), (15, 2)]
    assert classifier.predict_proba([[0.0, 0.0]]).shape == (1, 2)


def test_one_iteration_at_a_time(neural_network: ModuleType) -> None:
    """User guide, More control with warm_start: ten fits of one epoch each."""
    X, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    classifier = neural_network.MLPClassifier(
        hidden_layer_sizes=(15,), random_state=1, max_iter=1, warm_start=True
    )
    losses = []
    for _ in range(10):
        with pytest.warns(ConvergenceWarning):
            classifier.fit(X, y)
        losses.append(classifier.loss_)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


def test_scaled_data_and_a_search_for_alpha(neural_network: ModuleType) -> None:
    """User guide, Tips on practical use: StandardScaler, and alpha from 10 ** -arange(1, 7)."""
    X, y = make_classification(n_samples=150, n_features=6, random_state=0)
    X *= [1, 10, 100, 1000, 1e4, 1e5]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    network = neural_network.MLPClassifier(
        hidden_layer_sizes=(8,), solver="lbfgs", max_iter=1000, random_state=0
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network),
        {"mlpclassifier__alpha": 10.0 ** -np.arange(1, 7)},
        cv=3,
    )
    search.fit(X_train, y_train)
    assert len(search.cv_results_["params"]) == 6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["mlpclassifier__alpha"] in 10.0 ** -np.arange(1, 7)
    assert search.score(X_test, y_test) >= 0.8


def test_the_classifiers_reference_page(neural_network: ModuleType) -> None:
    X, y = make_classification(n_samples=100, random_state=1)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
    classifier = neural_network.MLPClassifier(random_state=1, max_iter=300)
    classifier.fit(X_train, y_train)
    np.testing.assert_allclose(classifier.predict_proba(X_test[:1]), [[0.0383, 0.961]], rtol=5e-3)
    assert classifier.predict(X_test[:5]).tolist() == [1, 0, 1, 0, 1]
    assert classifier.score(X_test, y_test) == 0.88


def test_the_regressors_reference_page(neural_network: ModuleType) -> None:
    X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    regressor = neural_network.MLPRegressor(random_state=1, max_iter=2000, tol=0.1)
    regressor.fit(X_train, y_train)
    np.testing.assert_allclose(regressor.predict(X_test[:2]), [28.98, -291], rtol=5e-3)
    assert regressor.score(X_test, y_test) == pytest.approx(0.98, abs=0.01)


@pytest.mark.parametrize("how", ["pickle", "joblib"])
def test_a_model_that_is_kept(neural_network: ModuleType, how: str) -> None:
    """User guide, Model persistence: the same predictions, and training goes on the same."""
    X, y = make_classification(n_samples=60, random_state=0)
    network = neural_network.MLPClassifier(hidden_layer_sizes=(5,), random_state=0)
    for _ in range(3):
        network.partial_fit(X, y, classes=[0, 1])
    if how == "pickle":
        loaded = pickle.loads(pickle.dumps(network))  # noqa: S301 - our own bytes
    else:
        file = io.BytesIO()
        joblib.dump(network, file)
        file.seek(0)
        loaded = joblib.load(file)
    np.testing.assert_array_equal(loaded.predict_proba(X), network.predict_proba(X))
    np.testing.assert_array_equal(
        loaded.partial_fit(X, y).predict_proba(X), network.partial_fit(X, y).predict_proba(X)
    )
    assert loaded.get_params() == network.get_params()


def test_text_in_sparse_rows(neural_network: ModuleType) -> None:
    """User guide, Working with text data: a bag of words goes into the network as it is."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    warm = ["sun and beach", "hot summer sun", "the beach in summer", "a hot day at the beach"]
    cold = ["snow and ice", "cold winter snow", "the ice in winter", "a cold day in the snow"]
    model = make_pipeline(
        TfidfVectorizer(),
        neural_network.MLPClassifier(hidden_layer_sizes=(6,), solver="lbfgs", random_state=0),
    )
    model.fit(warm + cold, ["warm"] * 4 + ["cold"] * 4)
    assert model.predict(["sun in summer", "snow in winter"]).tolist() == ["warm", "cold"]
    assert model.classes_.tolist() == ["cold", "warm"]
