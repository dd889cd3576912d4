"""One wrong step with everything that can be asked about it: what stood where, under which name."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.explanation import Fit
from chainrule.checker.expressions import spoken
from chainrule.checker.forward import Pass
from chainrule.checker.habits import Habits
from chainrule.checker.instrument import Place
from chainrule.checker.judged import Judged
from chainrule.checker.names import Named, Names
from chainrule.checker.repairs import Writer
from chainrule.checker.slips import Slip
from chainrule.checker.source import Source
from chainrule.layer import Array

Position = tuple[str, int, int, int, int]
COMPUTING = ("BinOp", "Call", "UnaryOp", "ListComp", "IfExp")


@dataclass
class Scene:
    """A mistake in the learner's file.

    Attributes
    ----------
    source, evidence
        The file and its run.
    judged : Judged
        The step that shows the mistake.
    slip : Slip
        The mistake.
    """

    source: Source
    evidence: Evidence
    judged: Judged
    slip: Slip

    @cached_property
    def writer(self) -> Writer:
        """Writes into the learner's text."""
        return Writer(self.source)

    @property
    def window(self) -> tuple[int, int]:
        """The events from the step's last forward pass to its end."""
        return self.last.event, self.judged.step.end

    @property
    def last(self) -> Pass:
        """The step's last forward pass: of samples that passed one by one, the last one's."""
        return self.judged.parts[-1]

    @cached_property
    def begin(self) -> int:
        """The event after which the step's last forward pass had its output."""
        begin, end = self.window
        made = self.evidence.find(self.last.output, begin, end)
        return made[0].event + 1 if made else begin

    def with_ones(self, layer: int, values: Array, ones: Array) -> list[Array]:
        """Rows of a layer's matrix; also with those of the bias, where it stands among them."""
        row = self.judged.network.layers[layer].bias_row
        if row == "first":
            return [values, np.concatenate([ones, values])]
        return [values, np.concatenate([values, ones])] if row == "last" else [values]

    def weights_at(self, sighting: Sighting, layer: int) -> list[Named]:
        """Names of a layer's W where something was seen; of a matrix with the bias, its part."""
        weights, bias = self.judged.batch.weights[layer], self.judged.batch.biases[layer]
        found = self.names(sighting).of(weights, 2)
        shape = self.judged.network.layers[layer]
        if not shape.bias_row or bias is None:
            return found
        whole = self.with_ones(layer, weights, bias)[1]
        rows = slice(1, None) if shape.bias_row == "first" else slice(None, -1)
        text = "1:" if shape.bias_row == "first" else ":-1"
        for named in self.names(sighting).of(whole, 2):
            part = named.value[:, rows] if shape.turned else named.value[rows]
            found.append(Named(f"{named.text}[{':, ' * shape.turned}{text}]", part))
        return found

    def gradients(self, fit: Fit) -> list[Array]:
        """A parameter's gradient in the shapes in which it may be computed."""
        if fit.kind == "bias":
            return [fit.gradient]
        delta = self.judged.explanation.deltas[fit.layer].delta
        return self.with_ones(fit.layer, fit.gradient, delta.sum(axis=0, keepdims=True))

    @cached_property
    def habits(self) -> Habits:
        """How the learner writes products."""
        return Habits(self.evidence)

    def names(self, sighting: Sighting) -> Names:
        """What things are called where something was seen."""
        statement = self.statement(self.node(sighting.place))
        bases = self._bases(statement) if statement is not None else ()
        said = ""
        if statement is not None and not hasattr(statement, "body"):
            said = self.writer.said(statement)
        place, event = sighting.place, sighting.event
        return Names(self.evidence, self.judged, place.scope, event, bases, said)

    def _bases(self, statement: ast.stmt) -> tuple[tuple[str, str], ...]:
        """Objects and dictionaries that a statement speaks of: ``n`` in ``n.delta = e``."""
        found: dict[tuple[str, str], None] = {}
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr not in ("T", "shape", "size"):
                if not _is_module(node.value):
                    found[self.writer.said(node.value), "."] = None
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                found[self.writer.said(node.value), "["] = None
        return tuple(found)

    def sightings(self, quantity: Array) -> list[Sighting]:
        """Where a quantity, whatever its scale, was seen in the step; each place once."""
        first: dict[int, Sighting] = {}
        for found in self._seen(quantity):
            first.setdefault(found.place.number, found)
        return list(first.values())

    def deltas_at(self, sighting: Sighting, layer: int) -> list[Named]:
        """Names of a layer's δ, whatever its sign and scale, where something was seen."""
        value = self.judged.explanation.deltas[layer].delta
        texts = {
            spoken(found.place.text): self.evidence.value(found.event)
            for found in sorted(
                self.sightings(value), key=lambda s: (abs(s.event - sighting.event), s.event)
            )
            if found.place.kind in ("Name", "Attribute", "Subscript")
            and found.place.scope == sighting.place.scope
        }
        plain = [text for text in texts if not text.endswith(".T")]
        return [Named(text, texts[text]) for text in plain]

    def made(self, quantity: Array) -> list[Sighting]:
        """Where a quantity was computed after the forward pass; in common helpers last."""
        made = [s for s in self.sightings(quantity) if s.place.kind in COMPUTING]
        return sorted(made, key=lambda s: self.is_helper(s.place))

    def is_helper(self, place: Place) -> bool:
        """Whether a function serves several purposes, so that a mistake is in how it is called."""
        name = place.scope.rpartition(".")[2]
        return self._calls.get(name, 0) > 1

    @cached_property
    def _calls(self) -> Counter[str]:
        return Counter(
            node.func.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        )

    def _seen(self, quantity: Array) -> list[Sighting]:
        begin, end = self.begin, self.judged.step.end
        found: list[Sighting] = []
        for wanted in self._layouts(quantity):
            if wanted.size > 1 and float(np.ptp(np.abs(wanted))) > 1e-12:
                found += self.evidence.find(wanted, begin, end, scaled=True)
            if wanted.size <= 2 or self.evidence.number_by_number:
                found += self._seen_scaled(wanted)
        return sorted(found, key=lambda sighting: sighting.event)

    def _layouts(self, quantity: Array) -> Iterator[Array]:
        """A quantity of the step, of the last sample alone, and without repeated columns."""
        judged = self.judged
        if len(judged.parts) > 1 and len(quantity) == judged.batch.rows():
            quantity = quantity[-judged.parts[-1].rows() :]
        yield quantity
        if (
            quantity.ndim == 2
            and quantity.shape[1] > 1
            and bool((quantity == quantity[:, :1]).all())
        ):
            yield quantity[:, :1]
        if quantity.ndim == 2 and len(quantity) > 1 and bool((quantity == quantity[:1]).all()):
            yield quantity[:1]

    def _seen_scaled(self, wanted: Array) -> list[Sighting]:
        """Few numbers agree with many others, so only likely scales count."""
        begin, end = self.begin, self.judged.step.end
        rows, rate = self.judged.batch.rows(), self.judged.explanation.scale
        found: dict[int, Sighting] = {}
        pieces = [wanted]
        if 1 < wanted.size <= 64 and self.evidence.number_by_number:
            pieces += [number.reshape(1) for number in wanted.reshape(-1) if number]
        each = 1 / (rows * self.judged.explanation.deltas[self.slip.layer].delta.shape[1])
        sizes = (1.0, 2.0, 0.5, 1 / rows, 2 / rows, each, 2 * each)
        for factor in (*sizes, *(-size for size in sizes)):
            for scale in (factor, factor * rate):
                for piece in pieces:
                    for s in self.evidence.find(scale * piece, begin, end):
                        found.setdefault(s.event, Sighting(s.event, s.place, scale))
        return list(found.values())

    def at_hand(self, sighting: Sighting, wrong: Array, right: Array) -> Array:
        """The number of ``right`` that belongs where one number of ``wrong`` was seen.

        Where whole arrays are computed, all of ``right``.
        """
        value = self.evidence.value(sighting.event)
        if value.size > 1 or wrong.size == 1 or right.size == 1:
            return right
        seen = float(value.reshape(-1)[0])
        last = wrong[-1:] if wrong.shape == right.shape else wrong
        off = np.abs(last * sighting.factor - seen)
        at = np.unravel_index(int(off.argmin()), off.shape)
        if float(off.min()) > 1e-9 * max(abs(seen), 1e-9):
            return right
        return right[-1][at[1 if wrong.shape == right.shape else 0]].reshape(())

    def latest(self, node: ast.AST, before: int) -> Array | None:
        """The value that an expression had last before an event."""
        number = self._numbers.get(_position(node))
        for event in range(min(before, len(self.evidence.events) - 1), max(before - 400, -1), -1):
            if self.evidence.events[event][0] == number:
                return self.evidence.value(event)
        return None

    def place(self, node: ast.AST) -> Place | None:
        """The place of a node."""
        number = self._numbers.get(_position(node))
        return None if number is None else self.evidence.places[number]

    def node(self, place: Place) -> ast.AST:
        """The node of a place, in this scene's tree."""
        return self._nodes.get(_position(place.node), place.node)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around a node."""
        return self._around.get(id(node))

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The statement around a node, or the node itself."""
        inner: ast.AST | None = node
        while inner is not None and not isinstance(inner, ast.stmt):
            inner = self.parent(inner)
        return inner

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.Lambda | None:
        """The function around a node."""
        inner = self.parent(node)
        while inner is not None and not isinstance(inner, ast.FunctionDef | ast.Lambda):
            inner = self.parent(inner)
        return inner

    @cached_property
    def tree(self) -> ast.Module:
        """The whole program, as it was parsed."""
        return self.source.parse()

    @cached_property
    def _numbers(self) -> dict[Position, int]:
        return {_position(place.node): place.number for place in self.evidence.places}

    @cached_property
    def _nodes(self) -> dict[Position, ast.AST]:
        return {
            _position(node): node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.expr | ast.stmt)
        }

    @cached_property
    def _around(self) -> dict[int, ast.AST]:
        return {
            id(inner): outer
            for outer in ast.walk(self.tree)
            for inner in ast.iter_child_nodes(outer)
        }


def is_of_a_module(node: ast.expr) -> bool:
    """Whether an expression is a call of NumPy's, not of a function of the learner's own."""
    if not isinstance(node, ast.Call):
        return False
    return isinstance(node.func, ast.Attribute) and _is_module(node.func.value)


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")


def _position(node: ast.AST) -> Position:
    """What tells a node from all others of the same text."""
    return (
        type(node).__name__,
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0) or 0,
        getattr(node, "end_col_offset", 0) or 0,
    )
