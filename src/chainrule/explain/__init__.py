"""Explanations: every number of a training step with its formula, and the equations of a network.

``net.explain(x, y)`` and ``net.derivation()`` make them. What is in this package loads on use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation
    from chainrule.explain.explanation import Explanation, LayerExplanation
    from chainrule.explain.quantity import Quantity, Tensor

__all__ = ["Derivation", "Explanation", "LayerExplanation", "Quantity", "Tensor"]

_FILES = {
    "Derivation": "derivation",
    "Explanation": "explanation",
    "LayerExplanation": "explanation",
    "Quantity": "quantity",
    "Tensor": "quantity",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.explain.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.explain has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
