"""What people asked scikit-learn's networks for: each is here, and does what it says."""

from __future__ import annotations

import importlib.util
import signal
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import sklearn
from estimators.data import CLASSES, COUNTS, LABELS, NUMBERS, TABLE, TWO, WEIGHT, X, fit, quietly
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

import chainrule as cr


def classifier(*arguments: Any, **settings: Any) -> Any:
    common = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 20}
    placed = dict(zip(("hidden_layer_sizes", "activation"), arguments, strict=False))
    return cr.MLPClassifier(**(common | placed | settings))


def layer_names(model: Any) -> list[str]:
    return [type(layer).__name__ for layer in model.network_.layers]


# --- layers ---------------------------------------------------------------------------------------


def test_an_activation_for_each_layer() -> None:
    model = fit(classifier((8, 4), ("tanh", cr.LeakyReLU(0.3))), X, CLASSES)
    found = [layer.activation for layer in model.network_.layers]
    assert [activation.name for activation in found] == ["tanh", "leaky_relu", "identity"]
    assert found[1].slope == 0.3


def test_an_activation_of_ones_own() -> None:
    class Bent(cr.Activation):
        def value(self, z: Any) -> Any:
            return z / (1 + np.abs(z))

        def derivative(self, z: Any, a: Any) -> Any:
            return 1 / (1 + np.abs(z)) ** 2

    by_name = fit(classifier(activation="bent"), X, CLASSES)
    by_object = fit(classifier(activation=Bent()), X, CLASSES)
    assert by_name.loss_curve_ == by_object.loss_curve_
    assert by_name.loss_ < by_name.loss_curve_[0]


def test_dropout() -> None:
    model = fit(classifier((8, 4), dropout=(0.5, 0.0)), X, CLASSES)
    assert layer_names(model) == ["Dense", "Dropout", "Dense", "Dense"]
    assert len(model.coefs_) == 3
    assert model.n_layers_ == 4
    plain = fit(classifier((8, 4)), X, CLASSES)
    assert model.loss_curve_ != plain.loss_curve_
    assert_array_equal(model.predict_proba(X), model.predict_proba(X))  # nothing drops out there
    assert fit(clone(model), X, CLASSES).loss_curve_ == model.loss_curve_


def digits() -> tuple[Any, Any]:
    x, y = load_digits(return_X_y=True)
    return x[:400] / 16, y[:400]


def test_convolutions_in_a_pipeline() -> None:
    x, y = digits()
    layers = [cr.Reshape((8, 8, 1)), cr.Conv2D(6, 3, "relu"), cr.MaxPool2D(2)]
    model = make_pipeline(
        StandardScaler(),
        classifier(layers=layers, max_iter=8, batch_size=50, learning_rate_init=0.01),
    )
    fit(model, x, y)
    assert model.score(x, y) > 0.9
    assert layer_names(model[-1]) == ["Reshape", "Conv2D", "MaxPool2D", "Flatten", "Dense"]
    assert model[-1].n_features_in_ == 64
    maps = model[-1].feature_maps(model[0].transform(x[:3]))
    assert [image.shape for image in maps] == [(3, 8, 8, 1), (3, 6, 6, 6), (3, 3, 3, 6)]
    assert not any(layer.is_bound for layer in layers)  # they were copied
    with pytest.raises(ValueError, match="expecting 64 features"):
        model[-1].predict(x[:, :10])


def test_images_as_arrays() -> None:
    x, y = digits()
    images = x.reshape(-1, 8, 8, 1)
    model = fit(classifier(layers=[cr.Conv2D(4, 3, "relu"), cr.GlobalMaxPool()]), images, y)
    assert model.predict(images).shape == (400,)
    assert model.network_.input_shape == (8, 8, 1)
    with pytest.raises(ValueError, match="x of shape"):
        model.predict(images[:, :5])


def test_activations_of_all_layers() -> None:
    model = fit(classifier((8, 4), "relu"), X, CLASSES)
    first, second, last = model.activations(X[:5])
    assert_allclose(first, np.maximum(X[:5] @ model.coefs_[0] + model.intercepts_[0], 0))
    assert_allclose(second, np.maximum(first @ model.coefs_[1] + model.intercepts_[1], 0))
    assert_allclose(last, second @ model.coefs_[2] + model.intercepts_[2])
    assert model.feature_maps(X[:5]) == []


