"""A bias laid over many rows of numbers, and the sum of many rows: both ways of adding a bias."""

from __future__ import annotations

from chainrule.engines.compiled.kernel import helper
from chainrule.engines.compiled.lanes import lanes_at, load_first, plus, spread, store_first
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
    for at in range(0, size, lanes_at(rows)):
        lanes = min(size - at, lanes_at(rows))
        column = shift(rows, at)
        # Four sums side by side, so that one addition need not wait for the one before.
        a = b = c = d = spread(rows, 0)
        for i in range(0, count - 3, 4):
            four = shift(column, i * size)
            a = plus(a, load_first(four, lanes))
            b = plus(b, load_first(shift(four, size), lanes))
            c = plus(c, load_first(shift(four, 2 * size), lanes))
            d = plus(d, load_first(shift(four, 3 * size), lanes))
        for i in range(count - count % 4, count):
            a = plus(a, load_first(shift(column, i * size), lanes))
        total = plus(plus(a, b), plus(c, d))
        store_first(shift(into, at), plus(load_first(shift(into, at), lanes), total), lanes)
