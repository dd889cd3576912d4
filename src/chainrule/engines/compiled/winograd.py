"""Convolution with 3 x 3 kernels in 16 multiplications where the equation has 36.

A tile of 2 x 2 outputs depends on 4 x 4 pixels d and on the kernel g. It can be had (Winograd,
"Arithmetic complexity of computations", 1980; for layers of networks Lavin and Gray, 2016) as ::

    V = Bᵀ d B       U = G g Gᵀ       M = V ∘ U       z = Aᵀ M A

         1  0 -1  0        1    0    0          1  1  1  0
    Bᵀ = 0  1  1  0    G = 1/2  1/2  1/2   Aᵀ = 0  1 -1  1
         0 -1  1  0        1/2 -1/2  1/2
         0 -1  0  1        0    0    1

With many tiles, channels and filters, each of the 16 products M[k] = V[k] U[k] is one of matrices,
(tiles, channels) by (channels, filters). All else is additions. Every map is linear, so the way
back is their adjoints in reverse order ::

    ∂L/∂M = A δ Aᵀ         ∂L/∂V[k] = ∂L/∂M[k] U[k]ᵀ      ∂L/∂d = B ∂L/∂V Bᵀ, summed over tiles
                           ∂L/∂U[k] = V[k]ᵀ ∂L/∂M[k]      ∂L/∂g = Gᵀ ∂L/∂U G

U does not depend on the samples. It is made in a shard's first block, and ∂L/∂g in its last.
"""

from __future__ import annotations

from chainrule.engines.compiled.blas import gemm
from chainrule.engines.compiled.geometry import (
    BIAS,
    CHANNELS,
    FILTERS,
    HEIGHT,
    IMAGE,
    LEFT,
    NEEDS_IMAGE,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUT,
    ROOM,
    TOGETHER,
    TOP,
    WEIGHTS,
    WIDTH,
)
from chainrule.engines.compiled.kernel import BEGINS, ENDS, SCRATCH, SHARD_ROOM, helper, kernel
from chainrule.engines.compiled.lanes import lanes_at, load, minus, plus, spread, store, times
from chainrule.engines.compiled.native import copy_numbers, pointer_like, shift
from chainrule.layers.kernel import KernelLayer

NUMBERS = 16  # of a tile
GAP = 16  # numbers between two matrices, so that their rows do not share places in the cache
_MULTIPLE = 16  # channels and filters must be such a one, so that they fill all lanes
_MOST = 256 * 256  # channels times filters beyond which U is too large to stay in the cache


def winograd_suits(layer: KernelLayer, channels: int, filters: int) -> bool:
    """Whether a layer can be computed this way, and is worth it."""
    windows = layer.windows
    return (
        windows.size == (3, 3)
        and windows.stride == windows.dilation == (1, 1)
        and layer.groups == 1
        and channels % _MULTIPLE == filters % _MULTIPLE == 0
        and channels * filters <= _MOST
    )


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
def pad_image(op, image, padded, row):
    """Copy an image into the middle of zeros, of ``row`` numbers in a row."""
    height, width, channels = op[HEIGHT], op[WIDTH], op[CHANNELS]
    before = op[LEFT] * channels
    after = row - before - width * channels
    place = 0
    for _ in range(op[TOP] * row + before):
        padded[place] = 0
        place += 1
    for y in range(height):
        copy_numbers(shift(image, y * width * channels), shift(padded, place), width * channels)
        place += width * channels
        for _ in range(after + (before if y + 1 < height else 0)):
            padded[place] = 0
            place += 1
    for _ in range(place, 2 * (_high(op) + 1) * row):
        padded[place] = 0
        place += 1


@helper
def _high(op):
    """Rows of tiles."""
    return (op[OUT_HEIGHT] + 1) // 2


@helper
def _wide(op):
    """Tiles in a row."""
    return (op[OUT_WIDTH] + 1) // 2


@helper
def _transform_image(op, padded, into, stride):
    """V = Bᵀ d B of every tile."""
    channels = op[CHANNELS]
    high, wide = _high(op), _wide(op)
    row = 2 * (wide + 1) * channels
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
def _transform_image_back(op, products, stride, padded):
    """Add B ∂V Bᵀ of every tile to the padded image."""
    channels = op[CHANNELS]
    high, wide = _high(op), _wide(op)
    row = 2 * (wide + 1) * channels
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
def _transform_outputs(op, products, stride, z, bias):
    """Z = Aᵀ M A + b of every tile; what lies outside of the image is dropped."""
    filters, height, width = op[FILTERS], op[OUT_HEIGHT], op[OUT_WIDTH]
    high, wide = _high(op), _wide(op)
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
def _transform_errors(op, d_z, into, stride, d_bias):
    """∂M = A δ Aᵀ of every tile; ∂L/∂b += Σ δ."""
    filters, height, width = op[FILTERS], op[OUT_HEIGHT], op[OUT_WIDTH]
    high, wide = _high(op), _wide(op)
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
def _transform_kernel(kernel_at, size, into):
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
def _transform_kernel_back(products, size, into):
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
def _turn(matrices, rows, columns, into):
    """Transpose each of the 16 matrices."""
    for k in range(NUMBERS):
        source = shift(matrices, k * rows * columns)
        target = shift(into, k * rows * columns)
        for column in range(columns):
            for row in range(rows):
                target[column * rows + row] = source[row * columns + column]


