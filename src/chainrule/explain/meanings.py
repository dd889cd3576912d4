"""A few words about what a number, or an array, is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.explain.expression import Index, Name
from chainrule.layers.dense import Dense
from chainrule.parameters import label

if TYPE_CHECKING:
    from chainrule.explain.step import Step

_BEFORE = {
    "clipped_": "clipped ",
    "d_": "gradient of ",
    "new_": "new value of ",
    "decayed_": "decayed ",
}
# Of the whole network: an array, and one number of it.
_WHOLE = {
    "x": ("the data", "input"),
    "y": ("the actual values", "actual value"),
    "y_hat": ("the network's output", "output"),
    "loss": ("the loss", "the loss"),
    "term": ("the terms of the loss", "term of the loss"),
    "penalty": ("the penalty on the weights", "the penalty on the weights"),
    "share": ("what each sample counts", "what the sample counts"),
}
_SETTINGS = {
    "rate": "the learning rate",
    "step": "number of the update",
    "l1": "factor of the L1 penalty",
    "l2": "factor of the L2 penalty",
    "n": "terms, or samples, that the loss averages over",
    "pi": "the number π",
}
_COUNTS = {
    "n": "numbers of each channel in the batch",
    "positions": "positions of each channel",
}
_REMEMBERED = {
    "mean_hat": "corrected mean gradient",
    "squares_hat": "corrected mean square",
    "gradient_sum": "decaying sum of gradients",
    "squares": "decaying sum of squares",
    "largest_squares": "largest sum of squares so far",
    "sum_of_squares": "sum of squares",
}


def meaning_of(name: Name, step: Step) -> str:
    """Say what a name stands for: ``"gradient of layer 1 weights[0, 2], ..."``."""
    field, before = name.field, ""
    for prefix, words in _BEFORE.items():
        if field.startswith(prefix) and field != prefix:
            field, before = field.removeprefix(prefix), before + words
    index = f"[{_listed(name.index)}]" if name.index else ""
    if not name.path:
        if field in _WHOLE:
            return f"{before}{_WHOLE[field][bool(index)]}{' ' * bool(index)}{index}"
        return before + _SETTINGS.get(field, field.replace("_", " ")) + index
    here = ", as this place and the data make it" * field.endswith("_here")
    field = field.removesuffix("_here")
    what = label(name.path, _COUNTS.get(field, field.replace("_", " ")))
    remembered, _, owner = field.rpartition("_of_")
    if remembered in _REMEMBERED:
        what = f"{_REMEMBERED[remembered]} of {label(name.path, owner)}"
    return f"{before}{what}{index}{_between(name, field, step)}{here}"


def _between(name: Name, field: str, step: Step) -> str:
    """Which input and unit a dense layer's weight stands between."""
    place = step.places.get(name.path)
    if field == "weights" and name.index and place is not None and isinstance(place.layer, Dense):
        return f", from input {name.index[0]} to unit {name.index[1]}"
    return ""


def _listed(index: Index) -> str:
    return ", ".join(map(str, index))
