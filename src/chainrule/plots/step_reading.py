"""Reading a step: what stands in its boxes, and what flows between them.

A trace keeps what each layer needs for its own way back, which is not always what the picture
shows. So the pass is made once more, layer by layer, with traces of its own: the same random
numbers, hence the same dropout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.activation import Activation
from chainrule.errors import InvalidInput
from chainrule.layer import Array, Layer, Pass, Shape, Trace
from chainrule.layers.residual import Residual
from chainrule.plots.step_parts import Box, Flow, StepFlow, WayAround

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LETTERS = {
    "weights": "W",
    "bias": "b",
    "scale": "γ",
    "shift": "β",
    "slope": "s",
    "projection_weights": "P",
}
_SAME = 1e-5  # difference of the outputs, for their length, up to which it is rounding

Path = tuple[int, ...]


def read_step(network: Any, trace: Any) -> StepFlow:
    """Read boxes and flows from a network and the trace of a pass forward and back.

    Raises
    ------
    BackpropBeforeFeedforward
        When the trace is not filled yet.
    InvalidInput
        When it is no trace of this network, or the parameters have changed since.
    """
    _check_trace(network, trace)
    return _Reader(network, trace).read()


class _Reader:
    """Goes through a network once more and writes down what it sees."""

    def __init__(self, network: Any, trace: Any) -> None:
        self.network = network
        self.trace = trace
        self.found = StepFlow()
        self.traces: dict[Path, Trace] = {}
        self.outputs: dict[Path, Array] = {}  # of each layer
        self.gradients: dict[Path, Any] = {}  # of the loss, with respect to its inputs

    def read(self) -> StepFlow:
        network, trace = self.network, self.trace
        x = _inputs(network, trace)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._feedforward(network.layers, (), x, trace.shared)
            output = self.outputs[len(network.layers) - 1,]
            if not _same(output, trace.output):
                raise InvalidInput(
                    "The network does not give the outputs that stand in this trace any more: its "
                    "parameters have changed since, or a layer is random in a way that cannot be "
                    "replayed. Run feedforward and backprop with the trace again, then draw."
                )
            self._backprop(network.layers, (), trace.d_output)
            size = " × ".join(map(str, x.shape[1:]))
            samples = "1 sample" if len(x) == 1 else f"{len(x):,} samples"
            self.found.boxes.append(Box("x", f"{samples} of {size} number{'s' * (size != '1')}"))
            self._write(network.layers, (), x, "x")
            self._flow(output, trace.d_output, "ŷ")
        self.found.boxes.append(self._loss())
        return self.found

    def _feedforward(self, layers: Sequence[Layer], path: Path, x: Array, shared: Pass) -> None:
        for index, layer in enumerate(layers):
            here = (*path, index)
            self.traces[here] = Trace(shared, here)
            if isinstance(layer, Residual):
                self._feedforward(layer.layers, here, x, shared)
            self.outputs[here] = x = layer.feedforward(x, self.traces[here])

    def _backprop(self, layers: Sequence[Layer], path: Path, d: Any) -> None:
        for index in range(len(layers) - 1, -1, -1):
            here, layer = (*path, index), layers[index]
            self.gradients[here] = d = layer.backprop(d, self.traces[here])
            if isinstance(layer, Residual):
                self._backprop(layer.layers, here, self.traces[here].d_z)

    def _write(self, layers: Sequence[Layer], path: Path, x: Array, symbol: str) -> None:
        """Write down the flow into each layer and the layer itself."""
        for index, layer in enumerate(layers):
            here = (*path, index)
            asked_for = here != (0,) or self.trace.d_x is not None  # training does without
            by = "through F:" if path and not index else ""
            self._flow(x, self.gradients[here] if asked_for else None, symbol, by)
            title = f"Layer {'.'.join(str(number + 1) for number in here)}"
            if isinstance(layer, Residual):
                self._write_residual(layer, here, title, x, symbol)
            else:
                rows = self._parameters(here, inside=True)
                self.found.boxes.append(Box(title, repr(layer), rows, len(path)))
            x, symbol = self.outputs[here], f"a{_subscript(here)}"

    def _write_residual(
        self, layer: Residual, here: Path, title: str, x: Array, symbol: str
    ) -> None:
        found, depth, inside = self.found, len(here), len(layer.layers)
        first = len(found.boxes)
        found.boxes.append(Box(title, "Residual: F(x), and x goes around it", depth=depth))
        self._write(layer.layers, here, x, symbol)
        trace, f = self.traces[here], self.outputs[*here, inside - 1]
        self._flow(f, trace.d_z, f"a{_subscript((*here, inside - 1))}")
        rows = self._parameters(here, inside=False)
        around = "x" if "projection_weights" not in vars(layer) else "x P"
        if isinstance(layer.projection, Layer):
            around = f"P(x), P = {layer.projection!r}"
            rows += self._parameters((*here, inside), inside=True)
        then = "" if layer.activation.name == "identity" else f", then {layer.activation.name}"
        found.boxes.append(Box("+", f"F(x) + {around}{then}", rows, depth))
        back = length(self.gradients[here] - self.gradients[*here, 0])  # what F did not bring
        way = WayAround(first, len(found.boxes) - 1, length(trace.z - f), back, depth)
        found.ways.append(way)

    def _flow(self, array: Array, gradient: Array | None, symbol: str, by: str = "") -> None:
        forward, back = length(array), None if gradient is None else length(gradient)
        label = "" if back is None else f"{by or f'‖∂L/∂{symbol}‖ ='} {back:.3g}"
        shown = f"‖{symbol}‖ = {forward:.3g}"
        self.found.flows.append(Flow(forward, back, str(array.shape), shown, label))

    def _parameters(self, path: Path, *, inside: bool) -> list[tuple[str, str]]:
        """Name, shape and number of each parameter at a position, and its gradient's length."""
        vector, rows = self.network.parameter_vector, []
        for use in vector.uses:
            if use.path != path and not (inside and use.path[: len(path)] == path):
                continue
            slot = vector.slots[use.slot]
            letter = _LETTERS.get(slot.name, slot.name.replace("_", " "))
            symbol = f"{letter}{_subscript(slot.path)}"
            if slot.path != use.path:
                rows.append((f"{symbol} again", ""))
                continue
            gradient = length(slot.view(self.trace.gradients))
            rows.append((f"{letter}  {_size(slot.shape)}", f"‖∂L/∂{symbol}‖ = {gradient:.3g}"))
        return rows

    def _loss(self) -> Box:
        network = self.network
        penalties = [
            f"{name} = {value:g}"
            for name, value in (("l1", network.l1), ("l2", network.l2))
            if value
        ]
        with_them = f"with {', '.join(penalties)}" if penalties else ""
        return Box("Loss", repr(network.loss), [(f"L = {self.trace.loss:.4g}", with_them)])


