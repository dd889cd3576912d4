"""The step as boxes and what flows between them, for ``plots.step_graph`` to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.explain.expression import Name
from chainrule.explain.forms.text import to_text
from chainrule.explain.layout import WHOLE, Path
from chainrule.explain.step import Step
from chainrule.layer import Array, Layer, Shape
from chainrule.layers.residual import Residual
from chainrule.plots.step_parts import Box, Flow, StepFlow, WayAround


def flow_of(step: Step) -> StepFlow:
    """Read what flows through each layer of a step, and the gradient that comes back."""
    return _Reader(step).read()


class _Reader:
    """Goes through the places of a step and writes down what it sees."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.network = step.network
        self.found = StepFlow(loss=float(step.arrays[WHOLE, "loss"]))

    def read(self) -> StepFlow:
        x = self.step.arrays[WHOLE, "x"]
        size = " × ".join(map(str, x.shape[1:]))
        samples = "1 sample" if len(x) == 1 else f"{len(x):,} samples"
        self.found.boxes.append(Box("x", f"{samples} of {size} number{'s' * (size != '1')}"))
        self._write(self.network.layers, WHOLE)
        self._flow(Name(WHOLE, "y_hat"), Name(WHOLE, "d_y_hat"))
        self.found.boxes.append(self._loss())
        return self.found

    def _write(self, layers: Sequence[Layer], path: Path) -> None:
        """Write down the flow into each layer, and the layer itself."""
        for index, layer in enumerate(layers):
            place = self.step.places[*path, index]
            name = self.step.resolve(place.path, place.input)
            gradient = self.step.resolve(place.path, f"d_{place.input}")
            self._flow(name, gradient, "through F:" if path and not index else "")
            title = f"Layer {place.number}"
            if isinstance(layer, Residual):
                self._write_residual(layer, place.path, title)
            else:
                rows = self._parameters(place.path, inside=True)
                self.found.boxes.append(Box(title, repr(layer), rows, len(path)))

    def _write_residual(self, layer: Residual, here: Path, title: str) -> None:
        found, depth, inside = self.found, len(here), len(layer.layers)
        first = len(found.boxes)
        found.boxes.append(Box(title, "Residual: F(x), and x goes around it", depth=depth))
        self._write(layer.layers, here)
        f = self.step.resolve(here, "f")
        self._flow(f, Name(here, "d_z"))
        rows = self._parameters(here, inside=False)
        around = "x" if "projection_weights" not in vars(layer) else "x P"
        if isinstance(layer.projection, Layer):
            around = f"P(x), P = {layer.projection!r}"
            rows += self._parameters((*here, inside), inside=True)
        then = "" if layer.activation.name == "identity" else f", then {layer.activation.name}"
        found.boxes.append(Box("+", f"F(x) + {around}{then}", rows, depth))
        forward = self._array(Name(here, "z")) - self._array(f)
        place = self.step.places[here]
        of_f = self.step.resolve(here, "d_x_of_f")
        back = self._array(self.step.resolve(here, f"d_{place.input}")) - self._array(of_f)
        way = WayAround(first, len(found.boxes) - 1, length(forward), length(back), depth)
        found.ways.append(way)

    def _flow(self, name: Name, gradient: Name, by: str = "") -> None:
        array = self._array(name)
        forward, back = length(array), length(self._array(gradient))
        label = f"{by or f'‖{to_text(gradient)}‖ ='} {back:.3g}"
        shown = f"‖{to_text(name)}‖ = {forward:.3g}"
        self.found.flows.append(Flow(forward, back, str(array.shape), shown, label))

    def _array(self, name: Name) -> Array:
        return self.step.arrays[name.path, name.field]

    def _parameters(self, path: Path, *, inside: bool) -> list[tuple[str, str]]:
        """Name, shape and number of each parameter at a position, and its gradient's length."""
        vector, rows = self.network.parameter_vector, []
        for use in vector.uses:
            if use.path != path and not (inside and use.path[: len(path)] == path):
                continue
            slot = vector.slots[use.slot]
            symbol, letter = to_text(Name(slot.path, slot.name)), to_text(Name(WHOLE, slot.name))
            if slot.path != use.path:
                rows.append((f"{symbol} again", ""))
                continue
            gradient = Name(slot.path, f"d_{slot.name}")
            size = length(self._array(gradient))
            rows.append((f"{letter}  {_size(slot.shape)}", f"‖{to_text(gradient)}‖ = {size:.3g}"))
        return rows

    def _loss(self) -> Box:
        network: Any = self.network
        penalties = [
            f"{name} = {value:g}"
            for name, value in (("l1", network.l1), ("l2", network.l2))
            if value
        ]
        with_them = f"with {', '.join(penalties)}" if penalties else ""
        return Box("Loss", repr(network.loss), [(f"L = {self.found.loss:.4g}", with_them)])


def length(array: Array) -> float:
    """‖array‖: the root of the sum of squares of all its numbers, in float64."""
    wide = np.asarray(array, dtype=np.float64)
    return math.sqrt(float(np.vdot(wide, wide)))


def _size(shape: Shape) -> str:
    """``(3, 4)`` -> ``"3 × 4 = 12"``."""
    sizes = " × ".join(f"{size:,}" for size in shape)
    return sizes if len(shape) < 2 else f"{sizes} = {math.prod(shape):,}"
