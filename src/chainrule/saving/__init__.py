"""Keeping a network: one file with its layers, settings and numbers, and nothing executable."""

from typing import TYPE_CHECKING, Any

from chainrule.saving import onnx
from chainrule.saving.model_file import SavedModel, load, save

if TYPE_CHECKING:
    from chainrule.saving.onnx import from_onnx, to_onnx

__all__ = ["SavedModel", "from_onnx", "load", "save", "to_onnx"]


def __getattr__(name: str) -> Any:
    if name in ("from_onnx", "to_onnx"):  # which load every layer there is
        return getattr(onnx, name)
    raise AttributeError(f"chainrule.saving has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
