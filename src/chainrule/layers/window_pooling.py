"""The largest number and the sum of every window of an image, and both ways back.

Each function goes through the places (i, j) in a window and takes the pixels that stand there in
all windows at once. Numbers that are not wanted are multiplied by zero: NumPy needs four times as
long to leave them out with a mask.

Shapes here are always

- x (batch, height, width, channels), without padding,
- z, chosen and d_z (batch, out_height, out_width, channels).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.layer import Array
from chainrule.layers.windows import Pair, Windows


def largest(x: Array, windows: Windows, output: Pair) -> tuple[Array, Array]:
    """Find the largest number of each window, and its place.

    Parameters
    ----------
    x : ndarray (batch, height, width, channels)
    windows : Windows
    output : tuple of int
        (out_height, out_width).

    Returns
    -------
    z : ndarray
    chosen : ndarray of unsigned integers
        The place (i, j) in the window as i · width + j; of several the first.
    """
    padded = windows.pad(x, -np.inf)
    places = windows.positions(output)
    _, pixels = next(places)
    z = padded[pixels].copy()
    chosen = np.zeros(z.shape, np.min_scalar_type(windows.size[0] * windows.size[1]))
    for place, (_, pixels) in enumerate(places, start=1):
        candidate = padded[pixels]
        is_larger = candidate > z
        # Places are tried in order, so the latest one that was larger is the largest number.
        np.maximum(chosen, is_larger * chosen.dtype.type(place), out=chosen)
        np.maximum(z, candidate, out=z)
    return z, chosen


def back_to_largest(d_z: Array, chosen: Array, windows: Windows, image: Pair) -> Array:
    """Send ∂L/∂z of each window back to the pixel it chose, with ∂z/∂x = 1 there: -> d_x."""
    return _back(d_z, lambda place: chosen == place, windows, image)


def average(x: Array, windows: Windows, output: Pair) -> tuple[Array, Array]:
    """Average each window over those of its places that lie on the image.

    Returns
    -------
    z : ndarray
    share : ndarray (1, out_height, out_width, 1)
        Of each pixel in its window's average: one over their number.
    """
    ones = np.ones((1, x.shape[1], x.shape[2], 1), x.dtype)
    share = 1 / _sum(ones, windows, output)
    z = _sum(x, windows, output)
    z *= share
    return z, share


def back_to_all(d_z: Array, share: Array, windows: Windows, image: Pair) -> Array:
    """Send ∂L/∂z of each window back to all of its pixels, with ∂z/∂x = share: -> d_x."""
    return _back(d_z, lambda place: share, windows, image)


def _sum(x: Array, windows: Windows, output: Pair) -> Array:
    """Sum up each window; padding is zero."""
    padded = windows.pad(x)
    places = windows.positions(output)
    _, pixels = next(places)
    z = padded[pixels].copy()
    for _, pixels in places:
        z += padded[pixels]
    return z


def _back(d_z: Array, derivative: Callable[[int], Array], windows: Windows, image: Pair) -> Array:
    """∂L/∂x = Σ ∂L/∂z · ∂z/∂x over all windows that a pixel stands in.

    ``derivative(place)`` is each window's ∂z/∂x for the pixel at that place in it.
    """
    batch, *output, channels = d_z.shape
    d_padded = np.zeros((batch, *windows.padded_size(image), channels), d_z.dtype)
    overlap = windows.size[0] > windows.stride[0] or windows.size[1] > windows.stride[1]
    for place, (_, pixels) in enumerate(windows.positions((output[0], output[1]))):
        if overlap:
            d_padded[pixels] += d_z * derivative(place)
        else:  # no pixel stands in two windows, so there is nothing to add to
            np.multiply(d_z, derivative(place), out=d_padded[pixels])
    return windows.crop(d_padded, image)
