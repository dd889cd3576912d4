"""The comparison with scikit-learn is fair: the same penalty, the same folds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor

import chainrule as cr
from benchmarks import accuracy, cross_validation

IRIS, DIABETES = cross_validation.TASKS[0], cross_validation.TASKS[-1]


@pytest.mark.parametrize("is_regression", [False, True])
def test_matching_l2_is_scikit_learns_alpha(is_regression: bool) -> None:
    """From the same weights one step of gradient descent leads both to the same weights.

    The penalty is large enough here to decide the step. scikit-learn's loss of a regression is half
    of chainrule's, and so is its gradient; twice its learning rate makes up for that.
    """
    x, y = (load_diabetes if is_regression else load_iris)(return_X_y=True)
    y = (y - y.mean()) / y.std() if is_regression else y
    alpha, rate = 50.0, 0.05
    peer = (MLPRegressor if is_regression else MLPClassifier)(
        hidden_layer_sizes=(6,),
        solver="sgd",
        learning_rate_init=2 * rate if is_regression else rate,
        momentum=0.0,
        alpha=alpha,
        batch_size=len(x),
        max_iter=1,
        warm_start=True,
        random_state=0,
    )
    network = cr.NeuralNetwork(
        cr.Dense(6, activation="relu"),
        cr.Dense(1 if is_regression else 3),
        loss="mean_squared_error" if is_regression else "softmax_cross_entropy",
        optimizer=cr.GradientDescent(rate),
        l2=cross_validation.matching_l2(alpha, len(x), is_regression),
        dtype="float64",
        inputs=x.shape[1],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch is not meant to converge
        peer.fit(x, y)
        network.parameters[...] = flat(peer)
        peer.fit(x, y)
    network.fit(x, y, epochs=1, batch_size=None)
    np.testing.assert_allclose(network.parameters, flat(peer), rtol=1e-10, atol=1e-14)


def flat(peer: MLPClassifier | MLPRegressor) -> np.ndarray:
    """Weights and biases of scikit-learn's network in the order of chainrule's vector."""
    pairs = zip(peer.coefs_, peer.intercepts_, strict=True)
    return np.concatenate([array.ravel() for pair in pairs for array in pair])


@pytest.mark.parametrize("task", [IRIS, DIABETES], ids=lambda task: task.name)
def test_each_row_is_tested_once_and_never_seen_before(task: cross_validation.Task) -> None:
    x, _ = (load_diabetes if task.is_regression else load_iris)(return_X_y=True)
    parts = list(cross_validation.folds(task, seed=0, parts=10))
    assert sum(len(fold.test_x) for fold in parts) == len(x)
    for fold in parts:
        assert len(fold.x) + len(fold.test_x) == len(x)
        assert len(fold.y) == len(fold.x)
        np.testing.assert_allclose(fold.x.mean(axis=0), 0, atol=1e-12)  # test rows play no part
        np.testing.assert_allclose(fold.x.std(axis=0), 1)


def test_the_table_shows_means_over_seeds_and_the_verdict() -> None:
    sides = list(cross_validation.SIDES)
    by_seed = [
        dict(zip(sides, scores, strict=True)) for scores in ((0.95, 0.94, 0.93), (0.97, 0.96, 0.95))
    ]
    *_, iris, diabetes = accuracy.table({IRIS: by_seed, DIABETES: by_seed[:1]}).splitlines()
    assert iris == (
        "| iris | 400 | 95.80 | 96.00 ± 1.41 | 95.00 ± 1.41 | -1.00 | NO | 94.00 ± 1.41 |"
    )
    assert diabetes.startswith("| diabetes, R² | 100 | 0.465 | 0.950 ± 0.000 |")
