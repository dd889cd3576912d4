"""The document of a whole step, from the data to the new weights; and of one layer in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.document import Block, Document, Section, Text, Words
from chainrule.explain.expression import Name, Number
from chainrule.explain.layout import WHOLE
from chainrule.explain.place import Place
from chainrule.explain.quantity import Quantity, Tensor
from chainrule.explain.telling import ALL_OF, Telling, in_words
from chainrule.layers.kernel import KernelLayer

if TYPE_CHECKING:
    from chainrule.explain.explanation import Explanation

_ITS_OUTPUTS = "This layer gives no equations: these are the outputs that its feedforward computed."
_STARS = (
    "⋆ lays the kernel over every window and adds up what it covers; ∗ does the same with the "
    "kernel turned upside down."
)
_PARTS = (
    "D is the data's part of the loss. Where a penalty or several places have a hand in a "
    "gradient, ∂D/∂W is what the data make it by one place, and ∂L/∂W all of it."
)
_ITS_GRADIENTS = (
    "This layer gives no equations: the local derivatives are what its own backprop answers for "
    "one output at a time."
)


class WholeStep:
    """Puts together what there is to tell about a step.

    Parameters
    ----------
    explanation : Explanation
    telling : Telling
    """

    def __init__(self, explanation: Explanation, telling: Telling) -> None:
        self.explanation = explanation
        self.telling = telling
        self.step = explanation.step

    def document(self) -> Document:
        """The step from the data to the new weights."""
        return Document(
            "One step, number by number",
            [
                self._summary(),
                Section(["Feedforward: from x to ŷ"], list(self._forwards())),
                Section(["Loss: how far ŷ is from y"], list(self._loss())),
                Section(
                    ["Backprop: the derivative of the loss, back to x"], list(self._backwards())
                ),
                Section(["Update: a step downhill"], list(self._update())),
            ],
        )

    def about_layer(self, place: Place) -> Document:
        """Arrays of one layer on the way forward and on the way back."""
        return Document(
            place.title,
            [
                Section(["Feedforward"], list(self._forward(place))),
                Section(["Backprop"], list(self._backward(place))),
            ],
        )

    def quantities(self) -> Iterator[Quantity]:
        """Every quantity that the document has an equation for."""
        yield self.explanation.loss
        for path, field in self.step.arrays:
            tensor = self.explanation.tensor(Name(path, field))
            if self.step.equation_of(Name(path, field, tensor.first)) is not None:
                for index in self.telling.chosen(tensor):
                    yield tensor[index]

    def _summary(self) -> Text:
        network, samples = self.step.network, self.step.samples
        words: list[Words] = [
            f"One step of training, on {len(samples):,} sample{'s' * (len(samples) > 1)}, of a "
            f"network of {len(network.parameters):,} parameters. Its loss is ",
            self.explanation.loss.number,
        ]
        after = self.explanation.loss_after_update
        if after is not None:
            words += [", and after the update, on the same samples, ", Number(after, is_given=True)]
        return Text([*words, "."])

    # --- forwards -----------------------------------------------------------------------------

    def _forwards(self) -> Iterator[Block]:
        yield self._given("x")
        for place in self.step.places.values():
            yield Section([place.title], list(self._forward(place)))

    def _forward(self, place: Place) -> Iterator[Block]:
        fields = [field for field in place.equations if not field.startswith("d_")]
        for field in fields or [place.output]:
            yield from self.telling.array(self._tensor(place, field))
        if isinstance(place.layer, KernelLayer):
            yield Text([_STARS], tone="quiet")
        if not place.is_explained:
            yield Text([_ITS_OUTPUTS], tone="quiet")

    def _given(self, field: str) -> Text:
        """Show data: their shape, and the numbers where they are few."""
        tensor = self.explanation.tensor(Name(WHOLE, field))
        words: list[Words] = [tensor.symbol, f", {in_words(tensor.shape)}"]
        if tensor.values.size <= ALL_OF:
            numbers = np.array2string(tensor.values, separator=", ", precision=5)
            words.append(f": {' '.join(numbers.split())}")
        words += self._how_they_came(field)
        return Text(words)

    def _how_they_came(self, field: str) -> list[Words]:
        """Say what was done to the data that were given."""
        samples, loss = self.step.samples, self.step.network.loss
        if field == "x" and samples.scaling != "none":
            return [f" (bytes, {samples.scaling})"]
        smoothing = getattr(loss, "label_smoothing", 0.0)
        return [f" (smoothed by {smoothing:g})"] if field == "y" and smoothing else []

    def _loss(self) -> Iterator[Block]:
        yield self._given("y")
        yield from self.telling.array(self.explanation.tensor(Name(WHOLE, "term")))
        yield self.telling.equation(self.explanation.loss)
        if self.step.penalized:
            penalty = Quantity(self.explanation, Name(WHOLE, "penalty", ()))
            yield self.telling.equation(penalty)
        if self.step.totals:
            yield Text([_PARTS], tone="quiet")

    # --- and back -----------------------------------------------------------------------------

    def _backwards(self) -> Iterator[Block]:
        yield from self.telling.array(self.explanation.tensor(Name(WHOLE, "d_y_hat")))
        for place in reversed(self.step.places.values()):
            yield Section([place.title], list(self._backward(place)))
        for path, field in self.step.totals:
            yield from self.telling.array(self.explanation.tensor(Name(path, field)))

    def _backward(self, place: Place) -> Iterator[Block]:
        if place.is_explained:
            fields = [field for field in place.equations if field.startswith("d_")]
        else:
            fields = [
                field for probing, field in self.step.probed.values() if probing.place is place
            ]
        for field in fields:
            yield from self.telling.array(self._tensor(place, field))
        if not place.is_explained:
            yield Text([_ITS_GRADIENTS], tone="quiet")

    def _update(self) -> Iterator[Block]:
        yield Text([f"{self.step.network.optimizer!r}"])
        rules = self.step.update.equations
        if not rules:
            yield Text(["This optimizer has no rule for single parameters."], tone="quiet")
            return
        for slot in self.step.network.parameter_vector.slots:
            tensor = self.explanation.tensor(Name(slot.path, f"new_{slot.name}"))
            fields = [f"clipped_d_{slot.name}", f"decayed_{slot.name}"]
            fields += [f"{rule}_of_{slot.name}" for rule in rules if rule != "new_parameter"]
            names = [
                Name(slot.path, field, index)
                for index in self.telling.chosen(tensor)
                for field in [*fields, f"new_{slot.name}"]
            ]
            blocks: list[Block] = [
                self.telling.equation(Quantity(self.explanation, name))
                for name in names
                if self.step.equation_of(name) is not None
            ]
            yield Section([tensor.symbol, f", {in_words(tensor.shape)}"], blocks)

    def _tensor(self, place: Place, field: str) -> Tensor:
        return self.explanation.tensor(self.step.resolve(place.path, field))
