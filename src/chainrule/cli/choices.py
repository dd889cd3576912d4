"""Which network suits a table, where the person did not say.

The figures were chosen by the mean score over eight splits of the penguins and of each of
scikit-learn's bundled sets. On small tables it mattered most to hold the weights back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.activation import Activation
from chainrule.activations import Identity, LogSoftmax, Sigmoid, Softmax, Softplus
from chainrule.data.columns import counted
from chainrule.data.target import ClassTarget, Kind, NumberTarget, Target
from chainrule.errors import InvalidSetting
from chainrule.layer import Layer
from chainrule.layers import Dense, Dropout
from chainrule.loss import Loss
from chainrule.network import NeuralNetwork
from chainrule.optimizer import Optimizer
from chainrule.schedules import Cosine

_MANY_ROWS = 10_000


@dataclass(frozen=True)
class Wishes:
    """What the person asked for; None leaves the choice to this module.

    Attributes
    ----------
    hidden : tuple of int, optional
        Units in each hidden layer.
    activation : tuple of str, optional
        One for all hidden layers, or one for each.
    epochs, batch_size : int, optional
    learning_rate : float, optional
    optimizer : str
    dropout : float
        Part of the units of each hidden layer that a step leaves out.
    l2 : float, optional
        Penalty on Σ w²; without it Adam holds weights back by weight decay.
    loss : str, optional
    validation : float
        Part of the rows to measure on.
    ignore, categories : tuple of str
        Columns to leave out; columns to take for categories even if they hold numbers.
    seed : int
    """

    hidden: tuple[int, ...] | None = None
    activation: tuple[str, ...] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    optimizer: str = "adam"
    dropout: float = 0.0
    l2: float | None = None
    loss: str | None = None
    validation: float = 0.2
    ignore: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    seed: int = 0


def kind_of_loss(loss: str | None) -> Kind | None:
    """Say what the loss learns: classes, numbers, or None where no loss was named.

    Raises
    ------
    UnknownName
    """
    if loss is None:
        return None
    return "numbers" if Loss.member(loss).targets in {"numbers", "counts"} else "classes"


def choose_epochs(wishes: Wishes, rows: int) -> int:
    """Return how often to go through the rows at most."""
    return wishes.epochs or (200 if rows < _MANY_ROWS else 60)


def choose_batch_size(wishes: Wishes, rows: int) -> int:
    """Return how many rows to take for one step."""
    return wishes.batch_size or (32 if rows < _MANY_ROWS else 128)


def choose_network(wishes: Wishes, target: Target, rows: int) -> NeuralNetwork:
    """Put together a network for that many training rows; it is not built yet.

    Raises
    ------
    InvalidSetting
        When wishes do not fit each other or the target.
    """
    loss = _loss(wishes.loss, target)
    return NeuralNetwork(
        *_hidden_layers(wishes, rows),
        _last_layer(loss, target),
        loss=loss,
        optimizer=_optimizer(wishes, rows),
        l2=wishes.l2 or 0.0,
        seed=wishes.seed,
    )


def scheduled_optimizer(name: str, rate: float | None, epochs: int, **settings: Any) -> Optimizer:
    """Make an optimizer whose learning rate falls along a cosine.

    Parameters
    ----------
    name : str
    rate : float, optional
        The first learning rate; the optimizer's own without it.
    epochs : int
        How long it falls.
    **settings
        For the optimizer.

    Raises
    ------
    InvalidSetting
        Also for a rate where the optimizer finds the size of its steps itself.
    """
    member: Any = Optimizer.member(name)
    if "learning_rate" not in member.setting_names():
        if rate is not None:
            raise InvalidSetting(
                f"--optimizer {name} finds the size of its steps itself; leave out --learning-rate."
            )
        return Optimizer.get(name)
    rate = rate or Optimizer.get(name).schedule.rate(0, {})
    return member(Cosine(rate, epochs), **settings)


def _loss(name: str | None, target: Target) -> Loss:
    if name is None:
        numbers = isinstance(target, NumberTarget)
        return Loss.get("mean_squared_error" if numbers else "softmax_cross_entropy")
    loss = Loss.get(name)
    two_classes = loss.targets in {"probabilities", "signs"}
    if two_classes and isinstance(target, ClassTarget) and len(target.classes) != 2:
        raise InvalidSetting(
            f"loss {name!r} tells two classes apart, but {target.name!r} has "
            f"{len(target.classes)}. Use softmax_cross_entropy."
        )
    return loss


def _last_layer(loss: Loss, target: Target) -> Dense:
    """Return the output layer whose numbers are what the loss wants to see."""
    activation: Activation = Identity()
    if loss.targets == "classes" and isinstance(target, ClassTarget):
        if loss.outputs == "probabilities":
            activation = Softmax()
        elif loss.outputs == "logarithms of probabilities":
            activation = LogSoftmax()
        return Dense(len(target.classes), activation)
    if loss.outputs == "probabilities":
        activation = Sigmoid()
    elif loss.outputs == "positive":
        activation = Softplus()
    return Dense(1, activation)


def _hidden_layers(wishes: Wishes, rows: int) -> list[Layer]:
    sizes = wishes.hidden or _hidden_sizes(rows)
    names = wishes.activation or ("relu",)
    if len(names) == 1:
        names = names * len(sizes)
    if len(names) != len(sizes):
        raise InvalidSetting(
            f"--activation names {len(names)} activations ({', '.join(names)}) for "
            f"{counted(len(sizes), 'hidden layer')} ({', '.join(map(str, sizes))}); expected one "
            "for all, or one for each."
        )
    layers: list[Layer] = []
    for size, name in zip(sizes, names, strict=True):
        layers.append(Dense(size, name))
        if wishes.dropout:
            layers.append(Dropout(wishes.dropout))
    return layers


def _hidden_sizes(rows: int) -> Sequence[int]:
    if rows < 1000:
        return (32, 16)
    return (64, 32) if rows < _MANY_ROWS else (128, 64)


def _optimizer(wishes: Wishes, rows: int) -> Optimizer:
    """Let Adam hold weights back where rows are few, unless a penalty does."""
    rate, keywords = wishes.learning_rate, {}
    if wishes.optimizer == "adam":
        if wishes.l2 is None:
            keywords["weight_decay"] = round(min(1.0, 150 / rows), 3)
        rate = rate or (0.01 if rows < _MANY_ROWS else 0.003)
    return scheduled_optimizer(wishes.optimizer, rate, choose_epochs(wishes, rows), **keywords)
