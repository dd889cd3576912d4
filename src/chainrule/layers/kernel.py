"""What all convolutions have in common: their settings, and what their kernels start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypedDict

import numpy as np

from chainrule import checks
from chainrule.activation import Activation
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.initializers import Initializer
from chainrule.layer import Array, Layer, Parameter, Shape, Trace
from chainrule.layers.windows import Padding, Pair, Windows, check_padding, check_pair


class KernelSettings(TypedDict, total=False):
    """Keywords that every convolution takes, with the defaults of ``Conv2D``."""

    stride: int | Pair
    padding: Padding
    dilation: int | Pair
    groups: int
    use_bias: bool
    weights_initializer: str | Initializer
    bias_initializer: str | Initializer


class KernelLayer(Layer, register=False):
    """Base of the layers that weigh windows of an image with a kernel.

    The settings are described in ``Conv2D``.
    """

    weights = Parameter(penalized=True)
    bias = Parameter()
    activation: Activation

    check_size: ClassVar[Callable[..., Any]] = staticmethod(check_pair)
    check_padding: ClassVar[Callable[..., Any]] = staticmethod(check_padding)

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        activation: str | Activation = "identity",
        *,
        stride: int | Pair = 1,
        padding: Padding = "valid",
        dilation: int | Pair = 1,
        groups: int = 1,
        use_bias: bool = True,
        weights_initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        self.filters = checks.whole_number("filters", filters)
        self.kernel_size = self.check_size("kernel_size", kernel_size)
        self.activation = Activation.get(activation)
        self.stride = self.check_size("stride", stride)
        self.padding = self.check_padding(padding)
        self.dilation = self.check_size("dilation", dilation)
        self.groups = checks.whole_number("groups", groups)
        if self.filters % self.groups:
            raise InvalidSetting(
                f"{type(self).__name__} received filters={self.filters} and groups={self.groups}; "
                "expected filters that divide into the groups evenly. A depthwise convolution has "
                "as many filters as channels, or a multiple."
            )
        self.use_bias = checks.flag("use_bias", use_bias)
        self.weights_initializer = (
            weights_initializer
            if weights_initializer == "auto"
            else Initializer.get(weights_initializer)
        )
        self.bias_initializer = Initializer.get(bias_initializer)

    @property
    def windows(self) -> Windows:
        """How the kernel slides over the image."""
        return Windows.of_image(self.kernel_size, self.stride, self.padding, self.dilation)

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Draw from the initializer of that parameter."""
        initializer = self.weights_initializer if name == "weights" else self.bias_initializer
        if initializer == "auto":
            initializer = self.activation.initializer
        return Initializer.get(initializer).values(shape, random)

    def check_groups(self, channels: int) -> int:
        """Return ``channels // groups``.

        Raises
        ------
        InvalidShape
            When the channels do not divide into the groups.
        """
        if channels % self.groups:
            raise InvalidShape(
                f"{self!r} received samples of {channels} channels; expected a multiple of its "
                f"groups={self.groups}. Choose groups that divide {channels}, as {channels} "
                "(depthwise) or 1."
            )
        return channels // self.groups

    def kernel(self, weights: Array) -> Array:
        """See weights, or their gradient, as an image's kernel; a sequence's lack one axis."""
        return weights.reshape(self.windows.size + weights.shape[-2:])

    def room_for_weights(self, trace: Trace) -> Array:
        """Where ∂L/∂W goes: the place that the engine offers, or an array of its own."""
        room = trace.room("d_weights")
        return np.empty_like(self.weights) if room is None else room

    def add_bias(self, z: Array) -> Array:
        """Add each filter's bias to its outputs, in place."""
        if self.use_bias:
            z += self.bias
        return z

    def with_bias(self, z: str, d_weights: str, d_x: str) -> dict[str, str]:
        """Put the equations together, with those of the bias where there is one."""
        found = {"z": z + " + bias" * self.use_bias, "d_weights": d_weights}
        if self.use_bias:
            found["d_bias"] = "channel_sum(d_z)"
        return {**found, "d_x": d_x}

    def backprop_bias(self, d_z: Array, trace: Trace) -> None:
        """∂L/∂b = Σ ∂L/∂z: a filter's bias is added at every place of every sample."""
        if self.use_bias:
            d_rows = d_z.reshape(-1, self.filters)
            ones = np.ones(len(d_rows), d_z.dtype)  # BLAS sums a column faster than .sum(axis=0)
            trace.d_bias = np.dot(ones, d_rows, out=trace.room("d_bias"))
