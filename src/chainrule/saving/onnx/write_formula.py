"""Any layer in ONNX by what it says of itself: the formula of an activation, a layer's equations.

So what comes from outside the package needs nothing of its own to be written. Whether it computes
what it says is tried before it is believed.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.activation import Activation, VectorActivation
from chainrule.errors import BackpropBeforeFeedforward, optional_package
from chainrule.explain.expression import Expression, Name, names
from chainrule.explain.place import equations_of
from chainrule.explain.reading import read, read_whole
from chainrule.explain.stable import stable
from chainrule.layer import Array, Layer, Trace
from chainrule.saving.onnx.formula import Formula, refused
from chainrule.saving.onnx.graph import Graph, Tensor
from chainrule.saving.onnx.writer import Onnx

_TRIED = 16  # samples on which what was written is compared with the layer itself
_CLOSE = 1e-4  # in parts of a number that is above 1; float32 rounds at 6e-8
_FAR = (1e4, -1e4, 700.0, -700.0, 100.0, -100.0, 0.0)  # where exponentials overflow
_MOST_NUMBERS = 1_000_000  # in the samples together, where one is not longer already


class EquationsOnnx(Onnx, of=Layer):
    """Writes the equations of a layer that has no class of its own, one after another."""

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_last(x)
        z = self._write(x)
        _try(self, x.shape)
        return z if self.layer.activation is None else self.activation(z)

    def _write(self, x: Tensor) -> Tensor:
        own = self.layer.equations(training=False)
        told = equations_of(self.layer, training=False)
        forward = {name: text for name, text in own.items() if not name.startswith("d_")}
        if not forward or not forward.keys() <= told.keys():
            raise refused(self, "it does not say in equations what it computes.")
        nodes, found = Formula(self, x, "x"), x.name
        for name, text in forward.items():
            found = nodes.call(name, _read(self, text))
        self._last = name
        return Tensor(found, self.layer.output_shape(x.shape))

    def compute(self, x: Array) -> Array:
        """What the layer gives, before its activation."""
        trace = Trace()
        a: Array = self.layer.feedforward(x, trace)
        if self.layer.activation is None:
            return a
        try:
            z: Array = getattr(trace, self._last)
        except BackpropBeforeFeedforward as error:
            raise refused(self, f"it leaves no {self._last} in the trace to compare.") from error
        return z


class FormulaOnnx(Onnx, of=Activation):
    """Writes the formula of an activation that has no class of its own."""

    def write(self, z: Tensor) -> Tensor:
        a = self._write(z)
        shapes = self.layer.parameter_shapes(z.shape).values()
        of_channels = all(shape == z.shape[-1:] for shape in shapes)
        _try(self, z.shape[-1:] if of_channels else z.shape)
        return a

    def _write(self, z: Tensor) -> Tensor:
        expression, nodes = self._expression(), Formula(self, z, "z")
        if Name((), "z") not in names(expression):
            raise nodes.unknown("no z")
        return Tensor(nodes.node(expression), z.shape, z.channels_first)

    def _expression(self) -> Expression:
        text = equations_of(self.layer, training=False).get("a", "")
        if not text and isinstance(self.layer, VectorActivation):
            text = self.layer.formula
        if not text:
            kind = type(self.layer).__name__
            why = f"it does not say in a formula what it computes. Give {kind} a formula."
            raise refused(self, why)
        return _read(self, text)

    def compute(self, z: Array) -> Array:
        """What the activation gives."""
        a: Array = self.layer.feedforward(z, Trace())
        return a


def _read(writer: Onnx, text: str) -> Expression:
    """Read a formula, with indices or without."""
    try:
        if isinstance(writer.layer, VectorActivation) and text == writer.layer.formula:
            return stable(read_whole(text, lambda name: Name((), name)))
        return stable(read(text))
    except (ValueError, SyntaxError, KeyError, IndexError) as error:
        raise refused(writer, f"its formula {text!r} cannot be read ({error}).") from error


def _try(writer: EquationsOnnx | FormulaOnnx, shape: tuple[int, ...]) -> None:
    """Run what was written on a few numbers, and compare with the layer itself."""
    graph = Graph(writer.graph.dtype)
    again = type(writer)(writer.layer, writer.path, graph)
    written = again._write(graph.input("x", shape))
    graph.output("prediction", written.name, written.shape)
    evaluator = optional_package("onnx.reference", "Writing an ONNX file", "onnx")
    model = evaluator.ReferenceEvaluator(graph.onnx.load_from_string(graph.model("", "")))
    count = max(1, min(_TRIED, _MOST_NUMBERS // math.prod(shape)))
    near = np.random.default_rng(0).normal(0, 3, (count, *shape))
    far = np.array([np.full(shape, number) for number in _FAR[:count]])
    x = np.concatenate([near, far]).astype(graph.dtype)
    with np.errstate(all="ignore"):
        expected = writer.compute(x)
        try:
            (found,) = model.run(None, {"x": x})
        except (ValueError, TypeError, RuntimeError) as error:
            told = str(error).splitlines()[0]
            raise refused(writer, f"its formula cannot be computed ({told}).") from error
        if found.shape != expected.shape:
            raise refused(
                writer, f"its formula gives {found.shape[1:]}, and the layer {expected.shape[1:]}."
            )
        close = np.abs(found - expected) <= _CLOSE * np.maximum(np.abs(expected), 1)
        same = close | (found == expected) | (np.isnan(found) & np.isnan(expected))
    same[count:] |= np.isfinite(found[count:])  # rounding is large there, and overflow tells
    if not same.all():
        place = tuple(np.argwhere(~same)[0])
        at = f" for {x[place]:.6g}" if x.shape == found.shape else ""
        raise refused(
            writer,
            f"its formula gives {found[place]:.6g}{at}, and the layer {expected[place]:.6g}.",
        )
