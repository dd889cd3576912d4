"""Constants that follow from others: what exporters compute in the graph to say a shape.

The number of samples is not known. It takes part as ``BATCH``, a number that nobody would write
down, so that it is recognised where a shape begins with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import UnreadableFile
from chainrule.layer import Array
from chainrule.saving.onnx.file import array_of
from chainrule.saving.onnx.node import Node

BATCH = 2**61 - 1
_SMALL = 1000  # numbers that a constant may have which is larger than what it is made of


def fold(node: Node, arrays: Sequence[Array], folder: Path) -> Array | None:
    """Compute what a node makes of constants; None where it is none that is known.

    Raises
    ------
    UnreadableFile
        When the node makes no sense.
    """
    if node.operator not in _FOLDS:
        return None
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(_FOLDS[node.operator](node, list(arrays), folder))
    except UnreadableFile:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise node.refuse(f"cannot be computed from its constants ({error}).") from error
    return found


def _constant(node: Node, arrays: list[Array], folder: Path) -> Array:
    for name, dtype in (("value_float", "<f4"), ("value_floats", "<f4")):
        if node.get(name) is not None:
            return np.array(node.get(name), dtype)
    for name in ("value_int", "value_ints"):
        if node.get(name) is not None:
            return np.array(node.get(name), np.int64)
    tensor = node.get("value")
    if not hasattr(tensor, "data_type"):
        raise node.refuse("holds no array of numbers.")
    return array_of(tensor, folder)


def _constant_of_shape(node: Node, arrays: list[Array], folder: Path) -> Array:
    shape = [int(size) for size in arrays[0]]
    if math.prod(shape) > _SMALL or min(shape, default=0) < 0:
        raise node.refuse(f"makes a constant of shape {shape}, which is no array of parameters.")
    tensor = node.get("value")
    value = np.float32(0) if tensor is None else array_of(tensor, folder).reshape(-1)[0]
    return np.full(shape, value)


def _cast(node: Node, arrays: list[Array], folder: Path) -> Array:
    node.ignore("saturate")
    dtype = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 11: np.float64}[node.get("to")]
    return arrays[0].astype(dtype)


def _reshape(node: Node, arrays: list[Array], folder: Path) -> Array:
    sizes = [int(size) for size in arrays[1]]
    if not node.whole("allowzero", 0):
        sizes = [arrays[0].shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return arrays[0].reshape(sizes)


def _axes(node: Node, arrays: list[Array]) -> tuple[int, ...] | None:
    """Axes of Squeeze and Unsqueeze: an attribute up to opset 12, then an input."""
    found = arrays[1].tolist() if len(arrays) > 1 else node.listed("axes")
    return None if found is None else tuple(found)


def _squeeze(node: Node, arrays: list[Array], folder: Path) -> Array:
    return np.squeeze(arrays[0], _axes(node, arrays))


def _unsqueeze(node: Node, arrays: list[Array], folder: Path) -> Array:
    return np.expand_dims(arrays[0], _axes(node, arrays) or ())


def _transpose(node: Node, arrays: list[Array], folder: Path) -> Array:
    return arrays[0].transpose(node.listed("perm"))


def _gather(node: Node, arrays: list[Array], folder: Path) -> Array:
    _need_small(node, arrays)
    return np.take(arrays[0], arrays[1], axis=node.whole("axis", 0))


def _slice(node: Node, arrays: list[Array], folder: Path) -> Array:
    data, starts, ends, *more = arrays
    axes = more[0] if more else np.arange(len(starts))
    steps = more[1] if len(more) > 1 else np.ones(len(starts), np.int64)
    index: list[Any] = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[int(axis)] = slice(int(start), int(end), int(step))
    return data[tuple(index)]


def _concat(node: Node, arrays: list[Array], folder: Path) -> Array:
    _need_small(node, arrays)
    return np.concatenate(arrays, axis=node.whole("axis", 0))


def _shape(node: Node, arrays: list[Array], folder: Path) -> Array:
    return np.array(arrays[0].shape, np.int64)


def _arithmetic(operation: Callable[..., Any]) -> Callable[[Node, list[Array], Path], Array]:
    def compute(node: Node, arrays: list[Array], folder: Path) -> Array:
        size = math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
        if size > max(_SMALL, *(array.size for array in arrays)):
            raise node.refuse("makes a constant much larger than those it is made of.")
        whole = all(array.dtype.kind == "i" for array in arrays)
        chosen = np.floor_divide if operation is np.divide and whole else operation
        dtype = np.result_type(*arrays)
        return np.asarray(chosen(*arrays)).astype(dtype)

    return compute


def _need_small(node: Node, arrays: list[Array]) -> None:
    if sum(array.size for array in arrays) > _SMALL:
        raise node.refuse("puts large constants together; expected it only where shapes are made.")


_FOLDS: dict[str, Callable[[Node, list[Array], Path], Any]] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Identity": lambda node, arrays, folder: arrays[0],
    "Cast": _cast,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Shape": _shape,
    "Add": _arithmetic(np.add),
    "Sub": _arithmetic(np.subtract),
    "Mul": _arithmetic(np.multiply),
    "Div": _arithmetic(np.divide),
    "Mod": _arithmetic(np.mod),
    "Neg": _arithmetic(np.negative),
    "Sqrt": _arithmetic(np.sqrt),
    "Reciprocal": _arithmetic(np.reciprocal),
}
