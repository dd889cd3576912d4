"""Inputs, actual values and weights that belong together, checked where they enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InvalidData, InvalidShape
from chainrule.layer import Array, Shape
from chainrule.loss import Loss, check_sample_weight
from chainrule.randomness import generator
from chainrule.stored import Inputs, StoredInputs, stays_stored
from chainrule.targets import numeric_array


@dataclass
class Samples:
    """Inputs, actual values and weights, row by row.

    Attributes
    ----------
    x : ndarray or StoredInputs (batch, *input shape)
    y : ndarray (batch, *output shape), or class labels (batch,)
    weight : ndarray (batch,) or None
    """

    x: Inputs
    y: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def scaling(self) -> str:
        """What happens to the numbers of x before the network sees them, in words."""
        return self.x.scaling if isinstance(self.x, StoredInputs) else "none"

    def rows(self, indices: Array) -> Samples:
        """Return a copy of some of the rows; stored inputs stay where they are."""
        x = self.x.subset(indices) if isinstance(self.x, StoredInputs) else self.x[indices]
        weight = None if self.weight is None else self.weight[indices]
        return Samples(x, self.y[indices], weight)

    def row_range(self, start: int, stop: int) -> Samples:
        """Return the rows from start to stop as arrays; only stored inputs are copied."""
        weight = None if self.weight is None else self.weight[start:stop]
        return Samples(self.x[start:stop], self.y[start:stop], weight)

    def split(self, fraction: float, seed: int) -> tuple[Samples, Samples]:
        """Set a random fraction of the rows aside: (the rest, those set aside)."""
        order = generator(seed, "validation split").permutation(len(self))
        aside = round(len(self) * fraction)
        if aside == 0 or aside == len(self):
            raise InvalidData(
                f"validation={fraction:g} of {len(self)} samples leaves one part empty. "
                "Pass more samples, or validation=(X, y) of your own."
            )
        return self.rows(np.sort(order[aside:])), self.rows(np.sort(order[:aside]))


def check_inputs(
    x: Any, input_shape: Shape | None, dtype: np.dtype[Any], first_layer: str
) -> Inputs:
    """Turn what a person passes as x into an array of the network's dtype.

    Images kept as bytes and arrays mapped from a file are turned batch by batch instead.

    Parameters
    ----------
    x : array_like (batch, ...)
    input_shape : tuple of int or None
        What one sample must look like; None where the network is not built yet.
    dtype : numpy dtype
    first_layer : str
        Who is asking, for the message: ``"Dense(inputs=4)"``.

    Raises
    ------
    InvalidData, InvalidShape
        Saying what was received and what was expected.
    """
    array = StoredInputs(x, dtype) if stays_stored(x) else numeric_array("x", x, dtype)
    if not array.shape:
        raise InvalidShape("x is a single number; expected (batch, inputs): one row per sample.")
    if input_shape is None:
        if len(array.shape) == 1:
            raise InvalidShape(
                f"x has shape {array.shape}; expected (batch, inputs): one row per sample. For a "
                "single sample use x.reshape(1, -1), for samples of one number x.reshape(-1, 1)."
            )
    elif array.shape[1:] != input_shape:
        raise InvalidShape(_wrong_inputs(array.shape, input_shape, first_layer))
    if not len(array):
        raise InvalidData(f"x has shape {array.shape}: no samples. Expected at least one row.")
    if 0 in array.shape:
        raise InvalidData(f"x has shape {array.shape}: samples without numbers.")
    return array


def check_samples(
    x: Inputs, y: Any, sample_weight: Any, loss: Loss, output_shape: Shape
) -> Samples:
    """Put checked inputs together with their actual values, and check those.

    Raises
    ------
    InvalidData, InvalidShape
        Saying what was received and what was expected.
    """
    targets = loss.check_targets(y, output_shape, x.dtype)
    if len(targets) != len(x):
        raise InvalidShape(
            f"x holds {len(x)} samples and y {len(targets)} actual values; expected as many."
        )
    weight = None if sample_weight is None else check_sample_weight(sample_weight, len(x), x.dtype)
    return Samples(x, targets, weight)


def _wrong_inputs(received: Shape, expected: Shape, first_layer: str) -> str:
    wanted = f"(batch, {', '.join(map(str, expected))})"
    message = f"{first_layer} received x of shape {received}; expected {wanted}."
    if len(received) == 2 and len(expected) == 1:
        fewer = "drop a column" if received[1] > expected[0] else "add the missing columns"
        return f"{message} Build the network with inputs={received[1]} or {fewer}."
    if received == expected:
        return f"{message} For a single sample pass x[np.newaxis]."
    return f"{message} Each sample must have the shape {expected}."
