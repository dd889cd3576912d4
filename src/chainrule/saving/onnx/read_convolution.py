"""Convolutions out of ONNX."""

from __future__ import annotations

from typing import Any

from chainrule.layer import Array
from chainrule.layers import Conv1D, Conv2D, ConvTranspose2D
from chainrule.saving.onnx.chain import Step, Value
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.reader import Reader
from chainrule.saving.onnx.windows import padding_of, pair, steps


@reads("Conv", channels_first=True)
def read_convolution(reader: Reader, node: Node) -> Value:
    """(filters, channels, height, width) becomes (height, width, channels, filters)."""
    value = reader.channels_first(node, reader.flow(node))
    weights = _kernel(reader, node, value)
    positions = weights.ndim - 2
    strides, dilations = steps(node, positions)
    spans = [(n - 1) * d + 1 for n, d in zip(weights.shape[2:], dilations, strict=True)]
    settings = {
        "filters": weights.shape[0],
        "kernel_size": pair(weights.shape[2:]),
        "stride": pair(strides),
        "dilation": pair(dilations),
        "groups": node.whole("group", 1),
        "padding": padding_of(node, value, spans, strides),
    }
    if settings["groups"] < 1 or weights.shape[1] * settings["groups"] != value.shape[-1]:
        raise node.refuse(
            f"has {value.shape[-1]} channels, {settings['groups']} groups and weights of shape "
            f"{weights.shape}, which do not go together."
        )
    arrays = {"weights": weights.transpose(*range(2, weights.ndim), 1, 0)}
    _add_bias(reader, node, settings, arrays)
    kind = Conv1D if positions == 1 else Conv2D
    return reader.then(value, Step(kind, settings, arrays), value.axes)


@reads("ConvTranspose", channels_first=True)
def read_transposed_convolution(reader: Reader, node: Node) -> Value:
    """(channels, filters, height, width) becomes (height, width, filters, channels)."""
    value = reader.channels_first(node, reader.flow(node))
    weights = _kernel(reader, node, value)
    if weights.ndim != 4:
        raise node.refuse("goes over sequences; here transposed convolutions go over images.")
    strides, dilations = steps(node, 2)
    groups, more = node.whole("group", 1), node.wholes("output_padding", (0, 0), 2)
    spans = [(n - 1) * d + 1 for n, d in zip(weights.shape[2:], dilations, strict=True)]
    way, size = node.text("auto_pad", "NOTSET"), node.listed("output_shape")
    if size is not None:
        raise node.refuse(f"has the attribute output_shape={size}; expected pads instead.")
    settings = {
        "filters": weights.shape[1] * groups,
        "kernel_size": pair(weights.shape[2:]),
        "stride": pair(strides),
        "dilation": pair(dilations),
        "groups": groups,
        "output_padding": pair(more),
    }
    if way.startswith("SAME"):
        gaps = any(stride > span for stride, span in zip(strides, spans, strict=True))
        if way != "SAME_UPPER" or any(more) or gaps:  # of which programs make different things
            raise node.refuse(
                f"has the attributes auto_pad={way}, strides={strides}, output_padding={more}; "
                "expected pads in numbers."
            )
        settings["padding"] = "same"
    else:
        settings["padding"] = padding_of(node, value, spans, strides)
    if weights.shape[0] != value.shape[-1]:
        raise node.refuse(
            f"has {value.shape[-1]} channels and weights of shape {weights.shape}; expected "
            f"({value.shape[-1]}, filters, height, width)."
        )
    arrays = {"weights": weights.transpose(2, 3, 1, 0)}
    _add_bias(reader, node, settings, arrays)
    return reader.then(value, Step(ConvTranspose2D, settings, arrays), value.axes)


def _kernel(reader: Reader, node: Node, value: Value) -> Array:
    """Weights, with as many axes as the samples have and one more."""
    weights = reader.constant(node, 1, "weights")
    size = tuple(node.wholes("kernel_shape", weights.shape[2:]))
    if weights.ndim not in (3, 4) or weights.ndim != len(value.axes) + 1:
        raise node.refuse(
            f"has weights of shape {weights.shape} for samples {value.standing}; expected images "
            "or sequences."
        )
    if size != weights.shape[2:] or 0 in weights.shape:
        raise node.refuse(f"has weights of shape {weights.shape} and kernel_shape={size}.")
    return weights


def _add_bias(
    reader: Reader, node: Node, settings: dict[str, Any], arrays: dict[str, Array]
) -> None:
    bias = reader.optional(node, 2, "bias")
    if bias is None:
        settings["use_bias"] = False
        return
    if bias.shape != (settings["filters"],):
        raise node.refuse(f"has a bias of shape {bias.shape}; expected ({settings['filters']},).")
    arrays["bias"] = bias