# --- losses and classes ---------------------------------------------------------------------------


@pytest.mark.parametrize("y", [TWO, CLASSES], ids=["two", "three"])
@pytest.mark.parametrize(
    "loss",
    [
        "hinge", "binary_cross_entropy", "sigmoid_cross_entropy", "softmax_cross_entropy",
        "categorical_cross_entropy", "negative_log_likelihood", "mean_squared_error",
        cr.SoftmaxCrossEntropy(label_smoothing=0.1),
    ],
    ids=str,
)  # fmt: skip
def test_every_loss_that_can_tell_classes_apart(loss: Any, y: Any) -> None:
    model = fit(classifier((16,), "tanh", loss=loss, solver="lbfgs", max_iter=60), X, y)
    assert model.score(X, y) > 0.85
    if model.network_.loss.name in ("hinge", "mean_squared_error"):
        assert not hasattr(model, "predict_proba")
        return
    probabilities = model.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("loss", ["huber", "log_cosh", "mean_absolute_error", cr.Huber(0.1)])
def test_losses_of_numbers(loss: Any) -> None:
    model = fit(cr.MLPRegressor(loss, (16,), max_iter=150, learning_rate_init=0.02), X, TABLE)
    assert model.score(X, TABLE) > 0.5


def test_a_loss_of_ones_own() -> None:
    class FourthPower(cr.Loss):
        def terms(self, y_hat: Any, y: Any) -> Any:
            return (y_hat - y) ** 4

        def terms_gradient(self, y_hat: Any, y: Any) -> Any:
            return 4 * (y_hat - y) ** 3

    model = fit(cr.MLPRegressor(FourthPower(), (8,), max_iter=30, random_state=0), X, NUMBERS)
    assert model.loss_ < model.loss_curve_[0]


def test_the_poisson_loss_by_hand() -> None:
    """One output, no inputs that tell anything: the best constant is the mean count."""
    model = cr.MLPRegressor("poisson", (2,), solver="lbfgs", alpha=0.0, random_state=0)
    fit(model, np.zeros((90, 1)), COUNTS)
    assert_allclose(model.predict([[0.0]]), COUNTS.mean(), rtol=1e-4)


def test_class_weights_are_sample_weights() -> None:
    few = np.where(np.arange(90) % 9 == 0, "few", "many")
    balanced = fit(classifier(class_weight="balanced"), X, few)
    weighted = fit(classifier(), X, few, sample_weight=compute_sample_weight("balanced", few))
    assert balanced.loss_curve_ == weighted.loss_curve_
    by_hand = fit(classifier(class_weight={"few": 4.5, "many": 0.5625}), X, few)
    assert by_hand.loss_curve_ == balanced.loss_curve_
    both = fit(classifier(class_weight={"few": 2.0}), X, few, sample_weight=WEIGHT)
    product = fit(classifier(), X, few, sample_weight=WEIGHT * np.where(few == "few", 2.0, 1.0))
    assert both.loss_curve_ == product.loss_curve_


def test_balanced_weights_need_all_samples() -> None:
    with pytest.raises(ValueError, match="class by class"):
        classifier(class_weight="balanced").partial_fit(X, TWO, classes=["no", "yes"])
    model = classifier(class_weight={"no": 2.0}).partial_fit(X, TWO, classes=["no", "yes"])
    assert model.t_ == 90


# --- validation and early stopping ----------------------------------------------------------------

TRAIN, HELD_OUT = slice(0, 60), slice(60, 90)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_validation_data_of_ones_own(engine: str) -> None:
    model = classifier(max_iter=6, engine=engine)
    data = (X[HELD_OUT], CLASSES[HELD_OUT])
    fit(model, X[TRAIN], CLASSES[TRAIN], validation_data=data)
    alone = fit(classifier(max_iter=6, engine=engine), X[TRAIN], CLASSES[TRAIN])
    assert model.loss_curve_ == alone.loss_curve_  # looking changes nothing
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == 6
    assert model.validation_scores_[-1] == model.score(*data)
    scored = model.network_.evaluate(X[HELD_OUT], np.searchsorted(model.classes_, data[1]))
    assert model.validation_loss_curve_[-1] == pytest.approx(scored["loss"], rel=1e-12)
    assert model.best_validation_score_ is None  # nothing was stopped by it


