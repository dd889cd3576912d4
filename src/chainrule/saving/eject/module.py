"""The text of an ejected module, put together from top to bottom."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.saving.eject.layout import INDENT, WIDTH, docstring
from chainrule.saving.eject.loss import eject_loss, prediction
from chainrule.saving.eject.methods import class_lines
from chainrule.saving.eject.numbers import EjectedNumbers, eject_numbers
from chainrule.saving.eject.optimizer import eject_optimizer
from chainrule.saving.eject.source import Source, Value
from chainrule.saving.eject.walk import backprop, ejected

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork


@dataclass(frozen=True)
class EjectedModule:
    """What is written to disk.

    Attributes
    ----------
    text : str
        Of the module.
    numbers : bytes or None
        Of the file beside it, where there is one.
    parameters : list of str
        Attribute of each parameter, in the order of the network's vector.
    trains : bool
        Whether some layer does something else in training than in prediction.
    is_random : bool
        Whether training draws random numbers (dropout), other ones than chainrule.
    """

    text: str
    numbers: bytes | None
    parameters: list[str]
    trains: bool
    is_random: bool


def eject(network: NeuralNetwork, file_name: str, about: str = "") -> EjectedModule:
    """Write a network as a Python module.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    file_name : str
        Of the file beside it that its numbers go to, where they are many.
    about : str
        What to say about the data in the module's docstring.

    Raises
    ------
    InvalidSetting, InvalidData
        When it cannot be written, with the name of what cannot.
    """
    source = Source(network)
    output = x = Value("x", network.shapes[0])
    layers = []
    for position, layer in enumerate(network.layers):
        layers.append(ejected(source, layer, (position,), output))
        output = layers[-1].feedforward()
    loss = eject_loss(source, output)
    backprop(source, layers, output.gradient, None)
    predicted = prediction(source, output)
    optimizer = eject_optimizer(source)
    numbers = eject_numbers(source, optimizer.remembers)
    body = class_lines(source, x, output, loss, optimizer, numbers, predicted)
    text = "\n".join(
        [
            *docstring(_about(network, source, about), 0),
            "",
            *_imports(source, numbers),
            *_constants(source, body, file_name if numbers.content else ""),
            *(f"\n\n{function}" for function in source.functions.values()),
            "",
            "",
            *body,
            "",
            "",
            *_main(network),
            "",
        ]
    )
    return EjectedModule(text, numbers.content, source.parameters, source.trains, source.random)


def _about(network: NeuralNetwork, source: Source, about: str) -> str:
    shapes = [f"(batch, {', '.join(map(str, shape))})" for shape in network.shapes]
    width = max(map(len, shapes))
    rows = [f"{'x':<10}{shapes[0]}"]
    for place, (layer, shape) in enumerate(zip(network.layers, shapes[1:], strict=True), start=1):
        rows.append(f"{f'layer {place}':<10}{shape:<{width}}  {layer!r}")
    drawn = "\n".join(INDENT + _cut(row, WIDTH - len(INDENT)) for row in rows)
    steps = network.training_state.step
    trained = f" after {steps:,} steps of training" if steps else ""
    of = "a float32 network" if str(network.dtype) == "float32" else "a network"
    version = sys.modules["chainrule"].__version__
    parts = [
        "A neural network written out in NumPy, with nothing else behind it.",
        drawn,
        f"Loss: {network.loss!r}. Optimizer: {network.optimizer!r}. "
        f"Made from {of} of chainrule {version}{trained}; it computes in float64.",
        about,
    ]
    if source.random:
        parts.append(
            "Dropout draws random numbers of its own here, so the losses of training are not "
            "those that chainrule would have; predictions are the same."
        )
    return "\n\n".join(part for part in parts if part)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _imports(source: Source, numbers: EjectedNumbers) -> list[str]:
    standard = sorted(source.imports)
    if numbers.content:
        standard.append("from pathlib import Path")
    return [*standard, *[""] * bool(standard), "import numpy as np"]


def _constants(source: Source, body: list[str], file_name: str) -> list[str]:
    """Names of the parameters, where the class goes through them, and of the file."""
    text = "\n".join(body)
    lines = []
    if file_name:
        lines.append(f"NUMBERS = Path(__file__).with_name({json.dumps(file_name)})")
    for constant, names in (("PARAMETERS", source.parameters), ("WEIGHTS", source.weights)):
        if constant in text:
            lines += _names(constant, names)
    return ["", *lines] if lines else []


def _names(constant: str, names: list[str]) -> list[str]:
    listed = ", ".join(f'"{name}"' for name in names)
    comma = "," * (len(names) == 1)
    line = f"{constant} = ({listed}{comma})"
    if len(line) <= WIDTH:
        return [line]
    return [f"{constant} = (", *(f'    "{name}",' for name in names), ")"]


def _main(network: NeuralNetwork) -> list[str]:
    sizes = ", ".join(map(str, (2, *network.shapes[0])))
    return [
        'if __name__ == "__main__":',
        "    network = NeuralNetwork()",
        f"    x = np.random.default_rng(0).random(({sizes}))  # two samples, made up",
        "    print(network.predict(x))",
    ]
