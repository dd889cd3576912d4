"""What the actual values y may be, checked once where they enter.

Each kind of loss compares the network's outputs with another kind of target. The functions here
turn what a person passes into the one form that the loss computes with, or say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidData, InvalidShape
from chainrule.layer import Array, Shape


def numeric_array(name: str, values: Any, dtype: np.dtype[Any]) -> Array:
    """Turn numbers of any kind into an array of ``dtype`` and refuse everything else.

    Raises
    ------
    InvalidData
        For text, objects, complex numbers, sparse matrices, NaN, infinity and numbers that
        ``dtype`` cannot hold.
    InvalidShape
        For rows of different lengths.
    """
    if values is None:
        raise InvalidData(f"{name} is None; expected an array of numbers, one row per sample.")
    if isinstance(values, np.ma.MaskedArray):
        raise InvalidData(
            f"{name} is a masked array, and a network has no use for its mask; expected plain "
            f"numbers. Fill in or drop the masked values first: {name}.filled(...)."
        )
    if hasattr(values, "toarray"):
        raise InvalidData(
            f"{name} is a sparse matrix; expected a dense array. Convert it with "
            f"{name}.toarray() if it fits in memory."
        )
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidShape(
            f"{name} has rows of different lengths; expected a rectangular table of numbers."
        ) from error
    if array.dtype.kind == "O":
        array = _from_objects(name, array)
    if array.dtype.kind not in "biuf":
        what = "text" if array.dtype.kind in "USVT" else f"{array.dtype} values"
        raise InvalidData(f"{name} holds {what}; expected numbers. {_how_to_encode(name)}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
        converted = np.ascontiguousarray(array, dtype=dtype) if array.ndim else array.astype(dtype)
    if not _all_finite(converted):
        raise InvalidData(_not_finite(name, array, converted))
    return converted


def _all_finite(array: Array) -> bool:
    """Whether all numbers are finite: by their sum, which takes a quarter of the time.

    NaN and infinity stay in a sum. Only where it is not finite is each number looked at, because
    large ones may add up to infinity too.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def _from_objects(name: str, array: Array) -> Array:
    text = next((value for value in array.flat if isinstance(value, str | bytes)), None)
    if text is not None:
        raise InvalidData(
            f"{name} holds text ({shown(text)}); expected numbers. {_how_to_encode(name)}"
        )
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidData(
            f"{name} holds objects that are not numbers ({error}); expected numbers. "
            f"{_how_to_encode(name)}"
        ) from error


def _how_to_encode(name: str) -> str:
    if name == "y":
        return (
            "Number the classes from 0: np.unique(y, return_inverse=True) gives names and labels."
        )
    return (
        "Encode text as numbers and fill in what is missing first (scikit-learn's OneHotEncoder "
        'and SimpleImputer; "chainrule train" does both for a CSV file).'
    )


def _not_finite(name: str, given: Array, converted: Array) -> str:
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(converted))[0])
    count = int(np.count_nonzero(~np.isfinite(converted)))
    value = given[place]
    if np.isfinite(value):
        return (
            f"{name} holds {value} at {list(place)}, too large for {converted.dtype}; expected "
            "numbers it can hold. Scale the data, or build the network with dtype='float64'."
        )
    return (
        f"{name} holds {value} at {list(place)} ({count} such values); expected finite numbers. "
        "Fill in or drop the missing values first."
    )


