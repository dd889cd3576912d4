"""NetworkClassifier and NetworkRegressor: a function builds, scikit-learn's tools do the rest."""

from __future__ import annotations

import pickle
import signal
import warnings
from typing import Any

import joblib
import numpy as np
import pytest
from network_builders import IRIS_X, IRIS_Y, classifier, convolutional, dense, regressor
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import check_estimator

import chainrule as cr

# --- what it computes -----------------------------------------------------------------------------


def test_it_is_the_network_that_the_function_builds() -> None:
    """The same numbers as the network trained by hand, with random_state as its seed."""
    estimator = classifier(width=5, batch_size=10, random_state=3).fit(IRIS_X, IRIS_Y)
    by_hand = dense(3, "softmax_cross_entropy", width=5)
    by_hand.seed = 3
    history = by_hand.fit(IRIS_X, IRIS_Y, epochs=20, batch_size=10)
    np.testing.assert_array_equal(estimator.predict_proba(IRIS_X), by_hand.predict(IRIS_X))
    assert estimator.loss_curve_ == history.epochs["loss"]
    assert estimator.n_iter_ == 20
    assert isinstance(estimator.network_, cr.NeuralNetwork)


def test_classes_have_their_own_names() -> None:
    names = np.array(["setosa", "versicolor", "virginica"])[IRIS_Y]
    estimator = classifier(epochs=40).fit(IRIS_X, names)
    assert estimator.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert set(estimator.predict(IRIS_X)) <= set(names)
    assert estimator.score(IRIS_X, names) > 0.9


@pytest.mark.parametrize("loss", ["sigmoid_cross_entropy", "hinge"])
def test_one_output_tells_two_classes_apart(loss: str) -> None:
    def build() -> cr.NeuralNetwork:
        return cr.NeuralNetwork(
            cr.Dense(8, activation="tanh"), cr.Dense(1), loss=loss, optimizer=cr.Adam(0.05)
        )

    X, y = IRIS_X[:100], np.where(IRIS_Y[:100] > 0, "b", "a")
    estimator = cr.NetworkClassifier(build, epochs=20, random_state=0).fit(X, y)
    assert estimator.score(X, y) > 0.95
    if loss == "hinge":
        assert not hasattr(estimator, "predict_proba")
    else:
        np.testing.assert_allclose(estimator.predict_proba(X).sum(axis=1), 1)


def test_several_labels_each_true_or_not() -> None:
    y = np.column_stack([IRIS_Y == 0, IRIS_Y == 2]).astype(int)
    estimator = classifier(epochs=60).fit(IRIS_X, y)
    assert estimator.network_.loss.name == "sigmoid_cross_entropy"
    assert estimator.predict(IRIS_X).shape == (150, 2)
    assert estimator.score(IRIS_X, y) > 0.9


def test_several_numbers_at_once() -> None:
    y = np.column_stack([IRIS_X @ [1, 2, 0, 0], IRIS_X[:, 3]])
    estimator = regressor(epochs=60).fit(IRIS_X, y)
    assert estimator.predict(IRIS_X).shape == (150, 2)
    assert estimator.score(IRIS_X, y) > 0.9
    assert regressor().fit(IRIS_X, y[:, 0]).predict(IRIS_X).shape == (150,)


def test_images_also_as_bytes() -> None:
    """Bytes are divided by 255, in training and in prediction."""
    digits = load_digits()
    chosen = digits.target < 2
    images = (digits.images[chosen] * 15).astype(np.uint8)[..., np.newaxis]
    estimator = cr.NetworkClassifier(convolutional, epochs=8, random_state=0)
    estimator.fit(images, digits.target[chosen])
    found = estimator.predict_proba(images)
    np.testing.assert_array_equal(
        estimator.predict_proba(np.divide(images, 255, dtype=np.float32)), found
    )
    assert estimator.score(images, digits.target[chosen]) > 0.9
    assert estimator.network_.input_shape == (8, 8, 1)


