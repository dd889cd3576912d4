"""The linear maps of Winograd's way to convolve, tile by tile; ``winograd.py`` says what they are.

``products`` holds 16 matrices that stand ``stride`` numbers apart, each with a row for every tile.
"""

from __future__ import annotations

from chainrule.engines.compiled.geometry import (
    BIAS,
    CHANNELS,
    FILTERS,
    OUT_HEIGHT,
    OUT_WIDTH,
    PADDED_WIDTH,
    TILES_HIGH,
    TILES_WIDE,
)
from chainrule.engines.compiled.kernel import helper
from chainrule.engines.compiled.lanes import lanes_at, load, minus, plus, spread, store, times
from chainrule.engines.compiled.native import shift

NUMBERS = 16  # of a tile


@helper
def _b_transposed(a, b, c, d):
    """Bᵀ times a column."""
    return minus(a, c), plus(b, c), minus(c, b), minus(d, b)


@helper
def _b(a, b, c, d):
    """B times a column."""
    return a, minus(minus(b, c), d), minus(plus(b, c), a), d


@helper
def _a_transposed(a, b, c, d):
    """Aᵀ times a column."""
    return plus(plus(a, b), c), plus(minus(b, c), d)


@helper
def _a(a, b):
    """A times a column."""
    return a, plus(a, b), minus(a, b), b


@helper
def _g(a, b, c, half):
    """G times a column."""
    outer, inner = times(half, plus(a, c)), times(half, b)
    return a, plus(outer, inner), minus(outer, inner), c


@helper
def _g_transposed(a, b, c, d, half):
    """Gᵀ times a column."""
    sum_of_both = times(half, plus(b, c))
    return plus(a, sum_of_both), times(half, minus(b, c)), plus(d, sum_of_both)


@helper
def _load4(pointer, step):
    """Four ``Lanes`` that stand ``step`` numbers apart."""
    return (
        load(pointer),
        load(shift(pointer, step)),
        load(shift(pointer, 2 * step)),
        load(shift(pointer, 3 * step)),
    )


@helper
def _store4(pointer, step, four):
    store(pointer, four[0])
    store(shift(pointer, step), four[1])
    store(shift(pointer, 2 * step), four[2])
    store(shift(pointer, 3 * step), four[3])


@helper
def _add4(pointer, step, four):
    for i in range(4):
        place = shift(pointer, i * step)
        store(place, plus(load(place), four[i]))


@helper
def transform_image(op, padded, into, stride):
    """V = Bᵀ d B of every tile."""
    channels = op[CHANNELS]
    high, wide = op[TILES_HIGH], op[TILES_WIDE]
    row = op[PADDED_WIDTH] * channels
    for y in range(high):
        for x in range(wide):
            corner = shift(padded, 2 * (y * row + x * channels))
            tile = shift(into, (y * wide + x) * channels)
            for channel in range(0, channels, lanes_at(into)):
                d = shift(corner, channel)
                v = shift(tile, channel)
                a = _b_transposed(*_load4(d, row))
                b = _b_transposed(*_load4(shift(d, channels), row))
                c = _b_transposed(*_load4(shift(d, 2 * channels), row))
                e = _b_transposed(*_load4(shift(d, 3 * channels), row))
                for i in range(4):
                    _store4(shift(v, 4 * i * stride), stride, _b_transposed(a[i], b[i], c[i], e[i]))


@helper
def transform_image_back(op, products, stride, padded):
    """Add B ∂V Bᵀ of every tile to the padded image."""
    channels = op[CHANNELS]
    high, wide = op[TILES_HIGH], op[TILES_WIDE]
    row = op[PADDED_WIDTH] * channels
    for y in range(high):
        for x in range(wide):
            corner = shift(padded, 2 * (y * row + x * channels))
            tile = shift(products, (y * wide + x) * channels)
            for channel in range(0, channels, lanes_at(products)):
                d = shift(corner, channel)
                v = shift(tile, channel)
                a = _b(*_load4(v, 4 * stride))
                b = _b(*_load4(shift(v, stride), 4 * stride))
                c = _b(*_load4(shift(v, 2 * stride), 4 * stride))
                e = _b(*_load4(shift(v, 3 * stride), 4 * stride))
                for i in range(4):
                    _add4(shift(d, i * row), channels, _b(a[i], b[i], c[i], e[i]))


