"""Lists the arrays of an HDF5 file, in a process of its own: h5py's library is written in C, and
files are known that make it loop or crash. It reads no numbers; those are read by their places.

Runs as a script: the file's bytes come in, one object of JSON goes out. Imports nothing of ours, so
that it starts at once.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

MOST_OBJECTS = 50_000
MOST_DEPTH = 50


class Refused(Exception):
    """What is wrong, for the person who opens the file."""


def listing(content: bytes) -> dict[str, Any]:
    """Return each array's path, dtype, shape and place, and what layers are called."""
    import h5py  # here, because the parent has no use for it

    found: dict[str, Any] = {"tensors": [], "names": {}}
    met: set[int] = set()

    def walk(group: Any, path: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise Refused(f"its groups lie more than {MOST_DEPTH} deep.")
        for name in group:
            link = group.get(name, getlink=True)
            where = f"{path}/{name}" if path else name
            if not isinstance(link, h5py.HardLink):
                raise Refused(f"{where[:200]!r} links to another place or file; links are refused.")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in met:
                raise Refused(f"{where[:200]!r} stands at two places.")
            met.add(address)
            if len(met) > MOST_OBJECTS:
                raise Refused(f"it has more than {MOST_OBJECTS:,} groups and arrays.")
            if isinstance(item, h5py.Group):
                called = item.attrs.get("name")
                if isinstance(called, str):
                    found["names"][where] = called[:200]
                walk(item, where, depth + 1)
            elif isinstance(item, h5py.Dataset):
                found["tensors"].append(dataset(item, where))

    def dataset(item: Any, where: str) -> list[Any]:
        plan = item.id.get_create_plist()
        if plan.get_external_count():
            raise Refused(
                f"the numbers of {where[:200]!r} stand in another file, which is refused."
            )
        dtype = item.dtype
        name = dtype.name if dtype.kind in "fiub" else "other"
        if dtype.kind == "V" and dtype.itemsize == 2 and item.attrs.get("dtype") == "bfloat16":
            name = "bfloat16"  # how Keras stores it
        place = None
        offset, size = item.id.get_offset(), item.id.get_storage_size()
        if plan.get_layout() == h5py.h5d.CONTIGUOUS and name != "other":
            if offset is not None:
                place = [int(offset), int(offset) + int(size)]
            elif 0 in item.shape:
                place = [0, 0]
        return [where, name, list(item.shape or ()), place, dtype.byteorder != ">"]

    with h5py.File(io.BytesIO(content), "r") as file:
        walk(file, "", 0)
    return found


def answer(content: bytes) -> dict[str, Any]:
    """Return the listing, or what is wrong."""
    try:
        return listing(content)
    except Refused as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes h5py raise
        return {"damaged": " ".join(str(error).split())[:200]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))