def test_sparse_rows_are_what_dense_rows_are() -> None:
    X = np.where(IRIS_X > 0, IRIS_X, 0)
    estimator = classifier(epochs=3).fit(sparse.csr_matrix(X), IRIS_Y)
    np.testing.assert_array_equal(
        estimator.predict_proba(sparse.csc_matrix(X)),
        classifier(epochs=3).fit(X, IRIS_Y).predict_proba(X),
    )


# --- going on, stopping, repeating ------------------------------------------------


def test_partial_fit_and_warm_start_go_on() -> None:
    pieces = classifier()
    for _ in range(3):
        pieces.partial_fit(IRIS_X, IRIS_Y, classes=[0, 1, 2])
    whole = classifier(epochs=3).fit(IRIS_X, IRIS_Y)
    np.testing.assert_array_equal(pieces.predict_proba(IRIS_X), whole.predict_proba(IRIS_X))
    assert pieces.loss_curve_ == whole.loss_curve_
    warm = classifier(epochs=1, warm_start=True).fit(IRIS_X, IRIS_Y)
    warm.set_params(epochs=2).fit(IRIS_X, IRIS_Y)
    np.testing.assert_array_equal(warm.predict_proba(IRIS_X), whole.predict_proba(IRIS_X))


def test_patience_keeps_the_best_weights() -> None:
    odd = np.arange(150) % 2 == 1
    estimator = classifier(width=64, learning_rate=0.1, epochs=200, patience=5)
    estimator.fit(IRIS_X[odd], IRIS_Y[odd], validation_data=(IRIS_X[~odd], IRIS_Y[~odd]))
    assert estimator.n_iter_ < 200
    losses = estimator.history_.epochs["validation_loss"]
    found = estimator.network_.evaluate(IRIS_X[~odd], IRIS_Y[~odd])["loss"]
    assert found == pytest.approx(min(losses))
    assert (
        classifier(validation=0.2, epochs=2).fit(IRIS_X, IRIS_Y).history_.epochs["validation_loss"]
    )


def test_random_state_decides_everything() -> None:
    first, again, other = (
        classifier(epochs=2, dropout=0.2, random_state=seed).fit(IRIS_X, IRIS_Y)
        for seed in (5, np.int64(5), 6)
    )
    assert first.loss_curve_ == again.loss_curve_ != other.loss_curve_
    drawn = classifier(epochs=2, random_state=np.random.RandomState(0))
    assert drawn.fit(IRIS_X, IRIS_Y).loss_ != drawn.fit(IRIS_X, IRIS_Y).loss_


def test_weights_that_are_there_are_kept() -> None:
    """A network that was trained before goes on from its weights, whatever random_state is."""
    before = classifier(epochs=30).fit(IRIS_X, IRIS_Y).network_
    after = cr.NetworkClassifier(before.copy, epochs=1, random_state=9).fit(IRIS_X, IRIS_Y)
    assert after.loss_ < classifier(epochs=1).fit(IRIS_X, IRIS_Y).loss_ / 2


def test_a_network_that_is_handed_out_again_and_again_stays_as_it_was() -> None:
    network = dense(3, "softmax_cross_entropy")
    network.build(4)
    before = network.parameters.copy()
    estimator = cr.NetworkClassifier(lambda: network, epochs=2, random_state=0)
    first = estimator.fit(IRIS_X, IRIS_Y).loss_curve_
    assert estimator.fit(IRIS_X, IRIS_Y).loss_curve_ == first
    np.testing.assert_array_equal(network.parameters, before)


def test_ctrl_c_leaves_an_estimator_that_predicts() -> None:
    class Impatient(cr.Callback):
        def after_step(self, network: Any, history: Any) -> None:
            signal.raise_signal(signal.SIGINT)

    estimator = classifier(callbacks=[Impatient()])
    with pytest.warns(UserWarning, match="interrupted") as caught:
        estimator.fit(IRIS_X, IRIS_Y)
    assert caught[0].filename == __file__
    assert estimator.n_iter_ == 0
    assert estimator.predict(IRIS_X).shape == (150,)


