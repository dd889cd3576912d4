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
    ERROR_OF_IMAGE,
    FILTERS,
    IMAGE,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUT,
    ROOM,
    TILES_HIGH,
    TILES_WIDE,
    TOGETHER,
    WEIGHTS,
)
from chainrule.engines.compiled.kernel import BEGINS, ENDS, SCRATCH, SHARD_ROOM, kernel
from chainrule.engines.compiled.native import pointer_like, shift
from chainrule.engines.compiled.padding import crop_image, image_sizes, pad_image, zeros
from chainrule.engines.compiled.tiles import (
    NUMBERS,
    transform_errors,
    transform_image,
    transform_image_back,
    transform_kernel,
    transform_kernel_back,
    transform_outputs,
    turn,
)
from chainrule.layers.kernel import KernelLayer

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


@kernel
def winograd_feedforward(op, context, arena, parameters, gradients, first, rows):
    """Z[k] = V[k] U[k], there and back; see above."""
    channels, filters = op[CHANNELS], op[FILTERS]
    tiles, together = op[TILES_HIGH] * op[TILES_WIDE], op[TOGETHER]
    padded = pointer_like(context[SCRATCH], arena)
    image_size, room = image_sizes(op)
    v = shift(padded, room)
    v_stride, m_stride = together * tiles * channels + GAP, together * tiles * filters + GAP
    m = shift(v, NUMBERS * v_stride)
    u = shift(pointer_like(context[SHARD_ROOM], arena), op[ROOM])
    if context[BEGINS] != 0:
        transform_kernel(shift(parameters, op[WEIGHTS]), channels * filters, u)
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * filters
    for start in range(0, rows, together):
        count = min(together, rows - start)
        for i in range(count):
            sample = first + start + i
            pad_image(op, shift(arena, op[IMAGE] + sample * image_size), padded)
            transform_image(op, padded, shift(v, i * tiles * channels), v_stride)
        for k in range(NUMBERS):
            gemm(
                0, 0, count * tiles, filters, channels, shift(v, k * v_stride), channels,
                shift(u, k * channels * filters), filters, 0, shift(m, k * m_stride), filters,
            )  # fmt: skip
        for i in range(count):
            z = shift(arena, op[OUTPUT] + (first + start + i) * output_size)
            bias = shift(parameters, op[BIAS])
            transform_outputs(op, shift(m, i * tiles * filters), m_stride, z, bias)


@kernel
def winograd_backprop(op, context, arena, parameters, gradients, first, rows):
    """∂U[k] = V[k]ᵀ ∂M[k] and ∂V[k] = ∂M[k] U[k]ᵀ, there and back; see above."""
    channels, filters = op[CHANNELS], op[FILTERS]
    tiles, together = op[TILES_HIGH] * op[TILES_WIDE], op[TOGETHER]
    padded = pointer_like(context[SCRATCH], arena)
    image_size, room = image_sizes(op)
    v = shift(padded, room)
    v_stride, m_stride = together * tiles * channels + GAP, together * tiles * filters + GAP
    m = shift(v, NUMBERS * v_stride)
    matrix = channels * filters
    d_u = shift(pointer_like(context[SHARD_ROOM], arena), op[ROOM])
    u_turned = shift(d_u, NUMBERS * matrix)
    weights = shift(parameters, op[WEIGHTS])
    d_x_at = op[ERROR_OF_IMAGE]
    if context[BEGINS] != 0 and d_x_at >= 0:
        transform_kernel(weights, matrix, d_u)
        for k in range(NUMBERS):
            turn(shift(d_u, k * matrix), channels, filters, shift(u_turned, k * matrix))
    output_size = op[OUT_HEIGHT] * op[OUT_WIDTH] * filters
    d_bias = shift(gradients, op[BIAS])
    for start in range(0, rows, together):
        count = min(together, rows - start)
        for i in range(count):
            sample = first + start + i
            pad_image(op, shift(arena, op[IMAGE] + sample * image_size), padded)
            transform_image(op, padded, shift(v, i * tiles * channels), v_stride)
            d_z = shift(arena, op[OUTPUT] + sample * output_size)
            transform_errors(op, d_z, shift(m, i * tiles * filters), m_stride, d_bias)
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
                zeros(padded, room)
                transform_image_back(op, shift(v, i * tiles * channels), v_stride, padded)
                crop_image(op, padded, shift(arena, d_x_at + (first + start + i) * image_size))
    if context[ENDS] != 0:
        transform_kernel_back(d_u, matrix, shift(gradients, op[WEIGHTS]))
