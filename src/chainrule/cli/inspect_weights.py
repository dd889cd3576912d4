"""Weights of other frameworks: Keras's files, and safetensors that chainrule did not write."""

from __future__ import annotations

import re
from pathlib import Path

from chainrule.cli.inspect_findings import Findings, Rows
from chainrule.cli.inspect_onnx import tell_layers
from chainrule.data.columns import counted
from chainrule.errors import UnreadableFile
from chainrule.saving.model_file import naming
from chainrule.saving.weights.keras import described_layers
from chainrule.saving.weights.keras_network import network_of
from chainrule.saving.weights.open_file import open_weights
from chainrule.saving.weights.tensors import TensorFile

_OPTIMIZER = ("optimizer/", "_optimizer/")
_CALLED = {
    "keras": "a model of Keras",
    "hdf5": "an HDF5 file, as Keras keeps weights",
    "safetensors": "arrays in safetensors, not of chainrule",
}


def inspect_weights(path: Path) -> Findings:
    """List the arrays of a file; of a ``.keras`` file also its layers.

    Raises
    ------
    UnreadableFile
    MissingPackage
        When it is one of Keras and h5py is not installed.
    """
    with naming(path):
        file = open_weights(path)
    findings = Findings(file.kind, _CALLED[file.kind])
    _tell_arrays(file, findings)
    if file.config is not None:
        with naming(path):
            _tell_layers(file, findings)
        try:
            with naming(path):
                tell_layers(network_of(file, None), findings)
            findings.sentences.append("It can become a network here: chainrule.from_keras(path).")
        except UnreadableFile as error:
            reason = str(error).removeprefix(f"{path} cannot be loaded: ")
            findings.facts |= {"becomes_network": False, "reason": reason}
            findings.sentences.append(f"It cannot become a network here: {reason}")
    else:
        findings.sentences.append(
            "It does not say how the network is built: chainrule.load_weights(network, path) fills "
            "one."
        )
    return findings


def _tell_arrays(file: TensorFile, findings: Findings) -> None:
    weights = [tensor for tensor in file.tensors if not tensor.name.startswith(_OPTIMIZER)]
    weights.sort(key=lambda tensor: _with_numbers(tensor.name))
    others = len(file.tensors) - len(weights)
    numbers = sum(tensor.count for tensor in weights)
    findings.facts |= {
        "metadata": file.metadata,
        "arrays": [
            {"name": t.name, "shape": list(t.shape), "dtype": t.dtype} for t in file.tensors
        ],
        "numbers": numbers,
    }
    dtypes = ", ".join(sorted({tensor.dtype for tensor in weights})) or "none"
    findings.sentences.append(
        f"{counted(len(weights), 'array')} with {counted(numbers, 'number')}, in {dtypes}."
    )
    if others:
        findings.sentences.append(f"{others:,} more are the optimizer's.")
    if file.metadata:
        told = ", ".join(f"{name}={value}" for name, value in file.metadata.items())
        findings.sentences.append(f"Metadata: {told[:300]}.")
    rows = [[t.name, str(t.shape), t.dtype, f"{t.count:,}"] for t in weights]
    findings.tables.append(Rows("Arrays", ["name", "shape", "dtype", "numbers"], rows, (3,)))


def _with_numbers(name: str) -> list[tuple[str, int]]:
    """Sort ``dense_2`` before ``dense_10``."""
    parts = re.findall(r"(\D*)(\d{0,18})", name)
    return [(text, int(digits or -1)) for text, digits in parts]


def _tell_layers(file: TensorFile, findings: Findings) -> None:
    """The layers in Keras's words, each with the shapes of its arrays."""
    try:
        layers = described_layers(file.config or {})
    except UnreadableFile:  # a class of someone's own; why is told where a network is tried
        return
    rows = []
    for layer in layers:
        arrays = [t for t in file.tensors if t.name.startswith(f"{layer.path}/vars/")]
        shapes = ", ".join(str(tensor.shape) for tensor in arrays)
        count = sum(tensor.count for tensor in arrays)
        rows.append([str(layer.settings.get("name", "")), layer.kind, shapes, f"{count:,}"])
    header = ["name", "class", "arrays", "numbers"]
    findings.tables.insert(0, Rows("Layers of Keras", header, rows, (3,)))
    findings.facts["keras_layers"] = [
        {"name": row[0], "class": layer.kind} for row, layer in zip(rows, layers, strict=True)
    ]