def test_early_stopping_on_validation_data_keeps_the_best_weights() -> None:
    data = (X[HELD_OUT], NUMBERS[HELD_OUT])
    model = cr.MLPRegressor(
        hidden_layer_sizes=(30,), early_stopping=True, n_iter_no_change=3, max_iter=400,
        learning_rate_init=0.05, tol=0.0, random_state=0,
    )  # fmt: skip
    model.fit(X[TRAIN], NUMBERS[TRAIN], validation_data=data)
    best = int(np.argmax(model.validation_scores_))
    assert model.n_iter_ == best + 5  # more than three epochs without one that is better
    assert model.score(*data) == pytest.approx(model.validation_scores_[best], rel=1e-12)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.t_ == 60 * model.n_iter_  # nothing was set aside


@pytest.mark.parametrize(
    "scoring", ["f1_macro", "neg_log_loss", "loss", lambda model, x, y: model.score(x, y)]
)
def test_any_score_can_end_a_training(scoring: Any) -> None:
    table = pd.DataFrame(X, columns=list("abcd"))
    model = classifier(
        early_stopping=True, scoring=scoring, n_iter_no_change=4, max_iter=300,
        learning_rate_init=0.05,
    )  # fmt: skip
    model.fit(table, CLASSES)  # without a warning about the columns' names
    assert model.n_iter_ < 300
    assert model.best_validation_score_ == max(model.validation_scores_)
    if scoring == "loss":
        assert_allclose(model.validation_scores_, -np.array(model.validation_loss_curve_))


def test_the_score_is_the_one_that_was_asked_for() -> None:
    data = (X[HELD_OUT], CLASSES[HELD_OUT], WEIGHT[HELD_OUT])
    model = classifier(scoring="f1_macro", max_iter=3)
    fit(model, X[TRAIN], CLASSES[TRAIN], validation_data=data)
    expected = f1_score(data[1], model.predict(data[0]), average="macro", sample_weight=data[2])
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-12)


def test_lbfgs_has_curves_as_well() -> None:
    data = (X[HELD_OUT], CLASSES[HELD_OUT])
    model = fit(classifier(solver="lbfgs"), X[TRAIN], CLASSES[TRAIN], validation_data=data)
    assert len(model.loss_curve_) == len(model.validation_loss_curve_) == model.n_iter_
    assert model.loss_ < model.loss_curve_[-1]


# --- steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", [name for name in cr.Optimizer.names() if name != "lbfgs"])
def test_every_optimizer_by_name(solver: str) -> None:
    model = fit(classifier(solver=solver, learning_rate_init=0.01), X, CLASSES)
    assert model.loss_ < model.loss_curve_[0]
    assert model.network_.optimizer.learning_rate == 0.01


def test_an_optimizer_object_has_its_own_settings() -> None:
    chosen = cr.AdamW(cr.Cosine(0.02, epochs=20), weight_decay=0.1)
    model = fit(classifier(solver=chosen), X, CLASSES)
    assert model.network_.optimizer.weight_decay == 0.1
    assert model.history_.learning_rates[0] == 0.02
    assert model.network_.optimizer is not chosen


@pytest.mark.parametrize(
    "schedule", ["cosine", "exponential_decay", "inverse_scaling", "step_decay", cr.Cosine(0.01, 5)]
)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_schedules(schedule: Any, solver: str) -> None:
    settings = {"learning_rate": schedule, "learning_rate_init": 0.01, "batch_size": 30}
    model = fit(classifier(solver=solver, **settings), X, CLASSES)
    rates = model.history_.learning_rates
    assert rates[0] == 0.01
    assert rates[-1] < 0.01
    assert (np.diff(rates) <= 0).all()


