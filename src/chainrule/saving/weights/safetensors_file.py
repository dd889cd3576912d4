"""Reading safetensors files that chainrule did not write, as PyTorch's state dicts in them.

The format (https://huggingface.co/docs/safetensors): eight bytes that say how long the header is,
the header as JSON, then the numbers of the arrays, one after another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.checks import shown
from chainrule.errors import UnreadableFile
from chainrule.saving.json_text import read_object
from chainrule.saving.weights.tensors import Tensor, TensorFile, check_places

_METADATA, _CHAINRULE = "__metadata__", "chainrule"
_MOST_HEADER_BYTES = 16 * 2**20
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def looks_like_safetensors(start: bytes, size: int) -> bool:
    """Whether a file of that size begins with the length of a header and a header."""
    length = int.from_bytes(start[:8], "little")
    return start[8:9] == b"{" and 2 <= length <= size - 8


def is_of_chainrule(path: Path) -> bool:
    """Whether a safetensors file is one of chainrule's own; damaged ones are not."""
    with path.open("rb") as file:
        length = min(int.from_bytes(file.read(8), "little"), _MOST_HEADER_BYTES)
        try:
            metadata = read_object(file.read(length), "its header").get(_METADATA)
        except (UnreadableFile, RecursionError):
            return False
    return isinstance(metadata, dict) and _CHAINRULE in metadata


def read_safetensors(content: bytes) -> TensorFile:
    """List the arrays of a file.

    Raises
    ------
    UnreadableFile
        Without the path.
    """
    length = int.from_bytes(content[:8], "little")
    if length > _MOST_HEADER_BYTES:
        raise UnreadableFile(f"its header has {length:,} bytes; expected at most 16 MB.")
    header = read_object(content[8 : 8 + length], "its header")
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict):
        raise UnreadableFile("its metadata are no JSON object.")
    if _CHAINRULE in metadata:
        raise UnreadableFile(
            "it is a model file of chainrule, with its network in it: read it by "
            "chainrule.load(path)."
        )
    tensors = [_tensor(name, entry, 8 + length) for name, entry in header.items()]
    check_places(tensors, len(content))
    return TensorFile("safetensors", content, tuple(tensors), metadata)


def _tensor(name: str, entry: Any, after_header: int) -> Tensor:
    """Take the description of one array, with its place in the whole file."""
    try:
        dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableFile(f"{shown(name)} is described wrongly ({error!r}).") from error
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise UnreadableFile(f"{shown(name)} holds numbers of an unknown type {shown(dtype)}.")
    sizes: list[Any] = shape if isinstance(shape, list) and len(shape) <= 32 else [None]
    if not all(type(size) is int and 0 <= size < 2**63 for size in (*sizes, start, stop)):
        raise UnreadableFile(f"{shown(name)} has sizes that are no whole numbers below 2^63.")
    if start > stop:
        raise UnreadableFile(f"{shown(name)} ends before it begins.")
    place = (after_header + start, after_header + stop)
    tensor = Tensor(name, _DTYPES[dtype], tuple(sizes), place)
    if start == stop and tensor.count:
        raise UnreadableFile(f"the shape of {shown(name)} does not fit its place.")
    return tensor
