"""What the kernels of a convolution know of it: places among their settings, and how to fill them.

All of them have the same settings, in the words of the convolution. The transposed one uses the
kernels with its images in each other's place.
"""

from __future__ import annotations

from chainrule.layers.windows import Pair, Windows

# Offsets of the image (height, width, channels), of the error or output, and of the parameters.
IMAGE, OUTPUT, WEIGHTS, BIAS = 0, 1, 2, 3
D_IMAGE, D_OUTPUT = 2, 3  # of pooling, which has no parameters
HEIGHT, WIDTH, CHANNELS = 4, 5, 6
TOP, LEFT = 7, 8  # padding
OUT_HEIGHT, OUT_WIDTH, FILTERS = 9, 10, 11
KERNEL_HEIGHT, KERNEL_WIDTH = 12, 13
DOWN, RIGHT = 14, 15  # stride
ROW_STEP, COLUMN_STEP = 16, 17  # dilation
GROUPS = 18
PADDED_HEIGHT, PADDED_WIDTH = 19, 20  # of the image with what the windows need around it
TOGETHER = 21  # samples of which one matrix is made

# After these, of the kernels in ``correlation.py``: the matrix's columns for each group; its form;
# and a window's row as so many pieces of so many numbers, so far from one to the next.
COLUMNS, FORM = 22, 23
PIECES, PIECE, PIECE_STEP = 24, 25, 26

# And of those in ``winograd.py``: where the memory begins that lasts through a shard, tiles, and
# where ∂L/∂image goes, -1 where nobody wants it.
ROOM, TILES_HIGH, TILES_WIDE, ERROR_OF_IMAGE = 22, 23, 24, 25


def geometry(
    windows: Windows,
    image: Pair,
    channels: int,
    output: Pair,
    filters: int,
    groups: int = 1,
    padded: Pair = (0, 0),
) -> tuple[int, ...]:
    """Return the settings from ``HEIGHT`` to ``PADDED_WIDTH``.

    Parameters
    ----------
    windows : Windows
    image, output : tuple of int
        (height, width) of what the windows slide over, and of what is made of it.
    channels, filters, groups : int
    padded : tuple of int
        (height, width) of the image with zeros around it, where kernels write that down.
    """
    (top, _), (left, _) = windows.sides(image)
    return (
        *image, channels, top, left, *output, filters, *windows.size, *windows.stride,
        *windows.dilation, groups, *padded,
    )  # fmt: skip


def padded_for_windows(windows: Windows, image: Pair, output: Pair) -> Pair:
    """(height, width) of the image with the padding that some window reaches."""
    height, width = (
        max(before + n, (count - 1) * stride + span)
        for (before, _), n, count, stride, span in zip(
            windows.sides(image), image, output, windows.stride, windows.span, strict=True
        )
    )
    return height, width
