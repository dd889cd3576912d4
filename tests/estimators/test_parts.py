"""Parameters become layers, losses, optimizers: each by name, by object, or refused."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as cr
from chainrule.estimators import parts
from chainrule.losses import HalfSquaredError, MultilabelCrossEntropy, PoissonDeviance
from chainrule.registry import Registered


@pytest.mark.parametrize(
    ("given", "expected"), [(100, [100]), ((5, 3), [5, 3]), ([2], [2]), ((), [])]
)
def test_hidden_sizes(given: Any, expected: list[int]) -> None:
    assert parts.hidden_sizes(given) == expected


@pytest.mark.parametrize("wrong", [0, (4, -1), (4.5,), (True,), ((1, 2),), "12"])
def test_sizes_that_are_none(wrong: Any) -> None:
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        parts.hidden_sizes(wrong)


def test_no_hidden_layer_is_a_linear_model() -> None:
    model = cr.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, random_state=0)
    model.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    assert model.coefs_[0].item() == pytest.approx(2, abs=1e-4)
    assert model.intercepts_[0].item() == pytest.approx(1, abs=1e-4)


def test_one_for_each_layer_or_one_for_all() -> None:
    layers = parts.hidden_layers([4, 3], ("logistic", "tanh"), 0.0)
    assert [repr(layer) for layer in layers] == [
        "Dense(4, activation='sigmoid')",
        "Dense(3, activation='tanh')",
    ]
    layers = parts.hidden_layers([4, 3], "relu", (0.0, 0.5))
    assert [type(layer).__name__ for layer in layers] == ["Dense", "Dense", "Dropout"]
    with pytest.raises(ValueError, match="activation holds 1 values and there are 2 hidden layers"):
        parts.hidden_layers([4, 3], ["relu"], 0.0)
    with pytest.raises(ValueError, match="dropout holds 3 values"):
        parts.hidden_layers([4, 3], "relu", [0.0, 0.1, 0.2])


@pytest.mark.parametrize(
    ("loss", "last"),
    [
        (cr.SoftmaxCrossEntropy(), "identity"),
        (cr.CategoricalCrossEntropy(), "softmax"),
        (cr.BinaryCrossEntropy(), "sigmoid"),
        (cr.NegativeLogLikelihood(), "log_softmax"),
        (cr.Poisson(), "softplus"),
        (cr.Hinge(), "identity"),
    ],
    ids=repr,
)
def test_the_output_layer_suits_the_loss(loss: cr.Loss, last: str) -> None:
    layer = parts.output_layer(3, loss)
    assert layer.activation.name == last
    loss.check_activation(layer.activation)


def test_losses_by_scikit_learns_names() -> None:
    assert isinstance(parts.class_loss("log_loss", "multiclass"), cr.SoftmaxCrossEntropy)
    assert type(parts.class_loss("log_loss", "binary")) is cr.SigmoidCrossEntropy
    assert isinstance(parts.class_loss("log_loss", "multilabel"), MultilabelCrossEntropy)
    assert isinstance(parts.number_loss("squared_error"), HalfSquaredError)
    assert isinstance(parts.number_loss("poisson"), PoissonDeviance)
    assert isinstance(parts.number_loss("huber"), cr.Huber)
    with pytest.raises(ValueError, match="loss: There is no loss called 'hubber'"):
        parts.number_loss("hubber")


def test_optimizers_get_the_parameters_that_belong_to_them() -> None:
    adam = parts.optimizer_of(cr.MLPClassifier(beta_1=0.8, epsilon=1e-5, clip_norm=2.0))
    assert repr(adam) == ("Adam(mean_decay=0.8, epsilon=1e-05, epsilon_hat=True, clip_norm=2.0)")
    sgd = parts.optimizer_of(cr.MLPClassifier(solver="sgd", learning_rate_init=0.1))
    assert repr(sgd) == "GradientDescent(learning_rate=0.1, momentum=0.9, nesterov=True)"
    lbfgs = parts.optimizer_of(cr.MLPClassifier(solver="lbfgs", tol=1e-3, max_fun=70))
    assert lbfgs.settings()["tolerance"] == 1e-3
    assert lbfgs.settings()["evaluations"] == 70
    with pytest.raises(ValueError, match=r"solver: .*Did you mean 'adam'"):
        parts.optimizer_of(cr.MLPClassifier(solver="adm"))


def test_momentum_may_be_one_as_in_scikit_learn() -> None:
    optimizer = parts.optimizer_of(cr.MLPClassifier(solver="sgd", momentum=1.0))
    assert optimizer.settings()["momentum"] == pytest.approx(1, abs=1e-15)


def test_learning_rates() -> None:
    assert parts.schedule_of(cr.MLPClassifier()) is None
    assert parts.schedule_of(cr.MLPClassifier(learning_rate="adaptive")) is None  # of sgd alone
    found = parts.schedule_of(cr.MLPClassifier(solver="sgd", learning_rate="invscaling"))
    assert isinstance(found, parts.EpochRate)
    assert found.rate(3.5, {}) == 0.001
    changes = Registered.changes
    found.set(0.5)
    assert found.rate(4.0, {}) == 0.5
    assert Registered.changes == changes  # nothing has to be compiled anew
    found = parts.schedule_of(cr.MLPClassifier(learning_rate="cosine", max_iter=50))
    assert repr(found) == "Cosine(0.001, 50.0)"
    with pytest.raises(ValueError, match=r"learning_rate is 'cosin'\. Did you mean 'cosine'"):
        parts.schedule_of(cr.MLPClassifier(learning_rate="cosin"))


def test_engines() -> None:
    automatic = parts.engine_of("auto", 2)
    assert not automatic.is_compiled(0.05)
    assert automatic.is_compiled(0.2)
    assert automatic.threads == 2
    assert parts.engine_of("reference", None).name == "reference"
    own = cr.Compiled(threads=1)
    assert parts.engine_of(own, None) is own
