"""Compiled twins of ``layers/feature_normalization.py``: each sample by itself.

A layer norm goes over the channels of one position at a time. A group norm goes over all positions
of a sample, as batch normalization goes over the batch, and with the same loops (``channels.py``).
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.compiled.channels import (
    deviation,
    of_channel,
    repeat,
    rescale,
    rescale_back,
    stretch_of,
    sum_up,
    sum_up_centred,
    sum_up_products,
)
from chainrule.engines.compiled.kernel import SCRATCH, flat, kernel, number
from chainrule.engines.compiled.native import pointer_like, shift
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.twin import Twin
from chainrule.layers.feature_normalization import GroupNorm, LayerNorm, RMSNorm


@kernel
def layer_normalize(op, context, arena, parameters, gradients, first, rows):
    """Z = γ (x - μ) / σ + β, with the μ and σ of a position; without μ and β in RMSNorm."""
    mean_at, deviation_at, positions, channels = op[2], op[3], op[4], op[5]
    scale_at, shift_at, epsilon = op[6], op[7], number(op[8])
    scale = flat(parameters, scale_at, channels)
    means = flat(arena, mean_at + first * positions, rows * positions)
    deviations = flat(arena, deviation_at + first * positions, rows * positions)
    of = scale.dtype.type
    for place in range(rows * positions):
        x = flat(arena, op[0] + (first * positions + place) * channels, channels)
        z = flat(arena, op[1] + (first * positions + place) * channels, channels)
        mean, rest, squares = of(0), of(0), of(0)
        if shift_at >= 0:
            for c in range(channels):
                mean += x[c]
            mean = of(mean / channels)
        for c in range(channels):
            centred = x[c] - mean
            rest += centred
            squares += centred * centred
        if shift_at < 0:
            rest = of(0)
        variance = (squares - rest * rest / channels) / channels
        sigma = of(deviation(variance, epsilon))
        factor = of(1) / sigma
        for c in range(channels):
            z[c] = (x[c] - mean) * factor * scale[c]
        if shift_at >= 0:
            offset = flat(parameters, shift_at, channels)
            for c in range(channels):
                z[c] += offset[c]
            means[place] = mean
        deviations[place] = sigma


@kernel
def layer_norm_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = (d_x̂ - average(d_x̂) - x̂ · average(d_x̂ · x̂)) / σ, and add ∂L/∂γ and ∂L/∂β."""
    mean_at, deviation_at, positions, channels = op[3], op[4], op[5], op[6]
    scale_at, shift_at, needs_d_x = op[7], op[8], op[9]
    scale, d_scale = flat(parameters, scale_at, channels), flat(gradients, scale_at, channels)
    means = flat(arena, mean_at + first * positions, rows * positions)
    deviations = flat(arena, deviation_at + first * positions, rows * positions)
    of = scale.dtype.type
    for place in range(rows * positions):
        start = (first * positions + place) * channels
        x, d_z = flat(arena, op[0] + start, channels), flat(arena, op[1] + start, channels)
        d_x = flat(arena, op[2] + start, channels)
        mean, factor = of(0), of(1) / deviations[place]
        moving, stretching = of(0), of(0)
        if shift_at >= 0:
            mean = means[place]
            d_shift = flat(gradients, shift_at, channels)
            for c in range(channels):
                d_shift[c] += d_z[c]
                moving += d_z[c] * scale[c]
            moving = of(moving / channels)
        for c in range(channels):
            x_hat = (x[c] - mean) * factor
            d_scale[c] += d_z[c] * x_hat
            stretching += d_z[c] * scale[c] * x_hat
        stretching = of(stretching / channels)
        if needs_d_x != 0:
            for c in range(channels):
                x_hat = (x[c] - mean) * factor
                d_x[c] = (d_z[c] * scale[c] - moving - x_hat * stretching) * factor


@kernel
def group_normalize(op, context, arena, parameters, gradients, first, rows):
    """Z = γ (x - μ) / σ + β, with the μ and σ of a sample's group of channels."""
    size, channels, groups, stretch = op[4], op[5], op[6], op[7]
    scale, offset = flat(parameters, op[8], channels), flat(parameters, op[9], channels)
    epsilon = number(op[10])
    scratch = pointer_like(context[SCRATCH], arena)
    sums, squares, mean = scratch, shift(scratch, stretch), shift(scratch, 2 * stretch)
    width, count = channels // groups, size // groups
    for row in range(first, first + rows):
        x, z = shift(arena, op[0] + row * size), shift(arena, op[1] + row * size)
        means = flat(arena, op[2] + row * channels, channels)
        deviations = flat(arena, op[3] + row * channels, channels)
        sum_up(x, size, stretch, sums)
        for group in range(0, channels, width):
            total = 0.0
            for c in range(group, group + width):
                total += of_channel(sums, c, channels, stretch)
            for c in range(group, group + width):
                means[c] = mean[c] = total / count
        repeat(mean, channels, stretch)
        sum_up_centred(x, size, stretch, mean, sums, squares)
        for group in range(0, channels, width):
            rest, squared = 0.0, 0.0
            for c in range(group, group + width):
                rest += of_channel(sums, c, channels, stretch)
                squared += of_channel(squares, c, channels, stretch)
            sigma = deviation((squared - rest * rest / count) / count, epsilon)
            for c in range(group, group + width):
                deviations[c] = sigma
        for c in range(channels):
            sums[c] = scale[c] / deviations[c]
            squares[c] = offset[c]
        repeat(sums, channels, stretch)
        repeat(squares, channels, stretch)
        rescale(x, z, size, stretch, mean, sums, squares)


