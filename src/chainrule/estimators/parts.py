"""Layers, loss, optimizer and learning rates out of an estimator's parameters."""

from __future__ import annotations

import copy
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.activation import Activation
from chainrule.engines.choice import Auto, Compiled, Engine, Reference
from chainrule.errors import InvalidSetting, UnknownName
from chainrule.estimators.scikit_learn import UnknownParameter
from chainrule.layer import Layer, Shape
from chainrule.layers import Dropout, Flatten
from chainrule.layers.dense import Dense
from chainrule.loss import Loss
from chainrule.losses import (
    HalfSquaredError,
    MultilabelCrossEntropy,
    PoissonDeviance,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)
from chainrule.optimizer import CommonSettings, Optimizer
from chainrule.optimizers import LBFGS, Adam, GradientDescent
from chainrule.schedules import (
    Cosine,
    ExponentialDecay,
    InverseScaling,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)

_ACTIVATIONS = {"logistic": "sigmoid"}  # what scikit-learn calls by another name
_SCHEDULES = ("constant", "invscaling", "adaptive")
_LOSS_TOLERANCE = 2.220446049250313e-09  # SciPy's own, which scikit-learn leaves as it is
_WORTH_SECONDS = 0.1  # of the reference engine, from which on the compiled one pays
_LAST = {
    "numbers": "identity",
    "logits": "identity",
    "positive": "softplus",
    "logarithms of probabilities": "log_softmax",
}


# --- layers ---------------------------------------------------------------------------------------


def hidden_sizes(hidden_layer_sizes: Any) -> list[int]:
    """Units of each hidden layer, out of a number or a sequence of numbers."""
    given = hidden_layer_sizes
    sizes: list[Any] = list(given) if isinstance(given, Iterable) else [given]
    for size in sizes:
        if not isinstance(size, numbers.Integral) or isinstance(size, bool) or size < 1:
            raise InvalidSetting(
                f"hidden_layer_sizes holds {checks.shown(size)}; expected whole numbers of at "
                "least 1, one for each hidden layer, as in (100, 50)."
            )
    return [int(size) for size in sizes]


def hidden_layers(sizes: Sequence[int], activation: Any, dropout: Any) -> list[Layer]:
    """Dense layers of these sizes, each with its activation and what drops out after it."""
    activations = _for_each("activation", activation, len(sizes), (str, Activation))
    rates = _for_each("dropout", dropout, len(sizes), (numbers.Real,))
    layers: list[Layer] = []
    for size, chosen, rate in zip(sizes, activations, rates, strict=True):
        layers.append(Dense(size, activation=_activation(chosen)))
        if rate:
            layers.append(Dropout(float(rate)))
    return layers


def _for_each(name: str, given: Any, count: int, single: tuple[type, ...]) -> list[Any]:
    """One for each hidden layer, out of one for all or a sequence."""
    if isinstance(given, single):
        return [given] * count
    listed = list(given)
    if len(listed) != count:
        raise InvalidSetting(
            f"{name} holds {len(listed)} values and there are {count} hidden layers; expected one "
            "for each, or a single one for all."
        )
    return listed


def _activation(chosen: Any) -> Activation:
    if isinstance(chosen, str):
        try:
            return Activation.get(_ACTIVATIONS.get(chosen, chosen))
        except UnknownName as error:
            raise UnknownParameter(f"activation: {error}") from error
    if not isinstance(chosen, Activation):
        raise InvalidSetting(
            f"activation holds {checks.shown(chosen)}; expected names such as 'relu', or "
            "Activation objects."
        )
    return copy.deepcopy(chosen)


def own_layers(layers: Sequence[Layer], input_shape: Shape) -> list[Layer]:
    """Copies of someone's own hidden layers, flattened at the end if they give images."""
    found = list(copy.deepcopy(list(layers)))
    shape = input_shape
    for layer in found:
        if not isinstance(layer, Layer):
            raise InvalidSetting(
                f"layers holds {checks.shown(layer)}; expected layers such as Conv2D(8, 3), without"
                " the output layer, which is added."
            )
        shape = layer.output_shape(shape)
    return found if len(shape) == 1 else [*found, Flatten()]


def output_layer(outputs: int, loss: Loss) -> Dense:
    """The dense layer that ends a network for such a loss."""
    last = _LAST.get(loss.outputs) or ("softmax" if loss.targets == "classes" else "sigmoid")
    return Dense(outputs, activation=last)


# --- loss -----------------------------------------------------------------------------------------


