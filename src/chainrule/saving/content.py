"""Files that come from elsewhere, read as a whole."""

from __future__ import annotations

from pathlib import Path

from chainrule.errors import UnreadableFile


def read_content(path: Path, most: int) -> bytes:
    """Read a whole file.

    Parameters
    ----------
    path : Path
    most : int
        Bytes that it may have.

    Raises
    ------
    UnreadableFile
        Without the path: when it is absent, no regular file, too large, or cannot be opened.
    """
    if not path.exists():
        raise UnreadableFile("there is no such file.")
    if not path.is_file():
        raise UnreadableFile("it is a folder or a device; expected a file.")
    size = path.stat().st_size
    if size > most:
        raise UnreadableFile(f"it has {size:,} bytes; expected at most {most:,}.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"it cannot be opened ({error.strerror or error}).") from error
