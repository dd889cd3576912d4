"""Weights that other frameworks have trained: scikit-learn, Keras and PyTorch.

``from_sklearn`` and ``from_keras`` make the whole network; ``load_weights`` fills one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.saving.weights.keras_network import from_keras
    from chainrule.saving.weights.load import load_weights
    from chainrule.saving.weights.sklearn_network import from_sklearn

__all__ = ["from_keras", "from_sklearn", "load_weights"]

# They need networks, so they load on use.
_FILES = {
    "from_keras": "keras_network",
    "from_sklearn": "sklearn_network",
    "load_weights": "load",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.saving.weights.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.saving.weights has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
