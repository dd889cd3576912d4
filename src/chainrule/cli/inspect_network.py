"""The network in a model file, from its description: nothing of it takes memory or is run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from chainrule.checks import shown
from chainrule.cli.inspect_findings import Findings, Rows, sample_shape
from chainrule.errors import ChainruleError
from chainrule.layer import Shape
from chainrule.saving.description import WRONG, build, build_layers
from chainrule.saving.model_file import Content
from chainrule.saving.model_file_training import TRAINING

_STATISTICS = ("running_mean", "running_variance")  # counted, not learned


def tell_network(content: Content, findings: Findings) -> None:
    """Add layers, shapes, counts and settings.

    Layers are built from the registry alone, without parameters, to know their shapes; of a class
    that is not registered here the file's own words are shown.
    """
    described = content.described["network"]
    shapes = _parameters(content)
    names, outputs = _layers(described)
    by_layer: list[dict[str, Shape]] = [{} for _ in names]
    for label, shape in shapes.items():
        if 0 <= _layer(label) < len(names):
            by_layer[_layer(label)][label] = shape
    counts = {label: math.prod(shape) for label, shape in shapes.items()}
    statistics = sum(n for label, n in counts.items() if label.endswith(_STATISTICS))
    loss, optimizer = told(described["loss"]), told(described["optimizer"])
    input_shape = list(described["input_shape"])
    findings.facts |= {
        "format": content.described["format"],
        "checksum": "right" if content.described["format"] > 1 else "none",
        "input_shape": input_shape,
        "dtype": described["dtype"],
        "loss": loss,
        "optimizer": optimizer,
        "seed": described["seed"],
        "l1": described["l1"],
        "l2": described["l2"],
        "parameters": sum(counts.values()) - statistics,
        "statistics": statistics,
        "layers": [
            {"layer": name, "output_shape": output, "parameters": _without_layer(owned)}
            for name, output, owned in zip(names, outputs, by_layer, strict=True)
        ],
    }
    rows = [["", "inputs", sample_shape(input_shape), "", ""]]
    for number, (name, output, owned) in enumerate(zip(names, outputs, by_layer, strict=True), 1):
        arrays = ", ".join(f"{label} {shape}" for label, shape in _without_layer(owned).items())
        count = sum(counts[label] for label in owned)
        rows.append([str(number), name, sample_shape(output), arrays, f"{count:,}"])
    header = ["", "layer", "output shape", "arrays", "numbers"]
    findings.tables.append(Rows("Network", header, rows, (0, 4)))
    checksum = "its checksum is right" if content.described["format"] > 1 else "without a checksum"
    counted = f", and {statistics:,} statistics" if statistics else ""
    penalties = "".join(f", {name}={described[name]}" for name in ("l1", "l2") if described[name])
    findings.sentences += [
        f"Format {content.described['format']}, {checksum}.",
        f"Parameters: {sum(counts.values()) - statistics:,}{counted}, in {described['dtype']}.",
        f"Loss: {loss}{penalties}. Optimizer: {optimizer}. Seed: {described['seed']}.",
    ]


def told(described: Any) -> str:
    """A member of a family as Python shows it; of an unknown class, as the file says it."""
    try:
        return repr(build(described))
    except ChainruleError:
        return _in_its_words(described)


def _layers(described: Mapping[str, Any]) -> tuple[list[str], list[list[int] | None]]:
    """Each layer in words, and the shape of its outputs, where that can be known."""
    try:
        layers = build_layers(described["layers"])
    except ChainruleError:
        return [_in_its_words(layer) for layer in described["layers"]], [None] * len(
            described["layers"]
        )
    shape: Shape | None = tuple(described["input_shape"])
    outputs: list[list[int] | None] = []
    for layer in layers:
        try:
            shape = None if shape is None else layer.output_shape(shape)
        except WRONG:
            shape = None
        outputs.append(None if shape is None else list(shape))
    return [repr(layer) for layer in layers], outputs


def _in_its_words(described: Any) -> str:
    if isinstance(described, Mapping) and isinstance(described.get("settings"), Mapping):
        settings = ", ".join(
            f"{name}={_in_its_words(value)}" for name, value in described["settings"].items()
        )
        return f"{described.get('name')}({settings})"
    return shown(described)


def _parameters(content: Content) -> dict[str, Shape]:
    return {
        label: array.shape
        for label, array in content.arrays.items()
        if not label.startswith(TRAINING)
    }


def _layer(label: str) -> int:
    """Position of the layer that a label, as ``"layer 3.1 weights"``, belongs to, from 0."""
    digits = label.removeprefix("layer ").partition(" ")[0].partition(".")[0]
    return int(digits) - 1 if digits.isdecimal() else -1


def _without_layer(owned: Mapping[str, Shape]) -> dict[str, Shape]:
    """``"layer 3 weights"`` -> ``"weights"``, ``"layer 3.1 weights"`` -> ``"3.1 weights"``."""
    found = {}
    for label, shape in owned.items():
        place, _, name = label.removeprefix("layer ").partition(" ")
        found[f"{place} {name}" if "." in place else name] = shape
    return found