def test_a_plateau_of_the_validation_loss_lowers_the_rate() -> None:
    data = (X[HELD_OUT], -NUMBERS[HELD_OUT])  # which gets worse and worse
    model = cr.MLPRegressor(
        hidden_layer_sizes=(8,), learning_rate="reduce_on_plateau", learning_rate_init=0.05,
        max_iter=30, random_state=0,
    )  # fmt: skip
    fit(model, X[TRAIN], NUMBERS[TRAIN], validation_data=data)
    assert model.history_.learning_rates[-1] < 0.05


def test_gradients_can_be_clipped() -> None:
    y = NUMBERS * 1e4
    settings: dict[str, Any] = {"hidden_layer_sizes": (8,), "solver": "sgd", "momentum": 0.0}
    model = cr.MLPRegressor(clip_norm=1.0, max_iter=1, random_state=0, **settings)
    start = cr.MLPRegressor(max_iter=1, random_state=0, learning_rate_init=1e-300, **settings)
    fit(start, X, y)
    fit(model, X, y)
    step = model.network_.parameters - start.network_.parameters
    assert np.linalg.norm(step) == pytest.approx(0.001, rel=1e-6)
    fit(model.set_params(clip_norm=None, clip_value=0.5), X, y)
    step = model.network_.parameters - start.network_.parameters
    assert np.abs(step).max() == pytest.approx(0.0005, rel=1e-6)


# --- around it ------------------------------------------------------------------------------------


def test_callbacks_see_every_epoch() -> None:
    seen: list[int] = []
    callback = cr.OnEpoch(lambda network, history: seen.append(len(history.epochs["loss"])))
    model = fit(classifier(callbacks=[callback], max_iter=4), X, CLASSES)
    assert seen == [1, 2, 3, 4]
    stop = cr.EarlyStopping("validation_loss", patience=1)
    data = (X[HELD_OUT], CLASSES[::-1][HELD_OUT])
    model = classifier(callbacks=stop, max_iter=300, learning_rate_init=0.1)
    model.fit(X[TRAIN], CLASSES[TRAIN], validation_data=data)  # it ended: nothing to warn of
    assert model.n_iter_ < 300
    with pytest.raises(ValueError, match="validation"):
        classifier(callbacks=stop).fit(X, CLASSES)
    with pytest.raises(ValueError, match="OnEpoch"):
        classifier(callbacks=[print]).fit(X, CLASSES)


def test_a_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    fit(classifier(progress=True, max_iter=3), X, CLASSES)
    assert "3/3" in capsys.readouterr().err
    fit(classifier(max_iter=3), X, CLASSES)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array])
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_sparse_rows_are_dense_rows(form: Any, engine: str) -> None:
    x = np.where(X > 0.5, X, 0)
    for settings in ({"batch_size": 32}, {"early_stopping": True}, {"solver": "lbfgs"}):
        dense = fit(classifier(engine=engine, max_iter=5, **settings), x, CLASSES)
        model = fit(classifier(engine=engine, max_iter=5, **settings), form(x), CLASSES)
        assert_allclose(model.loss_curve_, dense.loss_curve_, rtol=1e-13)
        assert_allclose(model.predict_proba(form(x)), dense.predict_proba(x), rtol=1e-12)
        assert model.validation_scores_ == dense.validation_scores_
        assert_allclose(model.activations(form(x))[0], dense.activations(x)[0])


def test_labels_may_be_sparse_too() -> None:
    settings = {"early_stopping": True, "max_iter": 5}
    dense = fit(classifier(**settings), X, LABELS)
    model = fit(classifier(**settings), X, sparse.csr_matrix(LABELS))
    assert model.loss_curve_ == dense.loss_curve_
    assert model.validation_scores_ == dense.validation_scores_
    assert_array_equal(model.predict(X).toarray(), dense.predict(X))


def test_metadata_go_through_a_pipeline() -> None:
    data = (X[HELD_OUT], CLASSES[HELD_OUT])
    with sklearn.config_context(enable_metadata_routing=True):
        last = classifier(max_iter=3).set_fit_request(sample_weight=True, validation_data=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), last)
        fit(pipeline, X, CLASSES, sample_weight=WEIGHT, validation_data=data)
    alone = fit(classifier(max_iter=3), StandardScaler().fit_transform(X), CLASSES, WEIGHT)
    assert pipeline[-1].loss_curve_ == alone.loss_curve_
    assert len(pipeline[-1].validation_scores_) == 3


