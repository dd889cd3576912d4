"""Compiled twins of the activations that pass what is above zero: ReLU and its kin."""

from __future__ import annotations

from typing import Any

from chainrule.activations import ELU, SELU, LeakyReLU, PReLU, ReLU
from chainrule.engines.compiled.activation import ActivationTwin
from chainrule.engines.compiled.elementary import ONE, ZERO, scalar
from chainrule.engines.compiled.elementwise import brought, slope_kernel, value_kernel
from chainrule.engines.compiled.exponential import exponential_minus_one
from chainrule.engines.compiled.kernel import flat, kernel, rows_of
from chainrule.engines.compiled.plan import Buffer


@scalar
def relu(z, s, t):
    """A = max(z, 0); NaN stays."""
    return ZERO if z < ZERO else z


@scalar
def relu_slope(z, a, s, t):
    """1 where a > 0."""
    return a > ZERO


class ReLUTwin(ActivationTwin, of=ReLU):
    """Plans a = max(z, 0)."""

    value, slope = value_kernel(relu), slope_kernel(relu_slope)


@scalar
def leaky_relu(z, s, t):
    """A = z, or s z below zero."""
    return z if z > ZERO else z * s


@scalar
def leaky_relu_slope(z, a, s, t):
    """1 or s; a has the sign of z, because s is not negative."""
    return ONE if a > ZERO else s


class LeakyReLUTwin(ActivationTwin, of=LeakyReLU):
    """Plans a = max(z, slope z)."""

    value, slope = value_kernel(leaky_relu), slope_kernel(leaky_relu_slope)

    def own_settings(self) -> tuple[Any, ...]:
        return (float(self.layer.slope),)


@kernel
def prelu_value(op, context, arena, parameters, gradients, first, rows):
    """A = z, or slope z below zero, with a slope for each channel."""
    channels = op[4]
    pixels = rows * op[2] // channels
    z = rows_of(arena, op[0] + first * op[2], 0, pixels, channels)
    a = rows_of(arena, op[1] + first * op[2], 0, pixels, channels)
    slope = flat(parameters, op[3], channels)
    for pixel in range(pixels):
        for j in range(channels):
            a[pixel, j] = z[pixel, j] if z[pixel, j] > 0 else z[pixel, j] * slope[j]


@kernel
def prelu_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = d_a or slope d_a; ∂L/∂slope sums d_a z over every z < 0."""
    channels = op[6]
    pixels = rows * op[4] // channels
    z = rows_of(arena, op[1] + first * op[4], 0, pixels, channels)
    d = brought(arena, op[0], op[3], first, rows, op[4]).reshape(pixels, channels)
    slope = flat(parameters, op[5], channels)
    d_slope = flat(gradients, op[5], channels)
    one = slope.dtype.type(1)
    for pixel in range(pixels):
        for j in range(channels):
            positive = z[pixel, j] > 0
            d_slope[j] += 0 if positive else d[pixel, j] * z[pixel, j]
            d[pixel, j] *= one if positive else slope[j]


class PReLUTwin(ActivationTwin, of=PReLU):
    """Plans a leaky ReLU whose slopes are parameters."""

    value, slope = prelu_value, prelu_slope
    needs_z = True

    def own_settings(self) -> tuple[Any, ...]:
        return self.plan.parameter(self.path, "slope"), self.input_shape[-1]

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        self.gradient(self.plan.parameter(self.path, "slope"))
        return super().backprop(d_output, needs_d_x)


@scalar
def elu(z, s, t):
    """A = t z, or t s (e^z - 1) below zero."""
    return t * (z if z > ZERO else s * exponential_minus_one(z))


@scalar
def elu_slope(z, a, s, t):
    """T or a + t s; a has the sign of z, because neither is negative."""
    return t if a > ZERO else a + t * s


class ELUTwin(ActivationTwin, of=ELU):
    """Plans a = alpha (e^z - 1) below zero."""

    value, slope = value_kernel(elu), slope_kernel(elu_slope)

    def own_settings(self) -> tuple[Any, ...]:
        return float(self.layer.alpha), 1.0


class SELUTwin(ELUTwin, of=SELU):
    """Plans an ELU with a scale."""

    def own_settings(self) -> tuple[Any, ...]:
        return self.layer.alpha, self.layer.scale
