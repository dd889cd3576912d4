"""Compiled twins of ``layers/convolution.py``: z = x ⋆ W + b on images and on sequences."""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.correlation import correlate, d_image, d_kernel
from chainrule.engines.compiled.kernel_layer import KernelTwin
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.winograd import winograd_backprop, winograd_feedforward
from chainrule.layers.convolution import Conv1D, Conv2D


class Conv2DTwin(KernelTwin, of=Conv2D):
    """Plans the sums over windows and the activation, which works in z's place."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        height, width, channels = self.layer.image(self.input_shape)
        output = self.layer.windows.output_size((height, width), self.layer)
        self.describe((height, width), channels, output, self.layer.filters)

    def feedforward(self, x: Buffer) -> Buffer:
        plan = self.plan
        z = plan.buffer(self.output_shape)
        settings = (x, z, self.weights, self.bias, *self.geometry, self.together)
        if self.winograd:
            plan.rows(winograd_feedforward, *settings, plan.need_shard_room(self.kernel_size))
        else:
            plan.rows(correlate, *settings)
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
        d_x = plan.buffer(self.input_shape) if needs_d_x else None
        settings = (d_z, self.weights, self.bias, *self.geometry, self.together)
        if self.winograd:
            kept = plan.need_shard_room(2 * self.kernel_size)
            plan.rows(winograd_backprop, x, *settings, kept, -1 if d_x is None else d_x)
        else:
            plan.rows(d_kernel, x, *settings)
            if d_x is not None:
                plan.rows(d_image, d_x, d_z, self.weights, -1, *self.geometry, self.together)
        plan.release(d_z)
        return d_x


class Conv1DTwin(Conv2DTwin, of=Conv1D):
    """The same: a sequence is an image of height 1."""
