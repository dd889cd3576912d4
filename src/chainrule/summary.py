"""The table that ``net.summary()`` prints."""

from __future__ import annotations

from typing import Any


def summary_text(network: Any) -> str:
    """Layers, output shapes and numbers of parameters, as aligned text.

    Parameters
    ----------
    network : NeuralNetwork
        Also one that is not built yet: shapes are then unknown.
    """
    rows = [("", "layer", "output shape", "parameters")]
    if network.is_built:
        rows.append(("", "inputs", _shape(network.shapes[0]), ""))
    for number, layer in enumerate(network.layers):
        shape = _shape(network.shapes[number + 1]) if network.is_built else "?"
        count = f"{_parameters_at(network, number):,}" if network.is_built else "?"
        rows.append((str(number + 1), repr(layer), shape, count))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{number:>{widths[0]}}  {layer:<{widths[1]}}  {shape:<{widths[2]}}  {count:>{widths[3]}}"
        for number, layer, shape, count in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    total = f"{len(network.parameters):,}" if network.is_built else "unknown until the first data"
    lines += [
        lines[1],
        f"parameters: {total}   loss: {network.loss!r}   optimizer: {network.optimizer!r}",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _shape(shape: tuple[int, ...]) -> str:
    return f"(batch, {', '.join(map(str, shape))})"


def _parameters_at(network: Any, position: int) -> int:
    """Count a shared layer's parameters once, where it first stands."""
    slots = network.parameter_vector.slots
    return sum(slot.stop - slot.start for slot in slots if slot.layer == position)
