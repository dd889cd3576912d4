"""What a terminal shows of a large network's step: layer by layer, and one weight all the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.data.columns import counted
from chainrule.explain.document import (
    Block,
    Document,
    Equation,
    Section,
    Table,
    Text,
    Words,
)
from chainrule.explain.explanation import Explanation
from chainrule.explain.expression import Name, Number
from chainrule.explain.layout import Path
from chainrule.explain.quantity import Quantity

_WRITTEN_OUT = 60  # parameters, up to which every equation is shown
_SHORT_LOSS = 4  # outputs, up to which the formula of the loss is short enough to be read
_DIGITS = 4


def is_large(explanation: Explanation) -> bool:
    """Whether the step has more equations than anybody reads in a terminal."""
    return len(explanation.step.network.parameters) > _WRITTEN_OUT


def overview(explanation: Explanation) -> Document:
    """The layers in one table, and the weight of the first that counts most, all the way."""
    samples = counted(len(explanation.step.samples), "sample")
    count = len(explanation.step.network.parameters)
    after = explanation.loss_after_update
    words: list[Words] = [
        f"One step of training, on {samples}, of a network of {count:,} parameters. Its loss is ",
        explanation.loss.number,
    ]
    if after is not None:
        words += [", and after the update, on the same samples, ", Number(after, is_given=True)]
    return Document(
        "One step, layer by layer",
        [
            Text([*words, "."]),
            Section(["Layer by layer"], [_layers(explanation), *_loss(explanation)]),
            *_one_weight(explanation),
        ],
    )


def strongest_weight(explanation: Explanation) -> Quantity | None:
    """The number of the first parameter whose gradient is largest; None without parameters."""
    for slot in explanation.step.network.parameter_vector.slots:
        tensor = explanation.tensor(Name(slot.path, slot.name))
        sizes = np.abs(tensor.gradient.values)
        place = np.unravel_index(int(sizes.argmax()), sizes.shape)
        return tensor[tuple(map(int, place))]
    return None


def _layers(explanation: Explanation) -> Table:
    """What each layer gives, how long it is, and how long the gradients that come back are."""
    lines: list[list[str | float]] = []
    arrays = explanation.step.arrays
    for name, layer in explanation.layers.items():
        given = layer.output
        back = arrays.get((given.symbol.path, f"d_{given.symbol.field}"))
        count, norm = _parameters(explanation, layer.place.path)
        lines.append(
            [
                name.removeprefix("layer "),
                f"{layer.layer!r}",
                " x ".join(map(str, given.shape)),
                _length(given.norm),
                "" if back is None else _length(_norm(back)),
                f"{count:,}" if count else "",
                _length(norm) if count else "",
            ]
        )
    headings = [
        "layer",
        "which is",
        "gives",
        "length",
        "its gradient",
        "parameters",
        "their gradient",
    ]
    return Table(headings, lines)


def _parameters(explanation: Explanation, path: Path) -> tuple[int, float]:
    """How many parameters stand at this place, and the length of their gradient."""
    count, squares = 0, 0.0
    for slot in explanation.step.network.parameter_vector.slots:
        if slot.path == path:
            gradient = explanation.step.arrays[path, f"d_{slot.name}"]
            count, squares = count + gradient.size, squares + _norm(gradient) ** 2
    return count, float(np.sqrt(squares))


def _norm(values: np.ndarray) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))


def _length(norm: float) -> str:
    return f"{norm:.{_DIGITS}g}"


def _loss(explanation: Explanation) -> Iterator[Block]:
    terms = explanation.terms
    if terms.values.size == 1 and explanation.output.values.size <= _SHORT_LOSS:
        yield explanation.telling.equation(terms[terms.first])
    yield explanation.telling.equation(explanation.loss)


def _one_weight(explanation: Explanation) -> Iterator[Block]:
    weight = strongest_weight(explanation)
    if weight is None:
        return
    gradient, blocks = weight.gradient, list[Block]()
    blocks.append(Equation(weight.symbol, [weight.number]))
    chain = gradient.chain
    if chain is None:
        blocks.append(Equation(gradient.symbol, [gradient.number]))
    elif chain.of_terms == 1:
        blocks.append(Equation(gradient.symbol, [chain.symbols, chain.numbers, gradient.number]))
    else:
        product = Number(chain.product, is_given=True)
        blocks.append(Equation(gradient.symbol, [gradient.number]))
        blocks.append(Text(["Of all the ways it takes through the network, this one counts most:"]))
        blocks.append(Equation(chain.symbols, [chain.numbers, product]))
    if (weight.symbol.path, f"new_{weight.symbol.field}") in explanation.step.arrays:
        blocks.append(explanation.telling.equation(weight.updated))
    yield Section([weight.symbol, " from the loss back, and its update"], blocks)