@helper
def transform_outputs(op, products, stride, z, bias):
    """Z = Aᵀ M A + b of every tile; what lies outside of the image is dropped."""
    filters, height, width = op[FILTERS], op[OUT_HEIGHT], op[OUT_WIDTH]
    high, wide = op[TILES_HIGH], op[TILES_WIDE]
    row = width * filters
    for y in range(high):
        for x in range(wide):
            corner = shift(z, 2 * (y * row + x * filters))
            tile = shift(products, (y * wide + x) * filters)
            more_rows, more_columns = 2 * y + 1 < height, 2 * x + 1 < width
            for channel in range(0, filters, lanes_at(z)):
                m = shift(tile, channel)
                to = shift(corner, channel)
                a = _a_transposed(*_load4(m, 4 * stride))
                b = _a_transposed(*_load4(shift(m, stride), 4 * stride))
                c = _a_transposed(*_load4(shift(m, 2 * stride), 4 * stride))
                e = _a_transposed(*_load4(shift(m, 3 * stride), 4 * stride))
                start = spread(z, 0)
                if op[BIAS] >= 0:
                    start = load(shift(bias, channel))
                left, right = _a_transposed(a[0], b[0], c[0], e[0])
                store(to, plus(left, start))
                if more_columns:
                    store(shift(to, filters), plus(right, start))
                if more_rows:
                    left, right = _a_transposed(a[1], b[1], c[1], e[1])
                    store(shift(to, row), plus(left, start))
                    if more_columns:
                        store(shift(to, row + filters), plus(right, start))


@helper
def transform_errors(op, d_z, into, stride, d_bias):
    """∂M = A δ Aᵀ of every tile; ∂L/∂b += Σ δ."""
    filters, height, width = op[FILTERS], op[OUT_HEIGHT], op[OUT_WIDTH]
    high, wide = op[TILES_HIGH], op[TILES_WIDE]
    row = width * filters
    for y in range(high):
        for x in range(wide):
            corner = shift(d_z, 2 * (y * row + x * filters))
            tile = shift(into, (y * wide + x) * filters)
            more_rows, more_columns = 2 * y + 1 < height, 2 * x + 1 < width
            for channel in range(0, filters, lanes_at(d_z)):
                m = shift(tile, channel)
                at = shift(corner, channel)
                first = load(at)
                second = third = fourth = spread(d_z, 0)
                if more_columns:
                    second = load(shift(at, filters))
                if more_rows:
                    third = load(shift(at, row))
                    if more_columns:
                        fourth = load(shift(at, row + filters))
                left, right = _a(first, third), _a(second, fourth)
                for i in range(4):
                    _store4(shift(m, 4 * i * stride), stride, _a(left[i], right[i]))
                if op[BIAS] >= 0:
                    total = shift(d_bias, channel)
                    store(
                        total,
                        plus(load(total), plus(plus(first, second), plus(third, fourth))),
                    )


@helper
def transform_kernel(kernel_at, size, into):
    """U = G g Gᵀ of ``size`` kernels, of which g[i, j] stand together."""
    half = spread(into, 0.5)
    for at in range(0, size, lanes_at(into)):
        g = shift(kernel_at, at)
        u = shift(into, at)
        a = _g(load(g), load(shift(g, 3 * size)), load(shift(g, 6 * size)), half)
        g = shift(g, size)
        b = _g(load(g), load(shift(g, 3 * size)), load(shift(g, 6 * size)), half)
        g = shift(g, size)
        c = _g(load(g), load(shift(g, 3 * size)), load(shift(g, 6 * size)), half)
        for i in range(4):
            _store4(shift(u, 4 * i * size), size, _g(a[i], b[i], c[i], half))


@helper
def transform_kernel_back(products, size, into):
    """∂g += Gᵀ ∂U G."""
    half = spread(into, 0.5)
    for at in range(0, size, lanes_at(into)):
        u = shift(products, at)
        a = _g_transposed(*_load4(u, 4 * size), half)
        b = _g_transposed(*_load4(shift(u, size), 4 * size), half)
        c = _g_transposed(*_load4(shift(u, 2 * size), 4 * size), half)
        d = _g_transposed(*_load4(shift(u, 3 * size), 4 * size), half)
        for i in range(3):
            g = shift(into, 3 * i * size + at)
            one, two, three = _g_transposed(a[i], b[i], c[i], d[i], half)
            store(g, plus(load(g), one))
            store(shift(g, size), plus(load(shift(g, size)), two))
            store(shift(g, 2 * size), plus(load(shift(g, 2 * size)), three))


@helper
def turn(matrix, rows, columns, into):
    """Transpose a matrix."""
    place = 0
    for column in range(columns):
        for row in range(rows):
            into[place] = matrix[row * columns + column]
            place += 1
