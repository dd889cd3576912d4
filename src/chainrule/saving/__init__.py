"""Keeping a network: one file with its layers, settings and numbers, and nothing executable."""

import importlib
from typing import TYPE_CHECKING, Any

from chainrule.saving import onnx
from chainrule.saving.checkpoint import Checkpoint
from chainrule.saving.checkpoint_resume import resume
from chainrule.saving.model_file import SavedModel, load, save

if TYPE_CHECKING:
    from chainrule.saving.eject import to_python
    from chainrule.saving.onnx import from_onnx, to_onnx

__all__ = [
    "Checkpoint",
    "SavedModel",
    "from_onnx",
    "load",
    "resume",
    "save",
    "to_onnx",
    "to_python",
]


def __getattr__(name: str) -> Any:
    if name in ("from_onnx", "to_onnx"):  # which load every layer there is
        return getattr(onnx, name)
    if name == "to_python":  # and what explains layers
        return importlib.import_module("chainrule.saving.eject").to_python
    raise AttributeError(f"chainrule.saving has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
