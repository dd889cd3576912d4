"""Networks out as ONNX files and in from them.

``to_onnx`` and ``from_onnx``; ``export_classifier`` and ``export_regressor`` for files with the
inputs and outputs of scikit-learn's estimators; ``export_table`` and ``export_images`` for networks
with what prepares their data; and for layers of your own ``Onnx``, which says how one is written.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.saving.onnx.export import to_onnx
    from chainrule.saving.onnx.export_estimator import export_classifier, export_regressor
    from chainrule.saving.onnx.export_trained import export_images, export_table
    from chainrule.saving.onnx.load import from_onnx
    from chainrule.saving.onnx.writer import Onnx

__all__ = [
    "Onnx",
    "export_classifier",
    "export_images",
    "export_regressor",
    "export_table",
    "from_onnx",
    "to_onnx",
]

# They need every layer there is, so they load on use.
_FILES = {
    "Onnx": "writer",
    "export_classifier": "export_estimator",
    "export_images": "export_trained",
    "export_regressor": "export_estimator",
    "export_table": "export_trained",
    "from_onnx": "load",
    "to_onnx": "export",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.saving.onnx.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.saving.onnx has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
