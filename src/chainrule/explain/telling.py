"""What an explanation says: from numbers and equations to a document of sentences and formulas."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.document import Block, Document, Equation, Section, Table, Text, Words
from chainrule.explain.expression import Expression, Name, Number, with_numbers
from chainrule.explain.layout import WHOLE, Path
from chainrule.explain.place import Place
from chainrule.explain.quantity import Quantity, Tensor
from chainrule.explain.source import source_of
from chainrule.parameters import label

if TYPE_CHECKING:
    from chainrule.explain.explanation import Explanation

_ALL_OF = 12  # numbers in an array of which each gets its equation
_MOST = 3  # equations for a larger one: the numbers that count most


class Telling:
    """Makes documents of one explanation.

    Parameters
    ----------
    explanation : Explanation
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.step = explanation.step

    # --- one number -----------------------------------------------------------------------------

    def about(self, quantity: Quantity) -> Document:
        """Everything about one number."""
        blocks: list[Block] = [Text([f"{self.meaning(quantity.symbol)}."]), self.equation(quantity)]
        if quantity.is_gradient:
            blocks += self._chain(quantity)
            blocks += self._finite_difference(quantity)
        parts = quantity.parts
        if parts:
            blocks.append(self._parts(parts))
        blocks += self._the_code(quantity.symbol)
        return Document(quantity.name, blocks)

    def equation(self, quantity: Quantity) -> Equation:
        """Symbol, formula, numbers put in, value."""
        short = quantity.short_expression
        if short is None:
            return Equation(quantity.symbol, [quantity.number])
        filled = with_numbers(short, self.step.value)
        steps: list[Expression] = [short]
        if filled != quantity.number:
            steps.append(filled)
        return Equation(quantity.symbol, [*steps, quantity.number])

    def _chain(self, quantity: Quantity) -> Iterator[Block]:
        chain = quantity.chain
        if chain is None or len(chain.factors) < 2:
            return
        if chain.of_terms == 1:
            yield Text(["The chain rule, factor by factor from the loss back to it:"])
        else:
            yield Text(
                [
                    "The chain rule, factor by factor along the way that counts most. (There are "
                    "several: sums on the way have up to "
                    f"{chain.of_terms:,} terms. All ways together give ",
                    quantity.number,
                    ".)",
                ]
            )
        product = Number(chain.product, is_given=True)
        if chain.of_terms == 1:
            yield Equation(quantity.symbol, [chain.symbols, chain.numbers, product])
        else:
            yield Equation(chain.symbols, [chain.numbers, product])
        levels = [self.equation(Quantity(self.explanation, name)) for name in chain.way]
        yield Section(["Each gradient on this way, whole"], [*levels], is_open=False)

    def _finite_difference(self, quantity: Quantity) -> Iterator[Block]:
        difference = quantity.finite_difference
        if difference is None:
            return
        largest = max(abs(difference), abs(quantity.value), 1e-12)
        relative = abs(difference - quantity.value) / largest
        yield Text(
            [
                "Finite difference, the loss itself with this number moved a little both ways: ",
                Number(difference, is_given=True),
                f" (relative difference {relative:.1e}).",
            ]
        )

    def _parts(self, parts: list[Quantity]) -> Table:
        largest = sorted(parts, key=lambda part: -abs(part.value))[: 2 * _ALL_OF]
        shown = [part for part in parts if part in largest] if len(parts) > len(largest) else parts
        more = len(parts) - len(shown)
        return Table(
            ["made of", "value", "which is"],
            [[part.symbol, part.value, self.meaning(part.symbol)] for part in shown],
            caption=f"and {more:,} more" if more else "",
        )

    # --- arrays -----------------------------------------------------------------------------------

    def about_array(self, tensor: Tensor) -> Document:
        """Its general equation, its numbers, and the equations of those that count most."""
        blocks: list[Block] = [Text([f"{self.meaning(tensor.symbol)}."])]
        blocks += self._array(tensor)
        blocks += self._the_code(tensor.symbol)
        return Document(tensor.name, blocks)

    def _array(self, tensor: Tensor) -> Iterator[Block]:
        general = self.step.general(tensor.symbol)
        note = f"{_shape(tensor.shape)}, length {tensor.norm:.4g}"
        if general is not None:
            yield Equation(tensor.symbol, [general], note=note)
        else:
            yield Text([tensor.symbol, f": {note}"])
        for index in self._chosen(tensor):
            yield self.equation(tensor[index])

    def _chosen(self, tensor: Tensor) -> list[tuple[int, ...]]:
        """Which numbers get their equations: all of a small array, else those that count most."""
        values = tensor.values
        if values.size <= _ALL_OF:
            return list(np.ndindex(values.shape))
        gradient = self.step.arrays.get((tensor.symbol.path, f"d_{tensor.symbol.field}"))
        weigh = values if gradient is None or gradient.shape != values.shape else gradient
        order = np.argsort(-np.abs(weigh.ravel()), kind="stable")[:_MOST]
        return [tuple(map(int, np.unravel_index(place, values.shape))) for place in sorted(order)]

    def about_layer(self, place: Place) -> Document:
        """Its arrays on the way forward and on the way back."""
        forwards = [field for field in place.equations if not field.startswith("d_")]
        backwards = [field for field in place.equations if field.startswith("d_")]
        return Document(
            f"{layer_label(place.path)}: {place.layer!r}",
            [
                Section(["Feedforward"], self._layer(place, forwards or [place.output]).blocks),
                Section(["Backprop"], self._layer(place, backwards or [f"d_{place.input}"]).blocks),
            ],
        )

    def told(self) -> Iterator[Quantity]:
        """Every quantity that the whole step's document has an equation for."""
        yield self.explanation.loss
        for path, field in self.step.arrays:
            name = Name(path, field)
            tensor = self.explanation.tensor(name)
            if tensor.values.size and self.step.equation_of(Name(path, field, tensor.first)):
                for index in self._chosen(tensor):
                    yield tensor[index]

    # --- the whole step ---------------------------------------------------------------------------

    def whole(self) -> Document:
        """The step from the data to the new weights."""
        network, samples = self.step.network, self.step.samples
        loss = self.explanation.loss
        after = self.explanation.loss_after_update
        begins = (
            f"One step of training, on {len(samples):,} sample{'s' * (len(samples) > 1)}, of a "
            f"network of {len(network.parameters):,} parameters. Its loss is "
        )
        words: list[Words] = [begins, loss.number]
        if after is not None:
            words += [", and after the update, on the same samples, ", Number(after, is_given=True)]
        return Document(
            "One step, number by number",
            [
                Text([*words, "."]),
                Section(["Feedforward: from x to ŷ"], list(self._forwards())),
                Section(["Loss: how far ŷ is from y"], list(self._loss())),
                Section(
                    ["Backprop: the derivative of the loss, back to x"], list(self._backwards())
                ),
                Section(["Update: a step downhill"], list(self._update())),
            ],
        )

    def _forwards(self) -> Iterator[Block]:
        yield from self._given("x")
        for place in self.step.places.values():
            fields = [field for field in place.equations if not field.startswith("d_")]
            yield self._layer(place, fields or [place.output])

    def _given(self, field: str) -> Iterator[Block]:
        tensor = self.explanation.tensor(Name(WHOLE, field))
        values = tensor.values
        shown = "" if values.size > _ALL_OF else f": {np.array2string(values, separator=', ')}"
        yield Text([tensor.symbol, f", {_shape(values.shape)}{' '.join(shown.split())}"])

    def _layer(self, place: Place, fields: list[str]) -> Section:
        title = f"{layer_label(place.path)}: {place.layer!r}"
        blocks: list[Block] = []
        for field in fields:
            name = self.step.resolve(place.path, field)
            if (name.path, name.field) in self.step.arrays:
                blocks += self._array(self.explanation.tensor(name))
        if not place.is_explained:
            blocks.append(
                Text(
                    [
                        "This layer gives no equations; its numbers are those of its "
                        "feedforward and backprop."
                    ],
                    tone="quiet",
                )
            )
        return Section([title], blocks)

    def _loss(self) -> Iterator[Block]:
        yield from self._given("y")
        yield from self._array(self.explanation.tensor(Name(WHOLE, "term")))
        yield self.equation(self.explanation.loss)
        if self.step.penalized:
            yield self.equation(Quantity(self.explanation, Name(WHOLE, "penalty", ())))

    def _backwards(self) -> Iterator[Block]:
        yield from self._array(self.explanation.tensor(Name(WHOLE, "d_y_hat")))
        for place in reversed(self.step.places.values()):
            fields = [field for field in place.equations if field.startswith("d_")]
            section = self._layer(place, fields or [f"d_{place.input}"])
            yield section
        for path, field in self.step.totals:
            yield from self._array(self.explanation.tensor(Name(path, field)))

    def _update(self) -> Iterator[Block]:
        yield Text([f"{self.step.network.optimizer!r}"])
        if not self.step.update.equations:
            yield Text(["This optimizer has no rule for single parameters."], tone="quiet")
            return
        for slot in self.step.network.parameter_vector.slots:
            yield from self._array(self.explanation.tensor(Name(slot.path, f"new_{slot.name}")))

    def _the_code(self, name: Name) -> Iterator[Block]:
        source = source_of(self.step, name)
        if source is not None:
            yield Text([f"Computed by {source}"], tone="quiet")
        notes = self._notes(name)
        if notes:
            yield Section(
                ["Where the equation comes from"], [Text([part]) for part in notes], is_open=False
            )

    def _notes(self, name: Name) -> list[str]:
        """What the layer's docstring says about its mathematics."""
        home = self.step.homes.get((name.path, name.field))
        owner = type(self.step.network.loss) if name.path == WHOLE else None
        if home is not None:
            owner = type(home[0].layer)
        text = inspect.getdoc(owner) if owner is not None else ""
        _, _, after = (text or "").partition("\nNotes\n-----\n")
        notes, _, _ = after.partition("\nExamples\n--------\n")
        return [part for part in notes.strip().split("\n\n") if part]

    def meaning(self, name: Name) -> str:
        """A few words about what a number, or an array, is."""
        field, of = name.field.removeprefix("d_"), "gradient of " * name.field.startswith("d_")
        if name.path == WHOLE:
            return of + _WHOLE_MEANINGS.get(field, field.replace("_", " "))
        new = "new value of " * field.startswith("new_")
        what = label(name.path, field.removeprefix("new_").removesuffix("_here").replace("_", " "))
        index = "" if name.index is None else f"[{', '.join(map(str, name.index))}]"
        return f"{of}{new}{what}{index}"


_WHOLE_MEANINGS = {
    "x": "the data",
    "y": "the actual values",
    "y_hat": "the network's output",
    "loss": "the loss",
    "term": "one term of the loss",
    "penalty": "the penalty on the weights",
    "rate": "the learning rate",
    "share": "what a sample counts",
}


def layer_label(path: Path) -> str:
    """``"Layer 3.1"`` for path (2, 0)."""
    return f"Layer {'.'.join(str(number + 1) for number in path)}"


def _shape(shape: tuple[int, ...]) -> str:
    """Shape in words, as for arrays whose first axis is the batch."""
    return " x ".join(map(str, shape)) if shape else "one number"
