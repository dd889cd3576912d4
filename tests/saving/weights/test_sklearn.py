from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import chainrule as cr
from chainrule.layer import Array

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
random = np.random.default_rng(0)
X = random.normal(size=(60, 4))
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
NUMBERS = X @ random.normal(size=(4, 2))


def fitted(kind: Any, y: Array, x: Array = X, **settings: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(random_state=0, max_iter=20, **settings).fit(x, y)


def by_hand(**changes: Any) -> SimpleNamespace:
    """What an estimator is after fit: 2 inputs, one hidden unit, one output."""
    attributes: dict[str, Any] = {
        "activation": "relu",
        "hidden_layer_sizes": (1,),
        "out_activation_": "identity",
        "coefs_": [np.array([[1.0], [2.0]]), np.array([[3.0]])],
        "intercepts_": [np.array([-1.0]), np.array([0.5])],
    }
    return SimpleNamespace(**attributes | changes)


def test_by_hand() -> None:
    """max(1·1 + 2·2 - 1, 0)·3 + 0.5 = 12.5, and where it is negative 0.5."""
    net = cr.from_sklearn(by_hand())
    assert net.predict([[1.0, 2.0], [-1.0, 0.0]]).tolist() == [[12.5], [0.5]]
    assert repr(net.layers) == "(Dense(1, activation='relu'), Dense(1))"


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_classes(activation: str) -> None:
    estimator = fitted(MLPClassifier, CLASSES, activation=activation, hidden_layer_sizes=(5, 3))
    net = cr.from_sklearn(estimator)
    np.testing.assert_allclose(net.predict(X), estimator.predict_proba(X), rtol=0, atol=1e-12)
    assert estimator.classes_[net.predict_classes(X)].tolist() == estimator.predict(X).tolist()
    assert (net.loss.name, net.dtype) == ("softmax_cross_entropy", np.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_numbers(activation: str, outputs: int) -> None:
    y = NUMBERS[:, 0] if outputs == 1 else NUMBERS
    estimator = fitted(MLPRegressor, y, activation=activation, hidden_layer_sizes=(5,))
    net = cr.from_sklearn(estimator)
    predicted = estimator.predict(X).reshape(60, outputs)
    np.testing.assert_allclose(net.predict(X), predicted, rtol=0, atol=1e-12)
    assert net.loss.name == "mean_squared_error"


def test_two_classes_have_one_output() -> None:
    estimator = fitted(MLPClassifier, CLASSES > 0)
    net = cr.from_sklearn(estimator)
    np.testing.assert_allclose(
        net.predict(X)[:, 0], estimator.predict_proba(X)[:, 1], rtol=0, atol=1e-12
    )
    assert net.loss.name == "sigmoid_cross_entropy"


def test_several_labels_at_once() -> None:
    estimator = fitted(MLPClassifier, (NUMBERS > 0).astype(int))
    net = cr.from_sklearn(estimator)
    np.testing.assert_allclose(net.predict(X), estimator.predict_proba(X), rtol=0, atol=1e-12)


def test_no_hidden_layer_and_float32() -> None:
    estimator = fitted(MLPRegressor, NUMBERS, X.astype(np.float32), hidden_layer_sizes=())
    net = cr.from_sklearn(estimator)
    assert (net.dtype, len(net.layers)) == (np.float32, 1)
    np.testing.assert_allclose(net.predict(X), estimator.predict(X), atol=1e-5)


def test_it_can_be_trained_on() -> None:
    estimator = fitted(MLPRegressor, NUMBERS, alpha=0.3, hidden_layer_sizes=(5,))
    net = cr.from_sklearn(estimator)
    half_the_loss = ((net.predict(X) - NUMBERS) ** 2).mean() / 2
    penalty = sum((weights**2).sum() for weights in estimator.coefs_) * 0.3 / 2 / 60
    net.l2 = 0.3 / 60  # of the loss, which is twice scikit-learn's
    assert net.evaluate(X, NUMBERS)["loss"] / 2 == pytest.approx(half_the_loss + penalty)
    before = net.evaluate(X, NUMBERS)["loss"]
    net.fit(X, NUMBERS, epochs=5)
    assert net.evaluate(X, NUMBERS)["loss"] < before
    assert not np.array_equal(net.layers[0].weights, estimator.coefs_[0])


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (None, "received None; expected a fitted MLPClassifier"),
        (MLPClassifier, "fit"),
        (make_pipeline(StandardScaler(), MLPClassifier()), r"pass the last step, pipeline\[-1\]"),
        (MLPClassifier(), r"MLPClassifier\(\), which is not fitted; call its fit\(X, y\) first"),
        (by_hand(activation="swish"), "activation='swish'; expected one of identity, logistic"),
        (by_hand(out_activation_="exp"), "whose output is 'exp'"),
        (by_hand(coefs_=[]), "have the shapes ; expected"),
        (by_hand(coefs_=[np.ones((2, 1)), np.ones((2, 1))]), r"\(2, 1\) and \(1,\), \(2, 1\)"),
        (by_hand(intercepts_=[np.ones(2), np.ones(1)]), "the outputs of one are the inputs"),
        (by_hand(coefs_=[np.ones((2, 1), int), np.ones((1, 1))]), "hold float64, int64; expected"),
        (by_hand(coefs_=[np.full((2, 1), np.nan), np.ones((1, 1))]), "NaN or infinity"),
    ],
)
def test_what_is_none(estimator: Any, said: str) -> None:
    with pytest.raises(cr.InvalidInput, match=said):
        cr.from_sklearn(estimator)


def test_a_loss_that_is_not_here() -> None:
    estimator = fitted(MLPRegressor, np.abs(NUMBERS), loss="poisson")
    with pytest.raises(cr.InvalidSetting, match="whose output is 'exp'; there is no such"):
        cr.from_sklearn(estimator)
