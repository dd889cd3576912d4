"""What a learner calls a quantity, at one place of the program.

Two things tell: the names and subscripts that had its value where the program ran, and the
variables that held it then, reached from the function at hand (``self.layers[i - 1].a``).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

import numpy as np

from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.expressions import spoken
from chainrule.checker.judged import Judged
from chainrule.checker.paths import Path
from chainrule.layer import Array

_KINDS = ("Name", "Attribute", "Subscript")


@dataclass(frozen=True)
class Named:
    """An expression of the learner's, and its value."""

    text: str
    value: Array


class Names:
    """What the learner calls things, in one function at one time.

    Parameters
    ----------
    evidence, judged
        The run, and the step that is talked about.
    scope : str
        The function; names of other functions mean nothing there.
    event : int or None
        When; without it, at the end of the step.
    bases : tuple of (str, str)
        Expressions whose attributes (".") and entries ("[") are at hand.
    statement : str
        What stands there now; of two names, one that it has already is the likelier.
    """

    def __init__(
        self,
        evidence: Evidence,
        judged: Judged,
        scope: str,
        event: int | None = None,
        bases: tuple[tuple[str, str], ...] = (),
        statement: str = "",
    ) -> None:
        self.evidence = evidence
        self.judged = judged
        self.scope = scope
        self.bases = bases
        self.statement = statement
        self.event = judged.step.end if event is None else event

    def of(self, value: Array, at_most: int = 3) -> list[Named]:
        """Names that have a value here, the likeliest first."""
        found = dict(self._spoken_near(value))
        found.update((text, held) for text, held in self._kept(value) if text not in found)
        found.update((text, held) for text, held in self._held(value) if text not in found)
        found.update((text, held) for text, held in self._elsewhere(value) if text not in found)
        plain = [text for text in found if not text.endswith(".T")] or list(found)
        plain.sort(key=lambda text: len(text) < 2 or text not in self.statement)
        return [Named(text, found[text]) for text in plain[:at_most]]

    def one(self, value: Array) -> str | None:
        """The likeliest name of a value."""
        found = self.of(value, 1)
        return found[0].text if found else None

    def number(self, value: float) -> str:
        """What the learner calls a number; the number itself where it has no name."""
        for text, held in self._held(np.array(float(value))):
            if re.fullmatch(r"[\w.]+", text) and held.size == 1:
                return text
        return f"{value:g}"

    def _of_last_part(self, value: Array) -> Array:
        """Of samples that passed one by one, what belongs to the last."""
        if len(self.judged.parts) > 1 and value.ndim and len(value) == self.judged.batch.rows():
            return value[-self.judged.parts[-1].rows() :]
        return value

    def _spoken_near(self, value: Array) -> list[tuple[str, Array]]:
        """Names that were read with this value; those with a running index nearest in time."""
        ranked = sorted(
            (s for s in self._spoken(value) if s.place.scope == self.scope),
            key=lambda s: (
                abs(s.event - self.event) if _has_index(s.place.node) else 0,
                len(s.place.text),
            ),
        )
        return [(spoken(s.place.text), self.evidence.value(s.event)) for s in ranked]

    def _elsewhere(self, value: Array) -> list[tuple[str, Array]]:
        """Attributes that other methods read with this value."""
        return [
            (spoken(s.place.text), self.evidence.value(s.event))
            for s in self._spoken(value)
            if s.place.text.startswith("self.") and "." in self.scope
        ]

    def _spoken(self, value: Array) -> list[Sighting]:
        step = self.judged.step
        found = self.evidence.find(self._of_last_part(value), step.begin, step.end)
        return [s for s in found if s.place.kind in _KINDS]

    def _kept(self, value: Array) -> list[tuple[str, Array]]:
        """Attributes and entries that were given this value, of the objects at hand."""
        begin, end = self.judged.step.begin, self.judged.step.end
        own = (("self", "."),) if "." in self.scope else ()
        found = []
        for sighting in self.evidence.find(self._of_last_part(value), begin, end):
            parent = sighting.place.parent
            if not isinstance(parent, ast.Assign) or parent.value is not sighting.place.node:
                continue
            target = parent.targets[0]
            if isinstance(target, ast.Attribute | ast.Subscript):
                ending = ast.unparse(target)[len(ast.unparse(target.value)) :]
                held = self.evidence.value(sighting.event)
                found += [
                    (base + ending, held)
                    for base, kind in (*own, *self.bases)
                    if ending.startswith(kind)
                ]
        return found

    def _held(self, value: Array) -> list[tuple[str, Array]]:
        """Variables with this value that can be reached from here."""
        evidence = self.evidence
        wanted = set(evidence.same(self._of_last_part(value)))
        state = evidence.state(self.event)
        function = f"{self.scope.rpartition('.')[2]}()" if self.scope else ""
        running = {
            str(path[1]): int(evidence.values[number])
            for path, number in state.items()
            if len(path) == 2 and path[0] == function and _is_index(evidence.values[number])
        }
        if not function:
            running = {
                str(path[0]): int(evidence.values[number])
                for path, number in state.items()
                if len(path) == 1 and _is_index(evidence.values[number])
            }
        wanted_value = self._of_last_part(value)
        texts = []
        for path, number in state.items():
            held = evidence.values[number]
            if number in wanted:
                texts += [(text, held) for text in self._reached(path, function, running)]
            elif wanted_value.size == 1 and held.ndim == 1:
                texts += [
                    (text + _subscript(at, running), wanted_value)
                    for at in np.flatnonzero(held == float(wanted_value.reshape(-1)[0]))[
                        :2
                    ].tolist()
                    for text in self._reached(path, function, running)
                ]
        return sorted(texts, key=lambda pair: len(pair[0]))

    def _reached(self, path: Path, function: str, running: dict[str, int]) -> list[str]:
        """A variable's path as expressions of this function; none where it cannot be reached."""
        first, rest = path[0], path[1:]
        texts: list[str] = []
        if first == function and rest:
            texts = _subscripts(str(rest[0]), rest[1:], running)
        elif "()" not in str(first) and "." not in str(first):
            texts = _subscripts(str(first), rest, running)
        last = path[-1]
        if isinstance(last, str) and rest:
            ending = last if last.startswith(".") else f"[{last!r}]"
            texts += [base + ending for base, kind in self.bases if ending.startswith(kind)]
        attributes = [at for at, part in enumerate(path) if str(part).startswith(".")]
        if attributes and "." in self.scope:
            own = attributes[-1]
            texts += _subscripts("self", path[own:], running)
        return texts


