"""Kernels around functions of single numbers: what is the same for all activations and losses.

The functions are compiled into the loops, so that several numbers go through at once. They take
two settings as their last arguments, in the dtype of the others; those without settings ignore
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.engines.compiled.kernel import (
    PARTIALS,
    PARTIALS_LENGTH,
    SHARD,
    Kernel,
    flat,
    helper,
    number,
    rows_of,
)
from chainrule.engines.compiled.native import copy_numbers, float64_at, in_wide_vectors, shift


def value_kernel(value: Callable[..., Any], *, keep: bool = True) -> Kernel:
    """Kernel for a = f(z), with ``value(z, s, t)``.

    Its settings are where z stands, where a goes, numbers for each sample, s and t.

    Parameters
    ----------
    value : callable
    keep : bool
        Whether the machine code is kept on disk.
    """

    def values(op, context, arena, parameters, gradients, first, rows):
        in_wide_vectors()
        size = op[2]
        z = flat(arena, op[0] + first * size, rows * size)
        a = flat(arena, op[1] + first * size, rows * size)
        of = z.dtype.type
        s, t = of(number(op[3])), of(number(op[4]))
        if op[0] == op[1]:  # said in so many words, or it goes number by number
            for i in range(rows * size):
                a[i] = value(a[i], s, t)
        else:
            for i in range(rows * size):
                a[i] = value(z[i], s, t)

    return _named(values, value, keep)


def slope_kernel(slope: Callable[..., Any], *, keep: bool = True) -> Kernel:
    """Kernel for d_z = d_a f'(z), with ``slope(z, a, s, t)``.

    Its settings are where d_a, z and a stand, where d_z goes, numbers for each sample, s and t.
    """

    def slopes(op, context, arena, parameters, gradients, first, rows):
        in_wide_vectors()
        size = op[4]
        z = flat(arena, op[1] + first * size, rows * size)
        a = flat(arena, op[2] + first * size, rows * size)
        d = brought(arena, op[0], op[3], first, rows, size)
        of = z.dtype.type
        s, t = of(number(op[5])), of(number(op[6]))
        for i in range(rows * size):
            d[i] *= of(slope(z[i], a[i], s, t))

    return _named(slopes, slope, keep)


def loss_kernel(
    term: Callable[..., Any], slope: Callable[..., Any], *, keep: bool = True
) -> Kernel:
    """Kernel for Σ l(ŷ, y) and l'(ŷ, y), each times the weight of its sample.

    Both functions take ``(y_hat, y, s, t)``. The kernel's settings are where ŷ, y and the weights
    stand, where ∂L/∂ŷ goes, numbers for each sample, s and t.
    """

    def losses(op, context, arena, parameters, gradients, first, rows):
        in_wide_vectors()
        size = op[4]
        y_hat = rows_of(arena, op[0], first, rows, size)
        y = rows_of(arena, op[1], first, rows, size)
        weight = flat(arena, op[2] + first, rows)
        d_y_hat = rows_of(arena, op[3], first, rows, size)
        of = weight.dtype.type
        s, t = of(number(op[5])), of(number(op[6]))
        total = 0.0
        for row in range(rows):
            terms = of(0)
            for i in range(size):
                terms += of(term(y_hat[row, i], y[row, i], s, t))
                d_y_hat[row, i] = weight[row] * of(slope(y_hat[row, i], y[row, i], s, t))
            total += weight[row] * terms
        add_to_loss(context, total)

    return _named(losses, term, keep)


def _named(loop: Callable[..., None], function: Callable[..., Any], keep: bool) -> Kernel:
    loop.__name__ = loop.__qualname__ = f"{function.__name__}_{loop.__name__}"
    return Kernel(loop, keep=keep)


@helper
def brought(arena: Any, source: int, target: int, first: int, rows: int, size: int) -> Any:
    """View of a block's rows of the buffer ``target``, with what stands in ``source``.

    Loops that work in place say so by using one view only. With two of the same numbers they would
    go number by number, because the compiler must think that each may change the next.
    """
    if source != target:
        numbers_from = shift(arena, source + first * size)
        copy_numbers(numbers_from, shift(arena, target + first * size), rows * size)
    return flat(arena, target + first * size, rows * size)


@helper
def add_to_loss(context: Any, amount: float) -> None:
    """Add to the loss of this shard."""
    sums = float64_at(context[PARTIALS])
    sums[context[SHARD] * context[PARTIALS_LENGTH]] += amount
