"""Other shapes and layouts of the same numbers, out of ONNX."""

from __future__ import annotations

import math
from dataclasses import replace

from chainrule.layer import Shape
from chainrule.layers import Dropout, Flatten, Reshape
from chainrule.saving.onnx.chain import Axes, Order, Step, Value, plain_axes
from chainrule.saving.onnx.constants import BATCH
from chainrule.saving.onnx.node import Node, whole_numbers
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.order import in_order
from chainrule.saving.onnx.reader import Reader


@reads("Identity", "ai.onnx.ml.ZipMap", any_layout=True)
def read_identity(reader: Reader, node: Node) -> Value:
    """Nothing; ZipMap writes class labels beside probabilities."""
    node.ignore("classlabels_int64s", "classlabels_strings")
    return reader.flow(node)


@reads("Cast", any_layout=True)
def read_cast(reader: Reader, node: Node) -> Value:
    """Nothing, between floating-point numbers: a network computes in one dtype."""
    node.ignore("saturate")
    if node.get("to") not in (1, 11):
        raise node.refuse(f"has the attribute to={node.get('to')}; expected float32 or float64.")
    return reader.flow(node)


@reads("Dropout", any_layout=True)
def read_dropout(reader: Reader, node: Node) -> Value:
    """Nothing in prediction, but it may be trained on."""
    node.ignore("seed", "is_test")
    training = reader.optional(node, 2, "training_mode")
    if training is not None and training.any():
        raise node.refuse("drops numbers as in training; export the model in eval mode.")
    ratio = reader.optional(node, 1, "ratio")
    if ratio is not None and ratio.size != 1:
        raise node.refuse(f"has {ratio.size} ratios; expected one.")
    rate = node.number("ratio", 0.5) if ratio is None else float(str(ratio.reshape(-1)[0]))
    return reader.then(reader.flow(node), Step(Dropout, {"rate": rate}))


@reads("Transpose")
def read_transpose(reader: Reader, node: Node) -> Value:
    """Another layout of the same numbers; the batch stays first."""
    value = reader.flow(node)
    rank = len(value.axes) + 1
    order = node.wholes("perm", range(rank - 1, -1, -1), rank)
    if sorted(order) != list(range(rank)) or order[0] != 0:
        raise node.refuse(f"has the attribute perm={order}; expected the batch to stay first.")
    return replace(value, axes=tuple(value.axes[axis - 1] for axis in order[1:]))


@reads("Flatten")
def read_flatten(reader: Reader, node: Node) -> Value:
    """One row for each sample."""
    value = reader.flow(node)
    if node.whole("axis", 1) not in (1, -len(value.axes)):
        raise node.refuse(
            f"has the attribute axis={node.get('axis')}; expected 1, after the batch."
        )
    return _reshaped(reader, node, value, (math.prod(value.standing),))


@reads("Squeeze", "Unsqueeze")
def read_squeeze(reader: Reader, node: Node) -> Value:
    """Axes of size 1 that come or go."""
    value = reader.flow(node)
    axes = reader.wholes(node, 1, "axes")
    listed = node.listed("axes") if axes is None else axes
    sizes = [0, *value.standing]
    if node.operator == "Squeeze":
        chosen = [i for i, n in enumerate(sizes) if n == 1] if listed is None else listed
        gone = {axis % len(sizes) for axis in chosen}
        if any(sizes[axis] != 1 for axis in gone):
            raise node.refuse(f"leaves out the axes {chosen} of samples {value.standing}.")
        shape = [size for axis, size in enumerate(sizes) if axis not in gone]
    else:
        rank = len(sizes) + len(listed or ())
        new = {axis % rank for axis in listed or ()}
        if not new or 0 in new or len(new) != rank - len(sizes):
            raise node.refuse(f"adds the axes {listed}; expected some after the batch.")
        left = iter(sizes)
        shape = [1 if axis in new else next(left) for axis in range(rank)]
    return _reshaped(reader, node, value, tuple(shape[1:]))


