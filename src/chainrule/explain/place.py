"""One position of the network in one step: its layer and the equations between its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.activation import Activation
from chainrule.explain import elements
from chainrule.explain.expression import Expression, Index, Name
from chainrule.explain.reading import read
from chainrule.layer import Array, Layer, Shape, Trace


class Place:
    """A layer at one position.

    Parameters
    ----------
    layout : Layout
        What this is part of. Where arrays are asked for it has to be a ``Step``.
    path : tuple of int
        (3,) is the fourth layer, (3, 0) the first inside it.
    layer : Layer
    trace : Trace
        Of this position.
    input_shape : tuple of int
        Of one sample.

    Attributes
    ----------
    input, output : str
        What the layer calls what it receives and what it gives: x and a, for ``Dense``.
    equations : dict of str to Expression
        By name of the array, in the order of computation; empty for a layer that gives none.
    """

    def __init__(
        self, layout: Any, path: tuple[int, ...], layer: Layer, trace: Trace, input_shape: Shape
    ) -> None:
        self.layout = layout
        self.path = path
        self.layer = layer
        self.trace = trace
        self.input_shape = input_shape
        self._found: dict[str, tuple[Name, int | None, frozenset[int]]] = {}
        self.input = "z" if isinstance(layer, Activation) else "x"
        found = equations_of(layer, trace.training)
        self.equations = {name: read(text, path) for name, text in found.items()}
        if layer.activation is not None or isinstance(layer, Activation):
            self.output = "a"
        else:
            forward = [name for name in found if not name.startswith("d_")]
            self.output = forward[-1] if forward else "y"

    @property
    def number(self) -> str:
        """``"3.1"`` for path (2, 0), as people count layers."""
        return ".".join(str(number + 1) for number in self.path)

    @property
    def title(self) -> str:
        """``"Layer 3.1: Dense(4)"``."""
        return f"Layer {self.number}: {self.layer!r}"

    @property
    def is_explained(self) -> bool:
        """Whether the layer says how its numbers come about; its activation alone may."""
        return {self.output, f"d_{self.input}"} <= set(self.equations)

    def element(self, field: str, index: Index) -> Name:
        """Name of one number of an array, or of a setting, as the whole network knows it.

        Axes along which the array is constant (of length 1, or missing in front) are dropped.
        """
        name, sizes, constant = self._known(field)
        if sizes is None:
            return name  # a setting: one number for all
        index = index[len(index) - sizes :]
        if constant:
            index = tuple(0 if axis in constant else i for axis, i in enumerate(index))
        return Name(name.path, name.field, index)

    def _known(self, field: str) -> tuple[Name, int | None, frozenset[int]]:
        """Name of an array, the number of its axes, and those of length 1; looked up once."""
        found = self._found.get(field)
        if found is None:
            name = self.layout.resolve(self.path, field)
            array = self.layout.arrays.get((name.path, name.field))
            if array is None:
                found = name, None, frozenset[int]()
            else:
                ones = (axis for axis, size in enumerate(array.shape) if size == 1)
                found = name, array.ndim, frozenset(ones)
            self._found[field] = found
        return found

    def array(self, field: str) -> Array:
        """Return the numbers of an array of this layer."""
        name = self.layout.resolve(self.path, field)
        return self.layout.arrays[name.path, name.field]

    def shape(self, field: str) -> Shape:
        """Shape of an array, () of a setting."""
        name = self.layout.resolve(self.path, field)
        found = self.layout.arrays.get((name.path, name.field))
        return () if found is None else found.shape

    def shape_of(self, expression: Expression) -> Shape:
        """Shape of what an expression between arrays gives."""
        return elements.shape(expression, self)

    def equation_of(self, field: str, index: Index) -> Expression | None:
        """Expression of one number of an array that this layer computes."""
        if field not in self.equations:
            return None
        return elements.element(self.equations[field], index, self)

    def setting(self, field: str) -> float | None:
        """Return the number that a setting, or a count, stands for."""
        shape = self.shape(self.input)
        counts = {
            "n": float(np.prod(shape[:-1])),  # numbers of one channel in the batch
            "positions": float(np.prod(shape[1:-1])),
        }
        if field in counts:
            return counts[field]
        for owner in (self.layer, self.layer.activation):
            value = getattr(owner, field, None)
            if isinstance(value, int | float):
                return float(value)
        return None


def equations_of(layer: Layer, training: bool) -> dict[str, str]:
    """Equations of a layer with those of its activation; only where they are its own.

    A class that brings another ``feedforward`` or ``backprop`` than its base, but not other
    equations, would be explained by what it does not do. Such a layer has none.
    """
    own = layer.equations(training) if _says_what_it_does(layer) else {}
    activation = layer.activation
    if activation is None:
        return own
    of_activation = activation.equations(training) if _says_what_it_does(activation) else {}
    forward = {name: text for name, text in own.items() if not name.startswith("d_")}
    return forward | of_activation | own


def _says_what_it_does(layer: Layer) -> bool:
    kinds = type(layer).__mro__
    passes = {"feedforward", "backprop"}
    if isinstance(layer, Activation):
        passes |= {"value", "derivative"}
    changed = next((place for place, kind in enumerate(kinds) if passes & set(vars(kind))), 0)
    told = {"equations", "formula", "derivative_formula"}
    return any(told & set(vars(kind)) for kind in kinds[: changed + 1])
