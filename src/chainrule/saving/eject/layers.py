"""Layers as lines of an ejected module, made from the equations that they give of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.activation import Activation
from chainrule.explain.expression import Call, names
from chainrule.explain.place import equations_of
from chainrule.layer import Layer
from chainrule.layers.batch_normalization import BatchNorm
from chainrule.layers.dropout import Dropout
from chainrule.saving.eject import operations, windows
from chainrule.saving.eject.activations import EjectedActivation, read_equation
from chainrule.saving.eject.code import Printer, number
from chainrule.saving.eject.comments import comment
from chainrule.saving.eject.layout import INDENT, statement, wrapped
from chainrule.saving.eject.source import Path, Source, Value, refuse, suffix


class Ejected:
    """One layer at one place: its lines in both passes."""

    source: Source
    layer: Any  # each operation knows which kind of layer names it
    path: Path
    x: Value

    def __init__(self, source: Source, layer: Layer, path: Path, x: Value) -> None:
        self.source = source
        self.layer = layer
        self.path = path
        self.x = x
        self.suffix = suffix(path)
        self.output_shape = layer.output_shape(x.shape)
        self.image = x.code  # the inputs as windows slide over them
        self.d_output = self.error = ""  # set on the way back
        self.gradients_here: dict[str, str] = {}  # parts of those that several places share
        self.after: EjectedActivation | None = None
        self._refuse_statistics()
        training, prediction = self._equations(True), self._equations(False)
        self.equations = {n: read_equation(layer, path, text) for n, text in training.items()}
        self.prediction = {n: read_equation(layer, path, text) for n, text in prediction.items()}
        self.fields = [name for name in training if not name.startswith("d_")]
        self.output = Value(f"{self.fields[-1]}_{self.suffix}", self.output_shape)
        self.printer = source.printer(self._name, self._operation)

    def feedforward(self) -> Value:
        """Append the forward pass and return what the layer gives."""
        self.source.forward.append(comment(self.layer, self.path))
        windows.prepare(self)
        same = [name for name in self.fields if self.equations[name] == self.prediction[name]]
        changing = [name for name in self.fields if name not in same]
        if changing:
            self._both_ways(changing)
        for name in same:
            self.source.compute(f"{name}_{self.suffix}", self.printer, self.equations[name])
        if isinstance(self.layer, BatchNorm):
            self.source.counting += _running_averages(self, self.layer)
        if self.layer.activation is None:
            return self.output
        self.after = EjectedActivation(self.source, self.layer.activation, self.path, self.output)
        return self.after.feedforward()

    def backprop(self, d_output: str, into: str | None) -> str:
        """Append the way back; ``into`` is what ∂loss/∂x is to be called, where anyone needs it.

        Returns what holds ∂loss/∂x.
        """
        self.d_output = d_output
        if self.after is not None:
            self.d_output = self.after.backprop(d_output, self.output.gradient)
        windows.prepare_back(self)
        used = {name.field for name in names(self.equations["d_x"])} if into is not None else set()
        for name, expression in self.equations.items():
            attribute = self.source.attribute(self.layer, name.removeprefix("d_"))
            if name.startswith("d_") and attribute is not None:
                here = f"{name}_{self.suffix}" if name in used else None
                if self.source.gradient(attribute, self.printer, expression, here):
                    self.gradients_here[name] = f"{name}_{self.suffix}"
        if into is None:
            return ""
        operations.back(self, into)
        return into

    def _equations(self, training: bool) -> dict[str, str]:
        own, told = self.layer.equations(training), equations_of(self.layer, training)
        if not own or not own.keys() <= told.keys() or "d_x" not in own:
            raise refuse(
                self.layer,
                self.path,
                "it does not say in equations what both of its passes do. Define equations in its "
                "class, or use another layer.",
            )
        return own

    def _refuse_statistics(self) -> None:
        counts = type(self.layer).update_statistics is not Layer.update_statistics
        if counts and type(self.layer) is not BatchNorm:
            raise refuse(
                self.layer,
                self.path,
                "how it counts its statistics up stands in no equation. Use BatchNorm, or another "
                "layer.",
            )

    def _both_ways(self, changing: Sequence[str]) -> None:
        """Append what is different in training: batch statistics, or the mask of dropout."""
        source = self.source
        source.trains = True
        for condition, equations in (("if training:", self.equations), ("else:", self.prediction)):
            source.forward.append(condition)
            if isinstance(self.layer, Dropout) and equations is self.equations:
                source.forward += [INDENT + line for line in _mask(self, self.layer)]
            for name in changing:
                start = f"self.{name}_{self.suffix} = "
                lines = statement(start, self.printer, equations[name], 3)
                source.forward += [INDENT + line for line in lines]

    def _name(self, field: str) -> str:
        """What a name in the layer's equations is called in the module."""
        parameter = self.source.attribute(self.layer, field)
        if parameter is not None:
            return f"self.{parameter}"
        if field == "x":
            return self.x.code
        if field == f"d_{self.fields[-1]}":
            return self.d_output
        if field in self.fields or field == "mask":
            return f"self.{field}_{self.suffix}"
        if field in self.gradients_here:
            return self.gradients_here[field]
        if field.startswith("d_"):
            parameter = self.source.attribute(self.layer, field.removeprefix("d_"))
            if parameter is not None:
                return f"self.d_{parameter}"
        return operations.local(self, field) or self._setting(field)

    def _setting(self, field: str) -> str:
        value = getattr(self.layer, field, None)
        if not isinstance(value, int | float):
            raise refuse(
                self.layer, self.path, f"its equations name {field!r}, which is no number."
            )
        return number(value)

    def _operation(self, call: Call, printer: Printer) -> str | None:
        return operations.code(self, call, printer)


class EjectedActivationLayer:
    """An activation that stands in the network as a layer of its own."""

    def __init__(self, source: Source, layer: Activation, path: Path, x: Value) -> None:
        self.source, self.layer, self.path, self.x = source, layer, path, x
        self.inner = EjectedActivation(source, layer, path, x)

    def feedforward(self) -> Value:
        self.source.forward.append(comment(self.layer, self.inner.path))
        return self.inner.feedforward()

    def backprop(self, d_output: str, into: str | None) -> str:
        return self.inner.backprop(d_output, into)


def _mask(place: Ejected, layer: Dropout) -> list[str]:
    place.source.random = True
    x = place.x.code
    sizes = layer.mask_shape((0, *place.x.shape))[1:]
    shape = f"{x}.shape" if sizes == place.x.shape else f"(len({x}), {', '.join(map(str, sizes))})"
    rate = number(layer.rate)
    return [
        f"kept = self.random.random({shape}) >= {rate}",
        f"self.mask_{place.suffix} = kept / (1 - {rate})",
    ]


def _running_averages(place: Ejected, layer: BatchNorm) -> list[str]:
    """What the predictions of batch normalization use, counted up once a step."""
    stays, here = number(layer.momentum), place.suffix
    comes = f"(1 - {stays})"
    mean = f"self.{place.source.attribute(layer, 'running_mean')}"
    variance = f"self.{place.source.attribute(layer, 'running_variance')}"
    return [
        *wrapped(f"{mean} = ", f"{stays} * {mean} + {comes} * self.mean_{here}", 2),
        f"n = {operations.channel_count(place)}  # numbers in a channel",
        f"unbiased = self.variance_{here} * n / (n - 1)",
        *wrapped(f"{variance} = ", f"{stays} * {variance} + {comes} * unbiased", 2),
    ]
