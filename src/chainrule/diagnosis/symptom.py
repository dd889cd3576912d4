"""Symptom and Finding: what can be wrong with a training, and what is said where it is."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from chainrule.registry import Registered

if TYPE_CHECKING:
    from chainrule.diagnosis.evidence import Evidence

_WIDTH = 78  # of a terminal with 80 columns
_MOST_PLACES = 4


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    name : str
        The symptom's: ``"vanishing_gradients"``.
    title : str
        The same for people: ``"Vanishing gradients"``.
    where : tuple of str
        ``"layer 1"``, ``"layer 3.2"``, ``"column 5"``, ``"loss curve"``, ...
    evidence : str
        What was seen, with its numbers.
    why : str
        Why it hurts, in one sentence.
    suggestion : str
        The one thing to try.
    numbers : dict of str to float
        The measurements that decided.
    """

    name: str
    title: str
    where: tuple[str, ...]
    evidence: str
    why: str
    suggestion: str
    numbers: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, ready for JSON."""
        numbers = {  # JSON knows no infinity
            name: number if math.isfinite(number) else None for name, number in self.numbers.items()
        }
        return {**vars(self), "where": list(self.where), "numbers": numbers}

    def __str__(self) -> str:
        head = f"{self.title} ({shortened(self.where)})"
        lines = textwrap.wrap(head, _WIDTH)
        for label, text in (("", self.evidence), ("Why: ", self.why), ("Try: ", self.suggestion)):
            lines += textwrap.wrap(
                label + text, _WIDTH, initial_indent="  ", subsequent_indent="    "
            )
        return "\n".join(lines)


class Symptom(Registered, family="symptom", home="chainrule.diagnosis"):
    """Base of all conditions: looks at the evidence, and finds something or not.

    To write your own, say in ``why`` why the condition hurts and define ``look``::

        class HugeLoss(Symptom):
            why = "Nobody wants a huge loss."

            def look(self, evidence):
                if evidence.loss > 1e6:
                    return self.finding(["loss"], f"It is {evidence.loss:.3g}.", "Begin anew.")

    Attributes
    ----------
    title : str
        Its name for people; made of ``name`` unless the class says otherwise.
    why : str
        One sentence.
    """

    title: ClassVar[str] = ""
    why: ClassVar[str] = ""

    def look(self, evidence: Evidence) -> Finding | None:
        """Say what was found; None where all is well, or where the evidence is too thin."""
        raise NotImplementedError(f"{type(self).__name__} defines no look")

    def finding(
        self, where: Iterable[str], evidence: str, suggestion: str, **numbers: float
    ) -> Finding:
        """Put what was seen together with what is known about the condition."""
        return Finding(
            name=self.name,
            title=self.title or self.name.replace("_", " ").capitalize(),
            where=tuple(where),
            evidence=evidence,
            why=self.why,
            suggestion=suggestion,
            numbers={name: float(number) for name, number in numbers.items()},
        )


def shortened(places: Iterable[str]) -> str:
    """``"layer 1, layer 2, layer 3, layer 4 and 5 more"``."""
    listed = list(places)
    more = len(listed) - _MOST_PLACES
    if more <= 0:
        return ", ".join(listed)
    return f"{', '.join(listed[:_MOST_PLACES])} and {more} more"
