"""Where a network stands in its training, as plain data and arrays, and back.

The counters and what the schedule remembers become JSON; each vector of the optimizer becomes an
array called ``"training optimizer NAME"``.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.errors import UnreadableFile
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.training.state import TrainingState

TRAINING = "training "  # how the names of arrays begin that are no parameters
_OPTIMIZER = f"{TRAINING}optimizer "


def describe_training(state: TrainingState) -> dict[str, Any]:
    """Return the counters, and what the schedule remembers, as JSON can hold it."""
    return {
        "epoch": state.epoch,
        "step": state.step,
        "optimizer_step": state.optimizer.step,
        "schedule": {name: plain(value) for name, value in state.schedule.items()},
    }


def training_arrays(state: TrainingState) -> dict[str, Array]:
    """Return the optimizer's vectors by their names in the file."""
    return {f"{_OPTIMIZER}{name}": vector for name, vector in state.optimizer.vectors.items()}


def put_back(network: NeuralNetwork, described: Any, arrays: dict[str, Array]) -> None:
    """Let a network that was just built stand there again.

    Raises
    ------
    UnreadableFile
        When the optimizer remembers something else.
    """
    state = network.training_state
    found = {name: array for name, array in arrays.items() if name.startswith(_OPTIMIZER)}
    expected = training_arrays(state)
    for name in sorted(found.keys() | expected.keys()):
        here, there = expected.get(name), found.get(name)
        if here is None or there is None or (here.shape, here.dtype) != (there.shape, there.dtype):
            raise UnreadableFile(f"{name!r} is not what its optimizer remembers.")
    state.epoch = whole(described["epoch"])
    state.step = whole(described["step"])
    state.optimizer.step = whole(described["optimizer_step"])
    state.schedule = {name: number(value) for name, value in described["schedule"].items()}
    for name, vector in expected.items():
        vector[...] = found[name]


def plain(value: float) -> float | str:
    """Turn a number into one that JSON can hold: infinity and NaN become words."""
    return value if math.isfinite(value) else str(float(value))


def number(value: Any) -> float:
    """Turn what ``plain`` gave back into a number.

    Raises
    ------
    UnreadableFile
    """
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableFile(f"it holds {value!r} where a number is expected.")
    return value


def whole(value: Any, most: float = math.inf) -> int:
    """Check a whole number from 0 to ``most``.

    Raises
    ------
    UnreadableFile
    """
    if type(value) is not int or not 0 <= value <= most:
        raise UnreadableFile(f"it holds {value!r} where a count is expected.")
    return value
