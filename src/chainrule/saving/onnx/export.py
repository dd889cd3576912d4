"""Networks out as ONNX files."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.arguments import check_dtype
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.files import write_atomically
from chainrule.loss import Loss
from chainrule.losses import NegativeLogLikelihood
from chainrule.saving.onnx import (
    write_activations,
    write_formula,
    write_normalization,
    write_residual,
    write_rows,
    write_windows,
)
from chainrule.saving.onnx.graph import Graph, Tensor
from chainrule.saving.onnx.writer import write_layer

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork

# Importing them is what makes their layers known.
WRITERS = (
    *(write_activations, write_formula, write_normalization, write_residual, write_rows),
    write_windows,
)


def to_onnx(network: NeuralNetwork, path: str | Path) -> Path:
    """Write a network as an ONNX file, for onnxruntime and every other program that reads them.

    Its input ``x`` is what ``predict`` takes, as floating-point numbers (uint8 images divided by
    255), with images channels-last. Its output ``prediction`` is what ``predict`` gives:
    probabilities where the loss works on logits. Any number of samples may be passed at once.

    Parameters
    ----------
    network : NeuralNetwork
        Built, with finite parameters. The file computes in its dtype; onnxruntime on CPUs knows
        no convolution, average pooling, GELU, group normalization or enlarging of images in
        float64, so write ``network.copy(dtype="float32")`` for it.
    path : str or Path
        Usually ending in ``.onnx``. A file that is there already is replaced in one step.

    Returns
    -------
    Path

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidData
        When a parameter is not finite.
    InvalidSetting
        When a layer or the loss has no form in ONNX, or nothing can be written there.
    MissingPackage
        When onnx is not installed.
    """
    graph = begin(network)
    shapes = network.shapes
    prediction = write_network(network, graph, graph.input("x", shapes[0]))
    graph.output("prediction", prediction.name, prediction.shape)
    described = f"x (batch, {sizes(shapes[0])}) -> prediction (batch, {sizes(shapes[-1])})"
    return finish(network, graph, path, described)


def begin(network: NeuralNetwork, names: Iterable[str] = ("x", "prediction")) -> Graph:
    """Return an empty graph for a network, once it is known that it can be written.

    Parameters
    ----------
    network : NeuralNetwork
    names : iterable of str
        What inputs and outputs of the file will be called.

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidData
        When a parameter is not finite.
    """
    dtype = check_dtype(network.dtype)
    for slot in network.parameter_vector.all_slots:
        if not np.isfinite(slot.view(network.parameter_vector.storage)).all():
            raise InvalidData(
                f"{slot.label} holds NaN or infinity; an ONNX file takes finite numbers."
            )
    return Graph(dtype, names)


def write_network(network: NeuralNetwork, graph: Graph, x: Tensor) -> Tensor:
    """Append all layers, and what ``predict`` makes of the last one's outputs."""
    output = x
    for position, layer in enumerate(network.layers):
        output = write_layer(layer, (position,), graph, output)
    return _prediction(network, graph, graph.channels_last(output))


def finish(network: NeuralNetwork, graph: Graph, path: str | Path, described: str) -> Path:
    """Write the file, with a sentence about what goes in and comes out."""
    version = sys.modules["chainrule"].__version__
    told = (
        f"{described}, {network.dtype}, trained with the loss {network.loss.name}. Written by "
        "chainrule."
    )
    return write_atomically(path, graph.model(version, told))


def _prediction(network: NeuralNetwork, graph: Graph, output: Tensor) -> Tensor:
    """What ``predict`` makes of the last layer's outputs, as the loss says."""
    loss, position = network.loss, len(network.layers)
    if type(loss).prediction is NegativeLogLikelihood.prediction:
        return Tensor(graph.node("Exp", [output.name], "probabilities"), output.shape)
    if type(loss).prediction is not Loss.prediction:
        raise InvalidSetting(
            f"The loss {loss!r} makes predictions of the outputs in a way of its own, which "
            "cannot be written as ONNX. Write a copy of the network with another loss."
        )
    if loss.last_activation is None:
        return output
    return write_layer(loss.last_activation, (position,), graph, output)


def sizes(shape: tuple[int, ...]) -> str:
    """Say a shape without its brackets."""
    return ", ".join(map(str, shape))
