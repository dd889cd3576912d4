"""Local derivatives of a layer that gives no equations: asked for, one output at a time.

By the chain rule the gradient of anything is Σ ∂L/∂y · ∂y/∂(it) over the outputs y of its layer,
whatever the layer is. Backprop from a derivative of one for a single output, and zero for all
others, gives every ∂y/∂(it) of that output.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from chainrule.explain.expression import Derivative, Expression, Index, Name, add, multiply
from chainrule.explain.place import Place
from chainrule.layer import Array

_MOST_OUTPUTS = 256  # each costs a backward pass of the layer


class Probing:
    """Gradients through one layer, as sums over its outputs.

    Parameters
    ----------
    place : Place
        Of a layer without equations.
    remember : callable
        Takes a local derivative and its value, so that formulas with it can be computed.
    """

    def __init__(self, place: Place, remember: Callable[[Derivative, float], None]) -> None:
        self.place = place
        self.remember = remember
        self._found: dict[Index, dict[str, Array]] = {}

    def equation_of(self, name: Name, field: str) -> Expression | None:
        """Expression of one number of a gradient; None where the layer has too many outputs.

        Parameters
        ----------
        name : Name
            Of the number, with its index.
        field : str
            What the layer calls it: ``"d_x"``, ``"d_factors"``.
        """
        place = self.place
        shape = place.shape(place.output)
        if name.index is None or np.prod(shape) > _MOST_OUTPUTS:
            return None
        by = Name(name.path, name.field.removeprefix("d_"), name.index)
        terms = []
        for index in np.ndindex(shape):
            value = float(self._back_from(index)[field][name.index])
            if value:
                local = Derivative(place.element(place.output, index), by)
                self.remember(local, value)
                terms.append(multiply(place.element(f"d_{place.output}", index), local))
        return add(terms)

    def _back_from(self, index: Index) -> dict[str, Array]:
        """Gradients of one output, by the layer's names for them."""
        if index not in self._found:
            place = self.place
            d = np.zeros_like(place.array(place.output))
            d[index] = 1
            trace = copy.copy(place.trace)
            d_x = place.layer.backprop(d, trace)
            fields = {f: np.array(a) for f, a in trace.fields().items() if f.startswith("d_")}
            self._found[index] = {**fields, f"d_{place.input}": np.array(d_x)}
        return self._found[index]