def class_loss(loss: Any, kind: str) -> Loss:
    """Loss of a classifier; "log_loss" is the one that suits the kind of classes."""
    if not isinstance(loss, str) or loss != "log_loss":
        return _loss(loss)
    if kind == "multiclass":
        return SoftmaxCrossEntropy()
    return SigmoidCrossEntropy() if kind == "binary" else MultilabelCrossEntropy()


def number_loss(loss: Any) -> Loss:
    """Loss of a regressor, by scikit-learn's name or by ours."""
    if isinstance(loss, str) and loss in ("squared_error", "poisson"):
        return HalfSquaredError() if loss == "squared_error" else PoissonDeviance()
    return _loss(loss)


def _loss(loss: Any) -> Loss:
    try:
        return copy.deepcopy(Loss.get(loss))
    except UnknownName as error:
        raise UnknownParameter(f"loss: {error}") from error


# --- optimizer and learning rates -----------------------------------------------------------------


def optimizer_of(estimator: Any) -> Optimizer:
    """Make the optimizer that ``solver`` names, with the parameters that belong to it."""
    solver, rate = estimator.solver, estimator.learning_rate_init
    clipping: CommonSettings = {
        "clip_norm": estimator.clip_norm,
        "clip_value": estimator.clip_value,
    }
    if not isinstance(solver, str):
        return copy.deepcopy(Optimizer.get(solver))
    if solver == "adam":
        return Adam(
            rate,
            mean_decay=estimator.beta_1,
            square_decay=estimator.beta_2,
            epsilon=estimator.epsilon,
            epsilon_hat=True,
            **clipping,
        )
    if solver == "sgd":
        ahead = estimator.nesterovs_momentum and estimator.momentum > 0
        below_one = min(float(estimator.momentum), np.nextafter(1.0, 0.0))
        return GradientDescent(rate, momentum=below_one, nesterov=bool(ahead), **clipping)
    if solver == "lbfgs":
        return LBFGS(
            tolerance=estimator.tol,
            loss_tolerance=_LOSS_TOLERANCE,
            evaluations=int(estimator.max_fun),
        )
    try:
        # Every optimizer but L-BFGS begins with these.
        member: Callable[..., Optimizer] = Optimizer.member(solver)
    except UnknownName as error:
        raise UnknownParameter(f"solver: {error}") from error
    return member(rate, **clipping)


class EpochRate(Schedule, register=False):
    """A learning rate that is set between epochs: scikit-learn's "invscaling" and "adaptive".

    Parameters
    ----------
    learning_rate : float
        The first.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.now = float(learning_rate)

    def set(self, rate: float) -> None:
        """Go on with another rate; it is no setting, so what was compiled stays right."""
        self.__dict__["now"] = rate

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return self.now


def schedule_of(estimator: Any) -> Schedule | None:
    """Learning rates of a training; None where they are the optimizer's own.

    "invscaling" and "adaptive" count with ``solver="sgd"`` alone, as in scikit-learn.
    """
    chosen, first = estimator.learning_rate, float(estimator.learning_rate_init)
    if isinstance(chosen, Schedule):
        return copy.deepcopy(chosen)
    if chosen in _SCHEDULES:
        changes = chosen != "constant" and estimator.solver == "sgd"
        return EpochRate(first) if changes else None
    made: dict[str, Callable[[], Schedule]] = {
        "cosine": lambda: Cosine(first, epochs=estimator.max_iter),
        "exponential_decay": lambda: ExponentialDecay(first),
        "inverse_scaling": lambda: InverseScaling(first, estimator.power_t),
        "reduce_on_plateau": lambda: ReduceOnPlateau(first),
        "step_decay": lambda: StepDecay(first),
    }
    if chosen not in made:
        known = [*_SCHEDULES, *sorted(made)]
        raise UnknownParameter(
            f"learning_rate is {chosen!r}. {checks.did_you_mean(chosen, known)}Known: "
            f"{', '.join(known)}; or give a Schedule object. The rate itself is learning_rate_init."
        )
    return made[chosen]()


# --- engine ---------------------------------------------------------------------------------------


def engine_of(engine: str | Engine, threads: int | None) -> Engine:
    """Engine of a network; "auto" takes the compiled one for jobs of a tenth of a second and more.

    Loading the compiled code takes half a second, and importing scikit-learn has taken longer.
    """
    if engine == "auto":
        return Auto(threads, worth_seconds=_WORTH_SECONDS)
    if isinstance(engine, str):
        chosen = {"reference": Reference, "compiled": Compiled}.get(engine)
        return chosen(threads) if chosen else Engine.get(engine)
    return engine
