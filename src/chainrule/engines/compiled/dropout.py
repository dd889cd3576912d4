"""Compiled twins of ``layers/dropout.py``: y = m · x, with the very masks of the reference."""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.compiled.kernel import SAMPLE, flat, kernel, number
from chainrule.engines.compiled.lanes import lanes_at, load, store, times
from chainrule.engines.compiled.native import shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.randomness import KEY_SCRATCH, fill_mask, key_settings
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.dropout import Dropout, SpatialDropout


@kernel
def draw_mask(op, context, arena, parameters, gradients, first, rows):
    """Draw the masks of the block's samples: what the whole batch's has for them."""
    length, rate = op[1], number(op[2])
    mask = flat(arena, op[0] + first * length, rows * length)
    fill_mask(context, shift(op, 3), mask, context[SAMPLE] * length, rate)


@kernel
def multiply_by_mask(op, context, arena, parameters, gradients, first, rows):
    """Y = m · x, or back d_x = m · d_y; a mask shorter than the sample goes round."""
    size, length = op[3], op[4]
    lanes = lanes_at(arena)
    whole = length - length % lanes
    for row in range(first, first + rows):
        mask = shift(arena, op[2] + row * length)
        for start in range(row * size, (row + 1) * size, length):
            x, y = shift(arena, op[0] + start), shift(arena, op[1] + start)
            for i in range(0, whole, lanes):
                store(shift(y, i), times(load(shift(x, i)), load(shift(mask, i))))
            for i in range(whole, length):
                y[i] = x[i] * mask[i]


class DropoutTwin(Twin, of=Dropout):
    """Plans a multiplication with a mask in training, and nothing otherwise."""

    def feedforward(self, x: Buffer) -> Buffer:
        plan = self.plan
        if not plan.training:
            return x
        plan.need_scratch(KEY_SCRATCH)
        mask = plan.buffer(self.layer.mask_shape((1, *self.input_shape))[1:])
        self.fields["mask"] = mask
        key = key_settings("dropout", self.path)
        plan.rows(draw_mask, mask, mask.size, float(self.layer.rate), *key)
        y = x.kept() if x.spare else plan.buffer(x.shape)
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
        mask = self.fields["mask"]
        return mask, math.prod(self.input_shape), mask.size


class SpatialDropoutTwin(DropoutTwin, of=SpatialDropout):
    """The same with one number for each channel of a sample."""
