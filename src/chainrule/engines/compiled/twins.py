"""Which twin a layer has: layers load on use, and so do their twins."""

from __future__ import annotations

import importlib.util

from chainrule.activation import Activation
from chainrule.engines.compiled.activations import activation_twin
from chainrule.engines.compiled.plan import NoTwin, Plan
from chainrule.engines.compiled.twin import Twin
from chainrule.layer import Layer, Shape


def twin_of(layer: Layer, path: tuple[int, ...], input_shape: Shape, plan: Plan) -> Twin:
    """Return the twin of a layer.

    Raises
    ------
    NoTwin
        When it has none.
    """
    kind = type(layer)
    if isinstance(layer, Activation):  # also a user's own: it is compiled from its definition
        return activation_twin(layer, path, input_shape, plan)
    if kind not in Twin._known and kind.__module__.startswith("chainrule.layers."):
        file = kind.__module__.rpartition(".")[2]
        if importlib.util.find_spec(f"chainrule.engines.compiled.{file}") is not None:
            importlib.import_module(f"chainrule.engines.compiled.{file}")
    if kind not in Twin._known:
        raise NoTwin(f"{kind.__name__} has no compiled form")
    return Twin._known[kind](layer, path, input_shape, plan)
