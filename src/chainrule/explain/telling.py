"""What is told about one number, or one array: its equation, its chain, its line of code."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.chain import strongest_chain
from chainrule.explain.document import Block, Document, Equation, Section, Table, Text
from chainrule.explain.evaluation import with_numbers
from chainrule.explain.expression import Call, Expression, Index, Name, Number
from chainrule.explain.layout import WHOLE, Path
from chainrule.explain.meanings import meaning_of
from chainrule.explain.quantity import Quantity, Tensor
from chainrule.explain.source import source_of
from chainrule.layer import Shape

if TYPE_CHECKING:
    from chainrule.explain.explanation import Explanation

ALL_OF = 12  # numbers in an array of which each gets its equation
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
        meaning = self.meaning(quantity.symbol)
        blocks: list[Block] = [Text([f"{_sentence(meaning)}."]), self.equation(quantity)]
        blocks += self._disagreement(quantity)
        blocks += self._largest(quantity)
        if quantity.is_gradient:
            blocks += self._chain(quantity)
            blocks += self._finite_difference(quantity)
        parts = quantity.parts
        if parts:
            blocks += self._parts(parts)
        blocks += self.the_code(quantity.symbol)
        return Document(quantity.name, blocks)

    def equation(self, quantity: Quantity) -> Equation:
        """Symbol, formula, numbers put in, value."""
        short = quantity.short_expression
        if short is None or isinstance(short, Number):
            is_unreached = quantity.is_gradient and short is not None  # 0 is its whole formula
            note = "nothing of it reaches the loss" if is_unreached else ""
            return Equation(quantity.symbol, [quantity.number], note=note)
        filled = with_numbers(short, self.step.value)
        steps: list[Expression] = [short]
        if filled != quantity.number:
            steps.append(filled)
        return Equation(quantity.symbol, [*steps, quantity.number])

    def _disagreement(self, quantity: Quantity) -> Iterator[Block]:
        """Say so where the equations of a layer are not what its code computes."""
        computed, value = quantity.computed, quantity.value
        if math.isfinite(value) and not math.isfinite(computed):
            yield Text(
                [
                    "At these numbers the formula has no finite value; the code keeps a little "
                    "away from them and computed ",
                    quantity.number,
                    ".",
                ]
            )
            return
        rounding = 100 * float(np.finfo(self.step.network.dtype).eps) ** 0.5
        if abs(computed - value) > rounding * max(abs(computed), abs(value), 1.0):
            yield Text(
                [
                    "The formula gives ",
                    Number(computed, is_given=True),
                    ", but the code computed ",
                    quantity.number,
                    ": the layer's equations do not say what its code does. One of them is wrong.",
                ],
                tone="bad",
            )

    def _largest(self, quantity: Quantity) -> Iterator[Block]:
        """Say which number a maximum is."""
        if isinstance(quantity.expression, Call) and quantity.expression.function == "Max":
            parts = quantity.parts
            largest = max(parts, key=lambda part: part.value)
            yield Text(
                ["The largest is ", largest.symbol, "; the whole gradient goes back to it alone."]
            )

    def _chain(self, quantity: Quantity) -> Iterator[Block]:
        chain = quantity.chain
        if chain is None or len(chain.factors) < 2:
            return
        key = quantity.symbol.path, quantity.symbol.field
        rest = ", the penalty the rest" if key in self.step.penalized else ""
        product = Number(chain.product, is_given=True)
        if chain.of_terms == 1 and not rest:
            yield Text(["The chain rule, factor by factor from the loss back to it:"])
            yield Equation(quantity.symbol, [chain.symbols, chain.numbers, product])
        else:
            together = Number(chain.together, is_given=True)
            yield Text(
                [
                    "The chain rule, factor by factor along the way that counts most. All ways "
                    f"(sums have up to {chain.of_terms:,} terms) together give ",
                    together,
                    f"{rest}.",
                ]
            )
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
                " (relative difference ",
                Number(float(f"{relative:.1e}"), is_given=True),
                ").",
            ]
        )

    def _parts(self, parts: list[Quantity]) -> Iterator[Block]:
        largest = sorted(parts, key=lambda part: -abs(part.value))[: 2 * ALL_OF]
        shown = [part for part in parts if part in largest]
        yield Table(
            ["made of", "value", "which is"],
            [[part.symbol, part.value, self.meaning(part.symbol)] for part in shown],
        )
        if len(parts) > len(shown):
            yield Text([f"and {len(parts) - len(shown):,} more"], tone="quiet")

    # --- arrays -----------------------------------------------------------------------------------

    def about_array(self, tensor: Tensor) -> Document:
        """Its general equation, its numbers, and the equations of those that count most."""
        blocks: list[Block] = [Text([f"{_sentence(self.meaning(tensor.symbol))}."])]
        blocks += self.array(tensor)
        blocks += self.the_code(tensor.symbol)
        return Document(tensor.name, blocks)

    def array(self, tensor: Tensor) -> Iterator[Block]:
        general = self.step.general(tensor.symbol)
        note = f"{in_words(tensor.shape)}, norm {tensor.norm:.4g}"
        if general is not None:
            yield Equation(tensor.symbol, [general], note=note)
        else:
            yield Text([tensor.symbol, f": {note}"])
        for index in self.chosen(tensor):
            yield self.equation(tensor[index])

    def chosen(self, tensor: Tensor) -> list[Index]:
        """Which numbers get their equations: all of a small array, else those that count most.

        The first of these lie on one way through the whole network, so that a reader can follow
        a weight forwards to the loss and its gradient back.
        """
        values, path = tensor.values, tensor.symbol.path
        if values.size <= ALL_OF:
            return list(np.ndindex(values.shape))
        of = tensor.symbol.field.removeprefix("new_")
        gradient = self.step.arrays.get((path, f"d_{of}"))
        weigh = values if gradient is None or gradient.shape != values.shape else gradient
        order = np.argsort(-np.abs(weigh.ravel()), kind="stable")[:_MOST]
        largest = [tuple(map(int, np.unravel_index(place, values.shape))) for place in order]
        on_the_way = self._thread.get((path, of), [])
        return sorted(list(dict.fromkeys([*on_the_way, *largest]))[:_MOST])

    @cached_property
    def _thread(self) -> dict[tuple[Path, str], list[Index]]:
        """Numbers on the strongest way from the first parameter to the loss, by array."""
        found: dict[tuple[Path, str], list[Index]] = {}
        for slot in self.step.network.parameter_vector.slots[:1]:
            gradient = self.step.arrays[slot.path, f"d_{slot.name}"]
            place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
            start = Name(slot.path, f"d_{slot.name}", tuple(map(int, place)))
            chain = strongest_chain(self.step, start)
            for name in chain.way if chain is not None else []:
                for field in (name.field, name.field.removeprefix("d_")):
                    found.setdefault((name.path, field), []).append(name.index or ())
        return found

    def the_code(self, name: Name) -> Iterator[Block]:
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
        # Two colons announce a block of equations; one will do where it is seen.
        told = re.sub(r"[ ,]*::", ":", notes.strip())
        return [part for part in told.split("\n\n") if part]

    def meaning(self, name: Name) -> str:
        """A few words about what a number, or an array, is."""
        return meaning_of(name, self.step)


def _sentence(words: str) -> str:
    """Begin with a capital letter."""
    return words[:1].upper() + words[1:]


def in_words(shape: Shape) -> str:
    """Write a shape as people say it: ``"4 × 3"``."""
    return " × ".join(map(str, shape)) if shape else "one number"
