"""Weights out of a file of Keras or PyTorch into a network that is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidInput, InvalidSetting, InvalidShape
from chainrule.layer import Array, Layer
from chainrule.network import NeuralNetwork
from chainrule.saving.model_file import naming
from chainrule.saving.weights.groups import Framework, Group
from chainrule.saving.weights.keras import KERAS, keras_groups
from chainrule.saving.weights.matching import Pairs, match, match_by_names
from chainrule.saving.weights.open_file import open_weights
from chainrule.saving.weights.places import places, reordering
from chainrule.saving.weights.pytorch import PYTORCH, pytorch_groups
from chainrule.saving.weights.tensors import TensorFile


def load_weights(
    network: NeuralNetwork, path: str | Path, names: Sequence[str | None] | None = None
) -> NeuralNetwork:
    """Give a network the weights that Keras or PyTorch wrote into a file.

    Layer by layer, in their order, every shape is compared; then all are taken, or, where anything
    is wrong, none. The weights are turned to fit: PyTorch keeps them (outputs, inputs), and
    flattens images with their channels first. Training begins anew.

    Parameters
    ----------
    network : NeuralNetwork
        Built, of the same layers as there; with ``inputs=`` given.
    path : str or Path
        A ``.keras`` or ``.weights.h5`` file of Keras 3, or a state dict of PyTorch in safetensors.
    names : list of str or None, optional
        For each layer here that has parameters, the layer in the file that belongs to it, as
        ``["conv1", "fc.0", "fc.2"]``; None for one that stays as it is. Needed where names and
        shapes do not say the order.

    Returns
    -------
    NeuralNetwork
        The same one.

    Raises
    ------
    UnreadableFile
        When the file is absent, damaged or hostile, or holds weights of other kinds of layers.
    InvalidShape
        When layers or shapes do not fit, saying which, what was found and what is needed.
    InvalidSetting
        When the order of the layers is not known, or ``names`` are not those of the file.
    InvalidInput
        When ``network`` is none.
    NotBuilt
        When the network does not know the shape of its inputs yet.

    Notes
    -----
    These files hold numbers, not what is done with them. An activation, a stride or a padding that
    differs goes unnoticed, as does the ε of a normalization, which a ``.keras`` file alone tells.
    """
    if not isinstance(network, NeuralNetwork):
        raise InvalidInput(
            f"load_weights received {shown(network)} as network; expected a NeuralNetwork: "
            "load_weights(network, path)."
        )
    path = Path(path)
    shape = network.shapes[0]
    with naming(path):
        file = open_weights(path)
        framework, groups = _groups(file)
    _check_order(framework, network.layers, network)
    wanted = places(network.layers, shape)
    if names is None:
        pairs = match(framework, wanted, groups)
    else:
        pairs = match_by_names(framework, wanted, groups, names)
    check_epsilons(pairs)
    with naming(path):
        found = arrays_of(framework, file, pairs)
    check_dtype(found, network.dtype)
    fill(found)
    network.training_state.begin_again()
    return network


Found = list[tuple[Layer, str, Array]]


def arrays_of(framework: Framework, file: TensorFile, pairs: Pairs) -> Found:
    """Read the numbers of all layers, before any of them is changed.

    Raises
    ------
    UnreadableFile
        For numbers that are no floats, or not finite.
    """
    return [
        (place.owner, name, values)
        for place, group in pairs
        for name, values in framework.arrays(file, place, group).items()
    ]


def check_epsilons(pairs: Pairs) -> None:
    """Compare the ε of normalizations, where the file says it: Keras's is larger than ours.

    Raises
    ------
    InvalidSetting
    """
    for place, group in pairs:
        there, here = group.settings.get("epsilon"), getattr(place.owner, "epsilon", None)
        if here is not None and there is not None and there != here:
            raise InvalidSetting(
                f"{group.name!r} in the file has epsilon={shown(there)}, and {place} {here}; build "
                f"it with epsilon={shown(there)}."
            )


def check_dtype(found: Found, dtype: np.dtype[np.floating]) -> None:
    """Refuse to round float64 weights to float32.

    Raises
    ------
    InvalidSetting
    """
    if dtype == np.float32 and any(values.dtype == np.float64 for _, _, values in found):
        raise InvalidSetting(
            "The file holds weights in float64 and the network computes in float32, which would "
            'round them. Build it with dtype="float64"; net.copy(dtype="float32") rounds.'
        )


def fill(found: Found) -> None:
    """Put the numbers into the layers, which are in a network by now."""
    for owner, name, values in found:
        setattr(owner, name, values)


def _groups(file: TensorFile) -> tuple[Framework, list[Group]]:
    if file.kind == "safetensors":
        return PYTORCH, pytorch_groups(file.tensors)
    return KERAS, keras_groups(file)


def _check_order(framework: Framework, layers: Sequence[Layer], network: NeuralNetwork) -> None:
    layer = reordering(layers, network.shapes[0]) if framework.channels_first else None
    if layer is not None:
        raise InvalidShape(
            f"The network holds {layer!r}, where {framework.name} has the numbers of images in "
            "another order than here, so these weights cannot be taken. Assign them by hand: "
            "layer.weights = ..."
        )
