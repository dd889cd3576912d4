"""What a model file is made of: a text, arrays, and a checksum over every byte.

The format is safetensors (https://huggingface.co/docs/safetensors): eight bytes that say how long
the header is, the header as JSON, then nothing but the numbers of the arrays, one after another.
So reading one cannot run code, and every tool that reads safetensors reads these files. The
header's metadata holds the text under ``"chainrule"`` and the checksum under ``"checksum"``:
BLAKE2b (RFC 7693) with 32 bytes, over the whole file with zeros in place of its own digits.

A file may have come from anywhere. Sizes are checked before memory is taken for them, and nothing
is given out before the checksum was found right.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.layer import Array
from chainrule.saving.json_text import MOST_PARTS, check_parts, count_parts, read_json

_TEXT, _CHECKSUM, _METADATA = "chainrule", "checksum", "__metadata__"
_DTYPES = {name: np.dtype(code) for name, code in (("F64", "<f8"), ("F32", "<f4"), ("I64", "<i8"))}
_NAMES = {(dtype.kind, dtype.itemsize): name for name, dtype in _DTYPES.items()}
_DIGEST_BYTES = 32
_NO_DIGITS = "0" * (2 * _DIGEST_BYTES)
_MOST_HEADER_BYTES = 4 * 2**20

_KINDS = {  # how files of other kinds begin that people take for models
    b"PK\x03\x04": "a zip archive, as .npz, .keras and PyTorch's files are",
    b"\x80": "a pickle, which is never opened here, because it can run code",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUM": "a NumPy array",
    b"\x1f\x8b": "compressed by gzip",
}


@dataclass(frozen=True)
class Container:
    """What was read.

    Attributes
    ----------
    text : str
    arrays : dict of str to ndarray
        Read-only, of float32, float64 or int64.
    is_checked : bool
        Whether the file had a checksum; without one, damage to a number can go unnoticed.
    """

    text: str
    arrays: dict[str, Array]
    is_checked: bool


def pieces(text: str, arrays: Mapping[str, Array]) -> list[bytes | memoryview]:
    """Return the content of a file, piece by piece, without copying the arrays.

    Raises
    ------
    InvalidSetting
        When the text is too long to be read back.
    """
    header: dict[str, Any] = {_METADATA: {_TEXT: text, _CHECKSUM: _NO_DIGITS}}
    numbers: list[bytes | memoryview] = []
    start = 0
    for name in sorted(arrays, key=lambda name: -arrays[name].itemsize):  # so all are aligned
        array = arrays[name]
        kind = _NAMES[array.dtype.kind, array.dtype.itemsize]
        little = np.ascontiguousarray(array, _DTYPES[kind])
        stop = start + little.nbytes
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, stop]}
        numbers.append(little.reshape(-1).view(np.uint8).data)
        start = stop
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    if len(encoded) > _MOST_HEADER_BYTES or count_parts(encoded) > MOST_PARTS:
        raise InvalidSetting(
            f"What belongs to this network is too much for a model file: {len(encoded):,} bytes of "
            f"JSON; expected at most {_MOST_HEADER_BYTES:,}, and at most {MOST_PARTS:,} parts. "
            "Keep less beside it (extra)."
        )
    encoded = len(encoded).to_bytes(8, "little") + encoded
    digits = _digest([encoded, *numbers])
    return [encoded.replace(_entry(_NO_DIGITS), _entry(digits)), *numbers]


def read(path: Path) -> Container:
    """Read a file and check it.

    Raises
    ------
    UnreadableFile
        Saying in one sentence what is wrong, without the path.
    """
    try:
        if not path.is_file():
            _refuse_path(path)
        with path.open("rb") as file:
            return _read(file)
    except RecursionError:
        raise UnreadableFile("its header is nested too deeply.") from None
    except UnreadableFile:
        raise
    except OSError as error:
        raise UnreadableFile(f"it cannot be read: {error.strerror or error}.") from error


def _refuse_path(path: Path) -> NoReturn:
    if path.is_dir():
        raise UnreadableFile("it is a folder; expected a model file.")
    raise UnreadableFile("it is no regular file.")


def _read(file: IO[bytes]) -> Container:
    size = os.fstat(file.fileno()).st_size
    first = file.read(8)
    length = int.from_bytes(first, "little")
    if len(first) < 8 or length > min(_MOST_HEADER_BYTES, size - 8):
        kind = next((kind for start, kind in _KINDS.items() if first.startswith(start)), "")
        raise UnreadableFile(
            f"it is {kind}." if kind else "it is not a model file, or one that was cut off."
        )
    encoded = file.read(length)
    text, digits, places = _header(encoded)
    _check_places(places, size - 8 - length)
    numbers = file.read(size - 8 - length)
    if len(numbers) != size - 8 - length or file.read(1):
        raise UnreadableFile("it was changed while it was read.")
    if digits is not None:
        _check_digest(first + encoded, numbers, digits)
    arrays = {
        name: np.frombuffer(numbers, dtype, math.prod(shape), start).reshape(shape)
        for name, (dtype, shape, start, _) in places.items()
    }
    return Container(text, arrays, digits is not None)


_Place = tuple[np.dtype[Any], tuple[int, ...], int, int]  # dtype, shape, start, stop


def _header(encoded: bytes) -> tuple[str, str | None, dict[str, _Place]]:
    """Text, checksum and the place of each array."""
    check_parts(encoded, "its header")
    try:
        header = read_json(encoded)
        if not isinstance(header, dict):
            raise UnreadableFile("it is not a model file: its header is no JSON object.")
        metadata = header.pop(_METADATA, {})
        text, digits = metadata.get(_TEXT), metadata.get(_CHECKSUM)
        places = {name: _place(entry) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableFile(
            f"it is not a model file, or a damaged one ({_short(error)})."
        ) from error
    if not isinstance(text, str) or not isinstance(digits, str | None):
        raise UnreadableFile(
            "it is a safetensors file, but chainrule did not write it: it does not say how the "
            "network is built."
        )
    return text, digits, places


def _place(entry: Any) -> _Place:
    dtype, shape, (start, stop) = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list) or len(shape) > 32 or len(entry) != 3:
        raise ValueError("an array is described wrongly")
    for number in (*shape, start, stop):
        if type(number) is not int or not 0 <= number < 2**63:
            raise ValueError("a size is not a whole number from 0 to 2^63 - 1")
    if stop - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("the shape of an array does not fit its place")
    return dtype, tuple(shape), start, stop


def _check_places(places: dict[str, _Place], size: int) -> None:
    """See that the arrays fill the file, one after another, without overlap or gap."""
    end = 0
    for _, _, start, stop in sorted(places.values(), key=lambda place: place[2:]):
        if start != end:
            raise UnreadableFile("its arrays overlap, or there are gaps between them.")
        end = stop
    if end != size:
        what = "was cut off" if end > size else "goes on after its end"
        raise UnreadableFile(f"it {what}: its arrays take {end:,} bytes, and it has {size:,}.")


def _check_digest(start: bytes, numbers: bytes, digits: str) -> None:
    entry = _entry(digits)
    if len(digits) != len(_NO_DIGITS) or start.count(entry) != 1:
        raise UnreadableFile("its checksum is damaged.")
    if _digest([start.replace(entry, _entry(_NO_DIGITS)), numbers]) != digits:
        raise UnreadableFile("it is damaged: its content does not fit its checksum.")


def _entry(digits: str) -> bytes:
    """How the checksum stands in the header; quotes inside of texts have a backslash."""
    return f'"{_CHECKSUM}":"{digits}"'.encode()


def _digest(content: list[bytes | memoryview]) -> str:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
