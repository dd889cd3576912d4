"""Writing a file so that it is there completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from chainrule.errors import InvalidSetting


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write under another name beside it, then rename: a crash leaves the old file or the new.

    Parameters
    ----------
    path : str or Path
        An existing file is replaced.
    content : bytes

    Returns
    -------
    Path

    Raises
    ------
    InvalidSetting
        When nothing can be written there; a file that was there before is as it was.
    """
    path = Path(path)
    beside = _beside(path)
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InvalidSetting(_cannot_write(path, error)) from error
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
    beside = _beside(path)
    try:
        beside.touch(exist_ok=False)
        beside.unlink()
    except OSError as error:
        raise InvalidSetting(_cannot_write(path, error)) from error
    return path


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")


def _cannot_write(path: Path, error: OSError) -> str:
    if not path.parent.exists():
        return f"{path} cannot be written: there is no folder {path.parent}. Make it first."
    return f"{path} cannot be written: {error.strerror or error}. Choose another place."