def length(array: Array) -> float:
    """‖array‖: the root of the sum of squares of all its numbers, in float64."""
    wide = np.asarray(array, dtype=np.float64)
    return math.sqrt(float(np.vdot(wide, wide)))


def _same(output: Array, expected: Array) -> bool:
    """Whether two outputs differ by rounding alone, wherever they are finite."""
    finite = np.isfinite(expected)
    if not np.array_equal(np.isfinite(output), finite):
        return False
    return length(output[finite] - expected[finite]) <= _SAME * length(expected[finite])


def _subscript(path: Path) -> str:
    return ".".join(str(number + 1) for number in path).translate(_SUBSCRIPTS)


def _size(shape: Shape) -> str:
    """``(3, 4)`` -> ``"3 × 4 = 12"``."""
    sizes = " × ".join(f"{size:,}" for size in shape)
    return sizes if len(shape) < 2 else f"{sizes} = {math.prod(shape):,}"


def _check_trace(network: Any, trace: Any) -> None:
    if not hasattr(trace, "way_back"):
        raise InvalidInput(
            f"Received {type(trace).__name__} as trace; expected one that net.new_trace() made, "
            "after net.feedforward(x, trace) and net.backprop(y, trace)."
        )
    output, gradients = trace.output, trace.gradients  # which say how to fill them
    fits = (
        len(trace) == len(network.layers)
        and output.shape[1:] == network.output_shape
        and gradients.shape == network.parameters.shape
    )
    if not fits:
        raise InvalidInput(
            f"Received the trace of another network, of {len(trace)} layers and {gradients.size:,} "
            f"parameters; this one has {len(network.layers)} and {network.parameters.size:,}."
        )


def _inputs(network: Any, trace: Any) -> Array:
    """x, as the first layer keeps it."""
    first, fields = network.layers[0], trace.layers[0].fields()
    x = fields.get("x", fields.get("z") if isinstance(first, Activation) else None)
    if not isinstance(x, np.ndarray) or x.shape[1:] != network.shapes[0]:
        raise InvalidInput(
            f"The first layer, {first!r}, leaves no x in its trace, so what came in is not known. "
            "Let its feedforward write trace.x = x."
        )
    return x
