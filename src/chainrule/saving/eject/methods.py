"""The class of an ejected module: its methods, put together from what the layers have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.saving.eject.code import number
from chainrule.saving.eject.layout import docstring, indented
from chainrule.saving.eject.loss import EjectedLoss
from chainrule.saving.eject.numbers import EjectedNumbers
from chainrule.saving.eject.optimizer import EjectedOptimizer
from chainrule.saving.eject.source import Source, Value

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork


def class_lines(
    source: Source,
    x: Value,
    output: Value,
    loss: EjectedLoss,
    optimizer: EjectedOptimizer,
    numbers: EjectedNumbers,
    predicted: str,
) -> list[str]:
    """Write the class, method by method."""
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
        '    """Apply the chain rule from the loss back to the data; d_name is ∂loss/∂name."""',
    ]
    if source.parameters:
        lines += [f"    y = {loss.targets}(y)", f"    {output.gradient} = {loss.gradient}"]
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


def _without_empty_comments(lines: list[str]) -> list[str]:
    """Leave out the comment of a layer that has no lines of its own."""
    kept = []
    for place, line in enumerate(lines):
        is_last_of_its_layer = place + 1 == len(lines) or lines[place + 1].startswith("#")
        if not (line.startswith("#") and is_last_of_its_layer):
            kept.append(line)
    return kept