@reads("Reshape")
def read_reshape(reader: Reader, node: Node) -> Value:
    """Samples get another shape, and stay samples."""
    value = reader.flow(node)
    sizes = whole_numbers(node, reader.constant(node, 1, "shape"), "a shape")
    return _reshaped(reader, node, value, _target(node, value, sizes, reader.batch))


def _target(node: Node, value: Value, sizes: list[int], batch: int | None) -> Shape:
    """Shape of one sample after a Reshape to such sizes.

    Raises
    ------
    UnreadableFile
        When samples would not stay samples.
    """
    standing, shape = value.standing, list(sizes[1:])
    if not node.whole("allowzero", 0):
        shape = [
            standing[i] if size == 0 and i < len(standing) else size for i, size in enumerate(shape)
        ]
    count = math.prod(standing)
    if shape.count(-1) == 1 and sizes[0] != -1:
        known = -math.prod(shape)
        shape = [count // known if size == -1 and known > 0 else size for size in shape]
    keeps = sizes and sizes[0] in (0, -1, BATCH, batch)
    if not keeps or not shape or min(shape) < 1 or math.prod(shape) != count:
        shown = ["batch" if size == BATCH else size for size in sizes]
        raise node.refuse(
            f"gives samples of shape {standing} the shape {shown}, batch included; expected the "
            f"batch first, and {count} numbers for each sample."
        )
    return tuple(shape)


def _reshaped(reader: Reader, node: Node, value: Value, shape: Shape) -> Value:
    """Give samples another shape in the graph."""
    if value.axes == (0,) and value.is_row and value.order is None and len(shape) > 1:
        return _as_image(reader, node, value, shape)
    if len(shape) == 1 and not value.is_row:
        return _flattened(reader, value, shape)
    moved = _moved_axes(value, shape)
    if moved is not None:
        return replace(value, axes=moved)
    if len([size for size in shape if size > 1]) == 1:
        return _flattened(reader, value, shape)
    if value.is_row:
        return _as_image(reader, node, value, shape)
    value = reader.channels_last(node, value)
    return reader.then(value, Step(Reshape, {"shape": shape}), plain_axes(len(shape)))


def _moved_axes(value: Value, shape: Shape) -> Axes | None:
    """Axes after a change that only adds or leaves out axes of size 1; None if it does more."""
    long = value.long_axes
    if [value.shape[axis] for axis in long] != [size for size in shape if size > 1]:
        return None
    kept = iter(long)
    axes: list[int | None] = [next(kept) if size > 1 else None for size in shape]
    # An axis of size 1 that chainrule has stands for the first one in the graph that may be it.
    for axis, size in enumerate(value.shape):
        if size == 1 and None in axes and (len(shape) == len(value.shape) or not long):
            axes[axes.index(None)] = axis
    return tuple(axes)


def _flattened(reader: Reader, value: Value, shape: Shape) -> Value:
    axes = (0,) if len(shape) == 1 else tuple(0 if size > 1 else None for size in shape)
    flat = reader.then(value, Step(Flatten), axes)
    if value.long_axes == sorted(value.long_axes):
        return flat
    short = [axis for axis, size in enumerate(value.shape) if size == 1]
    return replace(flat, order=Order(value.shape, (*value.long_axes, *short)))


def _as_image(reader: Reader, node: Node, value: Value, shape: Shape) -> Value:
    """Rows of numbers become images: in our layout, so the dense layer before may have to turn."""
    seen = reader.as_image(node.outputs[0], Value(value.chain, shape, plain_axes(len(shape))))
    wanted = None
    if seen.axes != plain_axes(len(shape)):
        wanted = Order(seen.shape, tuple(axis for axis in seen.axes if axis is not None))
    value = in_order(reader, node, replace(value, axes=(0,)), wanted)
    step = Step(Reshape, {"shape": seen.shape})
    return replace(seen, chain=value.chain.then(step))
