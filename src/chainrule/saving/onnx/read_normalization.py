"""Normalizations out of ONNX."""

from __future__ import annotations

import numpy as np

from chainrule.layer import Array
from chainrule.layers import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from chainrule.saving.onnx.chain import Step, Value
from chainrule.saving.onnx.channels import check_channels
from chainrule.saving.onnx.node import Node, whole_numbers
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.reader import Reader


@reads("BatchNormalization", channels_first=True)
def read_batch_normalization(reader: Reader, node: Node) -> Value:
    """With the running statistics, as in prediction."""
    if node.whole("training_mode", 0) or not node.whole("is_test", 1):
        raise node.refuse("normalizes by the batch, as in training; export the model in eval mode.")
    if not node.whole("spatial", 1):
        raise node.refuse("has the attribute spatial=0: it normalizes each position by itself.")
    node.ignore("consumed_inputs")
    value = reader.channels_first(node, reader.flow(node))
    names = ("scale", "shift", "running_mean", "running_variance")
    arrays = {
        name: check_channels(node, value, reader.constant(node, index, name), name)
        for index, name in enumerate(names, start=1)
    }
    if (arrays["running_variance"] < 0).any():
        raise node.refuse("has a negative variance.")
    momentum, epsilon = node.number("momentum", 0.9), node.number("epsilon", 1e-5)
    momentum = min(momentum, 0.999999)  # 1 would never change; here it must be below
    return reader.then(value, Step(BatchNorm, {"momentum": momentum, "epsilon": epsilon}, arrays))


@reads("LayerNormalization")
def read_layer_normalization(reader: Reader, node: Node) -> Value:
    """Over the last axis alone."""
    node.ignore("stash_type")
    value = reader.channels_last(node, reader.flow(node))
    _need_last_axis(node, value, node.whole("axis", -1))
    scale = check_channels(node, value, reader.constant(node, 1, "scale"), "scale")
    shift = reader.optional(node, 2, "shift")
    shift = np.zeros_like(scale) if shift is None else check_channels(node, value, shift, "shift")
    settings = {"epsilon": node.number("epsilon", 1e-5)}
    return reader.then(value, Step(LayerNorm, settings, {"scale": scale, "shift": shift}))


@reads("RMSNormalization")
def read_rms_normalization(reader: Reader, node: Node) -> Value:
    """Over the last axis alone; an operator since opset 23."""
    node.ignore("stash_type")
    value = reader.channels_last(node, reader.flow(node))
    _need_last_axis(node, value, node.whole("axis", -1))
    scale = check_channels(node, value, reader.constant(node, 1, "scale"), "scale")
    settings = {"epsilon": node.number("epsilon", 1e-5)}
    return reader.then(value, Step(RMSNorm, settings, {"scale": scale}))


@reads("InstanceNormalization", channels_first=True)
def read_instance_normalization(reader: Reader, node: Node) -> Value:
    """Each channel by itself: as many groups as channels."""
    value = reader.channels_first(node, reader.flow(node))
    return _group_norm(reader, node, value, value.shape[-1], node.number("epsilon", 1e-5))


@reads("GroupNormalization", channels_first=True)
def read_group_normalization(reader: Reader, node: Node) -> Value:
    """With one scale for each channel from opset 21 on, for each group before."""
    node.ignore("stash_type")
    value = reader.channels_first(node, reader.flow(node))
    return _group_norm(
        reader, node, value, node.whole("num_groups", 1), node.number("epsilon", 1e-5)
    )


