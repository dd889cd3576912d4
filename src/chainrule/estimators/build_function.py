"""The function that builds a network: which arguments it takes, which of them it is given."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from chainrule.checks import did_you_mean, shown
from chainrule.errors import InvalidSetting
from chainrule.layer import Shape
from chainrule.network import NeuralNetwork

_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Given:
    """What a build function gets without being told, where one of its arguments has that name.

    Attributes
    ----------
    inputs : int or tuple of int
        Columns of X; the shape of one sample where it has more axes.
    outputs : int
        Classes or labels to tell apart, or columns of y.
    loss : str
        Name of a loss that learns such y.
    samples : int
        Rows to train on.
    epochs : int
        How long the training will be, for learning rates that fall.
    seed : int
        From ``random_state``.
    """

    inputs: int | Shape
    outputs: int
    loss: str
    samples: int
    epochs: int
    seed: int

    @property
    def classes(self) -> int:
        """Another name for ``outputs``."""
        return self.outputs


GIVEN = frozenset({"classes", *(field.name for field in fields(Given))})


def arguments_of(build: Any) -> dict[str, Any]:
    """Return the arguments to choose, with their defaults, or ``inspect.Parameter.empty``.

    What is no function has none; ``fit`` refuses it.
    """
    return {
        name: parameter.default
        for name, parameter in _parameters(build).items()
        if name not in GIVEN and parameter.kind not in _MANY
    }


def unknown(build: Any, names: Iterable[str]) -> str:
    """Say which of the names the function does not take; empty where it takes all of them.

    What is no function is refused by ``fit``, so that no other parameter is refused before it.
    """
    taken, known = _parameters(build), arguments_of(build)
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())
    if takes_any or not callable(build):
        return ""
    for name in names:
        if name in GIVEN & taken.keys():
            return f"{_name(build)} gets {name!r} from the data; it cannot be chosen."
        if name not in known:
            takes = ", ".join(known) or "no arguments to choose"
            return (
                f"There is no parameter {name!r}. {did_you_mean(name, list(known))}"
                f"{_name(build)} takes {takes}."
            )
    return ""


def call(build: Any, arguments: Mapping[str, Any], given: Given) -> NeuralNetwork:
    """Build the network.

    Raises
    ------
    InvalidSetting
        When ``build`` is no function, lacks an argument, or returns something else.
    """
    if not callable(build):
        raise InvalidSetting(
            f"build must be a function that returns a NeuralNetwork; received {shown(build)}."
        )
    for name, default in arguments_of(build).items():
        if default is inspect.Parameter.empty and name not in arguments:
            raise InvalidSetting(
                f"{_name(build)} needs a value for {name!r} and received none. Pass it to the "
                f"estimator, as {name}=..., or give it a default."
            )
    wanted = {name: getattr(given, name) for name in GIVEN & _parameters(build).keys()}
    network = build(**arguments, **wanted)
    if not isinstance(network, NeuralNetwork):
        raise InvalidSetting(f"{_name(build)} returned {shown(network)}, not a NeuralNetwork.")
    return network


def _parameters(build: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(build).parameters
    except (TypeError, ValueError):  # no function, or one that does not tell
        return {}


def _name(build: Any) -> str:
    return getattr(build, "__name__", shown(build))
