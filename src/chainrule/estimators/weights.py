"""``coefs_`` and ``intercepts_``: the network's own arrays, in scikit-learn's two lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import InvalidData, InvalidShape
from chainrule.layer import Array
from chainrule.network import NeuralNetwork

LISTS = {"coefs_": "weights", "intercepts_": "bias"}


def views(network: NeuralNetwork, name: str) -> list[Array]:
    """All parameters of that name, from the first layer to the last; views, not copies.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    name : str
        ``"weights"`` or ``"bias"``.
    """
    vector = network.parameter_vector
    return [slot.view(vector.storage) for slot in vector.slots if slot.name == name]


def show(estimator: Any) -> None:
    """Let the two lists of an estimator show what its network has."""
    for attribute, name in LISTS.items():
        setattr(estimator, attribute, views(estimator.network_, name))


def take(estimator: Any) -> None:
    """Put into the network what a person has set in the lists.

    Editing an array in them edits the network itself. Another array in the place of one of them,
    or another list, is noticed and copied here.

    Raises
    ------
    InvalidShape, InvalidData
        When the network cannot take it.
    """
    for attribute, name in LISTS.items():
        given, own = getattr(estimator, attribute), views(estimator.network_, name)
        if len(given) != len(own):
            raise InvalidShape(
                f"{attribute} holds {len(given)} arrays; expected {len(own)}, one for each layer "
                "that has them. Set hidden_layer_sizes and call fit for another network."
            )
        for index, (array, view) in enumerate(zip(given, own, strict=True)):
            if not _is_same(array, view):
                view[...] = _checked(f"{attribute}[{index}]", array, view)


def _is_same(array: Any, view: Array) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.shape == view.shape
        and array.dtype == view.dtype
        and array.ctypes.data == view.ctypes.data
        and array.strides == view.strides
    )


def _checked(name: str, array: Any, view: Array) -> Array:
    try:
        found = np.asarray(array, view.dtype)
    except (TypeError, ValueError) as error:
        raise InvalidData(f"{name} holds what is no table of numbers ({error}).") from error
    if found.shape != view.shape:
        raise InvalidShape(
            f"{name} was set to an array of shape {found.shape}; expected {view.shape}."
        )
    if not np.isfinite(found).all():
        raise InvalidData(f"{name} was set to numbers that are not all finite.")
    return found
