"""What says how a layer is written in ONNX's operators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from chainrule.activation import Activation
from chainrule.layer import Array, Layer, Shape
from chainrule.saving.onnx.graph import Graph, Tensor


class Onnx:
    """Says how one kind of layer is written in ONNX's operators.

    ``class DenseOnnx(Onnx, of=Dense)`` says it of every ``Dense`` layer, but not of classes that
    derive from it: they may compute something else. A layer of your own is written by its equations
    (an activation by its formula), or, where it has none, by such a class::

        class ScaleOnnx(chainrule.saving.onnx.Onnx, of=Scale):
            def write(self, x):
                return self.then("Mul", x, self.parameter("factors"))

    Parameters
    ----------
    layer : Layer
    path : tuple of int
        Its place in the network; (3, 0) is the first layer inside the fourth.
    graph : Graph
    """

    _known: ClassVar[dict[type[Layer], type[Onnx]]] = {}

    def __init_subclass__(cls, of: type[Layer] | None = None) -> None:
        if of is not None:
            cls._known[of] = cls

    def __init__(self, layer: Any, path: tuple[int, ...], graph: Graph) -> None:
        self.layer = layer
        self.path = path
        self.graph = graph

    def write(self, x: Tensor) -> Tensor:
        """Append the layer's nodes to the graph and return what the last of them gives.

        Raises
        ------
        InvalidSetting
            When ONNX has no way to say it.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no write")

    def node(self, operator: str, *inputs: str, label: str = "", **attributes: Any) -> str:
        """Append a node; its name tells the layer, and the label what it gives."""
        name = f"{self.prefix}_{label or operator.lower()}"
        return self.graph.node(operator, inputs, name, **attributes)

    def then(
        self, operator: str, x: Tensor, *more: str, shape: Shape | None = None, **attributes: Any
    ) -> Tensor:
        """Append a node that takes x first and keeps its layout."""
        name = self.node(operator, x.name, *more, **attributes)
        return replace(x, name=name, shape=x.shape if shape is None else shape)

    def parameter(self, name: str, like: Tensor | None = None, axes: Shape | None = None) -> str:
        """Name of a parameter's constant, kept once for layers that share it.

        Parameters
        ----------
        name : str
            Of the parameter.
        like : Tensor, optional
            What it will stand beside, where it has one value for each channel.
        axes : tuple of int, optional
            Order of its axes in ONNX.
        """
        values: Array = getattr(self.layer, name)
        if like is not None:
            values = like.per_channel(values)
        if axes is not None:
            values = values.transpose(axes)
        key = (id(self.layer), name, values.shape, axes)
        return self.graph.shared(key, f"{self.prefix}_{name}", values)

    def whole_numbers(self, label: str, *values: int) -> str:
        """Name of a constant that says a shape, axes or padding."""
        return self.graph.whole_numbers(f"{self.prefix}_{label}", values)

    def activation(self, z: Tensor) -> Tensor:
        """Append the activation that the layer ends in."""
        return write_layer(self.layer.activation, self.path, self.graph, z)

    @property
    def prefix(self) -> str:
        """``layer_3_1`` for the first layer inside the third; names in ONNX are identifiers."""
        return "_".join(["layer", *(str(index + 1) for index in self.path)])


def write_layer(layer: Layer, path: tuple[int, ...], graph: Graph, x: Tensor) -> Tensor:
    """Append a layer to the graph.

    Raises
    ------
    InvalidSetting
        When nothing says how that layer is written.
    """
    base = Activation if isinstance(layer, Activation) else Layer  # by what it says of itself
    kind = Onnx._known.get(type(layer)) or Onnx._known[base]
    return kind(layer, path, graph).write(x)