def check_targets(kind: str, y: Any, output_shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Check the actual values against the kind of target a loss needs.

    Parameters
    ----------
    kind : str
        "numbers", "probabilities", "classes", "signs" or "counts".
    y : array_like
        (batch, *output_shape); without the last axis where it is 1; for "classes" also whole
        numbers 0 ... K-1 of shape (batch,).
    output_shape : tuple of int
        Shape of one output of the network.
    dtype : numpy dtype
        The network's.

    Returns
    -------
    ndarray
        (batch, *output_shape) in ``dtype``, or (batch, ...) whole numbers for class labels.
    """
    values = numeric_array("y", y, np.dtype(np.float64))
    if kind == "classes" and values.ndim == len(output_shape) and output_shape[-1] > 1:
        return _class_labels(values, output_shape[-1])
    if values.ndim == len(output_shape) and output_shape[-1:] == (1,):
        values = values[..., np.newaxis]  # (batch,) beside (batch, 1) would broadcast to a square
    if values.shape[1:] != output_shape:
        if kind == "classes" and values.ndim == 2 and values.shape[1] == 1:
            raise InvalidShape(
                f"y has shape {values.shape}; expected class labels of shape (batch,), or one-hot "
                f"rows (batch, {output_shape[-1]}). Pass y.ravel()."
            )
        raise InvalidShape(
            f"y has shape {np.shape(y)}, but the network's outputs have shape "
            f"(batch, {', '.join(map(str, output_shape))}). "
            f"Give y that shape, or the last layer {_outputs_for(kind, values)} outputs."
        )
    _CHECKS[kind](values)
    return numeric_array("y", values, dtype)


def one_hot(labels: Array, classes: int, dtype: np.dtype[Any]) -> Array:
    """Labels (batch, ...) -> (batch, ..., classes): a one in the place of the class, else zeros."""
    encoded = np.zeros((labels.size, classes), dtype=dtype)
    encoded[np.arange(labels.size), labels.ravel()] = 1
    return encoded.reshape(*labels.shape, classes)


def _outputs_for(kind: str, values: Array) -> int:
    if kind == "classes" and values.ndim == 1:
        return int(values.max()) + 1
    return values.shape[-1] if values.ndim > 1 else 1


def _class_labels(values: Array, classes: int) -> Array:
    fractions = values != np.floor(values)
    if fractions.any():
        raise InvalidData(
            f"y holds the class label {values[fractions][0]:g}; expected whole numbers from 0 to "
            f"{classes - 1}."
        )
    outside = (values < 0) | (values >= classes)
    if outside.any():
        raise InvalidData(
            f"y holds the class label {values[outside][0]:g}, but the network has {classes} "
            f"outputs, for classes 0 to {classes - 1}. Number the classes from 0, or give the last "
            f"layer {max(values.max() + 1, 2):g} outputs."
        )
    return values.astype(np.int64)


def _distributions(values: Array) -> None:
    _probabilities(values)
    totals = values.sum(axis=-1)
    if values.shape[-1] == 1:
        raise InvalidShape(
            "This loss compares classes with each other, but the network has 1 output, which "
            "softmax turns into 1 whatever the weights. Use 2 outputs, or 1 output with "
            "loss='sigmoid_cross_entropy'."
        )
    if (np.abs(totals - 1) > 1e-3).any():
        raise InvalidData(
            f"A row of y sums to {totals[np.abs(totals - 1) > 1e-3].flat[0]:g}; expected class "
            "probabilities that sum to 1 (one-hot rows), or class labels 0 ... K-1. For several "
            "classes at once per sample use loss='sigmoid_cross_entropy'."
        )


def _probabilities(values: Array) -> None:
    outside = (values < 0) | (values > 1)
    if outside.any():
        raise InvalidData(
            f"y holds {values[outside][0]:g}; this loss expects values from 0 to 1. For more than "
            "two classes use loss='softmax_cross_entropy' with one output per class; for numbers, "
            "loss='mean_squared_error'."
        )


def _signs(values: Array) -> None:
    others = np.abs(values) != 1
    if others.any():
        raise InvalidData(
            f"y holds {values[others][0]:g}; the hinge loss expects -1 or 1. "
            "From labels 0 and 1 make them as 2 * y - 1."
        )


def _counts(values: Array) -> None:
    if (values < 0).any():
        raise InvalidData(
            f"y holds {values[values < 0][0]:g}; the Poisson loss expects counts of 0 or more."
        )


def _anything(values: Array) -> None:
    """Any finite number will do."""


_CHECKS: dict[str, Callable[[Array], None]] = {
    "numbers": _anything,
    "probabilities": _probabilities,
    "classes": _distributions,
    "signs": _signs,
    "counts": _counts,
}
