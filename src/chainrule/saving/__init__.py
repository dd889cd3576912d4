"""Keeping a network: one file with its layers, settings and numbers, and nothing executable.

``save`` and ``load`` are for chainrule's own model files, ``Checkpoint`` and ``resume`` for
trainings that may be interrupted, ``to_onnx`` and ``from_onnx`` for files that other programs read
and write, ``to_python`` for source that needs NumPy alone. ``from_sklearn``, ``from_keras`` and
``load_weights`` bring in what other frameworks have trained.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.saving.checkpoint import Checkpoint
    from chainrule.saving.checkpoint_resume import resume
    from chainrule.saving.eject import to_python
    from chainrule.saving.model_file import SavedModel, load, load_network, save
    from chainrule.saving.onnx import from_onnx, to_onnx
    from chainrule.saving.weights import from_keras, from_sklearn, load_weights

__all__ = [
    "Checkpoint",
    "SavedModel",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "load",
    "load_network",
    "load_weights",
    "resume",
    "save",
    "to_onnx",
    "to_python",
]

# A network has methods that lead here, and what reads files needs networks: so files load on use.
_FILES = {
    "Checkpoint": "checkpoint",
    "SavedModel": "model_file",
    "from_keras": "weights",
    "from_onnx": "onnx",
    "from_sklearn": "weights",
    "load": "model_file",
    "load_network": "model_file",
    "load_weights": "weights",
    "resume": "checkpoint_resume",
    "save": "model_file",
    "to_onnx": "onnx",
    "to_python": "eject",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.saving.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.saving has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
