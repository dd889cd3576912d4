"""Reading idx files, the format that MNIST and its relatives come in.

An idx file is one array: two bytes of zero, one byte for the kind of number, one for the number of
axes, the length of each axis in four bytes, then the numbers. Everything is big-endian.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from chainrule.errors import UnreadableFile
from chainrule.layer import Array, Shape

_KINDS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PIECE = 1 << 20


def read_idx(path: str | Path, *, memory_map: bool = False) -> Array:
    """Read the array in an idx file, packed with gzip or not.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.gz`` is unpacked.
    memory_map : bool, default False
        Leave the numbers in the file and read them as they are used, so that a file larger than
        memory can be trained on. Only for files that are not packed.

    Returns
    -------
    ndarray
        As the file says: ``train-images-idx3-ubyte`` gives uint8 (60000, 28, 28).

    Raises
    ------
    UnreadableFile
        When the file is absent, not an idx file, cut short, or longer than it says.
    """
    path = Path(path)
    packed = path.suffix == ".gz"
    if packed and memory_map:
        raise UnreadableFile(f"{path} is packed and cannot be mapped. Unpack it first: gunzip.")
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            kind, shape, start = _header(path, file)
            size = math.prod(shape) * kind.itemsize
            if memory_map:
                _check_size(path, path.stat().st_size - start, size)
                return np.memmap(path, kind, "r", offset=start, shape=shape)
            content = _read(file, size)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path} is damaged, or no gzip file ({error}).") from error
    except OSError as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    _check_size(path, len(content), size)
    numbers = np.frombuffer(content, kind).reshape(shape)
    return numbers.astype(kind.newbyteorder("="), copy=False)


def _header(path: Path, file: BinaryIO | gzip.GzipFile) -> tuple[np.dtype[Any], Shape, int]:
    """Kind of number, shape, and where the numbers begin."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _KINDS:
        raise UnreadableFile(
            f"{path} is not an idx file: it begins with {magic.hex(' ') or 'nothing'}; expected "
            "two bytes of zero, then the kind of number (08 for bytes)."
        )
    axes = magic[3]
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise UnreadableFile(f"{path} ends within its header of {4 + 4 * axes} bytes.")
    shape = tuple(int(length) for length in np.frombuffer(lengths, ">u4"))
    return np.dtype(_KINDS[magic[2]]), shape, 4 + 4 * axes


def _read(file: BinaryIO | gzip.GzipFile, size: int) -> bytearray:
    """Read the rest, at most a little more than ``size``, whatever the header claims."""
    content = bytearray()
    while len(content) <= size and (piece := file.read(_PIECE)):
        content += piece
    return content


def _check_size(path: Path, found: int, expected: int) -> None:
    if found != expected:
        what = f"only {found:,}" if found < expected else "more"
        raise UnreadableFile(
            f"{path} announces {expected:,} bytes of numbers and holds {what}. It was cut short or "
            "damaged; get it again."
        )