def test_an_integer_weight_counts_as_often() -> None:
    weight = np.where(IRIS_Y == 1, 2.0, 1.0)
    twice = np.concatenate([np.arange(150), np.flatnonzero(IRIS_Y == 1)])
    weighted = classifier(batch_size=None, epochs=5).fit(IRIS_X, IRIS_Y, sample_weight=weight)
    repeated = classifier(batch_size=None, epochs=5).fit(IRIS_X[twice], IRIS_Y[twice])
    np.testing.assert_allclose(
        weighted.predict_proba(IRIS_X), repeated.predict_proba(IRIS_X), rtol=1e-9
    )


# --- scikit-learn's tools ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [
        classifier(batch_size=None, epochs=60, width=32, random_state=None),
        regressor(batch_size=None, epochs=100, random_state=None),
    ],
    ids=["classifier", "regressor"],
)
def test_scikit_learns_own_checks(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks provoke warnings, and look at those they want
        results = check_estimator(estimator, on_skip=None, on_fail=None)
    others = {
        result["check_name"]: str(result["exception"])
        for result in results
        if result["status"] != "passed"
    }
    # The first of these needs an environment variable, the second a method that is not there.
    others.pop("check_array_api_input", None)
    others.pop("check_classifiers_multilabel_output_format_decision_function", None)
    assert not others
    assert len(results) >= 60


def test_the_functions_arguments_are_searched() -> None:
    """In a pipeline, by two loky workers."""
    model = make_pipeline(StandardScaler(), classifier(epochs=15))
    search = GridSearchCV(
        model,
        {"networkclassifier__width": [1, 16], "networkclassifier__batch_size": [16, 75]},
        cv=3,
    )
    with joblib.parallel_config("loky", n_jobs=2):
        search.fit(*load_iris(return_X_y=True))
    assert search.best_score_ > 0.9
    assert search.best_estimator_[-1].network_.layers[0].outputs == 16
    alone = GridSearchCV(model, search.param_grid, cv=3).fit(*load_iris(return_X_y=True))
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


def test_cross_validation_of_numbers() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = regressor(epochs=15, width=8, learning_rate=0.01)
    assert cross_val_score(model, scale(X), scale(y), cv=3).min() > 0.3


def pickled(estimator: Any) -> Any:
    return pickle.loads(pickle.dumps(estimator))  # noqa: S301 - our own bytes


@pytest.mark.parametrize("way", [clone, pickled])
def test_copies_have_the_same_parameters(way: Any) -> None:
    estimator = classifier(width=7)
    copy = way(estimator)
    assert copy.get_params() == estimator.get_params()
    assert copy.get_params()["width"] == 7
    assert copy.fit(IRIS_X, IRIS_Y).loss_curve_ == estimator.fit(IRIS_X, IRIS_Y).loss_curve_


def test_a_fitted_estimator_is_kept_whole() -> None:
    estimator = classifier(epochs=3).fit(IRIS_X, IRIS_Y)
    loaded = pickled(estimator)
    np.testing.assert_array_equal(loaded.predict_proba(IRIS_X), estimator.predict_proba(IRIS_X))
    assert loaded.partial_fit(IRIS_X, IRIS_Y).loss_ == estimator.partial_fit(IRIS_X, IRIS_Y).loss_


def test_parameters_by_name() -> None:
    estimator = classifier(width=7)
    found = estimator.get_params()
    assert found["width"] == 7
    assert found["dropout"] == 0.0  # the function's default
    assert found["epochs"] == 20
    assert not {"outputs", "loss"} & found.keys()  # given, not chosen
    estimator.set_params(epochs=3, build=convolutional)
    assert estimator.get_params().keys() == found.keys() - {
        "width", "dropout", "learning_rate", "dtype"
    } | {"kernels"}  # fmt: skip
    assert "kernels=4" in repr(estimator)
