"""Matrix products, and constants that are added or multiplied, out of ONNX."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.activations import Softmax
from chainrule.layer import Array
from chainrule.layers import Conv1D, Conv2D, Dense, RMSNorm
from chainrule.saving.onnx.affine import NORMALIZING, WEIGHTED, affine_step
from chainrule.saving.onnx.chain import Step, Value, plain_axes
from chainrule.saving.onnx.channels import per_channel
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.read_residual import read_sum
from chainrule.saving.onnx.reader import Reader


@reads("Gemm")
def read_gemm(reader: Reader, node: Node) -> Value:
    """Take alpha · x W + beta · b, with W transposed where the node says so."""
    value = reader.flow(node)
    if node.whole("transA", 0):
        raise node.refuse("has the attribute transA=1: it exchanges samples and inputs.")
    weights = _scaled(reader.constant(node, 1, "matrix"), node.number("alpha", 1.0))
    if node.whole("transB", 0):
        weights = weights.T
    bias, beta = reader.optional(node, 2, "bias"), node.number("beta", 1.0)
    product = _product(reader, node, value, weights)
    if bias is None:
        return product
    return _affine(reader, node, product, 1.0, per_channel(node, product, _scaled(bias, beta)))


@reads("MatMul")
def read_matmul(reader: Reader, node: Node) -> Value:
    """X W, without a bias: that is added by the next node."""
    return _product(reader, node, reader.flow(node), reader.constant(node, 1, "matrix"))


def _product(reader: Reader, node: Node, value: Value, weights: Array) -> Value:
    """X W for rows; at every position of a sequence or an image it is a convolution of size 1."""
    value = reader.channels_last(node, value)
    rank = len(value.shape)
    if weights.ndim != 2 or weights.shape[0] != value.shape[-1] or rank > 3:
        raise node.refuse(
            f"multiplies samples of shape {value.standing} with a constant of shape "
            f"{weights.shape}; expected ({value.standing[-1]}, outputs)."
        )
    weights = value.in_our_order(weights)
    inputs, outputs = weights.shape
    settings: dict[str, Any] = {"use_bias": False}
    if rank == 1:
        step = Step(Dense, {"outputs": outputs, **settings}, {"weights": weights})
    else:
        kernel = weights.reshape(*[1] * (rank - 1), inputs, outputs)
        kind = Conv1D if rank == 2 else Conv2D
        settings |= {"filters": outputs, "kernel_size": 1}
        step = Step(kind, settings, {"weights": kernel})
    return reader.then(value, step, plain_axes(rank))


@reads("Add", "Sub", "Mul", "Div", any_layout=True)
def read_arithmetic(reader: Reader, node: Node) -> Value:
    """The sum of two ways, or a constant for each channel that the layer before takes up."""
    if reader.is_flow(node, 0) and reader.is_flow(node, 1):
        if node.operator != "Add":
            raise node.refuse("combines two arrays that depend on the input; expected a sum.")
        return read_sum(reader, node)
    first = 0 if reader.is_flow(node, 0) else 1
    value = reader.flow(node, first)
    constant = per_channel(node, value, reader.constant(node, 1 - first, "second number"))
    match node.operator, first:
        case "Add", _:
            return _affine(reader, node, value, 1.0, constant)
        case "Sub", 0:
            return _affine(reader, node, value, 1.0, -constant)
        case "Sub", _:
            return _affine(reader, node, value, -1.0, constant)
        case "Mul", _:
            return _affine(reader, node, value, constant)
        case "Div", 0 if constant.all():
            return _affine(reader, node, value, 1 / constant)
    raise node.refuse("divides by the input, or by zero.")


def _affine(
    reader: Reader, node: Node, value: Value, scale: Array | float, shift: Array | None = None
) -> Value:
    """Scale and shift each channel, by the weights and the bias of the layer before.

    A shift becomes a bias even where all of it is zero: so training can go on with it.
    """
    changes_nothing = np.all(scale == 1) and (shift is None or not np.any(shift))
    last = reader.last_step(value, *WEIGHTED, *NORMALIZING)
    needs_shift = last is not None and last.kind is RMSNorm and shift is not None and np.any(shift)
    if last is None or "activation" in last.settings or needs_shift:
        if changes_nothing:
            return value
        raise node.refuse(
            "scales or shifts what no layer before it can take up. Do that to the data, before "
            "the network."
        )
    return reader.instead(value, affine_step(last, value.shape[-1], scale, shift))


@reads("chainrule.TwoClasses")
def read_two_classes(reader: Reader, node: Node) -> Value:
    """(1 - p, p) with p = sigmoid z: the softmax of two logits, 0 and z."""
    value = reader.flow(node)
    concat = node.get("parts")["Concat"]
    node.ignore("names")
    last = reader.last_step(value, Dense)
    if (
        last is None
        or "activation" in last.settings
        or value.shape != (1,)
        or concat.whole("axis", 1) not in (1, -1)
    ):
        raise node.refuse("puts a probability beside its opposite where no dense layer gives it.")
    arrays = {
        name: np.concatenate([np.zeros_like(values), values], axis=-1)
        for name, values in last.arrays.items()
    }
    settings = {**last.settings, "outputs": 2, "activation": Softmax()}
    wider = reader.instead(value, replace(last, settings=settings, arrays=arrays))
    return replace(wider, shape=(2,))


def _scaled(values: Array, factor: float) -> Array:
    """Values times a factor, in their own dtype."""
    return values if factor == 1 else values * values.dtype.type(factor)
