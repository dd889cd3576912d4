"""What is wrong with a training, found in its numbers: ``diagnose(network, x, y)``.

Each condition is a ``Symptom``: one class that looks at the ``Evidence`` and says nothing when all
is well. Adding one is one class in one file, listed in ``_FILES`` here if it comes with chainrule;
one of your own is looked for from the moment it is defined.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.diagnosis.callback import Diagnose
    from chainrule.diagnosis.evidence import Evidence
    from chainrule.diagnosis.report import Diagnosis, diagnose
    from chainrule.diagnosis.symptom import Finding, Symptom

__all__ = ["Diagnose", "Diagnosis", "Evidence", "Finding", "Symptom", "diagnose"]

_NAMES = {
    "Diagnose": "callback",
    "Diagnosis": "report",
    "Evidence": "evidence",
    "Finding": "symptom",
    "Symptom": "symptom",
    "diagnose": "report",
}

# What can be wrong, in the order of looking: the data, the network, its gradients, its training.
_FILES = ("inputs", "targets", "leakage", "outputs", "symmetry", "units", "gradients", "steps",
          "overfitting")  # fmt: skip


def load_all() -> None:
    """Import every symptom, so that all are looked for."""
    for file in _FILES:
        importlib.import_module(f"chainrule.diagnosis.{file}")


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"chainrule.diagnosis.{_NAMES[name]}"), name)
    raise AttributeError(f"chainrule.diagnosis has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
