"""Compiled twins of ``layers/pooling.py``: the largest number or the average of each window."""

from __future__ import annotations

from typing import Any, ClassVar

from chainrule.engines.compiled.geometry import geometry
from chainrule.engines.compiled.kernel import Kernel
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.twin import Twin
from chainrule.engines.compiled.window_pooling import (
    average,
    back_to_all,
    back_to_largest,
    largest,
)
from chainrule.layers.pooling import AveragePool1D, AveragePool2D, MaxPool1D, MaxPool2D


class PoolingTwin(Twin):
    """Base of the four: one kernel there and one back; a sequence is an image of height 1."""

    forward: ClassVar[Kernel]
    back: ClassVar[Kernel]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        *_, width, channels = self.input_shape
        image = (self.input_shape[0] if len(self.input_shape) == 3 else 1, width)
        windows = self.layer.windows
        output = windows.output_size(image, self.layer)
        self.geometry = geometry(windows, image, channels, output, channels)

    def feedforward(self, x: Buffer) -> Buffer:
        plan = self.plan
        z = plan.buffer(self.output_shape)
        self.fields["x"], self.z = x, z
        plan.rows(self.forward, x, z, -1, -1, *self.geometry)
        return z

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        if not needs_d_x:
            return None
        d_x = self.plan.buffer(self.input_shape)
        self.plan.rows(self.back, self.fields["x"], self.z, d_x, d_output, *self.geometry)
        self.plan.release(d_output)
        return d_x


class MaxPool2DTwin(PoolingTwin, of=MaxPool2D):
    """Plans z = max x."""

    forward, back = largest, back_to_largest


class MaxPool1DTwin(MaxPool2DTwin, of=MaxPool1D):
    """The same."""


class AveragePool2DTwin(PoolingTwin, of=AveragePool2D):
    """Plans z = Σ x / n."""

    forward, back = average, back_to_all


class AveragePool1DTwin(AveragePool2DTwin, of=AveragePool1D):
    """The same."""