@kernel
def winograd_feedforward(op, context, arena, parameters, gradients, first, rows):
    """Z[k] = V[k] U[k], there and back; see above."""
    channels, filters = op[CHANNELS], op[FILTERS]
    tiles, together = _high(op) * _wide(op), op[TOGETHER]
    row = 2 * (_wide(op) + 1) * channels
    padded = pointer_like(context[SCRATCH], arena)
    v = shift(padded, 2 * (_high(op) + 1) * row)
    v_stride, m_stride = together * tiles * channels + GAP, together * tiles * filters + GAP
    m = shift(v, NUMBERS * v_stride)
    u = shift(pointer_like(context[SHARD_ROOM], arena), op[ROOM])
    if context[BEGINS] != 0:
        _transform_kernel(shift(parameters, op[WEIGHTS]), channels * filters, u)
    image_size = op[HEIGHT] * op[WIDTH] * channels
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * filters
    for start in range(0, rows, together):
        count = min(together, rows - start)
        for i in range(count):
            sample = first + start + i
            pad_image(op, shift(arena, op[IMAGE] + sample * image_size), padded, row)
            _transform_image(op, padded, shift(v, i * tiles * channels), v_stride)
        for k in range(NUMBERS):
            gemm(
                0, 0, count * tiles, filters, channels, shift(v, k * v_stride), channels,
                shift(u, k * channels * filters), filters, 0, shift(m, k * m_stride), filters,
            )  # fmt: skip
        for i in range(count):
            z = shift(arena, op[OUTPUT] + (first + start + i) * output_size)
            bias = shift(parameters, op[BIAS])
            _transform_outputs(op, shift(m, i * tiles * filters), m_stride, z, bias)


@kernel
def winograd_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂U[k] = V[k]ᵀ ∂M[k] and ∂V[k] = ∂M[k] U[k]ᵀ, there and back; see above."""
    channels, filters = op[CHANNELS], op[FILTERS]
    tiles, together = _high(op) * _wide(op), op[TOGETHER]
    row = 2 * (_wide(op) + 1) * channels
    padded_size = 2 * (_high(op) + 1) * row
    padded = pointer_like(context[SCRATCH], arena)
    v = shift(padded, padded_size)
    v_stride, m_stride = together * tiles * channels + GAP, together * tiles * filters + GAP
    m = shift(v, NUMBERS * v_stride)
    matrix = channels * filters
    d_u = shift(pointer_like(context[SHARD_ROOM], arena), op[ROOM])
    u_turned = shift(d_u, NUMBERS * matrix)
    weights = shift(parameters, op[WEIGHTS])
    d_x_at = op[NEEDS_IMAGE]
    if context[BEGINS] != 0 and d_x_at >= 0:
        _transform_kernel(weights, matrix, d_u)
        _turn(d_u, channels, filters, u_turned)
    image_size = op[HEIGHT] * op[WIDTH] * channels
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * filters
    d_bias = shift(gradients, op[BIAS])
    for start in range(0, rows, together):
        count = min(together, rows - start)
        for i in range(count):
            sample = first + start + i
            pad_image(op, shift(arena, op[IMAGE] + sample * image_size), padded, row)
            _transform_image(op, padded, shift(v, i * tiles * channels), v_stride)
            d_z = shift(arena, op[OUTPUT] + sample * output_size)
            _transform_errors(op, d_z, shift(m, i * tiles * filters), m_stride, d_bias)
        keep = 0 if context[BEGINS] != 0 and start == 0 else 1
        for k in range(NUMBERS):
            gemm(
                1, 0, channels, filters, count * tiles, shift(v, k * v_stride), channels,
                shift(m, k * m_stride), filters, keep, shift(d_u, k * matrix), filters,
            )  # fmt: skip
            if d_x_at >= 0:
                gemm(
                    0, 0, count * tiles, channels, filters, shift(m, k * m_stride), filters,
                    shift(u_turned, k * matrix), channels, 0, shift(v, k * v_stride), channels,
                )  # fmt: skip
        if d_x_at >= 0:
            for i in range(count):
                for place in range(padded_size):
                    padded[place] = 0
                _transform_image_back(op, shift(v, i * tiles * channels), v_stride, padded)
                d_x = shift(arena, d_x_at + (first + start + i) * image_size)
                length = op[WIDTH] * channels
                for y in range(op[HEIGHT]):
                    source = (op[TOP] + y) * row + op[LEFT] * channels
                    copy_numbers(shift(padded, source), shift(d_x, y * length), length)
    if context[ENDS] != 0:
        _transform_kernel_back(d_u, matrix, shift(gradients, op[WEIGHTS]))
