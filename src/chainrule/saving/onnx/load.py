"""Networks in from ONNX files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.activations import Identity
from chainrule.errors import InvalidInput, UnreadableFile
from chainrule.layer import Layer, Shape
from chainrule.loss import Loss
from chainrule.network import NeuralNetwork
from chainrule.saving.onnx import (
    read_activations,
    read_convolution,
    read_images,
    read_normalization,
    read_pooling,
    read_rows,
    read_shapes,
)
from chainrule.saving.onnx.chain import Step, Value, channels_first_axes, plain_axes
from chainrule.saving.onnx.constants import fold
from chainrule.saving.onnx.ending import with_loss
from chainrule.saving.onnx.file import Arrays, read_model
from chainrule.saving.onnx.node import Node, node_of
from chainrule.saving.onnx.order import in_order
from chainrule.saving.onnx.patterns import name_patterns
from chainrule.saving.onnx.reader import Reader

# Importing them is what makes their operators known.
READERS = (
    read_activations,
    read_convolution,
    read_images,
    read_normalization,
    read_pooling,
    read_rows,
    read_shapes,
)

_OLDEST, _NEWEST = 7, 28  # opsets; before 7 constants were spread in another way
_MOST_NODES = 10_000
_DOUBLE = 11
_FLOATS = (0, 1, _DOUBLE)  # types of outputs that may be predictions; 0 is what ZipMap gives


def from_onnx(
    path: str | Path, *, output: str | None = None, loss: str | Loss | None = None
) -> NeuralNetwork:
    """Read a network from an ONNX file, as PyTorch, Keras, scikit-learn and others write them.

    Sequential and residual graphs become layers, with the file's numbers as parameters: it
    predicts what the file does, and can be looked into and trained on. Images come and go
    channels-last here: a graph on (batch, channels, height, width) becomes a network on (batch,
    height, width, channels). Scales that are folded into a layer, and batch normalizations on the
    way around a residual block, go into the weights.

    Parameters
    ----------
    path : str or Path
    output : str, optional
        Name of the array in the graph to predict, where there are several, or something before
        the end is wanted.
    loss : str or Loss, optional
        What to train on by. Without it a softmax at the end becomes "softmax_cross_entropy" on
        logits, a sigmoid "sigmoid_cross_entropy", and everything else gets "mean_squared_error".

    Returns
    -------
    NeuralNetwork
        In float64 where the file's parameters are, or, without any, its input; else in float32.

    Raises
    ------
    UnreadableFile
        When the file is absent or damaged, or holds what no layer here expresses; the message
        names the node, its operator and what about it. Nothing is loaded then.
    MissingPackage
        When onnx is not installed.
    """
    path = Path(path)
    chosen = None if loss is None else Loss.get(loss)
    try:
        with np.errstate(all="ignore"):  # numbers that are not finite are refused where they end
            return _network(path, output, chosen)
    except RecursionError as error:
        raise UnreadableFile(
            f"{path} cannot be loaded: its residual blocks lie inside one another too deep."
        ) from error
    except (UnreadableFile, InvalidInput, OverflowError, MemoryError) as error:
        said = " ".join(str(error).split())  # names in the file may go over several lines
        raise UnreadableFile(f"{path} cannot be loaded: {said}") from error


def _network(path: Path, output: str | None, loss: Loss | None) -> NeuralNetwork:
    model = read_model(path)
    graph, folder = model.graph, path.parent
    opset = _opset(model)
    constants = Arrays(graph.initializer, folder)
    if graph.sparse_initializer:
        raise UnreadableFile("it holds sparse constants; expected whole ones.")
    if len(graph.node) > _MOST_NODES:
        raise UnreadableFile(f"it has {len(graph.node):,} nodes; expected at most {_MOST_NODES:,}.")
    wanted = _output(graph, output)
    nodes = _needed([node_of(node) for node in graph.node], wanted)
    nodes = _without_constants(nodes, constants, folder)
    nodes = name_patterns(nodes, constants, wanted)
    name, batch, sample, is_double = _input(graph, nodes, constants, wanted)
    reader = Reader(nodes, constants, wanted, opset=opset, folder=folder, batch=batch)
    value = _arranged(reader, nodes, reader.read(name, sample))
    steps = [link.step for link in value.chain.links() if link.step is not None]
    steps, chosen = with_loss(steps, loss, exponentials=reader.exponentials_of is not None)
    arrays = [array for step in steps for array in step.all_arrays()]
    if arrays:
        is_double = any(array.dtype == np.float64 for array in arrays)
    return _built(steps, chosen, reader.input_shape, "float64" if is_double else "float32")


def _built(steps: Sequence[Step], loss: Loss, shape: Shape, dtype: str) -> NeuralNetwork:
    """Make the network and give it its parameters."""
    layers: list[Layer] = [step.layer() for step in steps]
    network = NeuralNetwork(
        *(layers or [Identity()]),
        loss=loss,
        dtype=dtype,
        inputs=shape,
    )
    for step, layer in zip(steps, layers, strict=True):
        step.fill(layer)
    return network


def _arranged(reader: Reader, nodes: Sequence[Node], value: Value) -> Value:
    """Let the output stand as in the graph, or channels-last where the graph has channels first."""
    end = nodes[-1] if nodes else Node("Identity", [], [reader.output])
    rank = len(value.axes)
    if value.is_row and rank == 1:
        return in_order(reader, end, value, None)
    if len(value.shape) == rank and value.axes in (plain_axes(rank), channels_first_axes(rank)):
        return value
    return reader.channels_last(end, value)


def _opset(model: Any) -> int:
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not versions or not model.HasField("graph"):
        raise UnreadableFile("it is not an ONNX file, or a damaged one: it has no graph or opset.")
    if not _OLDEST <= versions[0] <= _NEWEST:
        raise UnreadableFile(
            f"it is written in opset {versions[0]}; opsets {_OLDEST} to {_NEWEST} are read here. "
            "Export the model in one of these."
        )
    return versions[0]


def _output(graph: Any, wanted: str | None) -> str:
    """Name of the array to predict."""
    made = {name for node in graph.node for name in node.output if name}
    if wanted is not None:
        if wanted not in made:
            raise UnreadableFile(f"its graph has no array {wanted!r} to give as output.")
        return wanted
    names = [output.name for output in graph.output if output.type.tensor_type.elem_type in _FLOATS]
    if len(names) != 1:
        listed = ", ".join(map(repr, names)) or "none"
        raise UnreadableFile(
            f"it has {len(names)} outputs of floating-point numbers ({listed}); expected one. "
            "Choose by output=..., which may name any array of the graph."
        )
    return names[0]


def _needed(nodes: Sequence[Node], output: str) -> list[Node]:
    """Nodes that the output depends on, in their order."""
    makers = {name: node for node in nodes for name in node.outputs if name}
    waiting, found = [output], set()
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node not in found:
            found.add(node)
            waiting += [name for name in node.inputs if name]
    return [node for node in nodes if node in found]


def _without_constants(nodes: Sequence[Node], constants: Arrays, folder: Path) -> list[Node]:
    """Compute what follows from constants alone; return the other nodes."""
    left = []
    for node in nodes:
        names = [name for name in node.inputs if name]
        found = None
        if all(name in constants for name in names):
            found = fold(node, [constants[name] for name in names], folder)
        if found is None:
            left.append(node)
        else:
            constants.keep(node.outputs[0], found)
    return left


def _input(
    graph: Any, nodes: Sequence[Node], constants: Arrays, output: str
) -> tuple[str, int | None, Shape, bool]:
    """Name of the input, samples where they are fixed, shape of one, and whether it is float64."""
    used = {name for node in nodes for name in node.inputs} | {output}
    inputs = [entry for entry in graph.input if entry.name not in constants and entry.name in used]
    if len(inputs) != 1:
        listed = ", ".join(repr(entry.name) for entry in inputs) or "none"
        raise UnreadableFile(
            f"its output depends on {len(inputs)} inputs ({listed}); expected one."
        )
    kind = inputs[0].type.tensor_type
    sizes = [size.dim_value for size in kind.shape.dim]
    if len(sizes) < 2 or min(sizes[1:]) < 1 or math.prod(sizes[1:]) > 2**40:
        shown = [size.dim_value or size.dim_param or "?" for size in kind.shape.dim]
        raise UnreadableFile(
            f"its input {inputs[0].name!r} has the shape {shown}; expected the batch and then "
            "fixed sizes. Export the model for samples of one shape."
        )
    if kind.elem_type not in _FLOATS:
        raise UnreadableFile(
            f"its input {inputs[0].name!r} takes numbers of ONNX's type {kind.elem_type}; expected "
            "float32 or float64."
        )
    is_double = kind.elem_type == _DOUBLE
    return inputs[0].name, sizes[0] if sizes[0] > 0 else None, tuple(sizes[1:]), is_double
