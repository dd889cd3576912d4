"""The way that training took through the space of parameters, as points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.layer import Array
from chainrule.targets import numeric_array

_SHORT = 2000  # iterations, any of which are quickly made again
_MOMENTS = 80  # of such a training: more would draw no other line
_NUMBERS_AT_ONCE = 1 << 25  # 256 MB: of large networks there are fewer moments, but two at least


@dataclass(frozen=True, eq=False)
class TrainingPath:
    """The parameters of a network at several moments of its training.

    Attributes
    ----------
    vectors : ndarray (moments, count)
        In float64.
    steps : ndarray of int (moments,) or None
        Iterations made until each, where that is known.
    """

    vectors: Array
    steps: Array | None


def read_path(history: Any, path: Any, count: int) -> TrainingPath | None:
    """Take the path from a history, or from the vectors or networks given; None without either.

    Parameters
    ----------
    history : History or None
        Its ``at(step)`` gives the network as it was, here at some 20 to 80 steps.
    path : sequence of ndarray (count,) or of NeuralNetwork, or None
    count : int
        Number of parameters.

    Raises
    ------
    InvalidSetting
        When both are given, or the history is none.
    InvalidShape, InvalidData
        When there are fewer than two different moments, or one does not fit the network.
    """
    if history is not None and path is not None:
        raise InvalidSetting(
            "Received history and path, which are two accounts of the same; expected one of them."
        )
    if path is not None:
        if not isinstance(path, Iterable):
            raise InvalidSetting(
                f"path received {shown(path)}; expected a list of parameter vectors or of networks."
            )
        return TrainingPath(_stack("path", list(path), count), None)
    if history is None:
        return None
    if not hasattr(history, "at"):
        raise InvalidSetting(
            f"history received {shown(history)}; expected what net.fit returned, or path=[...] "
            "with the parameters at several moments."
        )
    steps = _moments(history, most=max(2, _NUMBERS_AT_ONCE // count))
    vectors = [np.array(history.at(int(step)).parameters) for step in steps]
    return TrainingPath(_stack("history", vectors, count), steps)


def _moments(history: Any, most: int) -> Array:
    """Iterations to look at, the first and the last among them.

    Each costs as many steps as lie between it and the snapshot before. For a long training only
    the snapshots themselves are looked at, or the path would take longer than the training.
    """
    last = history.iterations
    if last <= _SHORT:
        return np.linspace(0, last, min(last + 1, _MOMENTS, most)).round().astype(np.int64)
    steps = np.array([*(step for step in history.snapshots.steps if step < last), last])
    return steps[np.linspace(0, len(steps) - 1, min(len(steps), most)).round().astype(np.int64)]


def _stack(name: str, points: Sequence[Any], count: int) -> Array:
    if len(points) < 2:
        raise InvalidShape(
            f"{name} holds {len(points)} points; expected the parameters at two or more moments of "
            "the training."
        )
    vectors = np.stack(
        [_check_point(f"{name}[{number}]", point, count) for number, point in enumerate(points)]
    )
    if (vectors == vectors[0]).all():
        raise InvalidData(
            f"All {len(points)} points of {name} are the same: it leads nowhere. Take the "
            "parameters (as copies) before training and after."
        )
    return vectors


def _check_point(name: str, point: Any, count: int) -> Array:
    vector = numeric_array(name, getattr(point, "parameters", point), np.dtype(np.float64))
    if vector.shape != (count,):
        raise InvalidShape(
            f"{name} has shape {vector.shape}; expected ({count},): all parameters of this network "
            "in one vector, as net.parameters.copy() gives."
        )
    return vector
