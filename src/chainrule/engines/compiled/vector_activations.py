"""Compiled twins of the activations that mix the numbers along the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from chainrule.activations import LogSoftmax, Softmax
from chainrule.engines.compiled.activation import ActivationTwin
from chainrule.engines.compiled.exponential import exponential
from chainrule.engines.compiled.kernel import helper, kernel, rows_of


@helper
def largest_of(z: Any) -> Any:
    """Largest of some numbers."""
    largest = z[0]
    for i in range(1, len(z)):
        largest = max(largest, z[i])
    return largest


@helper
def exponentials_of(z: Any, largest: Any, into: Any) -> Any:
    """e^(z - largest) for each number; returns their sum."""
    for i in range(len(z)):
        into[i] = exponential(z[i] - largest)
    total = into[0]
    for i in range(1, len(z)):
        total += into[i]
    return total


@register_jitable(fastmath=set())
def log_probability(z: Any, largest: Any, logarithm: Any) -> Any:
    """(z - largest) - logarithm, in this order: both subtracted at once would cost digits."""
    return (z - largest) - logarithm


@kernel
def softmax_value(op, context, arena, parameters, gradients, first, rows):
    """A = e^z / Σ e^z."""
    size, classes = op[2], op[3]
    groups = rows * size // classes
    z = rows_of(arena, op[0] + first * size, 0, groups, classes)
    a = rows_of(arena, op[1] + first * size, 0, groups, classes)
    for group in range(groups):
        total = exponentials_of(z[group], largest_of(z[group]), a[group])
        for i in range(classes):
            a[group, i] /= total


@kernel
def softmax_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = a (d_a - Σ d_a a)."""
    size, classes = op[4], op[5]
    groups = rows * size // classes
    d_a = rows_of(arena, op[0] + first * size, 0, groups, classes)
    a = rows_of(arena, op[2] + first * size, 0, groups, classes)
    d_z = rows_of(arena, op[3] + first * size, 0, groups, classes)
    for group in range(groups):
        total = d_a[group, 0] * a[group, 0]
        for i in range(1, classes):
            total += d_a[group, i] * a[group, i]
        for i in range(classes):
            d_z[group, i] = a[group, i] * (d_a[group, i] - total)


class SoftmaxTwin(ActivationTwin, of=Softmax):
    """Plans a = e^z / Σ e^z."""

    value, slope = softmax_value, softmax_slope

    def own_settings(self) -> tuple[Any, ...]:
        return (self.input_shape[-1],)


@kernel
def log_softmax_value(op, context, arena, parameters, gradients, first, rows):
    """A = z - log Σ e^z."""
    size, classes = op[2], op[3]
    groups = rows * size // classes
    z = rows_of(arena, op[0] + first * size, 0, groups, classes)
    a = rows_of(arena, op[1] + first * size, 0, groups, classes)
    lowest = z.dtype.type(np.finfo(z.dtype).min)
    for group in range(groups):
        largest = largest_of(z[group])
        logarithm = np.log(exponentials_of(z[group], largest, a[group]))
        for i in range(classes):
            found = log_probability(z[group, i], largest, logarithm)
            a[group, i] = lowest if found < lowest else found


@kernel
def log_softmax_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = d_a - e^a Σ d_a."""
    size, classes = op[4], op[5]
    groups = rows * size // classes
    d_a = rows_of(arena, op[0] + first * size, 0, groups, classes)
    a = rows_of(arena, op[2] + first * size, 0, groups, classes)
    d_z = rows_of(arena, op[3] + first * size, 0, groups, classes)
    for group in range(groups):
        total = d_a[group, 0]
        for i in range(1, classes):
            total += d_a[group, i]
        for i in range(classes):
            d_z[group, i] = d_a[group, i] - exponential(a[group, i]) * total


class LogSoftmaxTwin(SoftmaxTwin, of=LogSoftmax):
    """Plans a = z - log Σ e^z."""

    value, slope = log_softmax_value, log_softmax_slope