def test_ctrl_c_ends_a_training_and_keeps_what_was_learned() -> None:
    def press(network: Any, history: Any) -> None:
        if len(history.epochs["loss"]) == 2:
            signal.raise_signal(signal.SIGINT)

    model = classifier(callbacks=cr.OnEpoch(press))
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, CLASSES)
    assert model.n_iter_ == 2
    assert model.loss_curve_ == fit(classifier(max_iter=2), X, CLASSES).loss_curve_


def test_calibrated_probabilities_on_request() -> None:
    with quietly():
        model = CalibratedClassifierCV(classifier(max_iter=5), cv=2).fit(X, CLASSES)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_search_and_cross_validation() -> None:
    grid = {"activation": ["relu", ("tanh",)], "solver": ["adam", cr.RMSProp(0.01)]}
    with quietly():
        search = GridSearchCV(classifier(max_iter=5), grid, cv=2).fit(X, CLASSES)
        scores = cross_validate(classifier(max_iter=5), X, LABELS, cv=2)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.score(X, CLASSES) > 0.3
    assert np.isfinite(scores["test_score"]).all()


def test_numbers_to_calculate_in() -> None:
    model = fit(classifier(dtype="float32"), X, CLASSES)
    assert model.coefs_[0].dtype == np.float32
    assert model.predict_proba(X).dtype == np.float32
    with pytest.raises(ValueError, match="X holds numbers too large for float32"):
        fit(classifier(dtype="float32"), X * 1e300, CLASSES)


def test_the_engine_and_its_threads() -> None:
    model = fit(classifier(engine="compiled", threads=1), X, CLASSES)
    assert model.history_.settings["engine"] == "compiled"
    assert model.network_.engine.threads == 1
    assert "1 thread" in model.network_.engine.report()
    assert fit(classifier(engine=cr.Reference()), X, CLASSES).network_.engine.name == "reference"
    small = fit(classifier(), X, CLASSES)
    assert small.history_.settings["engine"] == "reference"  # a few milliseconds
    large = fit(classifier((200,), max_iter=30), np.tile(X, (20, 10)), np.tile(CLASSES, 20))
    assert large.history_.settings["engine"] == "compiled"


def test_it_can_be_kept_as_a_model_file_and_as_source(tmp_path: Path) -> None:
    model = fit(classifier(max_iter=3), X, CLASSES)
    model.coefs_[0] = np.ones((4, 8))  # also what was set by hand
    network = cr.load(model.save(tmp_path / "model.chainrule"))
    assert_array_equal(network.predict(X), model.predict_proba(X))
    model.to_python(tmp_path / "ejected.py")
    spec = importlib.util.spec_from_file_location("ejected", tmp_path / "ejected.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def test_it_can_be_run_as_onnx(tmp_path: Path) -> None:
    x = X.astype(np.float32)
    model = fit(classifier(max_iter=3), x, CLASSES)
    session = onnxruntime.InferenceSession(str(model.to_onnx(tmp_path / "classes.onnx")))
    label, probabilities = session.run(None, {"X": x})
    assert label.tolist() == model.predict(x).tolist()
    assert_allclose(probabilities, model.predict_proba(x), rtol=1e-5)
    numbers = fit(cr.MLPRegressor("poisson", (5,), max_iter=3), x, COUNTS)
    session = onnxruntime.InferenceSession(str(numbers.to_onnx(tmp_path / "numbers.onnx")))
    assert_allclose(session.run(None, {"X": x})[0][:, 0], numbers.predict(x), rtol=1e-5)


def test_the_warnings_point_to_the_callers_line() -> None:
    for settings in ({}, {"solver": "lbfgs"}, {"batch_size": 900}):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier(max_iter=2, **settings).fit(X, CLASSES)
        assert {Path(warning.filename).name for warning in caught} == {Path(__file__).name}
        assert any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def test_names_of_columns_and_frames_as_output() -> None:
    table = pd.DataFrame(X, columns=list("abcd"))
    model = fit(classifier(), table, CLASSES)
    assert model.feature_names_in_.tolist() == list("abcd")
    with pytest.warns(UserWarning, match="feature names"):
        model.predict(X)
