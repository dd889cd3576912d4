"""ONNX files: operators, shapes, and whether they can become a network here."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

from chainrule.cli.inspect_findings import Findings, Rows, sample_shape
from chainrule.data.columns import counted
from chainrule.errors import UnreadableFile
from chainrule.network import NeuralNetwork
from chainrule.saving.model_file import naming
from chainrule.saving.onnx import from_onnx
from chainrule.saving.onnx.file import read_model


def inspect_onnx(path: Path) -> Findings:
    """Read the graph of an ONNX file; nothing of it is run.

    Raises
    ------
    UnreadableFile
    MissingPackage
        When onnx is not installed.
    """
    with naming(path):
        model = read_model(path)
    graph = model.graph
    operators = Counter(
        f"{node.domain}.{node.op_type}" if node.domain else node.op_type for node in graph.node
    )
    if not operators and not graph.output:
        raise UnreadableFile(f"{path} cannot be loaded: it is not an ONNX file, or a damaged one.")
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [_value(entry) for entry in graph.input if entry.name not in constants]
    outputs = [_value(entry) for entry in graph.output]
    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    producer = f"{model.producer_name} {model.producer_version}".strip()
    numbers = sum(math.prod(tensor.dims) for tensor in graph.initializer)
    findings = Findings("onnx", "an ONNX file")
    findings.facts = {
        "opset": opsets,
        "ir_version": model.ir_version,
        "producer": producer,
        "inputs": inputs,
        "outputs": outputs,
        "operators": dict(operators),
        "constants": len(graph.initializer),
        "numbers": numbers,
    }
    told = ", ".join(f"{domain} {version}" for domain, version in opsets.items())
    findings.sentences += [
        f"Opset: {told}. IR version {model.ir_version}. Made by: {producer or 'not said'}.",
        f"Inputs: {_listed(inputs)}. Outputs: {_listed(outputs)}.",
        f"{counted(len(graph.node), 'node')}; "
        f"{counted(len(graph.initializer), 'constant')} with {counted(numbers, 'number')}.",
    ]
    rows = [[operator, str(count)] for operator, count in operators.most_common()]
    findings.tables.append(Rows("Operators", ["operator", "nodes"], rows, (1,)))
    try:
        _tell_network(from_onnx(path), findings)
    except UnreadableFile as error:
        reason = str(error).removeprefix(f"{path} cannot be loaded: ")
        findings.facts |= {"becomes_network": False, "reason": reason}
        findings.sentences.append(f"It cannot become a network here: {reason}")
    return findings


def tell_layers(network: NeuralNetwork, findings: Findings) -> None:
    """Add the layers that a file becomes."""
    shapes = network.shapes
    rows = [["", "inputs", sample_shape(shapes[0])]]
    rows += [
        [str(number), repr(layer), sample_shape(shape)]
        for number, (layer, shape) in enumerate(zip(network.layers, shapes[1:], strict=True), 1)
    ]
    findings.tables.append(Rows("As a network here", ["", "layer", "output shape"], rows, (0,)))
    findings.facts |= {
        "becomes_network": True,
        "layers": [
            {"layer": repr(layer), "output_shape": list(shape)}
            for layer, shape in zip(network.layers, shapes[1:], strict=True)
        ],
        "loss": repr(network.loss),
    }


def _tell_network(network: NeuralNetwork, findings: Findings) -> None:
    tell_layers(network, findings)
    findings.sentences.append("It can become a network here: chainrule.from_onnx(path).")


def _value(entry: Any) -> dict[str, Any]:
    """Name and shape of an input or output; sizes that are open by their names."""
    sizes = entry.type.tensor_type.shape.dim
    return {
        "name": entry.name,
        "shape": [size.dim_value or size.dim_param or "?" for size in sizes],
    }


def _listed(values: list[dict[str, Any]]) -> str:
    return ", ".join(f"{v['name']} ({', '.join(map(str, v['shape']))})" for v in values) or "none"
