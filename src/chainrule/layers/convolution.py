"""Convolution: the same small weighted sum at every place of an image or a sequence.

The two layers give the settings and shapes; ``chainrule.layers.correlation`` has the mathematics
of both passes and says why they are what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from chainrule import checks
from chainrule.layer import Array, Shape, Trace
from chainrule.layers.correlation import correlate, d_image, d_kernel
from chainrule.layers.kernel import KernelLayer
from chainrule.layers.windows import (
    Windows,
    as_images,
    check_length_padding,
    image_shape,
    sequence_shape,
)


class Convolution(KernelLayer, register=False):
    """What ``Conv2D`` and ``Conv1D`` do; a sequence passes as an image of height 1."""

    def image(self, sample: Shape) -> tuple[int, int, int]:
        """(height, width, channels) of a sample, checked."""
        return image_shape(sample, self)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (out_height, out_width, filters)."""
        height, width, channels = self.image(input_shape)
        self.check_groups(channels)
        size = self.windows.output_size((height, width), self)
        return (*size, self.filters)[-len(input_shape) :]

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """W (kernel height, kernel width, channels // groups, filters), b (filters,)."""
        kernel = (*self.windows.size, self.check_groups(input_shape[-1]), self.filters)
        shapes: dict[str, Shape] = {"weights": kernel[-len(input_shape) - 1 :]}
        if self.use_bias:
            shapes["bias"] = (self.filters,)
        return shapes

    def equations(self, training: bool) -> dict[str, str]:
        """The sliding sum z = x ⋆ W + b, and the three sums of the way back."""
        z = "correlate(x, weights)"
        return self.with_bias(z, "d_kernel(x, d_z)", "d_image(d_z, weights)")

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, height, width, channels) -> a (batch, out_height, out_width, filters)."""
        trace.x = x
        output_shape = self.output_shape(x.shape[1:])
        z = correlate(as_images(x), self.kernel(self.weights), self.windows, self.groups)
        z = self.add_bias(z.reshape(len(x), *output_shape))
        return self.activation.feedforward(z, trace)

    def backprop(self, d_a: Array, trace: Trace) -> Array | None:
        """d_a (batch, out_height, out_width, filters) -> d_x (batch, height, width, channels)."""
        trace.d_z = d_z = self.activation.backprop(d_a, trace)
        x, error = as_images(trace.x), as_images(d_z)
        trace.d_weights = self.room_for_weights(trace)
        d_kernel(x, error, self.windows, self.groups, out=self.kernel(trace.d_weights))
        self.backprop_bias(d_z, trace)
        if not trace.needs_d_x:
            return None
        image = (x.shape[1], x.shape[2])
        d_x = d_image(error, self.kernel(self.weights), self.windows, self.groups, image)
        return d_x.reshape(trace.x.shape)


class Conv2D(Convolution):
    """Lay a small kernel over every place of an image and sum up: z = x ⋆ W + b, a = f(z).

    Each filter is one kernel. It looks for its pattern everywhere with the same weights, so a
    pattern learned in one corner is known in all of them, and a layer needs far fewer weights
    than ``Dense`` (Fukushima, 1980; LeCun et al., 1989).

    Parameters
    ----------
    filters : int
        Number of kernels, and so of output channels.
    kernel_size : int or (height, width)
        Pixels under one kernel.
    activation : str or Activation, default "identity"
        f in the equation.
    stride : int or (vertical, horizontal), default 1
        Pixels from one place of the kernel to the next.
    padding : "valid", "same", int, (vertical, horizontal) or ((top, bottom), (left, right))
        Zeros around the image. "valid", the default, adds none: the kernel stays inside. "same"
        adds what it takes for ceil(size / stride) places, half on either side and an odd one at
        the bottom and right (as TensorFlow and Keras do; PyTorch has no "same" with a stride).
        With stride 1 that keeps the size of the image.
    dilation : int or (vertical, horizontal), default 1
        Pixels from one weight of the kernel to the next: 2 leaves every other pixel out, and a
        3 x 3 kernel spans 5 x 5.
    groups : int, default 1
        Cut the channels and the filters into so many equal parts; each part of the filters sees
        only its own part of the channels. ``groups=channels`` is a depthwise convolution.
    use_bias : bool, default True
        Whether there is a b to add, one number for each filter.
    weights_initializer : str or Initializer, default "auto"
        What the weights start from; "auto" is what suits the activation.
    bias_initializer : str or Initializer, default "zeros"
        What the bias starts from.

    Attributes
    ----------
    weights : ndarray (kernel height, kernel width, channels // groups, filters)
        W; ``weights[..., f]`` is the kernel of filter f.
    bias : ndarray (filters,)
        b, where ``use_bias``.

    Notes
    -----
    ⋆ is a cross-correlation, as in every neural network library: W is not turned upside down
    first, which is all that a convolution in the strict sense would add. For stride and dilation
    1, with δ = ∂L/∂z and the place (p, q) of an output pixel::

        z[p, q]   = b + Σ x[p + i, q + j] W[i, j]   sum over the kernel (i, j) and the channels
        δ         = ∂L/∂a · f'(z)
        ∂L/∂W[i, j] = Σ x[p + i, q + j]ᵀ δ[p, q]    sum over all places and the batch
        ∂L/∂b     = Σ δ[p, q]                       sum over all places and the batch
        ∂L/∂x[m, n] = Σ δ[m - i, n - j] W[i, j]ᵀ    sum over the kernel (i, j) and the filters

    At each place this is ``Dense`` on the pixels under the kernel. So ∂L/∂W adds up what a dense
    layer would get at every place: it is the correlation of the image with the error. ∂L/∂x adds
    up, for every pixel, what comes back from the places that saw it: (m - i, n - j) runs through
    δ backwards, so it is the correlation of the error, padded, with the *flipped* kernel.

    Examples
    --------
    >>> from chainrule.layers import Conv2D
    >>> Conv2D(32, 3, activation="relu", padding="same").output_shape((28, 28, 1))
    (28, 28, 32)
    """


class Conv1D(Convolution):
    """Lay a short kernel over every place of a sequence: ``Conv2D`` with one axis less.

    Parameters
    ----------
    filters : int
        Number of kernels, and so of output channels.
    kernel_size : int
        Steps under one kernel.
    activation : str or Activation, default "identity"
        f in the equation.
    stride, dilation, groups : int, default 1
        As in ``Conv2D``.
    padding : "valid", "same", int or (before, after), default "valid"
        Zeros at the ends, as in ``Conv2D``. (dilation * (kernel_size - 1), 0) makes it causal:
        no output sees a later step.
    use_bias : bool, default True
    weights_initializer : str or Initializer, default "auto"
    bias_initializer : str or Initializer, default "zeros"

    Attributes
    ----------
    weights : ndarray (kernel size, channels // groups, filters)
        W.
    bias : ndarray (filters,)
        b, where ``use_bias``.

    Examples
    --------
    >>> from chainrule.layers import Conv1D
    >>> Conv1D(8, 5, stride=2, padding="same").output_shape((100, 3))
    (50, 8)
    """

    check_size: ClassVar[Callable[..., Any]] = staticmethod(checks.whole_number)
    check_padding: ClassVar[Callable[..., Any]] = staticmethod(check_length_padding)

    @property
    def windows(self) -> Windows:
        """How the kernel slides along the sequence."""
        return Windows.of_length(self.kernel_size, self.stride, self.padding, self.dilation)

    def image(self, sample: Shape) -> tuple[int, int, int]:
        """(1, length, channels) of a sample (length, channels), checked."""
        return (1, *sequence_shape(sample, self))
