"""Constants that stand beside an array: one number for each of its channels."""

from __future__ import annotations

import math

import numpy as np

from chainrule.layer import Array
from chainrule.saving.onnx.chain import Value
from chainrule.saving.onnx.node import Node

_MOST_CHANNELS = 10_000_000  # that one number of the file may become parameters of


def per_channel(node: Node, value: Value, constant: Array) -> Array:
    """Turn a constant that ONNX would spread over an array into (channels,), in our order.

    Raises
    ------
    UnreadableFile
        When it differs along any other axis.
    """
    standing, last = (1, *value.standing), len(value.shape) - 1
    channels = value.shape[-1]
    spread = (1,) * (len(standing) - constant.ndim) + constant.shape
    axis = value.axes.index(last) + 1 if last in value.axes else None
    one_axis = [i for i, size in enumerate(spread) if size > 1]
    fits = (
        len(spread) == len(standing)
        and all(size in (1, standing[i]) for i, size in enumerate(spread))
        and one_axis in ([], [axis])
    )
    if not fits:
        raise node.refuse(
            f"takes a constant of shape {constant.shape} beside (batch, "
            f"{', '.join(map(str, standing[1:]))}); expected one number for each of the "
            f"{channels} channels."
        )
    if math.prod(spread) == 1:
        if channels > _MOST_CHANNELS:
            raise node.refuse(f"spreads one number over {channels:,} channels.")
        return np.full(channels, constant.reshape(-1)[0])
    return value.in_our_order(constant.reshape(-1))


def check_channels(node: Node, value: Value, constant: Array, what: str) -> Array:
    """Return a constant of shape (channels,), in our order."""
    if constant.shape != value.shape[-1:]:
        raise node.refuse(
            f"has {what} of shape {constant.shape}; expected ({value.shape[-1]},), one number for "
            "each channel."
        )
    return value.in_our_order(constant)
