"""Residual in ONNX: both ways from x, and the sum of what they give."""

from __future__ import annotations

from chainrule.layer import Layer, Shape
from chainrule.layers import Residual
from chainrule.layers.residual import strides_between
from chainrule.saving.onnx.graph import Tensor
from chainrule.saving.onnx.writer import Onnx, write_layer


class ResidualOnnx(Onnx, of=Residual):
    """Add, after the layers and the way around them."""

    def write(self, x: Tensor) -> Tensor:
        f = x
        for index, layer in enumerate(self.layer.layers):
            f = write_layer(layer, (*self.path, index), self.graph, f)
        around = self.graph.in_layout_of(self._around(x, f.shape), f)
        return self.activation(self.then("Add", f, around.name, label="z"))

    def _around(self, x: Tensor, shape: Shape) -> Tensor:
        """X taken past the layers; a matrix takes images as a 1 x 1 convolution with a stride."""
        projection = self.layer.projection
        if isinstance(projection, Layer):
            return write_layer(projection, (*self.path, len(self.layer.layers)), self.graph, x)
        if not self.layer.parameter_shapes(x.shape):
            return x
        if len(x.shape) == 1:
            return self.then("MatMul", x, self.parameter("projection_weights"), shape=shape)
        x = self.graph.channels_first(x)
        matrix = self.layer.projection_weights.T
        name = f"{self.prefix}_projection_weights"
        kernel = matrix.reshape(*matrix.shape, *[1] * (len(shape) - 1))
        weights = self.graph.shared((id(self.layer), name), name, kernel)
        strides = strides_between(x.shape, shape)
        return self.then("Conv", x, weights, shape=shape, strides=strides)
