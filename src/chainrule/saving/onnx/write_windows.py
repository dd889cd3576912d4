"""Convolution and pooling in ONNX: channels first, and padding in pixels."""

from __future__ import annotations

from typing import Any, ClassVar

from chainrule.layer import Shape
from chainrule.layers import (
    AveragePool1D,
    AveragePool2D,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1D,
    MaxPool2D,
)
from chainrule.layers.windows import Windows
from chainrule.saving.onnx.graph import Tensor
from chainrule.saving.onnx.writer import Onnx


def window_attributes(windows: Windows, positions: Shape, image: Shape) -> dict[str, Any]:
    """Size, stride and padding of windows over images, or over sequences of one axis.

    Parameters
    ----------
    windows : Windows
        Those of a sequence see it as an image of height 1.
    positions : tuple of int
        (height, width) or (length,): how many axes ONNX is to be told of.
    image : tuple of int
        The image, (height, width) or (length,), that the padding goes around.
    """
    axes = len(positions)
    height, width = (1, image[0]) if axes == 1 else image
    sides = windows.sides((height, width))[-axes:]
    return {
        "kernel_shape": windows.size[-axes:],
        "strides": windows.stride[-axes:],
        "pads": [before for before, _ in sides] + [after for _, after in sides],
    }


class ConvolutionOnnx(Onnx, of=Conv2D):
    """Conv. Weights go from (height, width, channels, filters) to (filters, channels, ...)."""

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_first(x)
        positions = x.shape[:-1]
        last = len(positions) + 1
        inputs = [self.parameter("weights", axes=(last, last - 1, *range(last - 1)))]
        if self.layer.use_bias:
            inputs.append(self.parameter("bias"))
        windows: Windows = self.layer.windows
        z = self.then(
            self.operator,
            x,
            *inputs,
            shape=self.layer.output_shape(x.shape),
            label="z",
            group=self.layer.groups,
            dilations=windows.dilation[-len(positions) :],
            **self.places(windows, x),
        )
        return self.activation(z)

    operator: ClassVar[str] = "Conv"

    def places(self, windows: Windows, x: Tensor) -> dict[str, Any]:
        """Where the kernel is laid."""
        return window_attributes(windows, x.shape[:-1], x.shape[:-1])


class Conv1DOnnx(ConvolutionOnnx, of=Conv1D):
    """Conv with one axis less."""


class ConvTransposeOnnx(ConvolutionOnnx, of=ConvTranspose2D):
    """ConvTranspose: its weights stand as those of the convolution whose way back it is."""

    operator = "ConvTranspose"

    def places(self, windows: Windows, x: Tensor) -> dict[str, Any]:
        """As the convolution has them on the larger image; what is left over comes at the end."""
        *painted, _ = self.layer.output_shape(x.shape)
        found = window_attributes(windows, x.shape[:-1], tuple(painted))
        natural = [
            (n - 1) * stride + span - sum(sides)
            for n, stride, span, sides in zip(
                x.shape[:-1],
                windows.stride,
                windows.span,
                windows.sides((painted[0], painted[1])),
                strict=True,
            )
        ]
        more = [size - n for size, n in zip(painted, natural, strict=True)]
        return {**found, "output_padding": more}


class PoolingOnnx(Onnx, of=MaxPool2D):
    """MaxPool, whose padding takes no part."""

    operator: ClassVar[str] = "MaxPool"
    settings: ClassVar[dict[str, Any]] = {}

    def write(self, x: Tensor) -> Tensor:
        x = self.graph.channels_first(x)
        places = window_attributes(self.layer.windows, x.shape[:-1], x.shape[:-1])
        shape = self.layer.output_shape(x.shape)
        return self.then(self.operator, x, shape=shape, **places, **self.settings)


class MaxPool1DOnnx(PoolingOnnx, of=MaxPool1D):
    """MaxPool with one axis less."""


class AveragePoolOnnx(PoolingOnnx, of=AveragePool2D):
    """AveragePool that does not count padding."""

    operator = "AveragePool"
    settings = {"count_include_pad": 0}


class AveragePool1DOnnx(AveragePoolOnnx, of=AveragePool1D):
    """AveragePool with one axis less."""


class GlobalAveragePoolOnnx(Onnx, of=GlobalAveragePool):
    """ReduceMean over the positions, in whichever layout they come."""

    operator: ClassVar[str] = "ReduceMean"

    def write(self, x: Tensor) -> Tensor:
        axes = self.whole_numbers("axes", *x.position_axes)
        name = self.node(self.operator, x.name, axes, keepdims=0)
        return Tensor(name, x.shape[-1:])


class GlobalMaxPoolOnnx(GlobalAveragePoolOnnx, of=GlobalMaxPool):
    """ReduceMax over the positions."""

    operator = "ReduceMax"
