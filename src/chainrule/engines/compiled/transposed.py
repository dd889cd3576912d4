"""Compiled twin of ``layers/transposed.py``: a convolution's way back, taken forward."""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.correlation import d_bias
from chainrule.engines.compiled.kernel_layer import KernelTwin
from chainrule.engines.compiled.plan import Buffer
from chainrule.layers.transposed import ConvTranspose2D


class ConvTranspose2DTwin(KernelTwin, of=ConvTranspose2D):
    """Plans the kernels of the convolution whose adjoint this is.

    What that convolution reads is here the output, and what it makes is the input.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        out_height, out_width, filters = self.output_shape
        height, width, channels = self.input_shape
        self.describe((out_height, out_width), filters, (height, width), channels)

    def feedforward(self, x: Buffer) -> Buffer:
        z = self.plan.buffer(self.output_shape)
        self.plan.rows(self.d_image, z, x, self.weights, self.bias, *self.settings)
        return self.activate(x, z)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        plan, x = self.plan, self.fields["x"]
        d_z = self.activation_backprop(d_output)
        plan.rows(self.d_kernel, d_z, x, self.weights, -1, *self.settings)
        if self.bias >= 0:
            plan.rows(d_bias, d_z, -1, -1, self.bias, *self.settings)
        d_x = None
        if needs_d_x:
            d_x = plan.buffer(self.input_shape)
            plan.rows(self.correlate, d_z, d_x, self.weights, -1, *self.settings)
        plan.release(d_z)
        return d_x
