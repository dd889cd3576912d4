"""Whole networks out of ``.keras`` files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.activations import Identity
from chainrule.checks import shown
from chainrule.errors import InvalidInput, UnreadableFile
from chainrule.layer import Layer, Shape
from chainrule.loss import Loss
from chainrule.network import NeuralNetwork
from chainrule.saving.model_file import naming
from chainrule.saving.onnx.ending import with_loss
from chainrule.saving.weights.keras import KERAS, described_layers, keras_groups
from chainrule.saving.weights.keras_layers import step_of
from chainrule.saving.weights.load import arrays_of, fill
from chainrule.saving.weights.matching import match
from chainrule.saving.weights.open_file import open_weights
from chainrule.saving.weights.places import places
from chainrule.saving.weights.tensors import TensorFile

_MOST_NUMBERS = 2**40  # of a sample


def from_keras(path: str | Path, *, loss: str | Loss | None = None) -> NeuralNetwork:
    """Read a network from a ``.keras`` file, as Keras 3 writes it.

    It must be Sequential, also with others inside, of layers that there are here: Dense, Conv1D,
    Conv2D, max-, average and global pooling, BatchNormalization, LayerNormalization, Dropout,
    Flatten and activations. Its configuration is read as plain data; none of Keras's classes is
    looked up, nothing is imported or run. It predicts what the model does, to rounding.

    Parameters
    ----------
    path : str or Path
    loss : str or Loss, optional
        What to train on by. Without it a softmax at the end becomes "softmax_cross_entropy" on
        logits, a sigmoid "sigmoid_cross_entropy", and everything else gets "mean_squared_error".

    Returns
    -------
    NeuralNetwork
        In float64 where the file's numbers are, else in float32. Training begins anew; Keras's
        regularizers and initializers are left behind.

    Raises
    ------
    UnreadableFile
        When the file is absent, damaged or hostile, or holds a layer or setting that has no
        counterpart here, by its name. Nothing is loaded then.
    MissingPackage
        When h5py is not installed.
    """
    path = Path(path)
    chosen = None if loss is None else Loss.get(loss)
    with naming(path):
        return network_of(open_weights(path), chosen)


def network_of(file: TensorFile, loss: Loss | None) -> NeuralNetwork:
    """Build the network that an opened file describes, as ``from_keras`` does.

    Raises
    ------
    UnreadableFile
        Without the path.
    """
    try:
        return _network(file, loss)
    except InvalidInput as error:  # layers that do not fit together
        raise UnreadableFile(" ".join(str(error).split())) from error


def _network(file: TensorFile, loss: Loss | None) -> NeuralNetwork:
    if file.config is None:
        raise UnreadableFile(
            "it does not say how the network is built; expected a .keras file. Build the network "
            "yourself and fill it by load_weights."
        )
    if file.config.get("class_name") != "Sequential":
        raise UnreadableFile(
            f"its network is a {shown(file.config.get('class_name'))} model; a Sequential one is "
            "built here. Build the network yourself and fill it by load_weights."
        )
    steps = [step for layer in described_layers(file.config) if (step := step_of(layer))]
    steps, chosen = with_loss(steps, loss, exponentials=False)
    layers: list[Layer] = [step.layer() for step in steps] or [Identity()]
    shape = _input_shape(file.config)
    # All of it is known to fit before the network takes memory.
    found = arrays_of(KERAS, file, match(KERAS, places(layers, shape), keras_groups(file)))
    is_double = any(values.dtype == np.float64 for _, _, values in found)
    dtype = "float64" if is_double else "float32"
    network = NeuralNetwork(*layers, loss=chosen, dtype=dtype, inputs=shape)
    fill(found)
    return network


def _input_shape(config: Mapping[str, Any]) -> Shape:
    """Shape of one sample: that of the first InputLayer, or that the model was built for."""
    first = config
    while first.get("class_name") == "Sequential" and first["config"]["layers"]:
        first = first["config"]["layers"][0]
    shape = first["config"].get("batch_shape") if first["class_name"] == "InputLayer" else None
    if shape is None:
        shape = config["config"].get("build_input_shape")
    if not isinstance(shape, list) or len(shape) < 2:
        raise UnreadableFile("it does not say the shape of its inputs; build the model first.")
    sizes = shape[1:]
    if not all(type(size) is int and size > 0 for size in sizes) or len(sizes) > 8:
        raise UnreadableFile(
            f"its inputs have the shape {shown(shape)}; expected fixed sizes after the batch."
        )
    if math.prod(sizes) > _MOST_NUMBERS:
        raise UnreadableFile(f"its inputs have the shape {shown(shape)}, which is too large.")
    return tuple(sizes)
