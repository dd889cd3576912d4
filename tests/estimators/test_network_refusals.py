"""NetworkClassifier and NetworkRegressor: what they refuse, and that nothing has changed then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_builders import IRIS_X, IRIS_Y, classifier, dense, regressor

import chainrule as cr


def returns(network: Any) -> Any:
    return lambda: network


def needs(width: int) -> cr.NeuralNetwork:
    return dense(3, "softmax_cross_entropy", width=width)


WRONG: dict[str, tuple[Any, str]] = {
    "no function": (3, "build must be a function that returns a NeuralNetwork; received 3"),
    "returns nothing": (returns(None), "returned None, not a NeuralNetwork"),
    "an argument missing": (needs, "needs a value for 'width'"),
    "outputs of another number": (
        lambda: dense(4, "softmax_cross_entropy"),
        r"outputs of shape \(4,\) .* for the 3 classes in y expected \(3,\)",
    ),
    "two classes only": (lambda: dense(1, "hinge"), r"expected \(3,\)|two classes"),
    "an argument twice": (
        lambda classes, batch_size=3: dense(classes, "softmax_cross_entropy"),
        "build has an argument 'batch_size', and so has NetworkClassifier",
    ),
    "learns numbers": (lambda: dense(3, "mean_squared_error"), "take NetworkRegressor"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_function_that_builds_something_else(name: str) -> None:
    build, message = WRONG[name]
    estimator = cr.NetworkClassifier(build, epochs=1)
    with pytest.raises(cr.InvalidInput, match=message):
        estimator.fit(IRIS_X, IRIS_Y)
    assert not [attribute for attribute in vars(estimator) if attribute.endswith("_")]


def test_labels_need_a_loss_for_each_of_them() -> None:
    y = np.column_stack([IRIS_Y == 0, IRIS_Y == 2]).astype(int)
    estimator = cr.NetworkClassifier(lambda: dense(2, "softmax_cross_entropy"), epochs=1)
    with pytest.raises(cr.InvalidSetting, match=r"chooses one class, .* 2 labels .* true or not"):
        estimator.fit(IRIS_X, y)


def test_a_regressor_refuses_losses_for_classes_and_other_outputs() -> None:
    y = IRIS_X[:, 0]
    for build, message in (
        (lambda: dense(1, "hinge"), "take NetworkClassifier"),
        (lambda: dense(2, "huber"), r"outputs of shape \(2,\); .* expected \(1,\)"),
    ):
        with pytest.raises(cr.InvalidSetting, match=message):
            cr.NetworkRegressor(build, epochs=1).fit(IRIS_X, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": "all"}, "batch_size"),
        ({"shuffle": "yes"}, "shuffle"),
        ({"validation": 1.5}, "validation"),
        ({"patience": 0}, "patience"),
        ({"patience": 3}, "validation_loss"),
        ({"augment": "no such"}, "no such"),
        ({"metrics": ["no such"]}, "no such"),
        ({"callbacks": [3]}, "callback"),
        ({"random_state": -1}, "Seed"),
        ({"random_state": "chance"}, "chance"),
        ({"verbose": "yes"}, "verbose"),
        ({"width": 0}, "outputs"),
    ],
)
def test_parameters_that_cannot_be_used(settings: dict[str, Any], message: str) -> None:
    estimator = classifier(epochs=2).fit(IRIS_X, IRIS_Y)
    before = estimator.predict_proba(IRIS_X)
    estimator.set_params(**settings)
    with pytest.raises(ValueError, match=message):
        estimator.fit(IRIS_X, IRIS_Y)
    np.testing.assert_array_equal(estimator.predict_proba(IRIS_X), before)


def test_names_that_nobody_knows() -> None:
    with pytest.raises(TypeError, match=r"no parameter 'widht'\. Did you mean 'width'"):
        classifier(widht=3)
    with pytest.raises(TypeError, match="dense gets 'outputs' from the data"):
        classifier(outputs=3)
    estimator = classifier(width=3)
    with pytest.raises(ValueError, match=r"no parameter 'widht'\. Did you mean 'width'"):
        estimator.set_params(epochs=1, widht=3)
    assert estimator.get_params()["epochs"] == 20  # none is changed


def test_a_training_that_explodes_leaves_the_estimator_as_it_was() -> None:
    estimator = regressor(epochs=2).fit(IRIS_X, IRIS_X[:, 0])
    before = estimator.predict(IRIS_X)
    with pytest.raises(ValueError, match="finite"):
        estimator.fit(IRIS_X, IRIS_X[:, 0] * 1e300)
    np.testing.assert_array_equal(estimator.predict(IRIS_X), before)


def test_one_class_is_nothing_to_tell_apart() -> None:
    with pytest.raises(ValueError, match="y holds one class"):
        classifier().fit(IRIS_X, np.zeros(150))


def test_a_network_that_is_there_cannot_get_another_width() -> None:
    estimator = classifier(width=3, epochs=1, warm_start=True).fit(IRIS_X, IRIS_Y)
    estimator.set_params(width=4)
    with pytest.raises(cr.InvalidSetting, match=r"built with \{'width': 3\}, .* \{'width': 4\}"):
        estimator.fit(IRIS_X, IRIS_Y)
    with pytest.raises(cr.InvalidSetting, match="warm_start=False"):
        estimator.partial_fit(IRIS_X, IRIS_Y)
    assert (
        estimator.set_params(warm_start=False).fit(IRIS_X, IRIS_Y).network_.layers[0].outputs == 4
    )
