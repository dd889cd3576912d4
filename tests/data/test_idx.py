"""idx files: a header, then one array."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import read_idx
from chainrule.layer import Array

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: Array) -> bytes:
    """Write an array as the format's description says."""
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("packed", [False, True])
def test_it_comes_back_as_it_was(tmp_path: Path, dtype: str, packed: bool) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    path = tmp_path / ("a-idx3-ubyte.gz" if packed else "a-idx3-ubyte")
    path.write_bytes(gzip.compress(idx(array), mtime=0) if packed else idx(array))
    found = read_idx(path)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.dtype(dtype)
    assert found.dtype.isnative
    found[0, 0, 0] = 1  # it is the caller's own


def test_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255]))
    assert read_idx(str(path)).tolist() == [7, 0, 255]


def test_it_can_stay_in_the_file(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)
    path = tmp_path / "images"
    path.write_bytes(idx(array))
    found = read_idx(path, memory_map=True)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, array)
    assert not found.flags.writeable


WHOLE = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a", b"", "not an idx file: it begins with nothing"),
        ("a", b"\0\0\x08", "not an idx file: it begins with 00 00 08"),
        ("a", b"\x89PNG\r\n", "not an idx file: it begins with 89 50 4e 47"),
        ("a", b"\0\0\x07\x01", "not an idx file"),
        ("a", WHOLE[:10], "ends within its header of 16 bytes"),
        ("a", WHOLE[:-1], "announces 24 bytes of numbers and holds only 23"),
        ("a", WHOLE + b"x", "announces 24 bytes of numbers and holds more"),
        ("a.gz", WHOLE, "damaged, or no gzip file"),
        ("a.gz", gzip.compress(WHOLE, mtime=0)[:-9], "damaged, or no gzip file"),
        ("a.gz", gzip.compress(WHOLE[:-2], mtime=0), "holds only 22"),
    ],
)
def test_what_is_no_idx_file_is_told(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(cr.UnreadableFile, match=message) as told:
        read_idx(path)
    assert str(path) in str(told.value)


def test_a_header_that_claims_too_much_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1))
    for memory_map in (False, True):
        with pytest.raises(cr.UnreadableFile, match="holds only 0"):
            read_idx(path, memory_map=memory_map)


def test_a_packed_file_cannot_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(WHOLE))
    with pytest.raises(cr.UnreadableFile, match=r"packed and cannot be mapped. Unpack it first"):
        read_idx(path, memory_map=True)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(cr.UnreadableFile, match="nowhere cannot be read: No such file"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(cr.UnreadableFile, match="cannot be read: Is a directory"):
        read_idx(tmp_path)