@reads("chainrule.GroupNorm", channels_first=True)
def read_grouped_instances(reader: Reader, node: Node) -> Value:
    """InstanceNormalization between two Reshapes, the first of which makes groups of channels."""
    names, parts = node.get("names"), node.get("parts")
    inputs = dict(zip(names, node.inputs, strict=True))
    value = reader.channels_first(node, reader.flow(node))
    groups = whole_numbers(node, reader.constants[inputs["groups"]], "groups")
    if "shape" in inputs:
        _check_same_shape(node, value, reader.constants[inputs["shape"]])
    rows = value.standing[0] * int(np.prod(value.standing[1:]))
    if (
        len(groups) != 3
        or groups[0] not in (0, -1)
        or groups[1] < 1
        or (groups[2] != -1 and groups[1] * groups[2] != rows)
    ):
        raise node.refuse(f"sees samples of shape {value.standing} as {groups}, not as groups.")
    scale, shift = (reader.constants[inputs[name]] for name in ("scale", "shift"))
    epsilon = parts["InstanceNormalization"].number("epsilon", 1e-5)
    spread = [_for_channels(node, array, groups[1], value.shape[-1]) for array in (scale, shift)]
    return _then_group_norm(reader, value, groups[1], epsilon, *spread)


@reads("chainrule.RMSNorm")
def read_rms(reader: Reader, node: Node) -> Value:
    """X / √(average of x² + ε); a product with γ may follow."""
    names, parts = node.get("names"), node.get("parts")
    inputs = dict(zip(names, node.inputs, strict=True))
    value, mean = reader.flow(node), parts["ReduceMean"]
    axes = mean.listed("axes")
    if "axes" in inputs:
        axes = whole_numbers(node, reader.constants[inputs["axes"]], "axes")
    rank = len(value.axes) + 1
    over = axes[0] % rank if axes and len(axes) == 1 else 0
    if over:
        value = reader.with_channels_at(node, value, over)
    is_channels = over and value.axes[over - 1] == len(value.shape) - 1
    if not is_channels or not mean.whole("keepdims", 1):
        raise node.refuse(f"divides by an average over the axes {axes}, not over the channels.")
    epsilon = reader.constants[inputs["epsilon"]]
    if epsilon.size != 1:
        raise node.refuse("adds more than one number to the average of squares.")
    scale = np.ones(value.shape[-1], epsilon.dtype)
    settings = {"epsilon": float(str(epsilon.reshape(-1)[0]))}
    return reader.then(value, Step(RMSNorm, settings, {"scale": scale}))


def _group_norm(reader: Reader, node: Node, value: Value, groups: int, epsilon: float) -> Value:
    channels = value.shape[-1]
    found = []
    for index, what in ((1, "scale"), (2, "shift")):
        array = reader.constant(node, index, what)
        if array.shape == (groups,) != (channels,) and groups > 0:
            array = _for_channels(node, array, groups, channels)
        found.append(check_channels(node, value, array, what))
    return _then_group_norm(reader, value, groups, epsilon, *found)


def _then_group_norm(
    reader: Reader, value: Value, groups: int, epsilon: float, scale: Array, shift: Array
) -> Value:
    settings = {"groups": groups, "epsilon": epsilon}
    return reader.then(value, Step(GroupNorm, settings, {"scale": scale, "shift": shift}))


def _for_channels(node: Node, array: Array, groups: int, channels: int) -> Array:
    """Repeat a group's number for each of its channels."""
    if array.shape != (groups,) or channels % groups:
        raise node.refuse(
            f"has {groups} groups of {channels} channels and a constant of shape {array.shape}."
        )
    return np.repeat(array, channels // groups)


def _check_same_shape(node: Node, value: Value, shape: Array) -> None:
    """Refuse a second Reshape that does not undo the first."""
    sizes = whole_numbers(node, shape, "a shape")
    same = [
        size in (0, whole) or (size == -1 and sizes.count(-1) == 1)
        for size, whole in zip(sizes[1:], value.standing, strict=False)
    ]
    if len(sizes) != len(value.standing) + 1 or not all(same):
        raise node.refuse(f"has samples of shape {value.standing} and ends with {sizes}.")


def _need_last_axis(node: Node, value: Value, axis: int) -> None:
    if axis % (len(value.axes) + 1) != len(value.axes):
        raise node.refuse(
            f"has the attribute axis={axis}: it normalizes over several axes; here it is the last."
        )
