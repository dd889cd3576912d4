"""``--weight "layer 1, 0, 2"``: from what a person writes to everything about that number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from chainrule.data.columns import listed
from chainrule.errors import InvalidInput
from chainrule.explain.document import Block, Document, Section, Text
from chainrule.explain.explanation import Explanation, LayerExplanation
from chainrule.explain.expression import Index, Name
from chainrule.explain.layout import WHOLE
from chainrule.explain.quantity import Quantity, Tensor
from chainrule.layers.dense import Dense

_WANTED = re.compile(
    r"(?:(?:layer\s*)?(?P<layer>\d+(?:\.\d+)*))?"
    r"[\s,]*(?P<array>[A-Za-z_][\w ]*?)?"
    r"\s*(?P<index>(?:[,\[(]|\s)[-\d\s,]*)?[\])]?"
)


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes
    ----------
    layer : str
        "2.1"; "" for what belongs to the whole network.
    array : str
        "weights"; "" for the layer's own.
    index : tuple of int or None
        Which number of it; None for all.
    """

    layer: str
    array: str
    index: Index | None


def parse_wanted(text: str) -> Wanted:
    """Read "layer 1, 0, 2", "layer 2.1 bias, 3", "layer 1 weights[0, 2]", "loss".

    Raises
    ------
    typer.BadParameter
    """
    found = _WANTED.fullmatch(text.strip())
    if found is None or not (found["layer"] or found["array"]):
        raise typer.BadParameter(
            'expected a layer, an array and an index, as "layer 1 weights, 0, 2", or "layer 1, 0, '
            f'2" for its weights; received {text!r}.',
            param_hint="--weight",
        )
    try:
        index = tuple(map(int, re.findall(r"[^\s,\[\]()]+", found["index"] or "")))
    except ValueError as error:
        raise typer.BadParameter(
            f"expected whole numbers for the index; received {text!r}.", param_hint="--weight"
        ) from error
    array = (found["array"] or "").strip().replace(" ", "_")
    return Wanted(found["layer"] or "", array, index or None)


def about_wanted(explanation: Explanation, wanted: Wanted, inputs: Sequence[str]) -> Document:
    """Everything about a number; without an index about the array, or the layer.

    Parameters
    ----------
    explanation : Explanation
    wanted : Wanted
    inputs : sequence of str
        What each input of the network is called, where that is known.

    Raises
    ------
    InvalidInput
        When there is no such layer, array or index, saying what there is.
    """
    if wanted.layer and f"layer {wanted.layer}" not in explanation.layers:
        known = [name.removeprefix("layer ") for name in explanation.layers]
        raise InvalidInput(
            f"The network has no layer {wanted.layer}; expected one of {listed(tuple(known), 40)}."
        )
    if wanted.layer and not wanted.array and wanted.index is None:
        return explanation[f"layer {wanted.layer}"].document()
    tensor = _tensor(explanation, wanted)
    if wanted.index is None and tensor.shape:
        return tensor.document()
    quantity = tensor[wanted.index or ()]
    blocks: list[Block] = [*_input_of(explanation, quantity, inputs)]
    blocks.append(Section(["Its value"], _about(quantity)))
    step, symbol = explanation.step, quantity.symbol
    if (symbol.path, f"d_{symbol.field}") in step.arrays:
        blocks.append(Section(["Its gradient"], _about(quantity.gradient)))
    if (symbol.path, f"new_{symbol.field}") in step.arrays:
        first, *others = _about(quantity.updated)
        leading = [explanation.telling.equation(part) for part in _leading_to(quantity.updated)]
        blocks.append(Section(["Its update"], [first, *leading, *others]))
    return Document(quantity.name, blocks)


def _about(quantity: Quantity) -> list[Block]:
    return list(quantity.document().blocks)


def _leading_to(quantity: Quantity) -> list[Quantity]:
    """What the optimizer computes on the way to a new parameter, in that order."""
    found: list[Quantity] = []
    for part in quantity.parts:
        if part.symbol.path and part.expression is not None and not part.is_gradient:
            found += [*_leading_to(part), part]
    return list({part.symbol: part for part in found}.values())


def _tensor(explanation: Explanation, wanted: Wanted) -> Tensor:
    arrays = explanation.step.arrays
    if not wanted.layer:
        name = Name(WHOLE, "y_hat" if wanted.array in ("output", "ŷ") else wanted.array)
        if (WHOLE, name.field) not in arrays:
            raise InvalidInput(
                f"{wanted.array!r} is nothing of the whole network. "
                f"{explanation.what_there_is(WHOLE)} Of a layer say which: "
                f'"layer 1 {wanted.array}".'
            )
        return explanation.tensor(name)
    layer = explanation[f"layer {wanted.layer}"]
    try:
        found: Tensor = getattr(layer, wanted.array or _own_array(explanation, layer))
    except AttributeError as error:
        raise InvalidInput(str(error)) from error
    return found


def _own_array(explanation: Explanation, layer: LayerExplanation) -> str:
    """What "layer 1, 0, 2" means: its first parameter; what it gives, where it learns nothing."""
    step = explanation.step
    for slot in step.network.parameter_vector.slots:
        if step.resolve(layer.place.path, slot.name) == Name(slot.path, slot.name):
            return str(slot.name)
    return layer.place.output


def _input_of(explanation: Explanation, quantity: Quantity, inputs: Sequence[str]) -> list[Block]:
    """Name the column that a number of the data, or a weight of the first layer, belongs to."""
    symbol, index = quantity.symbol, quantity.symbol.index or ()
    if not inputs or not index:
        return []
    if symbol == Name(WHOLE, "x", index):
        return [Text([f"Input {index[-1]} is {inputs[index[-1]]}."])]
    first = isinstance(explanation.step.network.layers[0], Dense) and symbol.path == (0,)
    if first and symbol.field.removeprefix("d_").removeprefix("new_") == "weights":
        return [Text([f"Input {index[0]} is {inputs[index[0]]}."])]
    return []
