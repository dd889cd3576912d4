"""Layers as lines of an ejected module, made from the equations that they give of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.activation import Activation
from chainrule.explain.expression import Call
from chainrule.explain.place import equations_of
from chainrule.explain.reading import read
from chainrule.layer import Layer
from chainrule.layers.batch_normalization import BatchNorm
from chainrule.layers.dropout import Dropout
from chainrule.layers.residual import Residual, strides_between
from chainrule.saving.eject import operations
from chainrule.saving.eject.activations import EjectedActivation
from chainrule.saving.eject.code import INDENT, Printer, number, statement, wrapped
from chainrule.saving.eject.comments import comment
from chainrule.saving.eject.source import Path, Source, Value, refuse, suffix


class Ejected:
    """One layer at one place: its lines in both passes."""

    def __init__(self, source: Source, layer: Layer, path: Path, x: Value) -> None:
        self.source = source
        self.layer = layer
        self.path = path
        self.x = x
        self.suffix = suffix(path)
        self.output_shape = layer.output_shape(x.shape)
        self.image = x.code  # the inputs as windows slide over them
        self.d_output = self.error = ""  # set on the way back
        self.after: EjectedActivation | None = None
        training, prediction = self._equations(True), self._equations(False)
        self.equations = {name: read(text) for name, text in training.items()}
        self.prediction = {name: read(text) for name, text in prediction.items()}
        self.fields = [name for name in training if not name.startswith("d_")]
        self.output = Value(f"{self.fields[-1]}_{self.suffix}", self.output_shape)
        self.printer = source.printer(self._name, self._operation)

    def feedforward(self) -> Value:
        """Append the forward pass and return what the layer gives."""
        self.source.forward.append(comment(self.layer, self.path))
        operations.prepare(self)
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
        operations.prepare_back(self)
        for name, expression in self.equations.items():
            attribute = self.source.attribute(self.layer, name.removeprefix("d_"))
            if name.startswith("d_") and attribute is not None:
                self.source.gradient(attribute, self.printer, expression)
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


class EjectedResidual:
    """A way around some layers: both ways are written out, and then added."""

    def __init__(self, source: Source, layer: Residual, path: Path, x: Value) -> None:
        self.source, self.layer, self.path, self.x = source, layer, path, x
        self.suffix = suffix(path)
        self.inside: list[Any] = []
        self.around: Any = None

    def feedforward(self) -> Value:
        forward = self.source.forward
        forward.append(comment(self.layer, self.path))
        f = self.x
        for index, layer in enumerate(self.layer.layers):
            self.inside.append(ejected(self.source, layer, (*self.path, index), f))
            f = self.inside[-1].feedforward()
        z = Value(f"z_{self.suffix}", f.shape)
        around = self._around(f)
        forward.append(f"# Layer {self.suffix.replace('_', '.')}: the way around is added")
        forward.append(f"self.{z.name} = {f.code} + {around}")
        self.after = EjectedActivation(self.source, self.layer.activation, self.path, z)
        return self.after.feedforward()

    def backprop(self, d_output: str, into: str | None) -> str:
        backward, z = self.source.backward, self.after.z
        d_z = self.after.backprop(d_output, z.gradient)
        into_f = self.x.gradient if into is None else into
        d_f = backprop(self.source, self.inside, d_z, into and into_f)
        if self.around is not None:
            d_around = self.around.backprop(d_z, into and f"d_around_{self.suffix}")
        else:
            d_around = self._back_around(d_z, into)
        if into is None:
            return ""
        backward.append(f"{into} = {d_f} + {d_around}")
        return into

    def _around(self, f: Value) -> str:
        if isinstance(self.layer.projection, Layer):
            path = (*self.path, len(self.layer.layers))
            self.around = ejected(self.source, self.layer.projection, path, self.x)
            return self.around.feedforward().code
        weights = self.source.attribute(self.layer, "projection_weights")
        if weights is None:
            return self.x.code
        strides = strides_between(self.x.shape, f.shape) or ()
        index = "".join(f", ::{stride}" if stride > 1 else ", :" for stride in strides)
        strided = any(stride > 1 for stride in strides)
        self.index = f"[:{index}]" if strided else ""
        self.source.forward.append(f"self.pixels_{self.suffix} = {self.x.code}{self.index}")
        return f"self.pixels_{self.suffix} @ self.{weights}"

    def _back_around(self, d_z: str, into: str | None) -> str:
        weights = self.source.attribute(self.layer, "projection_weights")
        if weights is None:
            return d_z
        axes = tuple(range(len(self.x.shape)))
        pixels = f"self.pixels_{self.suffix}"
        self.source.back_line(
            f"self.d_{weights} = np.tensordot({pixels}, {d_z}, axes=({axes}, {axes}))"
        )
        if into is None:
            return ""
        if not self.index:
            return f"{d_z} @ self.{weights}.T"
        d_around = f"d_around_{self.suffix}"
        self.source.backward.append(f"{d_around} = np.zeros_like({self.x.code})")
        self.source.backward.append(f"{d_around}{self.index} = {d_z} @ self.{weights}.T")
        return d_around


def ejected(source: Source, layer: Layer, path: Path, x: Value) -> Any:
    """Return what writes a layer."""
    if isinstance(layer, Residual) and type(layer) is Residual:
        return EjectedResidual(source, layer, path, x)
    if isinstance(layer, Activation):
        return EjectedActivationLayer(source, layer, path, x)
    return Ejected(source, layer, path, x)


def backprop(source: Source, layers: Sequence[Any], d_output: str, into: str | None) -> str:
    """Append the way back through layers; only as far as anyone needs it.

    Returns what holds ∂loss/∂x of the first.
    """
    d = d_output
    for index in range(len(layers) - 1, -1, -1):
        layer = layers[index]
        needed = into is not None or any(_learns(before.layer, source) for before in layers[:index])
        if not needed and not _learns(layer.layer, source):
            return ""
        source.backward.append(comment(layer.layer, layer.path, is_back=True))
        d = layer.backprop(
            d, (into if index == 0 and into else layer.x.gradient) if needed else None
        )
    return d


def _learns(layer: Layer, source: Source) -> bool:
    return any(source.attribute(layer, name) for name in layer._declared) or (
        (layer.activation is not None and _learns(layer.activation, source))
        or (isinstance(layer, Residual) and any(_learns(i, source) for i in _inside(layer)))
    )


def _inside(layer: Residual) -> list[Layer]:
    projection = [layer.projection] if isinstance(layer.projection, Layer) else []
    return [*layer.layers, *projection]


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
