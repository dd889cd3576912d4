"""What the loss does when one number of the step moves a little: the check on every gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.explain.expression import Name
from chainrule.explain.layout import WHOLE
from chainrule.explain.step import Step
from chainrule.gradient_check import central_difference
from chainrule.layer import Array


class Differences:
    """Finite differences of the loss, on a float64 copy of the step's network.

    Parameters
    ----------
    step : Step
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.network = step.network.copy(dtype="float64")
        # Contiguous, like what is moved below: central_difference moves numbers through a view.
        self.x = np.array(step.arrays[WHOLE, "x"], dtype=np.float64, order="C")

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # the result tells
    def of(self, name: Name) -> float | None:
        """∂loss/∂(one number) by moving it both ways.

        Parameters
        ----------
        name : Name
            Of the number, with its index.

        Returns
        -------
        float or None
            None for what cannot be moved by itself: a number inside a layer, other than z, and
            the part that one place has in a shared parameter.
        """
        if (name.path, name.field) not in self.step.arrays:
            return None
        place = np.ravel_multi_index(name.index or (), self._shape(name)) if name.index else 0
        if (name.path, name.field) == (WHOLE, "x"):
            return central_difference(self.x, int(place), lambda: self._loss(self.x, 0))
        for slot in self.network.parameter_vector.slots:
            if (slot.path, slot.name) == (name.path, name.field):
                values = slot.view(self.network.parameters)
                return central_difference(values, int(place), lambda: self._loss(self.x, 0))
        return self._between_layers(name, int(place))

    def _shape(self, name: Name) -> tuple[int, ...]:
        return self.step.arrays[name.path, name.field].shape

    def _between_layers(self, name: Name, place: int) -> float | None:
        """Move what a layer gives, or its z, and go on from there."""
        last = len(self.network.layers) - 1
        path = (last,) if (name.path, name.field) == (WHOLE, "y_hat") else name.path
        if len(path) != 1:
            return None
        position = path[0]
        layer, trace = self.network.layers[position], self._new_trace()
        values = self._forwards(self.x, trace, 0, position + 1)
        finish: Callable[[Array], Array] | None = None
        if name.field == "z" and layer.activation is not None:
            values, finish = trace[position].z, layer.activation.value
        elif name.field not in (self.step.places[path].output, "y_hat"):
            return None
        moved = np.array(values, order="C")

        def loss() -> float:
            return self._loss(moved if finish is None else finish(moved), position + 1)

        return central_difference(moved, place, loss)

    def _loss(self, values: Array, position: int) -> float:
        """Loss of what stands before the layer at ``position``."""
        trace = self._new_trace()
        trace.output = self._forwards(values, trace, position, len(self.network.layers))
        samples = self.step.samples
        return float(self.network.measure(samples.y, trace, samples.weight))

    def _forwards(self, values: Array, trace: Any, start: int, stop: int) -> Array:
        for position in range(start, stop):
            values = self.network.layers[position].feedforward(values, trace[position])
        return values

    def _new_trace(self) -> Any:
        """Of a pass with the random numbers of the step."""
        trace = self.network.new_trace(training=self.step.shared.training)
        trace.shared.step = self.step.shared.step
        return trace
