"""Compiled twins of ``layers/convolution.py``: z = x ⋆ W + b on images and on sequences."""

from __future__ import annotations

from typing import Any

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
        settings = (x, z, self.weights, self.bias, *self.settings)
        if self.is_winograd:
            room = plan.need_shard_room(self.kernel_room)
            plan.rows(winograd_feedforward, *settings, room, *self.tiles)
        else:
            plan.rows(self.correlate, *settings)
        return self.activate(x, z)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        plan, x = self.plan, self.fields["x"]
        d_z = self.activation_backprop(d_output)
        d_x = plan.buffer(self.input_shape) if needs_d_x else None
        settings = (x, d_z, self.weights, self.bias, *self.settings)
        if self.is_winograd:
            room = plan.need_shard_room(2 * self.kernel_room)
            into = -1 if d_x is None else d_x
            plan.rows(winograd_backprop, *settings, room, *self.tiles, into)
        else:
            plan.rows(self.d_kernel, *settings)
            if d_x is not None:
                plan.rows(self.d_image, d_x, d_z, self.weights, -1, *self.settings)
        plan.release(d_z)
        return d_x


class Conv1DTwin(Conv2DTwin, of=Conv1D):
    """The same: a sequence is an image of height 1."""