@kernel
def group_norm_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂L/∂x = (d_x̂ - average(d_x̂) - x̂ · average(d_x̂ · x̂)) / σ, and add ∂L/∂γ and ∂L/∂β."""
    size, channels, groups, stretch = op[5], op[6], op[7], op[8]
    scale_at, shift_at, needs_d_x = op[9], op[10], op[11]
    scale = flat(parameters, scale_at, channels)
    d_scale, d_shift = flat(gradients, scale_at, channels), flat(gradients, shift_at, channels)
    scratch = pointer_like(context[SCRATCH], arena)
    mean, factor = scratch, shift(scratch, stretch)
    sums, products = shift(scratch, 2 * stretch), shift(scratch, 3 * stretch)
    width, count = channels // groups, size // groups
    for row in range(first, first + rows):
        x, d_z = shift(arena, op[0] + row * size), shift(arena, op[1] + row * size)
        means = flat(arena, op[3] + row * channels, channels)
        deviations = flat(arena, op[4] + row * channels, channels)
        for c in range(channels):
            mean[c] = means[c]
            factor[c] = scale[c] / deviations[c]
        repeat(mean, channels, stretch)
        repeat(factor, channels, stretch)
        sum_up_products(x, d_z, size, stretch, mean, sums, products)
        for group in range(0, channels, width):
            sigma = deviations[group]
            moving, stretching = 0.0, 0.0
            for c in range(group, group + width):
                total = of_channel(sums, c, channels, stretch)
                product = of_channel(products, c, channels, stretch) / sigma
                d_shift[c] += total
                d_scale[c] += product
                moving += scale[c] * total
                stretching += scale[c] * product
            for c in range(group, group + width):
                products[c] = stretching / count / (sigma * sigma)
                sums[c] = moving / count / sigma
        if needs_d_x != 0:
            repeat(products, channels, stretch)
            repeat(sums, channels, stretch)
            d_x = shift(arena, op[2] + row * size)
            rescale_back(x, d_z, d_x, size, stretch, mean, factor, products, sums)


class FeatureNormTwin(Twin):
    """Base: z beside x, and what was found of μ and σ in buffers of their own."""

    statistics: tuple[str, ...] = ("mean", "deviation")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.channels = self.input_shape[-1]
        self.scale = self.plan.parameter(self.path, "scale")
        self.shift = self.plan.parameter(self.path, "shift")  # -1 in RMSNorm

    def buffers(self, x: Buffer) -> tuple[Buffer, Buffer, Buffer]:
        """Room for z, μ and σ; ``x`` and the latter are what the way back will read."""
        z = self.plan.buffer(x.shape)
        shape = self.statistics_shape()
        found = {name: self.plan.buffer(shape) for name in ("mean", "deviation")}
        self.fields = {"x": x} | {name: found[name] for name in self.statistics}
        self.kept = x, found["mean"], found["deviation"]
        self.plan.work += 10 * x.size
        return z, found["mean"], found["deviation"]

    def statistics_shape(self) -> tuple[int, ...]:
        """What there is of μ and σ for each sample."""
        raise NotImplementedError(f"{type(self).__name__} defines no statistics_shape")

    def room_for_d_x(self, d_output: Buffer) -> Buffer:
        """Where ∂L/∂x goes: over ∂L/∂z, which it is made from number by number."""
        for start in (self.scale, self.shift):
            if start >= 0:
                self.gradient(start)
        return self.plan.buffer(d_output.shape) if self.plan.traced else d_output


class LayerNormTwin(FeatureNormTwin, of=LayerNorm):
    """Plans z = γ x̂ + β, position by position."""

    def statistics_shape(self) -> tuple[int, ...]:
        return (math.prod(self.input_shape[:-1]), 1)

    def feedforward(self, x: Buffer) -> Buffer:
        z, mean, sigma = self.buffers(x)
        self.plan.rows(
            layer_normalize, x, z, mean, sigma, sigma.size, self.channels, self.scale, self.shift,
            float(self.layer.epsilon),
        )  # fmt: skip
        return z.kept(spare=not self.plan.traced)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        x, mean, sigma = self.kept
        d_x = self.room_for_d_x(d_output)
        self.plan.rows(
            layer_norm_backprop, x, d_output, d_x, mean, sigma, sigma.size, self.channels,
            self.scale, self.shift, needs_d_x,
        )  # fmt: skip
        return d_x if needs_d_x else None


class RMSNormTwin(LayerNormTwin, of=RMSNorm):
    """Plans z = γ x / σ: the same, with μ and β left out."""

    statistics = ("deviation",)

    def statistics_shape(self) -> tuple[int, ...]:
        return (*self.input_shape[:-1], 1)


class GroupNormTwin(FeatureNormTwin, of=GroupNorm):
    """Plans z = γ x̂ + β, sample by sample."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.stretch = stretch_of(self.channels)
        self.plan.need_scratch(4 * self.stretch)

    def statistics_shape(self) -> tuple[int, ...]:
        return (1, self.channels)

    def feedforward(self, x: Buffer) -> Buffer:
        z, mean, sigma = self.buffers(x)
        self.plan.rows(
            group_normalize, x, z, mean, sigma, *self._sizes(x), self.scale, self.shift,
            float(self.layer.epsilon),
        )  # fmt: skip
        return z.kept(spare=not self.plan.traced)

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        x, mean, sigma = self.kept
        d_x = self.room_for_d_x(d_output)
        self.plan.rows(
            group_norm_backprop, x, d_output, d_x, mean, sigma, *self._sizes(x), self.scale,
            self.shift, needs_d_x,
        )  # fmt: skip
        return d_x if needs_d_x else None

    def _sizes(self, x: Buffer) -> tuple[int, ...]:
        return x.size, self.channels, self.layer.groups, self.stretch
