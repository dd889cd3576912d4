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
TOGETHER = 19  # samples of which one matrix is made
ROOM = 20  # where the kernel's room begins that lasts through a shard
NEEDS_IMAGE = 21  # whether ∂L/∂image is wanted, and where it goes


def geometry(
    windows: Windows, image: Pair, channels: int, output: Pair, filters: int, groups: int = 1
) -> tuple[int, ...]:
    """Return the settings from ``HEIGHT`` to ``GROUPS``.

    Parameters
    ----------
    windows : Windows
    image, output : tuple of int
        (height, width) of what the windows slide over, and of what is made of it.
    channels, filters, groups : int
    """
    (top, _), (left, _) = windows.sides(image)
    return (
        *image, channels, top, left, *output, filters, *windows.size, *windows.stride,
        *windows.dilation, groups,
    )  # fmt: skip
