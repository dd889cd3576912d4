"""Compiled twins of ``layers/dropout.py``: y = m · x, with the very masks of the reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.engines.compiled.kernel import MASKS, SAMPLE, kernel, rows_of
from chainrule.engines.compiled.native import pointer_like, shift
from chainrule.engines.compiled.plan import Buffer, Twin
from chainrule.layer import Array
from chainrule.layers.dropout import Dropout, SpatialDropout


@kernel
def multiply_by_mask(op, context, arena, parameters, gradients, first, rows):
    """Y = m · x, or back d_x = m · d_y; a mask shorter than the sample goes round."""
    mask_at, size, length = op[2], op[3], op[4]
    x = rows_of(arena, op[0], first, rows, size)
    y = rows_of(arena, op[1], first, rows, size)
    masks = shift(pointer_like(context[MASKS], arena), mask_at)
    mask = rows_of(masks, 0, context[SAMPLE], rows, length)
    for row in range(rows):
        for start in range(0, size, length):
            for i in range(length):
                y[row, start + i] = x[row, start + i] * mask[row, i]


class DropoutTwin(Twin, of=Dropout):
    """Plans a multiplication with a mask in training, and nothing otherwise."""

    def feedforward(self, x: Buffer) -> Buffer:
        plan, layer = self.plan, self.layer
        if not plan.training:
            return x
        shape = self.layer.mask_shape((1, *self.input_shape))[1:]

        def draw(random: np.random.Generator, rows: int) -> Array:
            draws = random.random((rows, *shape), dtype=np.float32)
            return (draws >= layer.rate) * plan.dtype.type(1 / (1 - layer.rate))

        self.mask = plan.mask(self.path, "dropout", shape, draw)
        y = plan.buffer(x.shape)
        plan.rows(multiply_by_mask, x, y, *self._settings())
        return y.kept(spare=not plan.traced)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        plan = self.plan
        if not plan.training:
            return d_output
        d_x = plan.buffer(d_output.shape) if plan.traced else d_output
        plan.rows(multiply_by_mask, d_output, d_x, *self._settings())
        return d_x

    def _settings(self) -> tuple[Any, ...]:
        return self.mask, math.prod(self.input_shape), math.prod(self.mask.shape)


class SpatialDropoutTwin(DropoutTwin, of=SpatialDropout):
    """The same with one number for each channel of a sample."""
