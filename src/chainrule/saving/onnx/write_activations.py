"""Activations that ONNX has operators for; ``write_formula`` writes all others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from chainrule import activations
from chainrule.saving.onnx.graph import Tensor
from chainrule.saving.onnx.writer import Onnx

LARGE = 40.0  # from there on log(1 + e^z) is z, to the last digit of float64


class Operator(Onnx):
    """Base of activations that ONNX has as an operator."""

    operator: ClassVar[str]

    def write(self, z: Tensor) -> Tensor:
        return self.then(self.operator, z, label="a", **self.attributes(z))

    def attributes(self, z: Tensor) -> dict[str, Any]:
        """What the operator is told beside z."""
        return {}


class IdentityOnnx(Onnx, of=activations.Identity):
    """Nothing to write."""

    def write(self, z: Tensor) -> Tensor:
        return z


class SigmoidOnnx(Operator, of=activations.Sigmoid):
    """1 / (1 + e^-z)."""

    operator = "Sigmoid"


class TanhOnnx(Operator, of=activations.Tanh):
    """Tanh z."""

    operator = "Tanh"


class ReLUOnnx(Operator, of=activations.ReLU):
    """The larger of z and 0."""

    operator = "Relu"


class LeakyReLUOnnx(Operator, of=activations.LeakyReLU):
    """Z, or slope · z below 0."""

    operator = "LeakyRelu"

    def attributes(self, z: Tensor) -> dict[str, Any]:
        return {"alpha": self.layer.slope}


class PReLUOnnx(Onnx, of=activations.PReLU):
    """Z, or slope · z below 0, with a slope for each channel."""

    def write(self, z: Tensor) -> Tensor:
        return self.then("PRelu", z, self.parameter("slope", like=z), label="a")


class ELUOnnx(Operator, of=activations.ELU):
    """Z, or alpha (e^z - 1) below 0."""

    operator = "Elu"

    def attributes(self, z: Tensor) -> dict[str, Any]:
        return {"alpha": self.layer.alpha}


class SELUOnnx(Operator, of=activations.SELU):
    """ELU times a scale."""

    operator = "Selu"

    def attributes(self, z: Tensor) -> dict[str, Any]:
        return {"alpha": self.layer.alpha, "gamma": self.layer.scale}


class SiLUOnnx(Onnx, of=activations.SiLU):
    """Z times its sigmoid; ONNX has no operator for it."""

    def write(self, z: Tensor) -> Tensor:
        return self.then("Mul", z, self.node("Sigmoid", z.name), label="a")


class MishOnnx(Operator, of=activations.Mish):
    """Z tanh(softplus z), an operator since opset 18."""

    operator = "Mish"


class SoftplusOnnx(Onnx, of=activations.Softplus):
    """Log(1 + e^z)."""

    def write(self, z: Tensor) -> Tensor:
        return replace(z, name=write_softplus(self, z.name))


def write_softplus(writer: Onnx, z: str) -> str:
    """Append log(1 + e^z); onnxruntime's own becomes infinite above 709 in float64."""
    found = writer.node("Softplus", z)
    if writer.graph.dtype == np.float32:
        return found
    large = writer.node("Greater", z, writer.graph.number("large", LARGE))
    return writer.node("Where", large, z, found)


class SoftsignOnnx(Operator, of=activations.Softsign):
    """Z / (1 + |z|)."""

    operator = "Softsign"


class HardSigmoidOnnx(Operator, of=activations.HardSigmoid):
    """Z/6 + 1/2, cut off at 0 and 1."""

    operator = "HardSigmoid"

    def attributes(self, z: Tensor) -> dict[str, Any]:
        return {"alpha": 1 / 6, "beta": 0.5}


class HardTanhOnnx(Onnx, of=activations.HardTanh):
    """Z, cut off at -1 and 1."""

    def write(self, z: Tensor) -> Tensor:
        low, high = self.graph.number("minus_one", -1.0), self.graph.number("one", 1.0)
        return self.then("Clip", z, low, high, label="a")


class SoftmaxOnnx(Operator, of=activations.Softmax):
    """Over the channels, wherever they stand."""

    operator = "Softmax"

    def attributes(self, z: Tensor) -> dict[str, Any]:
        return {"axis": z.channel_axis}


class LogSoftmaxOnnx(Operator, of=activations.LogSoftmax):
    """Over the channels, wherever they stand."""

    operator = "LogSoftmax"

    def attributes(self, z: Tensor) -> dict[str, Any]:
        return {"axis": z.channel_axis}
