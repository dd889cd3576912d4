"""Keras's two files: ``.weights.h5``, and ``.keras``, a zip archive with the former in it.

In a ``.keras`` file stand ``config.json`` (layers and settings), ``model.weights.h5`` and
``metadata.json``. Nothing is unpacked to the disk, imported or unpickled.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from chainrule.checks import shown
from chainrule.errors import UnreadableFile
from chainrule.saving.json_text import read_object
from chainrule.saving.weights.hdf5_file import SIGNATURE, read_hdf5
from chainrule.saving.weights.tensors import TensorFile

ZIP = b"PK\x03\x04"
_ENTRY = b"PK\x01\x02"  # stands before each name in the list of an archive's files
_MOST_ENTRIES = 1000
_MOST_CONFIG_BYTES = 4 * 2**20
_ROOM = 4 * 2**20  # that unpacked numbers may take beyond the file's own size


def read_keras(content: bytes) -> TensorFile:
    """Read a ``.keras`` file: its configuration, and the list of its arrays.

    Raises
    ------
    UnreadableFile
        Without the path.
    """
    if content.count(_ENTRY) > _MOST_ENTRIES:
        raise UnreadableFile(f"it is an archive of more than {_MOST_ENTRIES:,} files.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_names([entry.filename for entry in archive.infolist()])
            config = _unpacked(archive, "config.json", _MOST_CONFIG_BYTES)
            weights = _unpacked(archive, "model.weights.h5", len(content) + _ROOM)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"it is a damaged archive ({shown(str(error))}).") from error
    if not weights.startswith(SIGNATURE):
        raise UnreadableFile("the weights in it are no HDF5 file.")
    return replace(
        read_hdf5(weights), kind="keras", config=read_object(config, "config.json in it")
    )


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in name or "\\" in name or ":" in name:
            raise UnreadableFile(f"it holds a file called {shown(name)}, which leads out of it.")
        if names.count(name) > 1:
            raise UnreadableFile(f"it holds two files called {shown(name)}.")
    if "config.json" not in names or "model.weights.h5" not in names:
        told = shown(", ".join(names[:5])) if names else "nothing"
        hint = ""
        if any(name.endswith("data.pkl") for name in names):
            hint = " It is PyTorch's own file, a pickle; write model.state_dict() as safetensors."
        raise UnreadableFile(
            "it is an archive, but no .keras file: expected config.json and model.weights.h5 in "
            f"it, and it holds {told}.{hint}"
        )


def _unpacked(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a file of an archive, which may say that it is small and be large."""
    if archive.getinfo(name).file_size > most:
        raise UnreadableFile(
            f"{name} in it would have {archive.getinfo(name).file_size:,} bytes; expected at most "
            f"{most:,}."
        )
    with archive.open(name) as file:
        found = file.read(most + 1)
        if len(found) > most or file.read(1):
            raise UnreadableFile(f"{name} in it is larger than it says.")
        return found
