"""Compiled twin of ``layers/batch_normalization.py``: z = γ (x - μ) / σ + β over the batch.

In training every block adds its part to sums of its shard (``moments.py``). Where all have done so,
one thread puts the shards together, in their order, and leaves what the blocks need then: a few
tiles of numbers for each channel (``channels.py``). They stand behind the sums of the first shard.
x̂ is not kept: the way back computes it again from x, which saves a way through memory.
"""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.channels import (
    deviation,
    of_channel,
    repeat,
    rescale,
    rescale_back,
    stretch_of,
    sum_up_products,
)
from chainrule.engines.compiled.kernel import (
    PARTIALS,
    SCRATCH,
    SHARD,
    SHARDS,
    flat,
    helper,
    kernel,
    number,
)
from chainrule.engines.compiled.moments import CHUNK, batch_moments, merge_shards, partials_of
from chainrule.engines.compiled.native import pointer_like, shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.batch_normalization import BatchNorm


@helper
def tile_of(context: Any, start: int, tile: int, stretch: int, like: Any) -> Any:
    """Pointer to a tile that stands in the room of float64 sums from ``start`` on."""
    return shift(pointer_like(context[PARTIALS] + 8 * start, like), tile * stretch)


@kernel
def batch_tiles(op, context, arena, parameters, gradients, first, rows):
    """Join the moments of all shards; leave tiles of μ, γ/σ and β."""
    moments_at, tiles_at, channels, stretch = op[0], op[1], op[2], op[3]
    scale, shift_by = flat(parameters, op[4], channels), flat(parameters, op[5], channels)
    epsilon = number(op[6])
    moments = merge_shards(context, moments_at, channels)
    mean = tile_of(context, tiles_at, 0, stretch, arena)
    factor = tile_of(context, tiles_at, 1, stretch, arena)
    offset = tile_of(context, tiles_at, 2, stretch, arena)
    for c in range(channels):
        mean[c] = moments[1 + c]
        factor[c] = scale[c] / deviation(moments[1 + channels + c] / moments[0], epsilon)
        rest = moments[1 + c] - mean[c]  # what float32 has no digits for
        offset[c] = shift_by[c] - rest * factor[c]
    repeat(mean, channels, stretch)
    repeat(factor, channels, stretch)
    repeat(offset, channels, stretch)


@kernel
def batch_normalize(op, context, arena, parameters, gradients, first, rows):
    """Z = (x - μ) γ/σ + β."""
    tiles_at, size, stretch = op[2], op[3], op[4]
    rescale(
        shift(arena, op[0] + first * size),
        shift(arena, op[1] + first * size),
        rows * size,
        stretch,
        tile_of(context, tiles_at, 0, stretch, arena),
        tile_of(context, tiles_at, 1, stretch, arena),
        tile_of(context, tiles_at, 2, stretch, arena),
    )


@kernel
def normalize_by_running(op, context, arena, parameters, gradients, first, rows):
    """The same outside training: with μ and σ that training has counted."""
    size, channels, stretch = op[2], op[3], op[4]
    scale, shift_by = flat(parameters, op[5], channels), flat(parameters, op[6], channels)
    running_mean = flat(parameters, op[7], channels)
    running_variance = flat(parameters, op[8], channels)
    epsilon = number(op[9])
    scratch = pointer_like(context[SCRATCH], arena)
    mean, factor, offset = scratch, shift(scratch, stretch), shift(scratch, 2 * stretch)
    for c in range(channels):
        mean[c] = running_mean[c]
        factor[c] = scale[c] / deviation(running_variance[c], epsilon)
        offset[c] = shift_by[c]
    repeat(mean, channels, stretch)
    repeat(factor, channels, stretch)
    repeat(offset, channels, stretch)
    rescale(
        shift(arena, op[0] + first * size),
        shift(arena, op[1] + first * size),
        rows * size,
        stretch,
        mean,
        factor,
        offset,
    )


@kernel
def count_statistics(op, context, arena, parameters, gradients, first, rows):
    """Average mean and unbiased variance in, once for each place where the layer stands."""
    channels, momentum, places = op[2], number(op[3]), op[4]
    mean, variance = flat(parameters, op[0], channels), flat(parameters, op[1], channels)
    for place in range(places):
        moments = partials_of(context, 0, op[5 + place], 1 + 2 * channels)
        for c in range(channels):
            unbiased = moments[1 + channels + c] / (moments[0] - 1)
            mean[c] = momentum * mean[c] + (1 - momentum) * moments[1 + c]
            variance[c] = momentum * variance[c] + (1 - momentum) * unbiased


