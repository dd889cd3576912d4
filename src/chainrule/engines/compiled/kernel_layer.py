"""What the compiled twins of all convolutions have in common; see ``layers/kernel.py``."""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.activations import IdentityTwin, activation_twin
from chainrule.engines.compiled.correlation import (
    correlate,
    d_image,
    d_kernel,
    matrix_settings,
)
from chainrule.engines.compiled.depthwise import (
    depthwise_correlate,
    depthwise_d_image,
    depthwise_d_kernel,
)
from chainrule.engines.compiled.geometry import geometry, padded_for_windows
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.tiles import NUMBERS
from chainrule.engines.compiled.twin import Twin
from chainrule.engines.compiled.winograd import GAP, winograd_suits
from chainrule.layers.windows import Pair

# Numbers that stay in the cache beside all else:
_PRODUCTS = 150_000  # of the matrices of Winograd's way
_MATRIX = 60_000  # of the windows' matrix


class KernelTwin(Twin):
    """Base of the twins: offsets of the parameters, the activation, and the kernels' settings.

    Attributes
    ----------
    settings : tuple of int
        From ``HEIGHT`` on; see ``geometry.py``. Winograd's kernels get a few more.
    correlate, d_kernel, d_image : Kernel
        The three equations, in the form that suits the layer.
    is_winograd : bool
        Whether instead of them ``winograd.py`` is the way, with so many ``tiles`` (down, across)
        and ``kernel_room`` numbers for each form of W.
    """

    correlate, d_kernel, d_image = correlate, d_kernel, d_image

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.weights = self.plan.parameter(self.path, "weights")
        self.bias = self.plan.parameter(self.path, "bias")
        self.activation = activation_twin(
            self.layer.activation, self.path, self.output_shape, self.plan
        )

    def activate(self, x: Buffer, z: Buffer) -> Buffer:
        """Plan the activation, in z's place, and leave what the way back needs."""
        self.fields["x"] = x
        a = self.activation.feedforward_in_place(z)
        self.fields |= self.activation.fields
        return a.kept(spare=isinstance(self.activation, IdentityTwin) and not self.plan.traced)

    def activation_backprop(self, d_output: Buffer) -> Buffer:
        """Plan δ, and say which gradients are made of it."""
        d_z = self.activation.backprop(d_output, needs_d_x=True)
        self.fields["d_z"] = d_z
        self.gradient(self.weights)
        self.gradient(self.bias)
        return d_z

    def describe(self, image: Pair, channels: int, output: Pair, filters: int) -> None:
        """Choose how a convolution from such an image to such an output is computed."""
        layer, plan = self.layer, self.plan
        windows, groups = layer.windows, layer.groups
        places = output[0] * output[1]
        columns = windows.size[0] * windows.size[1] * channels // groups
        plan.work += 3 * places * columns * filters
        if channels == filters == groups:
            self.correlate, self.d_kernel, self.d_image = (
                depthwise_correlate, depthwise_d_kernel, depthwise_d_image,
            )  # fmt: skip
        self.is_winograd = winograd_suits(layer, channels, filters)
        if self.is_winograd:
            high, wide = self.tiles = -(-output[0] // 2), -(-output[1] // 2)
            padded = 2 * high + 2, 2 * wide + 2
            self.kernel_room = NUMBERS * channels * filters
            each = NUMBERS * high * wide * (channels + filters)
            together = max(1, _PRODUCTS // each)
            room = together * each + 2 * NUMBERS * GAP
            own = ()
        else:
            padded = padded_for_windows(windows, image, output)
            together = max(1, _MATRIX // (places * columns))
            room = together * places * columns
            own = matrix_settings(windows, channels, groups, padded != image)
        plan.need_scratch(padded[0] * padded[1] * channels + room)
        described = geometry(windows, image, channels, output, filters, groups, padded)
        self.settings = (*described, together, *own)
