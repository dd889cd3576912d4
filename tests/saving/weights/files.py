"""Files that Keras and PyTorch wrote, with what their models predicted, and files made by hand."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.layer import Array

KERAS = Path(__file__).parent.parent / "files" / "keras"
TORCH = Path(__file__).parent.parent / "files" / "torch"


def expected(folder: Path, name: str) -> tuple[Array, Array]:
    """Inputs of a model, and its predictions."""
    found = np.load(folder / f"{name}.npz")
    return found["x"], found["y"]


def channels_last(images: Array) -> Array:
    return np.moveaxis(images, 1, -1)


def raw(header: Any, numbers: bytes = b"") -> bytes:
    """A safetensors file with that header."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + numbers


def state_dict(path: Path, arrays: Mapping[str, Array]) -> Path:
    """Write arrays as safetensors does: sorted by name."""
    kinds = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64"}
    header, numbers = {}, b""
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        place = [len(numbers), len(numbers) + array.nbytes]
        shape = list(np.shape(arrays[name]))
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": shape, "data_offsets": place}
        numbers += array.tobytes()
    path.write_bytes(raw(header, numbers))
    return path


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng((seed, *shape)).normal(size=shape).astype(np.float32)
