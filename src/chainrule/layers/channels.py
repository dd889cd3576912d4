"""One number for each channel: sums over everything else, and back to every place.

Images, sequences and plain rows all end in the axis of channels. NumPy is slow at walking over it
when it is short: six channels make rows of six numbers. So ``channel_sum`` and ``channelwise`` see
each sample as one long row instead, in which the channels repeat from position to position.
"""

from __future__ import annotations

import numpy as np

from chainrule.errors import InvalidShape
from chainrule.layer import Array, Layer, Shape


def channel_sum(*factors: Array, out: Array | None = None) -> Array:
    """Sum the product of the factors over all axes but the last.

    Parameters
    ----------
    *factors : ndarray (batch, ..., channels)
        One or two, of one shape.
    out : ndarray (channels,), optional
        Where to put the result; see ``Trace.room``.

    Returns
    -------
    ndarray (channels,)
        Of the factors' dtype.
    """
    channels, dtype = factors[0].shape[-1], factors[0].dtype
    rows = [factor.reshape(len(factor), -1) for factor in factors]
    over_batch = np.einsum("bn->n" if len(rows) == 1 else "bn,bn->n", *rows)
    # What is left is small, so float64 costs nothing here and keeps large sums exact.
    sums = over_batch.reshape(-1, channels).sum(axis=0, dtype=np.float64)
    if out is None:
        return sums.astype(dtype)
    out[...] = sums
    return out


def channelwise(operation: np.ufunc, x: Array, values: Array, out: Array | None = None) -> Array:
    """Combine x with one value for each channel: ``channelwise(np.subtract, x, mean)``, x - mean.

    Parameters
    ----------
    operation : ufunc
        ``np.add``, ``np.subtract``, ``np.multiply`` or ``np.divide``.
    x : ndarray (batch, ..., channels)
    values : ndarray (channels,)
    out : ndarray (batch, ..., channels), optional
        Where to put the result: contiguous, and x itself if you like.
    """
    rows = x.reshape(len(x), -1)
    repeated = np.tile(values, rows.shape[1] // len(values))
    into = None if out is None else out.reshape(rows.shape)
    return operation(rows, repeated, out=into).reshape(x.shape)


def check_channels(layer: Layer, input_shape: Shape) -> Shape:
    """(..., channels) -> (..., channels): let such a shape pass.

    Raises
    ------
    InvalidShape
        When samples are single numbers, and have no channels.
    """
    if not input_shape:
        raise InvalidShape(
            f"{layer!r} received single numbers as samples; expected (..., channels), as (units,) "
            "or (height, width, channels)."
        )
    return input_shape
