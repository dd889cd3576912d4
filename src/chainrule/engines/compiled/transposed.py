"""Compiled twin of ``layers/transposed.py``: a convolution's way back, taken forward."""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.correlation import correlate, d_bias, d_image, d_kernel
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
        plan = self.plan
        z = plan.buffer(self.output_shape)
        plan.rows(d_image, z, x, self.weights, self.bias, *self.geometry, self.together)
        self.fields["x"] = x
        a = self.activation.feedforward_in_place(z)
        self.fields |= self.activation.fields
        return a

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        plan, x = self.plan, self.fields["x"]
        d_z = self.activation.backprop(d_output, needs_d_x=True)
        self.fields["d_z"] = d_z
        self.gradient(self.weights)
        self.gradient(self.bias)
        settings = (self.weights, -1, *self.geometry, self.together)
        plan.rows(d_kernel, d_z, x, *settings)
        if self.bias >= 0:
            plan.rows(d_bias, d_z, -1, -1, self.bias, *self.geometry)
        d_x = None
        if needs_d_x:
            d_x = plan.buffer(self.input_shape)
            plan.rows(correlate, d_z, d_x, *settings)
        plan.release(d_z)
        return d_x
