"""The reference engine: through the layers forwards, and back again.

These two loops are all there is to running a network. The engine adds one thing that layers need
not know: it gathers each ``d_name`` from the traces into one flat vector of gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.errors import BackpropBeforeFeedforward, InvalidShape
from chainrule.layer import Array, Layer, Trace
from chainrule.parameters import ParameterVector

_FILLED_BY = {
    "output": "feedforward(x, trace)",
    "d_output": "backprop(y, trace)",
    "loss": "backprop(y, trace)",
    "gradients": "backprop(y, trace)",
    "d_x": "backprop(y, trace)",
}


class NetworkTrace:
    """What one pass leaves behind in a whole network.

    Made by ``NeuralNetwork.new_trace()``, filled by ``feedforward`` and then by ``backprop``.

    Attributes
    ----------
    layers : list of Trace
        One for each *position*, so that a layer used twice has two.
    output : ndarray
        ŷ, after ``feedforward``.
    loss : float
        After ``backprop``.
    d_output : ndarray
        ∂loss/∂ŷ, after ``backprop``.
    gradients : ndarray (count,)
        ∂loss/∂parameter for all parameters in one vector, after ``backprop``.
    d_x : ndarray or None
        ∂loss/∂x, how the loss answers to the data themselves, after ``backprop``; None where
        the first layer's ``needs_d_x`` is False.

    Examples
    --------
    ``trace["layer 1"].z`` is the weighted sum in the first layer, ``trace[0]`` the same trace.
    """

    output: Array
    d_output: Array
    d_x: Array | None
    loss: float
    gradients: Array

    def __init__(self, layers: int) -> None:
        self.layers = [Trace() for _ in range(layers)]
        # The engine fills in each layer from last to first, its trace, and where gradients go.
        self.way_back: list[tuple[Layer, Trace, list[tuple[str, Array, bool]]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in _FILLED_BY:
            raise AttributeError(f"A NetworkTrace has no {name!r}.")
        raise BackpropBeforeFeedforward(
            f"This trace holds no {name!r} yet. Run net.{_FILLED_BY[name]} with it first."
        )

    def __getitem__(self, position: str | int) -> Trace:
        names = [f"layer {number}" for number in range(1, len(self.layers) + 1)]
        try:
            return self.layers[names.index(position) if isinstance(position, str) else position]
        except (ValueError, IndexError):
            raise KeyError(
                f"The trace has no {position!r}; it has {', '.join(map(repr, names))}."
            ) from None

    def __iter__(self) -> Iterator[Trace]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def tensors(self) -> Iterator[tuple[str, str, Any]]:
        """Layer, name and value of everything in the trace, in the order it was computed."""
        for forwards in (True, False):
            order = enumerate(self.layers, start=1)
            for number, trace in order if forwards else reversed(list(order)):
                for name, value in trace.fields().items():
                    if name.startswith("d_") is not forwards:
                        yield f"layer {number}", name, value


class ReferenceEngine:
    """Runs layers with NumPy.

    Parameters
    ----------
    layers : sequence of Layer
    parameters : ParameterVector
        Where their parameters stand.
    """

    def __init__(self, layers: Sequence[Layer], parameters: ParameterVector) -> None:
        self.layers = list(layers)
        self.parameters = parameters

    def _gradients_of(self, position: int) -> Iterator[tuple[str, int, bool]]:
        """For each parameter used there: gradient's name, slot, and whether it comes first.

        Backprop runs from the last position to the first, so the first gradient of a shared
        parameter is the one from its highest position.
        """
        for index, slot in enumerate(self.parameters.slots):
            users = [
                number
                for number, layer in enumerate(self.layers)
                if slot.owner is layer or slot.owner is layer.activation
            ]
            if position in users:
                yield "d_" + slot.name, index, position == users[-1]

    def feedforward(self, x: Array, trace: NetworkTrace) -> Array:
        """X (batch, ...) -> ŷ (batch, ...): each layer's output is the next one's input."""
        for layer, layer_trace in zip(self.layers, trace.layers, strict=True):
            x = layer.feedforward(x, layer_trace)
        trace.output = x
        return x

    def backprop(self, d_output: Array, trace: NetworkTrace) -> Array | None:
        """∂loss/∂ŷ -> ∂loss/∂x, from the last layer to the first, gathering all gradients."""
        if not trace.way_back:
            self._prepare(trace)
        trace.d_output = d = d_output
        for layer, layer_trace, gradients in trace.way_back:
            d = layer.backprop(d, layer_trace)  # type: ignore[assignment]  # None only at the end
            for name, into, is_first in gradients:
                gradient = getattr(layer_trace, name)
                if gradient.shape != into.shape:
                    raise InvalidShape(_wrong_gradient(layer, name, gradient, into))
                if not is_first:
                    into += gradient  # a layer used twice gets the sum of both its gradients
                elif gradient is not into:
                    into[...] = gradient
        trace.d_x = d
        return d

    def _prepare(self, trace: NetworkTrace) -> None:
        """Give a trace its vector of gradients, and note which ``d_name`` goes where in it."""
        trace.gradients = np.zeros_like(self.parameters.values)
        views = self.parameters.views(trace.gradients)
        for position in range(len(self.layers) - 1, -1, -1):
            gathered = [
                (name, views[index], is_first)
                for name, index, is_first in self._gradients_of(position)
            ]
            for name, view, is_first in gathered:
                if is_first:
                    trace.layers[position].reserve(name, view)
            trace.way_back.append((self.layers[position], trace.layers[position], gathered))


def _wrong_gradient(layer: Layer, name: str, gradient: Array, expected: Array) -> str:
    return (
        f"backprop of {layer!r} left {name} of shape {gradient.shape} in the trace; expected "
        f"{expected.shape}, the shape of {name.removeprefix('d_')}."
    )
