"""A bias laid over many rows of numbers, and the sum of many rows: both ways of adding a bias."""

from __future__ import annotations

from chainrule.engines.compiled.kernel import helper
from chainrule.engines.compiled.lanes import lanes_at, load, plus, spread, store
from chainrule.engines.compiled.native import copy_numbers, shift


@helper
def fill_rows(row, size, count, into):
    """Write the row of ``size`` numbers ``count`` times."""
    if count > 0:
        copy_numbers(row, into, size)
    done = 1
    while done < count:
        more = min(done, count - done)
        copy_numbers(into, shift(into, done * size), more * size)
        done += more


@helper
def add_rows(rows, count, size, into):
    """Add the sum of ``count`` rows to a row of ``size`` numbers."""
    width = lanes_at(rows)
    vectors = size - size % width
    for at in range(0, vectors, width):
        # Four sums side by side, so that one addition need not wait for the one before.
        column = shift(rows, at)
        a = b = c = d = spread(rows, 0)
        for i in range(0, count - count % 4, 4):
            four = shift(column, i * size)
            a = plus(a, load(four))
            b = plus(b, load(shift(four, size)))
            c = plus(c, load(shift(four, 2 * size)))
            d = plus(d, load(shift(four, 3 * size)))
        for i in range(count - count % 4, count):
            a = plus(a, load(shift(column, i * size)))
        total = shift(into, at)
        store(total, plus(load(total), plus(plus(a, b), plus(c, d))))
    if vectors < size:
        for i in range(count):
            for at in range(vectors, size):
                into[at] += rows[i * size + at]
