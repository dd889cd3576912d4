"""Compiled twins of the activations that mix the numbers along the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from chainrule.activations import LogSoftmax, Softmax
from chainrule.engines.compiled.activation import ActivationTwin
from chainrule.engines.compiled.elementwise import brought
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
def exponentials_of(z: Any, largest: Any) -> Any:
    """Replace each number by e^(z - largest); returns their sum."""
    for i in range(len(z)):
        z[i] = exponential(z[i] - largest)
    total = z[0]
    for i in range(1, len(z)):
        total += z[i]
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
    a = brought(arena, op[0], op[1], first, rows, size).reshape(groups, classes)
    for group in range(groups):
        total = exponentials_of(a[group], largest_of(a[group]))
        for i in range(classes):
            a[group, i] /= total


@kernel
def softmax_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = a (d_a - Σ d_a a)."""
    size, classes = op[4], op[5]
    groups = rows * size // classes
    a = rows_of(arena, op[2] + first * size, 0, groups, classes)
    d = brought(arena, op[0], op[3], first, rows, size).reshape(groups, classes)
    for group in range(groups):
        total = d[group, 0] * a[group, 0]
        for i in range(1, classes):
            total += d[group, i] * a[group, i]
        for i in range(classes):
            d[group, i] = a[group, i] * (d[group, i] - total)


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
    a = brought(arena, op[0], op[1], first, rows, size).reshape(groups, classes)
    lowest = a.dtype.type(np.finfo(a.dtype).min)
    for group in range(groups):
        largest = largest_of(a[group])
        total = a.dtype.type(0)
        for i in range(classes):
            total += exponential(a[group, i] - largest)
        logarithm = np.log(total)
        for i in range(classes):
            found = log_probability(a[group, i], largest, logarithm)
            a[group, i] = lowest if found < lowest else found


@kernel
def log_softmax_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = d_a - e^a Σ d_a."""
    size, classes = op[4], op[5]
    groups = rows * size // classes
    a = rows_of(arena, op[2] + first * size, 0, groups, classes)
    d = brought(arena, op[0], op[3], first, rows, size).reshape(groups, classes)
    for group in range(groups):
        total = d[group, 0]
        for i in range(1, classes):
            total += d[group, i]
        for i in range(classes):
            d[group, i] -= exponential(a[group, i]) * total


class LogSoftmaxTwin(SoftmaxTwin, of=LogSoftmax):
    """Plans a = z - log Σ e^z."""

    value, slope = log_softmax_value, log_softmax_slope
