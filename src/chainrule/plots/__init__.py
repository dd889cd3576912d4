"""Pictures. They draw plain numbers, or a network seen from outside; matplotlib loads on use.

Each function draws one picture into the ``axes`` it is given and returns them. Without ``axes`` it
makes a figure with pyplot, so notebooks show it and ``matplotlib.pyplot.show()`` opens it; where
there is no screen pyplot draws into memory. ``save`` writes a picture to a file.

In a thread, or in a program that runs for weeks, bring axes that pyplot does not keep:
``matplotlib.figure.Figure().subplots()``.
"""

from chainrule.plots.boundary import decision_boundary
from chainrule.plots.canvas import save
from chainrule.plots.classes import confusion
from chainrule.plots.diagram import network_diagram
from chainrule.plots.losses import loss_graph
from chainrule.plots.predictions import predictions_against_actual

__all__ = [
    "confusion",
    "decision_boundary",
    "loss_graph",
    "network_diagram",
    "predictions_against_actual",
    "save",
]
