"""Going through the layers of a network, and of the residual blocks in it, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from chainrule.activation import Activation
from chainrule.layer import Layer
from chainrule.layers.residual import Residual, strides_between
from chainrule.saving.eject.activations import EjectedActivation
from chainrule.saving.eject.comments import comment
from chainrule.saving.eject.layers import Ejected, EjectedActivationLayer
from chainrule.saving.eject.source import Path, Source, Value, suffix


class EjectedResidual:
    """A way around some layers: both ways are written out, and then added."""

    def __init__(self, source: Source, layer: Residual, path: Path, x: Value) -> None:
        self.source, self.layer, self.path, self.x = source, layer, path, x
        self.suffix = suffix(path)
        self.inside: list[AnyEjected] = []
        self.around: AnyEjected | None = None

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
        needed = into is not None or self._learns_inside()
        d_z = self.after.backprop(d_output, z.gradient if needed else None)
        d_f = backprop(self.source, self.inside, d_z, into)
        if self.around is not None:
            d_around = self.around.backprop(d_z, into and f"d_around_{self.suffix}")
        else:
            d_around = self._back_around(d_z, into)
        if into is None:
            return ""
        backward.append(f"{into} = {d_f} + {d_around}")
        return into

    def _learns_inside(self) -> bool:
        """Whether anything but the activation after the sum has a gradient of its own."""
        inside = [part for part in _parts(self.layer) if part is not self.layer.activation]
        weights = self.source.attribute(self.layer, "projection_weights")
        return weights is not None or any(_learns(part, self.source) for part in inside)

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
        self.source.gradient_line(weights, f"np.tensordot({pixels}, {d_z}, axes=({axes}, {axes}))")
        if into is None:
            return ""
        if not self.index:
            return f"{d_z} @ self.{weights}.T"
        d_around = f"d_around_{self.suffix}"
        self.source.backward.append(f"{d_around} = np.zeros_like({self.x.code})")
        self.source.backward.append(f"{d_around}{self.index} = {d_z} @ self.{weights}.T")
        return d_around


def ejected(source: Source, layer: Layer, path: Path, x: Value) -> AnyEjected:
    """Return what writes a layer."""
    if isinstance(layer, Residual) and type(layer) is Residual:
        return EjectedResidual(source, layer, path, x)
    if isinstance(layer, Activation):
        return EjectedActivationLayer(source, layer, path, x)
    return Ejected(source, layer, path, x)


def backprop(source: Source, layers: Sequence[AnyEjected], d_output: str, into: str | None) -> str:
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
        d_x = into if index == 0 and into else layer.x.gradient
        d = layer.backprop(d, d_x if needed else None)
    return d


def _learns(layer: Layer, source: Source) -> bool:
    own = any(source.attribute(layer, name) for name in layer._declared)
    return own or any(_learns(part, source) for part in _parts(layer))


def _parts(layer: Layer) -> list[Layer]:
    """Layers that a layer is made of: its activation and, in a block, all those inside."""
    several: list[object] = [layer.activation]
    if isinstance(layer, Residual):
        several += [*layer.layers, layer.projection]
    return [part for part in several if isinstance(part, Layer)]


AnyEjected: TypeAlias = Ejected | EjectedActivationLayer | EjectedResidual
