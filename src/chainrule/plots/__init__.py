"""Pictures. They draw plain numbers, or a network seen from outside; matplotlib loads on use.

Each function draws one picture into the ``axes`` it is given and returns them. Without ``axes`` it
makes a figure with pyplot, so notebooks show it and ``matplotlib.pyplot.show()`` opens it; where
there is no screen pyplot draws into memory. ``save`` writes a picture to a file. Pictures of many
images are mosaics in one axes too: what they show is its ``axes.images``, in reading order.

In a thread, or in a program that runs for weeks, bring axes that pyplot does not keep:
``matplotlib.figure.Figure().subplots()``.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.plots.activity import feature_maps
    from chainrule.plots.boundary import decision_boundary
    from chainrule.plots.canvas import save
    from chainrule.plots.classes import confusion
    from chainrule.plots.diagram import network_diagram
    from chainrule.plots.filters import kernels
    from chainrule.plots.images import mistakes
    from chainrule.plots.importance import occlusion, saliency
    from chainrule.plots.landscape import loss_landscape
    from chainrule.plots.losses import loss_curves, loss_graph
    from chainrule.plots.predictions import predictions_against_actual
    from chainrule.plots.step import step_graph

__all__ = [
    "confusion",
    "decision_boundary",
    "feature_maps",
    "kernels",
    "loss_curves",
    "loss_graph",
    "loss_landscape",
    "mistakes",
    "network_diagram",
    "occlusion",
    "predictions_against_actual",
    "saliency",
    "save",
    "step_graph",
]

# Every network imports this package for History.plot, and most never draw: a file loads on use.
_FILES = {
    "confusion": "classes",
    "decision_boundary": "boundary",
    "feature_maps": "activity",
    "kernels": "filters",
    "loss_curves": "losses",
    "loss_graph": "losses",
    "loss_landscape": "landscape",
    "mistakes": "images",
    "network_diagram": "diagram",
    "occlusion": "importance",
    "predictions_against_actual": "predictions",
    "saliency": "importance",
    "save": "canvas",
    "step_graph": "step",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.plots.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.plots has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
