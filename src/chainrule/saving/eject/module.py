"""The text of an ejected module, put together from top to bottom."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.saving.eject.code import INDENT, WIDTH, docstring, indented, number
from chainrule.saving.eject.layers import backprop, ejected
from chainrule.saving.eject.loss import EjectedLoss, eject_loss, prediction
from chainrule.saving.eject.numbers import EjectedNumbers, eject_numbers
from chainrule.saving.eject.optimizer import EjectedOptimizer, eject_optimizer
from chainrule.saving.eject.source import Source, Value

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
    body = _class(source, x, output, loss, optimizer, numbers, predicted)
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
    trained = f"after {steps:,} steps of training" if steps else "before any training"
    version = sys.modules["chainrule"].__version__
    exact = ", whose weights were float32 numbers; everything here is float64"
    parts = [
        "A neural network written out in NumPy, with nothing else behind it.",
        drawn,
        f"Loss: {network.loss!r}. Optimizer: {network.optimizer!r}. "
        f"Written by chainrule {version}, {trained}"
        f"{exact if str(network.dtype) == 'float32' else ''}.",
        about,
        "Names end in the number of their layer. z is a weighted sum, a = f(z) its activation, "
        "and d_name the derivative of the loss with respect to name.",
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
        lines.append(f'NUMBERS = Path(__file__).with_name("{file_name}")')
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


def _class(
    source: Source,
    x: Value,
    output: Value,
    loss: EjectedLoss,
    optimizer: EjectedOptimizer,
    numbers: EjectedNumbers,
    predicted: str,
) -> list[str]:
    network = source.network
    methods = [
        ["def __init__(self):", *indented([*optimizer.start, *_random(source), *numbers.lines])],
        _feedforward(source, x, output),
        _loss(source, output, loss),
        _backprop(source, output, loss),
    ]
    if network.l1 or network.l2:
        methods.insert(3, _penalty(network))
    if source.counting:
        described = "Count mean and variance of the batch into what predictions will use."
        methods.append(
            [
                "def update_statistics(self):",
                *indented([*docstring(described, 2), *source.counting]),
            ]
        )
    methods += [*optimizer.methods, _train(source), _predict(output, predicted)]
    lines = ["class NeuralNetwork:"]
    for place, method in enumerate(methods):
        lines += [""] * bool(place) + indented(method)
    return lines


def _random(source: Source) -> list[str]:
    seed = source.network.seed
    return [f"self.random = np.random.default_rng({seed})  # for dropout"] if source.random else []


def _feedforward(source: Source, x: Value, output: Value) -> list[str]:
    arguments = "self, x, training=False" if source.trains else "self, x"
    shape = f"(batch, {', '.join(map(str, x.shape))})"
    given = f"(batch, {', '.join(map(str, output.shape))})"
    lines = [f"def feedforward({arguments}):", f'    """x {shape} -> {output.name} {given}."""']
    if len(x.shape) > 1:
        lines += [
            "    x = np.asarray(x)",
            "    self.x = x / 255 if x.dtype == np.uint8 else x.astype(float)  # bytes are pixels",
        ]
    else:
        lines.append("    self.x = np.asarray(x, dtype=float)")
    return [*lines, *indented(_without_empty_comments(source.forward)), f"    return {output.code}"]


def _loss(source: Source, output: Value, loss: EjectedLoss) -> list[str]:
    penalty = " + self.penalty()" if source.network.l1 or source.network.l2 else ""
    return [
        "def loss(self, y):",
        '    """How far the latest outputs are from the actual values y."""',
        f"    return {loss.value}({output.code}, {loss.targets}(y)){penalty}",
    ]


def _penalty(network: NeuralNetwork) -> list[str]:
    parts = []
    if network.l1:
        parts.append(f"{number(network.l1)} * np.sum(np.abs(w))")
    if network.l2:
        parts.append(f"{number(network.l2)} * np.sum(w**2)")
    return [
        "def penalty(self):",
        '    """What large weights (not biases) cost, so that they stay small."""',
        "    weights = [getattr(self, name) for name in WEIGHTS]",
        f"    return sum({' + '.join(parts)} for w in weights)",
    ]


def _backprop(source: Source, output: Value, loss: EjectedLoss) -> list[str]:
    lines = [
        "def backprop(self, y):",
        '    """Apply the chain rule from the loss back to every parameter."""',
    ]
    if source.parameters:
        lines.append(f"    {output.gradient} = {loss.gradient}({output.code}, {loss.targets}(y))")
    lines += indented(_without_empty_comments(source.backward))
    l1, l2 = source.network.l1, source.network.l2
    if l1 or l2:
        parts = [f"{number(l1)} * np.sign(w)"] * bool(l1)
        parts += [f"{number(2 * l2)} * w"] * bool(l2)
        lines += [
            "    # The penalty on large weights",
            "    for name in WEIGHTS:",
            '        w, gradient = getattr(self, name), getattr(self, f"d_{name}")',
            f"        gradient += {' + '.join(parts)}",
        ]
    return lines


def _train(source: Source) -> list[str]:
    training = ", training=True" if source.trains else ""
    lines = [
        "def train(self, x, y, iterations):",
        '    """Learn from x and y, so many times (once for a mini-batch); return the losses."""',
        "    losses = []",
        "    for _ in range(iterations):",
        f"        self.feedforward(x{training})",
        "        losses.append(float(self.loss(y)))",
        "        self.backprop(y)",
    ]
    if source.counting:
        lines.append("        self.update_statistics()")
    return [*lines, "        self.update()", "    return losses"]


def _predict(output: Value, predicted: str) -> list[str]:
    lines = ["def predict(self, x):", '    """Predict what y would be for each sample."""']
    if predicted == output.code:
        return [*lines, "    return self.feedforward(x)"]
    return [*lines, "    self.feedforward(x)", f"    return {predicted}"]


def _main(network: NeuralNetwork) -> list[str]:
    shape = network.shapes[0]
    sizes = ", ".join(map(str, (2, *shape)))
    return [
        'if __name__ == "__main__":',
        "    network = NeuralNetwork()",
        f"    x = np.random.default_rng(0).random(({sizes}))  # two samples, made up",
        "    print(network.predict(x))",
    ]


def _without_empty_comments(lines: list[str]) -> list[str]:
    """Leave out the comment of a layer that has no lines of its own."""
    kept = []
    for place, line in enumerate(lines):
        is_last_of_its_layer = place + 1 == len(lines) or lines[place + 1].startswith("#")
        if not (line.startswith("#") and is_last_of_its_layer):
            kept.append(line)
    return kept
