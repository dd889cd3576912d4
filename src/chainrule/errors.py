"""Every exception chainrule raises.

::

    ChainruleError
    ├── InvalidInput (also a ValueError)     something passed in cannot be used
    │   ├── InvalidShape                     an array has the wrong shape
    │   ├── InvalidData                      NaN, text, labels outside the classes, ...
    │   └── InvalidSetting                   a hyperparameter outside its range
    │       └── UnknownName                  no activation, loss, ... is called that
    ├── NotBuilt (also a RuntimeError)       weights asked for before their shape is known
    ├── BackpropBeforeFeedforward            a trace was read before it was written
    │       (also an AttributeError)
    ├── LossNotFinite                        training ran into NaN or infinity
    │       (also an ArithmeticError)
    ├── UnreadableFile (also an OSError)     a file is absent, damaged or of another kind
    └── MissingPackage (also an ImportError) an optional package is not installed

Each message says what was received, what was expected, and what to do.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.training.history import History


class ChainruleError(Exception):
    """The root: ``except ChainruleError`` catches whatever chainrule itself raises."""


class InvalidInput(ChainruleError, ValueError):
    """Something passed in cannot be used."""


class InvalidShape(InvalidInput):
    """An array has another shape than the network, layer or loss needs."""


class InvalidData(InvalidInput):
    """The values of an array cannot be used: NaN, infinity, text, labels outside the classes."""


class InvalidSetting(InvalidInput):
    """A hyperparameter is outside its range or does not fit the others."""


class UnknownName(InvalidSetting):
    """A string names no registered activation, loss, layer, optimizer, schedule, ..."""


class NotBuilt(ChainruleError, RuntimeError):
    """Weights were asked for before the network knows how many inputs it has."""


class BackpropBeforeFeedforward(ChainruleError, AttributeError):
    """A trace was asked for a value that no pass has left in it yet."""


class LossNotFinite(ChainruleError, ArithmeticError):
    """Training met NaN or infinity and stopped; the last finite parameters are back in place.

    Attributes
    ----------
    step : int
        Iterations completed in this network's life when it happened.
    layer : str
        Where the first non-finite number stood: ``"layer 2"``, or ``"loss"``.
    tensor : str
        Its name in that layer's trace: ``"z"``, ``"a"``, ``"d_weights"``, ...
    history : History
        The record of the training up to that step.
    """

    def __init__(
        self, message: str, *, step: int, layer: str, tensor: str, history: History
    ) -> None:
        super().__init__(message)
        self.step = step
        self.layer = layer
        self.tensor = tensor
        self.history = history


class UnreadableFile(ChainruleError, OSError):
    """A file is absent, damaged, or not what it was taken for."""


class MissingPackage(ChainruleError, ImportError):
    """An optional package is needed for what was asked and is not installed."""


def optional_package(module: str, purpose: str, extra: str = "standard") -> ModuleType:
    """Import a package that the base install does not bring, or say how to get it.

    Parameters
    ----------
    module : str
        What to import, as ``"matplotlib.pyplot"``.
    purpose : str
        What it is for, as the subject of the message: ``"Drawing a picture"``.
    extra : str, default "standard"
        Which set of packages brings it.

    Raises
    ------
    MissingPackage
        When the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingPackage(
            f"{purpose} needs the package {package!r}, which could not be imported ({error}). "
            f'Install it with: pip install "chainrule[{extra}]"'
        ) from error
