"""The model file: the parameters of a network, and in JSON everything around them.

Each parameter stands in a safetensors file (``model_file_container``) under its label
(``"layer 1 weights"``). The text beside them is this JSON::

    {"format": 2, "network": {...}, "extra": {...}}

where ``network`` is what ``chainrule.saving.description`` says and ``extra`` belongs to whoever
saved the file. Where the training was kept too, ``"training"`` says how far it is, and the arrays
called ``"training ..."`` are what the optimizer remembers.

Format 1 had neither a checksum nor training. Its files are checked as far as can be: sizes, shapes
and finite numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData, InvalidSetting, UnreadableFile
from chainrule.files import write_atomically
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.saving.description import (
    WRONG,
    build_layers,
    build_network,
    describe_network,
    parameter_shapes,
)
from chainrule.saving.json_text import read_json
from chainrule.saving.model_file_container import pieces, read
from chainrule.saving.model_file_training import (
    TRAINING,
    describe_training,
    put_back,
    training_arrays,
)

FORMAT = 2
_MOST_TOLD = 1000  # characters of what is wrong: a file can have names of any length


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Attributes
    ----------
    network : NeuralNetwork
        With its parameters. Its training starts anew, unless it was saved with ``training=True``.
    extra : dict
        What was passed to ``save`` beside it: preprocessing, how it was trained, ...
    """

    network: NeuralNetwork
    extra: dict[str, Any]


@dataclass(frozen=True)
class Content:
    """A model file as it was read and checked, before anything is built.

    Attributes
    ----------
    described : dict
        The JSON.
    arrays : dict of str to ndarray
        Parameters and statistics, and what begins with ``"training "``.
    """

    described: dict[str, Any]
    arrays: dict[str, Array]


def save(
    network: NeuralNetwork,
    path: str | Path,
    extra: dict[str, Any] | None = None,
    *,
    training: bool = False,
) -> Path:
    """Write a network into a model file; a file that is there already is replaced in one step.

    Killed at any moment, this leaves the old file whole, or the new one.

    Parameters
    ----------
    network : NeuralNetwork
        Built, with finite parameters.
    path : str or Path
        Usually ending in ``.safetensors``.
    extra : dict, optional
        Plain data (as JSON can hold) to keep beside it.
    training : bool, default False
        Whether to keep also where its training stands, so that ``fit`` goes on from there as if
        it had not been saved; with Adam the file is three times as large.

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
    described: dict[str, Any] = {"extra": {} if extra is None else extra}
    arrays: dict[str, Array] = {}
    if checks.flag("training", training):
        described["training"] = describe_training(network.training_state)
        arrays = training_arrays(network.training_state)
    return write(path, network, described, arrays)


def write(
    path: str | Path, network: NeuralNetwork, described: dict[str, Any], arrays: dict[str, Array]
) -> Path:
    """Write a network with whatever else: more JSON, and arrays whose names say what they are.

    Raises
    ------
    NotBuilt, InvalidData, InvalidSetting
        As ``save``.
    """
    content = {"format": FORMAT, "network": describe_network(network), **described}
    try:
        text = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidSetting(f"This cannot be stored as JSON in a model file: {error}.") from error
    parameters = {
        slot.label: slot.view(network.parameter_vector.storage)
        for slot in network.parameter_vector.all_slots
    }
    for label, array in parameters.items():
        if not np.isfinite(array).all():
            raise InvalidData(f"{label} holds NaN or infinity; a model file takes finite numbers.")
    return write_atomically(path, pieces(text, parameters | arrays))


def load(path: str | Path) -> SavedModel:
    """Read a model file, or the network out of a checkpoint.

    Everything is checked before anything is built: the checksum over the whole file, sizes,
    shapes, finite numbers. Classes of your own (layers, activations, ...) must be defined or
    imported before: nothing in a file names an import.

    Raises
    ------
    UnreadableFile
        When the file is absent, damaged, of another kind, or made by a newer chainrule.
    """
    path = Path(path)
    content = open_model(path)
    with naming(path):
        return SavedModel(network_of(content), content.described["extra"])


def load_network(path: str | Path) -> NeuralNetwork:
    """Read the network of a model file, or of a checkpoint; see ``load``."""
    return load(path).network


class naming:  # noqa: N801  # reads as a statement
    """While active, an UnreadableFile gets the path, and whatever a wrong file causes becomes one.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, RecursionError):
            error = UnreadableFile("it is nested too deeply.")
        if isinstance(error, WRONG):
            error = UnreadableFile(f"its content does not fit together ({error!r}).")
        if isinstance(error, UnreadableFile):
            told = str(error) if len(str(error)) <= _MOST_TOLD else f"{str(error)[:_MOST_TOLD]}..."
            raise UnreadableFile(f"{self.path} cannot be loaded: {told}") from error


def open_model(path: Path) -> Content:
    """Read and check a file without building anything.

    Raises
    ------
    UnreadableFile
    """
    if not path.exists():
        raise UnreadableFile(f"There is no model file {path}.")
    with naming(path):
        container = read(path)
        try:
            described = read_json(container.text)
        except ValueError as error:
            raise UnreadableFile(f"its description is damaged ({error}).") from error
        _check_format(described, container.is_checked)
        return Content(described, container.arrays)


def _check_format(described: Any, is_checked: bool) -> None:
    if not isinstance(described, dict) or type(described.get("format")) is not int:
        raise UnreadableFile("its description is damaged: it does not say its format.")
    found = described["format"]
    if not 1 <= found <= FORMAT:
        raise UnreadableFile(
            f"it has format {found} and this chainrule reads formats 1 to {FORMAT}. Install the "
            "version of chainrule that wrote it, or a newer one."
        )
    if found > 1 and not is_checked:
        raise UnreadableFile("it is damaged: its checksum is gone.")
    if not isinstance(described.get("extra"), dict) or "network" not in described:
        raise UnreadableFile("its description is not complete.")


def network_of(content: Content) -> NeuralNetwork:
    """Build the network and fill in its numbers, once they are known to fit.

    Raises
    ------
    UnreadableFile
    """
    description = content.described["network"]
    arrays = {n: array for n, array in content.arrays.items() if not n.startswith(TRAINING)}
    try:
        layers = build_layers(description["layers"])
        expected = parameter_shapes(layers, tuple(description["input_shape"]))
        dtype = np.dtype(description["dtype"])
    except WRONG as error:
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
    if "training" in content.described:
        put_back(network, content.described["training"], content.arrays)
    return network
