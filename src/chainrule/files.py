"""Writing a file so that it is there completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from chainrule.errors import InvalidSetting

try:
    import fcntl
except ImportError:  # on Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]  # asked for before each use

_UNFINISHED = ".chainrule-unfinished"


def write_atomically(path: str | Path, content: bytes | Sequence[bytes | memoryview]) -> Path:
    """Write under another name in the same folder, then rename: a crash leaves old or new.

    The content is on the disk before the file gets its name, and the name before this returns. What
    other processes left unfinished in the folder when they were killed is removed.

    Parameters
    ----------
    path : str or Path
        An existing file is replaced.
    content : bytes, or sequence of bytes and memoryviews
        Pieces are written one after another.

    Returns
    -------
    Path

    Raises
    ------
    InvalidSetting
        When nothing can be written there; a file that was there before is as it was.
    """
    path = Path(path)
    pieces = [content] if isinstance(content, bytes) else content
    beside: Path | None = None
    try:
        _remove_unfinished(path.parent)
        beside, file = _open_beside(path)
        with file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                beside.replace(path)  # while the lock tells others that it is in use
        if fcntl is None:
            beside.replace(path)
        beside = None
        _flush_folder(path.parent)
    except OSError as error:
        raise InvalidSetting(_cannot_write(path, error)) from error
    finally:
        if beside is not None:  # something went wrong, or Ctrl-C
            with suppress(OSError):
                beside.unlink(missing_ok=True)
    return path


def check_writable(path: str | Path, *, suffixes: Collection[str] = ()) -> Path:
    """Find out before long work whether its result can be written there.

    Parameters
    ----------
    path : str or Path
    suffixes : collection of str
        How the name may end, as ``(".png", ".svg")``; anyhow, where there are none.

    Raises
    ------
    InvalidSetting
        When not, saying why.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise InvalidSetting(
            f"{path} cannot be written: expected a name that ends in {' or '.join(suffixes)}."
        )
    if path.is_dir():
        raise InvalidSetting(f"{path} is a folder; expected the name of a file to write.")
    try:
        beside, file = _open_beside(path)
        file.close()
        beside.unlink()
    except OSError as error:
        raise InvalidSetting(_cannot_write(path, error)) from error
    return path


def _open_beside(path: Path) -> tuple[Path, IO[bytes]]:
    """Open a new file in the same folder, locked for as long as it is open."""
    while True:
        beside = path.with_name(f".{os.urandom(8).hex()}{_UNFINISHED}")
        file = beside.open("xb")
        if fcntl is None:
            return beside, file
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if beside.exists():  # nobody took it for a dead one before it was locked
            return beside, file
        file.close()


def _remove_unfinished(folder: Path) -> None:
    """Remove files that were never finished and that no process holds open any more."""
    with os.scandir(folder) as entries:
        found = [folder / entry.name for entry in entries if entry.name.endswith(_UNFINISHED)]
    for path in found:
        with suppress(OSError):  # gone already, or still in use
            if fcntl is None:
                path.unlink()
                continue
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _flush_folder(folder: Path) -> None:
    """Let the disk know the new name too; not every system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> str:
    if not path.parent.exists():
        return f"{path} cannot be written: there is no folder {path.parent}. Make it first."
    return f"{path} cannot be written: {error.strerror or error}. Choose another place."