def _subscripts(text: str, rest: Path, running: dict[str, int]) -> list[str]:
    """Write a path as attributes and subscripts; indices by a running variable where one fits."""
    texts = [text]
    for part in rest:
        if isinstance(part, int):
            ways = [f"[{name}]" for name, value in running.items() if value == part]
            ways += [f"[{name} - 1]" for name, value in running.items() if value - 1 == part]
            ways += [f"[{name} + 1]" for name, value in running.items() if value + 1 == part]
            texts = [before + way for before in texts for way in (ways[:3] or [f"[{part}]"])]
        elif part.startswith("."):
            texts = [before + part for before in texts]
        else:
            texts = [f"{before}[{part!r}]" for before in texts]
    return texts[:6]


def _subscript(at: int, running: dict[str, int]) -> str:
    """An entry of a list, by a running variable where one stands at it."""
    return next((f"[{name}]" for name, value in running.items() if value == at), f"[{at}]")


def _is_index(value: Array) -> bool:
    return value.ndim == 0 and abs(float(value)) < 64 and float(value).is_integer()


def _has_index(node: ast.AST) -> bool:
    """Whether an expression has a variable in a subscript."""
    return any(
        isinstance(inner, ast.Subscript)
        and any(isinstance(name, ast.Name) for name in ast.walk(inner.slice))
        for inner in ast.walk(node)
    )
