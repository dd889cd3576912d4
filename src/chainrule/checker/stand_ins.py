"""Stand-ins for packages that only draw or show progress, and that change no number."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_DRAWING = ("matplotlib", "seaborn", "plotly", "tkinter", "pygame", "IPython", "turtle", "cv2")
_PROGRESS = ("tqdm", "progressbar", "alive_progress")


class Nothing:
    """Answers every call and attribute with itself, so that drawing code runs and draws nothing."""

    def __call__(self, *_: Any, **__: Any) -> Nothing:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Any:
        return iter((self, self))

    def __getitem__(self, _: Any) -> Nothing:
        return self

    def __setitem__(self, *_: Any) -> None:
        return

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: Any) -> None:
        return


class _StandIn(ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.__name__.partition(".")[0] in _PROGRESS:
            return _unchanged
        return Nothing()


def _unchanged(iterable: Any = (), *_: Any, **__: Any) -> Any:
    """Like ``tqdm(iterable)``: the same items, and no bar."""
    return range(iterable) if isinstance(iterable, int) else iterable


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the stand-ins before the packages."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in (*_DRAWING, *_PROGRESS):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is in it."""


def quiet_plots() -> None:
    """Forget packages that draw, should something have imported them already."""
    for name in list(sys.modules):
        if name.partition(".")[0] in (*_DRAWING, *_PROGRESS):
            del sys.modules[name]
