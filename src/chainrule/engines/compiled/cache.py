"""Where compiled code is kept between processes.

numba keeps machine code on disk and takes it again as long as the function's own file is the same.
The kernels are put together from several files, and a change in one must be noticed by all. So
here their stamp is a hash of the whole folder. The place is the user's cache folder, which can be
written to also where the package cannot; without one it is a folder for temporary files.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numba.core import caching

_FOLDER = Path(__file__).resolve().parent


@functools.cache
def stamp() -> str:
    """Hash of everything that compiled code is made from."""
    found = hashlib.sha256()
    for file in sorted(_FOLDER.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()


@functools.cache
def cache_folder() -> Path | None:
    """First folder that can be written to, or None."""
    for folder in _candidates():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _candidates() -> Iterator[Path]:
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(os.environ["NUMBA_CACHE_DIR"]) / "chainrule"
    if sys.platform == "win32":  # pragma: no cover
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":  # pragma: no cover
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    if base:
        yield Path(base) / "chainrule" / "compiled"
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    private = Path(tempfile.gettempdir()) / f"chainrule-compiled-{owner}"
    if not private.exists() or _is_ours(private):
        yield private


def _is_ours(folder: Path) -> bool:
    """Nobody else may have put code there for us to run."""
    if not hasattr(os, "getuid"):  # pragma: no cover
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    """Tells numba the place and the stamp of the functions in this folder."""

    def __init__(self, line: int) -> None:
        self.line = line

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return stamp()

    def get_disambiguator(self) -> str:
        return str(self.line)

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator | None:
        if Path(py_file).parent != _FOLDER or cache_folder() is None:
            return None
        return cls(py_func.__code__.co_firstlineno)


def use() -> bool:
    """Let numba ask here first; returns whether compiled code can be kept at all."""
    if _Locator not in caching.CacheImpl._locator_classes:
        caching.CacheImpl._locator_classes.insert(0, _Locator)
    return cache_folder() is not None
