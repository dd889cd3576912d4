"""Networks out as ONNX files."""

from __future__ import annotations

import sys
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
WRITERS = (write_activations, write_normalization, write_residual, write_rows, write_windows)


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
    shapes, dtype = network.shapes, check_dtype(network.dtype)
    for slot in network.parameter_vector.all_slots:
        if not np.isfinite(slot.view(network.parameter_vector.storage)).all():
            raise InvalidData(
                f"{slot.label} holds NaN or infinity; an ONNX file takes finite numbers."
            )
    graph = Graph(dtype)
    x = output = Tensor("x", shapes[0])
    for position, layer in enumerate(network.layers):
        output = write_layer(layer, (position,), graph, output)
    prediction = _prediction(network, graph, graph.channels_last(output))
    described = (
        f"x (batch, {_sizes(shapes[0])}) -> prediction (batch, {_sizes(shapes[-1])}), {dtype}, "
        f"trained with the loss {network.loss.name}. Written by chainrule."
    )
    version = sys.modules["chainrule"].__version__
    return write_atomically(path, graph.model(x, prediction, version, described))


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


def _sizes(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
