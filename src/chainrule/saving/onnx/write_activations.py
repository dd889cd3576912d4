"""Activations in ONNX: one operator where there is one, else the formula in several."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from chainrule import activations
from chainrule.saving.onnx.graph import Tensor
from chainrule.saving.onnx.writer import Onnx


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


class GELUOnnx(Onnx, of=activations.GELU):
    """z (1 + erf(z / √2)) / 2; ONNX has an operator for it from opset 20 on."""

    def write(self, z: Tensor) -> Tensor:
        scaled = self.then("Mul", z, self.graph.number("square_root_of_half", math.sqrt(0.5)))
        error = self.then("Erf", scaled)
        return halved(self, z, error)


class GELUTanhOnnx(Onnx, of=activations.GELUTanh):
    """z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2."""

    def write(self, z: Tensor) -> Tensor:
        square = self.then("Mul", z, z.name)
        cube = self.then("Mul", square, z.name)
        bent = self.then("Mul", cube, self.graph.number("gelu_bend", 0.044715))
        inner = self.then("Add", bent, z.name)
        factor = self.graph.number("gelu_factor", math.sqrt(2 / math.pi))
        return halved(self, z, self.then("Tanh", self.then("Mul", inner, factor)))


def halved(writer: Onnx, z: Tensor, sign: Tensor) -> Tensor:
    """Append z (1 + sign) / 2."""
    graph = writer.graph
    shifted = writer.then("Add", sign, graph.number("one", 1.0))
    share = writer.then("Mul", shifted, graph.number("half", 0.5))
    return writer.then("Mul", z, share.name, label="a")


class SiLUOnnx(Onnx, of=activations.SiLU):
    """Z times its sigmoid; ONNX has no operator for it."""

    def write(self, z: Tensor) -> Tensor:
        return self.then("Mul", z, self.node("Sigmoid", z.name), label="a")


class MishOnnx(Operator, of=activations.Mish):
    """Z tanh(softplus z), an operator since opset 18."""

    operator = "Mish"


class SoftplusOnnx(Operator, of=activations.Softplus):
    """Log(1 + e^z)."""

    operator = "Softplus"


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
