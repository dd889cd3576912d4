"""Reading HDF5 files, as Keras writes weights: h5py says where the numbers stand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from chainrule.checks import shown
from chainrule.errors import UnreadableFile, optional_package
from chainrule.saving.weights.tensors import Tensor, TensorFile, check_places

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SECONDS = 20  # a whole model takes less than one; a busy computer may take longer
_LISTING = Path(__file__).with_name("hdf5_listing.py")


def read_hdf5(content: bytes) -> TensorFile:
    """List the arrays of a file.

    Raises
    ------
    UnreadableFile
        Without the path.
    MissingPackage
        When h5py is not installed.
    """
    optional_package("h5py", "Reading weights of Keras", "keras")
    answer = _answer(content)
    if "refused" in answer:
        raise UnreadableFile(answer["refused"])
    if "damaged" in answer:
        raise UnreadableFile(f"it is no HDF5 file, or a damaged one ({shown(answer['damaged'])}).")
    names = {path: name for path, name in answer["names"].items() if isinstance(name, str)}
    tensors = [_tensor(*entry) for entry in answer["tensors"]]
    check_places(tensors, len(content))
    return TensorFile("hdf5", content, tuple(tensors), layer_names=names)


def _answer(content: bytes) -> dict[str, Any]:
    """What ``hdf5_listing`` answers, run in a process of its own."""
    command = [sys.executable, "-P", "-W", "ignore", str(_LISTING)]
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            command, input=content, capture_output=True, timeout=SECONDS, check=False
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise UnreadableFile(
            f"it is damaged: HDF5's library was not done with it after {SECONDS} seconds."
        ) from None
    except ValueError:
        raise UnreadableFile("it is damaged: HDF5's library crashed on it.") from None


def _tensor(
    name: str, dtype: str, shape: list[int], place: list[int] | None, is_little: bool
) -> Tensor:
    where = None if place is None else (place[0], place[1])
    tensor = Tensor(name, dtype, tuple(shape), where, is_little)
    if where is not None and where[0] == where[1] and tensor.count:
        raise UnreadableFile(f"the shape of {shown(name)} does not fit its place.")
    return tensor
