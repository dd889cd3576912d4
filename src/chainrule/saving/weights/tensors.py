"""The arrays in a file from elsewhere: what each is called, its shape, and where its numbers stand.

Whatever the format is, it comes to this list; then the numbers are read from their places. So sizes
are compared with the file before memory is taken, and no reader of a format makes arrays itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import UnreadableFile
from chainrule.layer import Array, Shape

_BFLOAT16 = "bfloat16"  # the first half of a float32; NumPy has no such dtype
_FLOATS = ("float16", "float32", "float64", _BFLOAT16)


@dataclass(frozen=True)
class Tensor:
    """One array of a file.

    Attributes
    ----------
    name : str
        With the path to it: ``"fc1.weight"``, ``"layers/dense/vars/0"``.
    dtype : str
        ``"float32"``, ``"bfloat16"``, ``"int64"``, ...
    shape : tuple of int
    place : (start, stop) or None
        Its bytes in the file's content; None where they do not stand in one piece.
    is_little : bool
        Whether a number's lowest byte comes first.
    """

    name: str
    dtype: str
    shape: Shape
    place: tuple[int, int] | None
    is_little: bool = True

    @property
    def is_float(self) -> bool:
        """Whether it can hold weights."""
        return self.dtype in _FLOATS

    @property
    def count(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class TensorFile:
    """What a file from elsewhere holds.

    Attributes
    ----------
    kind : str
        "safetensors", "keras" (a ``.keras`` file) or "hdf5".
    content : bytes
        In which the arrays have their places.
    tensors : tuple of Tensor
    metadata : dict
        Text beside them in a safetensors file.
    config : dict or None
        How the network is built, in a ``.keras`` file: plain JSON.
    layer_names : dict of str to str
        What the layers of an HDF5 file are called by their owner, by their path in it.
    """

    kind: str
    content: bytes
    tensors: tuple[Tensor, ...]
    metadata: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] | None = None
    layer_names: dict[str, str] = field(default_factory=dict)

    def numbers(self, tensor: Tensor) -> Array:
        """Return the numbers of an array: float32, or float64 where they are stored so.

        Half precision becomes float32, in which every such number can be written exactly.

        Raises
        ------
        UnreadableFile
            When they are not floating-point numbers, not finite, or not in one piece.
        """
        if not tensor.is_float:
            raise UnreadableFile(
                f"{tensor.name!r} holds numbers of type {tensor.dtype}; weights are "
                f"{', '.join(_FLOATS)}. Save the model unquantized."
            )
        if tensor.place is None:
            raise UnreadableFile(
                f"{tensor.name!r} is stored compressed or in pieces, which is not read here. Save "
                "the file anew with Keras itself."
            )
        stored = "u2" if tensor.dtype == _BFLOAT16 else f"f{_size(tensor.dtype)}"
        found = np.frombuffer(
            self.content, ("<" if tensor.is_little else ">") + stored, tensor.count, tensor.place[0]
        )
        if tensor.dtype == _BFLOAT16:
            found = (found.astype(np.uint32) << 16).view(np.float32)
        found = found.astype(np.float64 if tensor.dtype == "float64" else np.float32, copy=False)
        if not np.isfinite(found).all():
            raise UnreadableFile(f"{tensor.name!r} holds NaN or infinity; expected finite numbers.")
        return found.reshape(tensor.shape)


def check_places(tensors: Sequence[Tensor], size: int) -> None:
    """See that the arrays stand inside of a content of ``size`` bytes and do not overlap.

    Raises
    ------
    UnreadableFile
    """
    end = 0
    placed = [tensor for tensor in tensors if tensor.place and tensor.place[0] != tensor.place[1]]
    for tensor in sorted(placed, key=lambda tensor: tensor.place or (0, 0)):
        start, stop = tensor.place or (0, 0)
        if start < end:
            raise UnreadableFile("its arrays overlap.")
        if stop > size:
            raise UnreadableFile(
                f"it was cut off: {tensor.name!r} ends at byte {stop:,}, and it has {size:,}."
            )
        if stop - start != tensor.count * _size(tensor.dtype):
            raise UnreadableFile(f"the shape of {tensor.name!r} does not fit its place.")
        end = stop


def _size(dtype: str) -> int:
    """Bytes of one number."""
    if dtype == "bool":
        return 1
    return int(dtype.lstrip("abcdefghijklmnopqrstuvwxyz").partition("_")[0]) // 8
