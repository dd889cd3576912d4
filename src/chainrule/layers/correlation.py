"""Sliding weighted sums over images, and both of their derivatives: what convolution is made of.

``correlate`` lays a kernel over every window of the image and sums up what it covers ::

    z[b, p, q, f] = Σ x[b, p · stride + i · dilation, q · stride + j · dilation, c] · W[i, j, c, f]
                   i,j,c

(x with its padding). Strictly this is a *cross-correlation*; a convolution would turn W upside
down first. The field says convolution, and as W is learned either way it makes no difference.

z depends linearly on W and on x, so the chain rule only has to ask where each number was used.
With δ = ∂L/∂z, and stride and dilation 1 to keep it short::

    ∂L/∂W[i, j, c, f] = Σ  x[b, p + i, q + j, c] · δ[b, p, q, f]
                       b,p,q
    ∂L/∂x[b, m, n, c] = Σ  δ[b, m - i, n - j, f] · W[i, j, c, f]
                       i,j,f

W[i, j] was used at every place (p, q), so its gradient is a sum over all of them: the correlation
of the image with the error (``d_kernel``). The pixel (m, n) was used by each window that covers
it, and W[i, j] is what it met in the window at (m - i, n - j). As i and j grow, the place in δ goes
backwards: this is the correlation of δ with the *flipped* kernel, a convolution in the strict
sense (``d_image``).

A matrix product does such sums fastest, once the windows stand in a matrix, one to a row. Writing
that matrix is called *im2col* (Chellapilla, Puri and Simard, 2006). It is larger than the image by
the size of the window, so it is written for a few samples at a time, which then stay in the
processor's cache.

Shapes here are always

- x (batch, height, width, channels), without padding,
- kernel (window height, window width, channels // groups, filters),
- z and d_z (batch, out_height, out_width, filters).

With ``groups`` = G, the channels and the filters are cut into G equal parts, and each part of the
filters sees its own part of the channels: G convolutions side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.layer import Array
from chainrule.layers.windows import Pair, Windows

_CACHE = 1_000_000  # bytes of working memory that a block of samples may take
_FEW_CHANNELS = 4


def correlate(x: Array, kernel: Array, windows: Windows, groups: int) -> Array:
    """Weigh every window of x with the kernel.

    Parameters
    ----------
    x : ndarray (batch, height, width, channels)
    kernel : ndarray (window height, window width, channels // groups, filters)
    windows : Windows
    groups : int

    Returns
    -------
    ndarray (batch, out_height, out_width, filters)
        z.
    """
    seen = windows.view(windows.pad(x))
    z = np.empty((*seen.shape[:3], kernel.shape[-1]), x.dtype)
    for block in _blocks(seen, z):
        np.matmul(im2col(seen[block], groups), _matrix(kernel, groups), out=_rows(z[block], groups))
    return z


def d_kernel(x: Array, d_z: Array, windows: Windows, groups: int, out: Array) -> Array:
    """∂L/∂kernel: what each weight was multiplied with, times the error, summed over all places.

    Parameters
    ----------
    x : ndarray (batch, height, width, channels)
    d_z : ndarray (batch, out_height, out_width, filters)
    windows : Windows
    groups : int
    out : ndarray (window height, window width, channels // groups, filters)
        Where to write; contiguous.

    Returns
    -------
    ndarray
        ``out``.
    """
    out[...] = 0
    d_matrix = _matrix(out, groups)
    seen = windows.view(windows.pad(x))
    for block in _blocks(seen, d_z):
        d_matrix += np.matmul(
            im2col(seen[block], groups).transpose(0, 2, 1), _rows(d_z[block], groups)
        )
    return out


def d_image(d_z: Array, kernel: Array, windows: Windows, groups: int, image: Pair) -> Array:
    """∂L/∂x: the error of each window goes back to its pixels, through the weights they met.

    The adjoint of ``correlate``, place by place: what stands at (i, j) of a window was weighed
    with W[i, j], so W[i, j]ᵀ takes the error back there.

    Parameters
    ----------
    d_z : ndarray (batch, out_height, out_width, filters)
    kernel : ndarray (window height, window width, channels // groups, filters)
    windows : Windows
    groups : int
    image : tuple of int
        (height, width) of x.

    Returns
    -------
    ndarray (batch, height, width, channels)
        d_x.
    """
    batch, *output, _ = d_z.shape
    channels = kernel.shape[2] * groups
    padded = np.zeros((batch, *windows.padded_size(image), channels), d_z.dtype)
    # With one filter for each channel there is nothing to sum up, and matmul is slow at that.
    multiply = np.multiply if channels == groups == d_z.shape[-1] else np.matmul
    for block in _blocks(padded, d_z):
        d_rows, d_x = _rows(d_z[block], groups), padded[block]
        back = np.empty((len(d_x), *output, channels), d_z.dtype)
        for (i, j), pixels in windows.positions((output[0], output[1])):
            multiply(
                d_rows, _matrix(kernel[i, j], groups).transpose(0, 2, 1), out=_rows(back, groups)
            )
            d_x[pixels] += back
    return windows.crop(padded, image)


def im2col(seen: Array, groups: int) -> Array:
    """Write each window into a row of a matrix, a matrix for each group.

    Parameters
    ----------
    seen : ndarray (batch, out_height, out_width, window height, window width, channels)
        As ``Windows.view`` gives it.
    groups : int

    Returns
    -------
    ndarray (groups, rows, columns)
        batch · out_height · out_width rows for the windows, and for the pixels of one of them
        window height · window width · channels // groups columns.
    """
    parts = seen.reshape(*seen.shape[:5], groups, -1).transpose(5, 0, 1, 2, 3, 4, 6)
    columns = parts[0, 0, 0, 0].size
    if parts.shape[-1] < _FEW_CHANNELS:
        # Neighbours in memory are now neighbours in the image: copy along its rows, and let the
        # matrix stand in memory column by column. For BLAS it is the same.
        turned = np.ascontiguousarray(parts.transpose(0, 4, 5, 6, 1, 2, 3))
        return turned.reshape(groups, columns, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(parts).reshape(groups, -1, columns)


def _matrix(kernel: Array, groups: int) -> Array:
    """(..., channels // groups, filters) -> (groups, rows of im2col, filters // groups), a view."""
    return kernel.reshape(-1, groups, kernel.shape[-1] // groups).transpose(1, 0, 2)


def _rows(images: Array, groups: int) -> Array:
    """(batch, height, width, numbers) -> (groups, pixels, numbers // groups), a view."""
    return images.reshape(-1, groups, images.shape[-1] // groups).transpose(1, 0, 2)


def _blocks(*arrays: Array) -> Iterator[slice]:
    """Cut the batch into blocks of which all the arrays together fit in the cache."""
    batch = len(arrays[0])
    size = max(1, _CACHE // max(sum(array[:1].nbytes for array in arrays), 1))
    for start in range(0, batch, size):
        yield slice(start, start + size)