@kernel
def batch_products(op, context, arena, parameters, gradients, first, rows):
    """Add a block's Σ δ and Σ δ (x - μ) to those of its shard."""
    sums_at, tiles_at, size, channels, stretch = op[2], op[3], op[4], op[5], op[6]
    x, d_z = shift(arena, op[0] + first * size), shift(arena, op[1] + first * size)
    mean = tile_of(context, tiles_at, 0, stretch, arena)
    of_shard = partials_of(context, context[SHARD], sums_at, 2 * channels)
    scratch = pointer_like(context[SCRATCH], arena)
    sums, products = scratch, shift(scratch, stretch)
    chunk = stretch * max(1, CHUNK // stretch)
    for begin in range(0, rows * size, chunk):
        length = min(chunk, rows * size - begin)
        sum_up_products(shift(x, begin), shift(d_z, begin), length, stretch, mean, sums, products)
        for c in range(channels):
            of_shard[c] += of_channel(sums, c, channels, stretch)
            of_shard[channels + c] += of_channel(products, c, channels, stretch)


@kernel
def batch_gradients(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂β = Σ δ and ∂L/∂γ = Σ δ x̂; leave tiles of what to take out of δ."""
    moments_at, sums_at, tiles_at, channels, stretch = op[0], op[1], op[2], op[3], op[4]
    scale_at, shift_at, writes = op[5], op[6], op[8]
    scale = flat(parameters, scale_at, channels)
    d_scale, d_shift = flat(gradients, scale_at, channels), flat(gradients, shift_at, channels)
    epsilon, keep = number(op[7]), 1 - writes
    moments = partials_of(context, 0, moments_at, 1 + 2 * channels)
    mean = tile_of(context, tiles_at, 0, stretch, arena)
    stretching = tile_of(context, tiles_at, 3, stretch, arena)
    moving = tile_of(context, tiles_at, 4, stretch, arena)
    count = moments[0]
    for c in range(channels):
        total, product = 0.0, 0.0
        for shard in range(context[SHARDS]):
            of_shard = partials_of(context, shard, sums_at, 2 * channels)
            total += of_shard[c]
            product += of_shard[channels + c]
        rest = moments[1 + c] - mean[c]  # the products have been taken with the rounded mean
        product -= rest * total
        sigma = deviation(moments[1 + channels + c] / count, epsilon)
        d_shift[c] = keep * d_shift[c] + total
        d_scale[c] = keep * d_scale[c] + product / sigma
        stretching[c] = scale[c] / sigma * product / (sigma * sigma) / count
        moving[c] = scale[c] / sigma * total / count - rest * stretching[c]
    repeat(stretching, channels, stretch)
    repeat(moving, channels, stretch)


@kernel
def batch_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = γ/σ · (δ - Σ δ / n - x̂ · Σ δ x̂ / n)."""
    tiles_at, size, stretch = op[3], op[4], op[5]
    rescale_back(
        shift(arena, op[0] + first * size),
        shift(arena, op[1] + first * size),
        shift(arena, op[2] + first * size),
        rows * size,
        stretch,
        tile_of(context, tiles_at, 0, stretch, arena),
        tile_of(context, tiles_at, 1, stretch, arena),
        tile_of(context, tiles_at, 3, stretch, arena),
        tile_of(context, tiles_at, 4, stretch, arena),
    )


class BatchNormTwin(Twin, of=BatchNorm):
    """Plans statistics of the batch, a barrier, and then the normalization; so also back."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        plan = self.plan
        self.channels = self.input_shape[-1]
        self.stretch = stretch_of(self.channels)
        self.scale = plan.parameter(self.path, "scale")
        self.shift = plan.parameter(self.path, "shift")
        self.epsilon = float(self.layer.epsilon)
        plan.need_scratch(3 * self.stretch)

    def feedforward(self, x: Buffer) -> Buffer:
        plan, channels, stretch = self.plan, self.channels, self.stretch
        z = plan.buffer(self.output_shape)
        self.fields["x"] = x
        plan.work += 10 * x.size
        if not plan.training:
            plan.rows(
                normalize_by_running, x, z, x.size, channels, stretch, self.scale, self.shift,
                self._statistic("running_mean"), self._statistic("running_variance"), self.epsilon,
            )  # fmt: skip
            return z.kept(spare=True)
        self.moments = plan.partial(1 + 2 * channels)
        self.tiles = plan.partial(5 * stretch)
        plan.rows(batch_moments, x, self.moments, x.size, channels, stretch)
        plan.parts(
            batch_tiles, 1, 1, self.moments, self.tiles, channels, stretch, self.scale, self.shift,
            self.epsilon,
        )  # fmt: skip
        plan.barrier()
        plan.rows(batch_normalize, x, z, self.tiles, x.size, stretch)
        self._count()
        return z.kept(spare=not plan.traced)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        plan, x, channels, stretch = self.plan, self.fields["x"], self.channels, self.stretch
        sums = plan.partial(2 * channels)
        plan.rows(batch_products, x, d_output, sums, self.tiles, x.size, channels, stretch)
        plan.parts(
            batch_gradients, 1, 1, self.moments, sums, self.tiles, channels, stretch, self.scale,
            self.shift, self.epsilon, plan.writes_gradient(self.scale),
        )  # fmt: skip
        plan.barrier()
        if not needs_d_x:
            return None
        d_x = plan.buffer(x.shape) if plan.traced else d_output
        plan.rows(batch_backprop, x, d_output, d_x, self.tiles, x.size, stretch)
        return d_x

    def _statistic(self, name: str) -> int:
        """Where a running average stands; a layer that is used twice has it once."""
        return next(
            slot.start
            for slot in self.plan.parameters.statistics
            if slot.owner is self.layer and slot.name == name
        )

    def _count(self) -> None:
        """Plan the update of the statistics, by one thread for all places of the layer."""
        mean = self._statistic("running_mean")
        for op in self.plan.accepted:
            if op.kernel is count_statistics and op.settings[0] == mean:
                op.settings = (*op.settings[:4], op.settings[4] + 1, *op.settings[5:], self.moments)
                return
        self.plan.once_accepted(
            count_statistics, mean, self._statistic("running_variance"), self.channels,
            float(self.layer.momentum), 1, self.moments,
        )  # fmt: skip
