"""Transposed convolution: the way back of a convolution, taken as a layer."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from chainrule.activation import Activation
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Shape, Trace
from chainrule.layers.correlation import correlate, d_image, d_kernel
from chainrule.layers.kernel import KernelLayer, KernelSettings
from chainrule.layers.windows import Pair, check_pair, image_shape


class ConvTranspose2D(KernelLayer):
    """Every pixel paints the kernel, times its own value, onto a larger image: z = Aᵀ x + b.

    A ``Conv2D`` with the same settings and weights is a linear map A. This layer is its adjoint
    Aᵀ: it goes forward as the convolution goes back, and back as the convolution goes forward. So
    with a stride it enlarges an image, where the convolution would make it smaller (Zeiler et
    al., 2010). It is not the inverse of the convolution.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or (height, width)
        What one pixel paints.
    activation : str or Activation, default "identity"
        f in a = f(z).
    stride : int or (vertical, horizontal), default 1
        Pixels in the output from what one input pixel paints to what the next one does.
    padding : "valid", "same", int, (vertical, horizontal) or ((top, bottom), (left, right))
        Pixels to cut off the output, where the convolution would add them to its input; by
        default "valid", none. "same" gives size · stride, cut as ``Conv2D`` would pad.
    output_padding : int or (vertical, horizontal), default 0
        Pixels more at the bottom and right, fewer than the stride. Convolutions with a stride
        make images of several sizes equally small; this chooses which one to come back to.
    dilation, groups, use_bias, weights_initializer, bias_initializer
        As in ``Conv2D``.

    Attributes
    ----------
    weights : ndarray (kernel height, kernel width, filters // groups, channels)
        W, with the axes of the convolution whose adjoint this is: *from* filters *to* channels.
    bias : ndarray (filters,)
        b, where ``use_bias``.

    Notes
    -----
    Along one axis the output has (size - 1) · stride + dilation · (kernel_size - 1) + 1 pixels,
    less padding, plus output_padding; with "same", size · stride. With δ = ∂L/∂z, for stride and
    dilation 1::

        z[m, n]     = b + Σ x[m - i, n - j] W[i, j]ᵀ   sum over the kernel and the channels
        δ           = ∂L/∂a · f'(z)
        ∂L/∂W[i, j] = Σ δ[p + i, q + j]ᵀ x[p, q]       sum over all input pixels and the batch
        ∂L/∂b       = Σ δ[m, n]                        sum over all output pixels and the batch
        ∂L/∂x       = δ ⋆ W                            the convolution itself

    They are the three equations of ``Conv2D`` with the image and the error in each other's place.

    Examples
    --------
    >>> from chainrule.layers import ConvTranspose2D
    >>> ConvTranspose2D(16, 4, stride=2, padding="same").output_shape((7, 7, 32))
    (14, 14, 16)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        activation: str | Activation = "identity",
        *,
        output_padding: int | Pair = 0,
        **settings: Unpack[KernelSettings],
    ) -> None:
        super().__init__(filters, kernel_size, activation, **settings)
        self.output_padding = check_pair("output_padding", output_padding, at_least=0)
        if self.padding == "same" and self._more != (0, 0):
            raise InvalidSetting(
                f'ConvTranspose2D received output_padding={self.output_padding} with "same"; '
                "expected none, for the output is size x stride already. Give padding in pixels."
            )
        if any(
            more >= stride for more, stride in zip(self._more, self.windows.stride, strict=True)
        ):
            raise InvalidSetting(
                f"ConvTranspose2D received output_padding={self.output_padding}; expected less "
                f"than stride={self.stride}: no convolution with that stride makes an image that "
                "much larger as small as the input here."
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (out_height, out_width, filters)."""
        height, width, channels = image_shape(input_shape, self)
        self.check_groups(channels)
        return (*self._painted((height, width)), self.filters)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """W (kernel height, kernel width, filters // groups, channels), b (filters,)."""
        kernel = (*self.windows.size, self.filters // self.groups, input_shape[-1])
        shapes: dict[str, Shape] = {"weights": kernel}
        if self.use_bias:
            shapes["bias"] = (self.filters,)
        return shapes

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Draw from the initializer of that parameter, which wants W *from* inputs *to* outputs."""
        if name != "weights":
            return super().initial_value(name, shape, random)
        *size, part, channels = shape
        forward = (*size, channels // self.groups, self.filters)
        start = super().initial_value(name, forward, random)
        start = start.reshape(*size, channels // self.groups, self.groups, part)
        return start.transpose(0, 1, 4, 3, 2).reshape(shape)

    def equations(self, training: bool) -> dict[str, str]:
        """Those of a convolution, with the image and the error in each other's place."""
        z = "d_image(x, weights)"
        return self.with_bias(z, "d_kernel(d_z, x)", "correlate(d_z, weights)")

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, height, width, channels) -> a (batch, out_height, out_width, filters)."""
        trace.x = x
        image = self._painted((x.shape[1], x.shape[2]))
        z = self.add_bias(d_image(x, self.weights, self.windows, self.groups, image))
        return self.activation.feedforward(z, trace)

    def backprop(self, d_a: Array, trace: Trace) -> Array | None:
        """d_a (batch, out_height, out_width, filters) -> d_x (batch, height, width, channels)."""
        trace.d_z = d_z = self.activation.backprop(d_a, trace)
        trace.d_weights = self.room_for_weights(trace)
        d_kernel(d_z, trace.x, self.windows, self.groups, out=trace.d_weights)
        self.backprop_bias(d_z, trace)
        if not trace.needs_d_x:
            return None
        return correlate(d_z, self.weights, self.windows, self.groups)

    @property
    def _more(self) -> Pair:
        """``output_padding`` as (vertical, horizontal)."""
        more = self.output_padding
        return (more, more) if isinstance(more, int) else more

    def _painted(self, image: Pair) -> Pair:
        """(out_height, out_width) for an input of (height, width)."""
        windows = self.windows
        if windows.padding == "same":
            return image[0] * windows.stride[0], image[1] * windows.stride[1]
        height, width = (
            (n - 1) * stride + span - sum(sides) + more
            for n, stride, span, sides, more in zip(
                image, windows.stride, windows.span, windows.sides(image), self._more, strict=True
            )
        )
        if height < 1 or width < 1:
            raise InvalidShape(
                f"{self!r} received samples of {image[0]} x {image[1]}, of which padding leaves "
                f"{height} x {width}; expected at least 1 x 1. Use less padding."
            )
        return height, width
