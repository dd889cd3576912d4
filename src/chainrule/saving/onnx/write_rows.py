"""Dense layers, dropout, and layers that only move numbers about, in ONNX."""

from __future__ import annotations

import numpy as np

from chainrule.layers import Dense, Dropout, Flatten, Reshape, SpatialDropout, UpSample, ZeroPad
from chainrule.saving.onnx.graph import Tensor
from chainrule.saving.onnx.writer import Onnx


class DenseOnnx(Onnx, of=Dense):
    """Gemm, a matrix product plus a bias; MatMul where there is none."""

    def write(self, x: Tensor) -> Tensor:
        weights, shape = self.parameter("weights"), (self.layer.outputs,)
        if not self.layer.use_bias:
            return self.activation(self.then("MatMul", x, weights, shape=shape, label="z"))
        bias = self.parameter("bias")
        return self.activation(self.then("Gemm", x, weights, bias, shape=shape, label="z"))


class DropoutOnnx(Onnx, of=Dropout):
    """Nothing: it drops in training alone."""

    def write(self, x: Tensor) -> Tensor:
        return x


class SpatialDropoutOnnx(DropoutOnnx, of=SpatialDropout):
    """Nothing as well."""


class FlattenOnnx(Onnx, of=Flatten):
    """Flatten from the channels-last layout: that is the order of the weights that follow."""

    def write(self, x: Tensor) -> Tensor:
        if len(x.shape) == 1:
            return x
        x = self.graph.channels_last(x)
        return self.then("Flatten", x, shape=self.layer.output_shape(x.shape), axis=1)


class ReshapeOnnx(Onnx, of=Reshape):
    """Reshape from the channels-last layout, whose order of numbers it keeps."""

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_last(x)
        shape = self.layer.output_shape(x.shape)
        return self.then("Reshape", x, self.whole_numbers("shape", 0, *shape), shape=shape)


class ZeroPadOnnx(Onnx, of=ZeroPad):
    """Pad, in whichever layout the images come."""

    def write(self, x: Tensor) -> Tensor:
        height, width, _ = x.shape
        before, after = np.transpose(self.layer.border.sides((height, width)))
        low, high = [0] * 4, [0] * 4
        for axis, first, last in zip(x.position_axes, before, after, strict=True):
            low[axis], high[axis] = int(first), int(last)
        pads = self.whole_numbers("pads", *low, *high)
        return self.then("Pad", x, pads, shape=self.layer.output_shape(x.shape))


class UpSampleOnnx(Onnx, of=UpSample):
    """Resize to the nearest pixel, counted so that each becomes a block of equal pixels."""

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_first(x)
        scales = np.array([1, 1, *self.layer.factors], np.float32)
        return self.then(
            "Resize",
            x,
            "",
            self.graph.constant(f"{self.prefix}_scales", scales, np.float32),
            shape=self.layer.output_shape(x.shape),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
