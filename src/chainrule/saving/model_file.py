"""The model file: one safetensors file with the parameters and, as JSON, everything around them.

A safetensors file is a header and then nothing but numbers, so reading one cannot run code. Each
parameter stands in it under its label (``"layer 1 weights"``). The header's metadata holds one
entry, ``"chainrule"``, with this JSON::

    {"format": 1, "network": {...}, "extra": {...}}

where ``network`` is what ``chainrule.saving.description`` says and ``extra`` belongs to whoever
saved the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import (
    InvalidData,
    InvalidInput,
    InvalidSetting,
    UnreadableFile,
    optional_package,
)
from chainrule.files import write_atomically
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.saving.description import (
    build_layers,
    build_network,
    describe_network,
    parameter_shapes,
)

FORMAT = 1
_ENTRY = "chainrule"


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Attributes
    ----------
    network : NeuralNetwork
        With its parameters; its training starts anew.
    extra : dict
        What was passed to ``save`` beside it: preprocessing, how it was trained, ...
    """

    network: NeuralNetwork
    extra: dict[str, Any]


def save(network: NeuralNetwork, path: str | Path, extra: dict[str, Any] | None = None) -> Path:
    """Write a network into a model file; a file that is there already is replaced in one step.

    Parameters
    ----------
    network : NeuralNetwork
        Built, with finite parameters.
    path : str or Path
        Usually ending in ``.safetensors``.
    extra : dict, optional
        Plain data (as JSON can hold) to keep beside it.

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
        When something cannot be stored, or not there.
    """
    content = {
        "format": FORMAT,
        "network": describe_network(network),
        "extra": {} if extra is None else extra,
    }
    try:
        text = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidSetting(f"This cannot be stored as JSON in a model file: {error}.") from error
    arrays = {
        slot.label: np.ascontiguousarray(slot.view(network.parameter_vector.storage))
        for slot in network.parameter_vector.all_slots
    }
    for label, array in arrays.items():
        if not np.isfinite(array).all():
            raise InvalidData(f"{label} holds NaN or infinity; a model file takes finite numbers.")
    safetensors = optional_package("safetensors.numpy", "Saving a model")
    return write_atomically(path, safetensors.save(arrays, metadata={_ENTRY: text}))


def load(path: str | Path) -> SavedModel:
    """Read a model file.

    Classes of your own (layers, activations, ...) must be defined or imported before.

    Raises
    ------
    UnreadableFile
        When the file is absent, damaged, of another kind, or made by a newer chainrule.
    """
    path = Path(path)
    text, arrays = _read(path)
    try:
        content = _content(text)
        network = _network(content["network"], arrays)
    except (UnreadableFile, RecursionError) as error:
        raise UnreadableFile(f"{path} cannot be loaded: {error}") from error
    return SavedModel(network, content["extra"])


def _read(path: Path) -> tuple[str, dict[str, Array]]:
    """Return the JSON text and all arrays."""
    if path.is_dir():
        raise UnreadableFile(f"{path} is a folder; expected a model file.")
    if not path.exists():
        raise UnreadableFile(f"There is no model file {path}.")
    safetensors = optional_package("safetensors", "Loading a model")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_ENTRY)
            if text is None:
                raise UnreadableFile(
                    f"{path} is a safetensors file, but chainrule did not write it: it does not "
                    "say how the network is built."
                )
            names = file.keys()
            return text, {name: file.get_tensor(name) for name in names}
    except (safetensors.SafetensorError, TypeError, ValueError) as error:
        raise UnreadableFile(
            f"{path} is not a model file, or a damaged one ({error}). Model files are written by "
            "chainrule.saving.save and by chainrule train."
        ) from error
    except OSError as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        file_format = content["format"]
        complete = isinstance(content["extra"], dict) and "network" in content
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFile(f"its description is damaged ({error!r}).") from error
    if file_format != FORMAT:
        raise UnreadableFile(
            f"it has format {file_format!r} and this chainrule reads format {FORMAT}. "
            "Install the version of chainrule that wrote it, or a newer one."
        )
    if not complete:
        raise UnreadableFile("its description is not complete.")
    return content


def _network(description: Any, arrays: dict[str, Array]) -> NeuralNetwork:
    """Build the network and fill in its parameters, once the arrays are known to fit."""
    try:
        layers = build_layers(description["layers"])
        expected = parameter_shapes(layers, tuple(description["input_shape"]))
        dtype = np.dtype(description["dtype"])
    except (KeyError, TypeError, InvalidInput) as error:
        raise UnreadableFile(f"the network is described wrongly ({error}).") from error
    # Compared before anything is allocated: a description may claim layers of any size.
    found = {name: array.shape for name, array in arrays.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise UnreadableFile(
                f"the network needs the shape {expected.get(name)} for {name!r}, and the file "
                f"holds {found.get(name)}."
            )
    for name, array in arrays.items():
        if array.dtype != dtype or not np.isfinite(array).all():
            raise UnreadableFile(f"{name} does not hold finite numbers of {dtype}.")
    network = build_network(description, layers)
    for slot in network.parameter_vector.all_slots:
        slot.view(network.parameter_vector.storage)[...] = arrays[slot.label]
    return network
