"""Reading an ONNX file: its bytes, its arrays, and arrays that stand in files beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from chainrule.errors import UnreadableFile, optional_package
from chainrule.layer import Array
from chainrule.saving.content import read_content
from chainrule.saving.onnx.graph import MOST_BYTES
from chainrule.saving.onnx.wire import check_memory

# Of onnx.TensorProto; the field that holds the numbers where they are not raw bytes.
_DTYPES = {
    1: ("<f4", "float_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("|b1", "int32_data"),
    11: ("<f8", "double_data"),
}
_EXTERNAL = 1
_MOST_AXES = 32
_MOST_NUMBERS = 2**40  # that NumPy is asked to count, also where one of the axes has none


def read_model(path: Path) -> Any:
    """Read the bytes and parse them, as an ``onnx.ModelProto``.

    Raises
    ------
    UnreadableFile
    """
    content = read_content(path, MOST_BYTES)
    onnx = optional_package("onnx", "Reading an ONNX file", "onnx")
    protobuf = optional_package("google.protobuf.message", "Reading an ONNX file", "onnx")
    check_memory(content, onnx.ModelProto.DESCRIPTOR)
    try:
        return onnx.ModelProto.FromString(content)
    except protobuf.DecodeError as error:
        raise UnreadableFile("it is not an ONNX file, or a damaged one.") from error


class Arrays(Mapping[str, Array]):
    """The constants of a graph by name, each turned into an array when it is asked for.

    Parameters
    ----------
    tensors : list of onnx.TensorProto
    folder : Path
        Where the file stands; arrays outside of it may lie here or below.
    """

    def __init__(self, tensors: Any, folder: Path) -> None:
        self._tensors = {tensor.name: tensor for tensor in tensors}
        self._folder = folder
        self._arrays: dict[str, Array] = {}
        self._read = self._made = 0

    def __getitem__(self, name: str) -> Array:
        if name not in self._arrays:
            self._arrays[name] = array_of(self._tensors[name], self._folder)
            self._read += self._arrays[name].nbytes
        return self._arrays[name]

    @property
    def allowed(self) -> int:
        """How many bytes may be made of what was read: more is no network, but an attack."""
        return 2 * self._read + 32_000_000

    def __contains__(self, name: object) -> bool:  # without turning it into an array
        return name in self._arrays or name in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter({**self._tensors, **self._arrays})

    def __len__(self) -> int:
        return len({**self._tensors, **self._arrays})

    def keep(self, name: str, array: Array) -> None:
        """Add an array that follows from others.

        Raises
        ------
        UnreadableFile
            When there are too many.
        """
        self._made += array.nbytes
        if self._made > self.allowed:
            raise UnreadableFile("its constants would become many times as large as they are.")
        self._arrays[name] = array


def array_of(tensor: Any, folder: Path) -> Array:
    """Turn an ``onnx.TensorProto`` into an array, once its sizes are known to fit.

    Raises
    ------
    UnreadableFile
    """
    name, shape = tensor.name, tuple(tensor.dims)
    if tensor.data_type not in _DTYPES:
        raise UnreadableFile(
            f"the constant {name!r} holds numbers of ONNX's type {tensor.data_type}; expected "
            "float32, float64, or whole numbers. Save the model in float32."
        )
    most = math.prod(max(size, 1) for size in shape)
    fits = len(shape) <= _MOST_AXES and most <= _MOST_NUMBERS
    if min(shape, default=0) < 0 or tensor.HasField("segment") or not fits:
        raise UnreadableFile(f"the constant {name!r} has a shape {shape} or parts that do not fit.")
    dtype, field = _DTYPES[tensor.data_type]
    count, size = math.prod(shape), np.dtype(dtype).itemsize
    if tensor.data_location == _EXTERNAL:
        return _external(tensor, folder, dtype, count).reshape(shape)
    if tensor.HasField("raw_data"):
        found = len(tensor.raw_data) / size
        _check_count(name, shape, count, found)
        return np.frombuffer(tensor.raw_data, dtype).reshape(shape)
    numbers = getattr(tensor, field)
    _check_count(name, shape, count, len(numbers))
    return np.array(numbers, dtype).reshape(shape)


def _check_count(name: str, shape: tuple[int, ...], count: int, found: float) -> None:
    if count != found:
        raise UnreadableFile(
            f"the constant {name!r} should have the shape {shape}, {count} numbers, and holds "
            f"{found:g}."
        )


def _external(tensor: Any, folder: Path, dtype: str, count: int) -> Array:
    """Read an array from a file beside the model, which must be in the model's folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    try:
        return _array_beside(tensor.name, entries, folder, dtype, count)
    except UnreadableFile:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # also of names that no file can have
        raise UnreadableFile(
            f"the constant {tensor.name!r} stands in {location!r}, which cannot be read ({error})."
        ) from error


def _array_beside(
    name: str, entries: Mapping[str, str], folder: Path, dtype: str, count: int
) -> Array:
    location = entries.get("location", "")
    parts = (*PurePosixPath(location).parts, *PureWindowsPath(location).parts)
    leaves = ".." in parts or PurePosixPath(location).is_absolute() or ":" in location
    path = (folder / location).resolve()
    if not location or leaves or "\\" in location or not path.is_relative_to(folder.resolve()):
        raise UnreadableFile(
            f"the constant {name!r} stands in {location!r}, outside of the model's folder; such "
            "files are not opened."
        )
    start, length = int(entries.get("offset", "0")), entries.get("length")
    if not path.is_file():
        raise UnreadableFile(
            f"the constant {name!r} should stand in {location!r} beside the model, and there is no "
            "such file. Copy it there."
        )
    size = path.stat().st_size
    needed = count * np.dtype(dtype).itemsize
    if (length is not None and int(length) != needed) or start < 0 or start + needed > size:
        raise UnreadableFile(
            f"the constant {name!r} takes {needed:,} bytes; {location!r} should hold them from "
            f"byte {start:,} on and has {size:,}."
        )
    return np.fromfile(path, dtype, count, offset=start)
