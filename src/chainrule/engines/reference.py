"""The reference engine: through the layers forwards, and back again.

These two loops are all there is to running a network. The engine adds one thing that layers need
not know: it gathers each ``d_name`` from the traces into one flat vector of gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.errors import BackpropBeforeFeedforward, InvalidInput, InvalidShape
from chainrule.layer import Array, Layer, Pass, Trace
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

    def __init__(self, layers: int, seed: int = 0, belongs_to: object = None) -> None:
        self.belongs_to = belongs_to
        self.shared = Pass(seed=seed)
        self.layers = [Trace(self.shared, (position,)) for position in range(layers)]
        # The engine fills in each layer from last to first, its trace, and where gradients go.
        self.way_back: list[tuple[Layer, Trace, list[tuple[Trace, str, Array, bool]]]] = []

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
        except (ValueError, IndexError, TypeError):
            raise InvalidInput(
                f"The trace has no {position!r}; it has {', '.join(map(repr, names))}, also by "
                "number, from 0."
            ) from None

    def __iter__(self) -> Iterator[Trace]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def tensors(self) -> Iterator[tuple[str, str, Any]]:
        """Layer, name and value of everything in the trace, in the order it was computed."""
        forwards = list(enumerate(self.layers, start=1))
        for number, trace in forwards:
            for place, name, value in trace.tensors(f"layer {number}"):
                if not name.startswith("d_"):
                    yield place, name, value
        if "d_output" in vars(self):
            yield "loss", "d_output", self.d_output
        for number, trace in reversed(forwards):
            for place, name, value in trace.tensors(f"layer {number}"):
                if name.startswith("d_"):
                    yield place, name, value

    def at(self, path: tuple[int, ...]) -> Trace:
        """Return the trace at a position: (3,) is the fourth layer's, (3, 0) one inside it."""
        trace = self.layers[path[0]]
        for index in path[1:]:
            trace = trace.inner(index)
        return trace


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

        self._counting = [
            (position, layer)
            for position, layer in enumerate(self.layers)
            if type(layer).update_statistics is not Layer.update_statistics
        ]

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
            for at, name, into, is_first in gradients:
                gradient = getattr(at, name)
                if gradient.shape != into.shape:
                    raise InvalidShape(_wrong_gradient(layer, name, gradient, into))
                if not is_first:
                    into += gradient  # a layer used twice gets the sum of both its gradients
                elif gradient is not into:
                    into[...] = gradient
        trace.d_x = d
        return d

    def update_statistics(self, trace: NetworkTrace) -> None:
        """Let each layer that counts (batch normalization) count this pass."""
        for position, layer in self._counting:
            layer.update_statistics(trace.layers[position])

    def _prepare(self, trace: NetworkTrace) -> None:
        """Give a trace its vector of gradients, and note which ``d_name`` goes where in it."""
        trace.gradients = np.zeros_like(self.parameters.values)
        views = self.parameters.views(trace.gradients)
        for position in range(len(self.layers) - 1, -1, -1):
            gathered = []
            # Last use first, also inside a layer: its gradient is copied, the others are added.
            for use in reversed(self.parameters.uses):
                if use.path[0] != position:
                    continue
                name, view, at = (
                    "d_" + self.parameters.slots[use.slot].name,
                    views[use.slot],
                    trace.at(use.path),
                )
                # Backprop comes from the end, so the first gradient of a shared parameter is the
                # one from its last use. A shared one gets no room: the sum of all is no one's own.
                uses = [other for other in self.parameters.uses if other.slot == use.slot]
                if len(uses) == 1:
                    at.reserve(name, view)
                gathered.append((at, name, view, use is uses[-1]))
            trace.way_back.append((self.layers[position], trace.layers[position], gathered))


def _wrong_gradient(layer: Layer, name: str, gradient: Array, expected: Array) -> str:
    return (
        f"backprop of {layer!r} left {name} of shape {gradient.shape} in the trace; expected "
        f"{expected.shape}, the shape of {name.removeprefix('d_')}."
    )
