"""Normalizations in ONNX."""

from __future__ import annotations

import numpy as np

from chainrule.layers import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from chainrule.saving.onnx.graph import Tensor
from chainrule.saving.onnx.writer import Onnx


class BatchNormOnnx(Onnx, of=BatchNorm):
    """BatchNormalization with the running statistics, as in prediction."""

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_first(x)
        names = ("scale", "shift", "running_mean", "running_variance")
        return self.then(
            "BatchNormalization",
            x,
            *(self.parameter(name) for name in names),
            epsilon=self.layer.epsilon,
            momentum=self.layer.momentum,
        )


class LayerNormOnnx(Onnx, of=LayerNorm):
    """LayerNormalization over the channels, which are the last axis here."""

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_last(x)
        return self.then(
            "LayerNormalization",
            x,
            self.parameter("scale"),
            self.parameter("shift"),
            axis=-1,
            epsilon=self.layer.epsilon,
        )


class GroupNormOnnx(Onnx, of=GroupNorm):
    """InstanceNormalization of groups that are seen as one channel each, then γ and β.

    (ONNX's GroupNormalization of opset 18 has one γ for each group, not for each channel.)
    """

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_first(x)
        groups, whole = self.layer.groups, x.standing
        seen = self.then("Reshape", x, self.whole_numbers("groups", 0, groups, -1))
        x_hat = self.then(
            "InstanceNormalization",
            seen,
            self.graph.constant(f"{self.prefix}_ones", np.ones(groups)),
            self.graph.constant(f"{self.prefix}_zeros", np.zeros(groups)),
            label="x_hat",
            epsilon=self.layer.epsilon,
        )
        back = self.then("Reshape", x_hat, self.whole_numbers("shape", 0, *whole))
        scaled = self.then("Mul", back, self.parameter("scale", like=x))
        return self.then("Add", scaled, self.parameter("shift", like=x), label="z")


class RMSNormOnnx(Onnx, of=RMSNorm):
    """x / √(average of x² + ε) · γ, in any layout; the operator for it came with opset 23."""

    def write(self, x: Tensor) -> Tensor:
        square = self.then("Mul", x, x.name)
        axis = self.whole_numbers("axis", x.channel_axis)
        mean = self.then("ReduceMean", square, axis, label="mean_square", keepdims=1)
        epsilon = self.graph.constant(f"{self.prefix}_epsilon", self.layer.epsilon)
        deviation = self.then("Sqrt", self.then("Add", mean, epsilon), label="deviation")
        x_hat = self.then("Div", x, deviation.name, label="x_hat")
        return self.then("Mul", x_hat, self.parameter("scale", like=x), label="z")
