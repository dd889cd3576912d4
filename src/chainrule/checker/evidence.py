"""The record of a run, made searchable: where did this array show up, under which expression?

An array is found in whatever layout the learner keeps it (rows or columns, flat or not), and, on
request, multiplied by any factor: a delta with the other sign is still that delta.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from chainrule.checker.comparing import Pool
from chainrule.checker.events import Events
from chainrule.checker.expressions import last_name
from chainrule.checker.instrument import Place
from chainrule.checker.paths import Path, aliased_paths, with_starred
from chainrule.checker.process import Record
from chainrule.checker.recorder import GONE
from chainrule.checker.rows_read import with_rows_read
from chainrule.checker.scattered import scattered
from chainrule.checker.states import States
from chainrule.checker.updated import passing_paths, shuffled_paths, updated_paths
from chainrule.layer import Array

_OFTEN = 3
_NEAR = 40  # events between an operation and its operands
T = TypeVar("T")


@dataclass(frozen=True)
class Sighting:
    """A value where it was seen.

    Attributes
    ----------
    event : int
        When.
    place : Place
        By which expression.
    factor : float
        How many times the value looked for it was.
    """

    event: int
    place: Place
    factor: float


class Evidence(Events):
    """The events of a run, searchable by value, and what they say about its variables."""

    def __init__(self, record: Record, places: list[Place]) -> None:
        record = with_rows_read(record, places)
        super().__init__(record, places)
        self._known: dict[Hashable, Any] = {}
        self._pool = Pool(self.values)
        self._alike: dict[tuple[tuple[int, ...], bytes], list[int]] = {}
        self._place_of = {id(place.node): place.number for place in places}
        single = sum(self.values[value].ndim == 0 for _, value in record.events)
        self.number_by_number = single > 0.4 * len(record.events)
        self.aliased = aliased_paths(record)
        self.scattered = scattered(places, self._parameter_of)
        self._states = States(record, self.scattered)
        self._data = self._gather_data()

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Compute something about this record once, and remember it."""
        if key not in self._known:
            self._known[key] = compute()
        found: T = self._known[key]
        return found

    def operands(self, sighting: Sighting) -> list[tuple[ast.expr, Array]]:
        """Both sides of an operation, as far as they were seen, with their values."""
        node = sighting.place.node
        sides = [node.left, node.right] if isinstance(node, ast.BinOp) else []
        found = []
        for side in sides:
            place = self._place_of.get(id(side))
            for earlier in range(sighting.event - 1, max(sighting.event - _NEAR, -1), -1):
                if self.events[earlier][0] == place:
                    found.append((side, self.value(earlier)))
                    break
        return found

    def same(self, wanted: Array) -> list[int]:
        """Numbers of the values that are ``wanted`` in any layout."""
        return self._pool.like(wanted, scaled=False)

    def find(
        self, wanted: Array, begin: int = 0, end: int | None = None, *, scaled: bool = False
    ) -> list[Sighting]:
        """Where ``wanted`` was seen between two events, in order of time."""
        end = len(self.events) if end is None else end
        found: list[Sighting] = []
        for number in self._pool.like(wanted, scaled=scaled):
            factor = self._pool.factor(number, wanted) if scaled else 1.0
            found += [
                Sighting(event, self.place(event), factor)
                for event in self.within(number, begin, end)
            ]
        return sorted(found, key=lambda sighting: sighting.event)

    def has(self, wanted: Array, begin: int, end: int) -> bool:
        """Whether an array was seen, whole or (computed in loops) number by number."""
        if not self._pool.has_size(wanted.size) and not self.number_by_number:
            return False
        key = (wanted.shape, wanted.tobytes())
        if key not in self._alike:
            self._alike[key] = self._pool.like(wanted, scaled=False)
        if any(self.within(number, begin, end) for number in self._alike[key]):
            return True
        return self.number_by_number and len(wanted) == 1 and self._pool.has_numbers(wanted)

    def state(self, event: int) -> dict[Path, int]:
        """Every variable's value (by number) at the time of an event."""
        return self._states.state(event)

    def arrays(self, event: int) -> dict[Path, Array]:
        """Every variable at the time of an event; see ``States.arrays``."""
        return self._states.arrays(event)

    def changing(self) -> set[Path]:
        """Variables that had more than one value, "*" standing for the place in a list."""
        values: dict[Path, set[int]] = defaultdict(set)
        for _, number, value, _ in self.record.changes:
            if value != GONE:
                values[self.record.paths[number]].add(value)
        paths = {path for path, seen in values.items() if len(seen) > 1}
        return with_starred(paths)

    def constant(self) -> set[Path]:
        """Variables that never changed."""
        changing = self.changing()
        paths = set(self.record.paths) - changing
        return paths | (with_starred(paths) - changing)

    def updated(self) -> set[Path]:
        """Variables that are computed from their old values, those that stand for several too."""
        names = {layer.name for layer in self.scattered}
        names |= {layer.bias_name for layer in self.scattered if layer.biases}
        return with_starred(self._updated | self._views_of_updated()) | names

    def lasting(self) -> set[Path]:
        """Updated variables that do not come and go, as sums of gradients do."""
        return self.updated() - with_starred(self._passing)

    def often_updated(self) -> set[Path]:
        """Lasting variables that had several values; data may be scaled in place, once."""
        values: dict[Path, set[int]] = defaultdict(set)
        for _, number, value, _ in self.record.changes:
            values[self.record.paths[number]].add(value)
        return self.lasting() & with_starred(
            {path for path, seen in values.items() if len(seen) > _OFTEN}
        )

    @cached_property
    def _passing(self) -> set[Path]:
        return passing_paths(self)

    def _views_of_updated(self) -> set[Path]:
        """Variables in the memory of updated ones, as W1 = theta[:6].reshape(2, 3) is."""
        paths = self.record.paths
        pairs = [(paths[one], paths[other]) for one, other in self.record.shared]
        pairs += [(other, one) for one, other in pairs]
        return {other for one, other in pairs if one in self._updated and one != other}

    @cached_property
    def _updated(self) -> set[Path]:
        return updated_paths(self) - shuffled_paths(self)

    def members(self, path: Path) -> set[Path]:
        """The variables that a path stands for."""
        for layer in self.scattered:
            if path == layer.name:
                return {single for row in layer.weights for single in row}
            if path == layer.bias_name:
                return set(layer.biases)
        return {path}

    def _parameter_of(self, node: ast.expr) -> Path | None:
        """The single number that an expression names and that is updated, by its last name."""
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return None
        called = last_name(node)
        paths = [path for path in self._single_updated if str(path[-1]).lstrip(".") == called]
        return paths[0] if called and len(paths) == 1 else None

    @cached_property
    def _single_updated(self) -> list[Path]:
        """Variables that hold one number, and are updated."""
        single = {
            self.record.paths[path]
            for _, path, value, _ in self.record.changes
            if value != GONE and self.values[value].ndim == 0
        }
        return sorted(single & self._updated, key=str)

    def is_data(self, x: Array) -> bool:
        """Whether every row of x (or column) is part of something that stays as it is."""
        rows = x[None, :] if x.ndim == 1 else x.reshape(-1, x.shape[-1])
        if all(row.tobytes() in self._data for row in rows):
            return True
        return x.ndim == 2 and all(np.ascontiguousarray(c).tobytes() in self._data for c in x.T)

    def _gather_data(self) -> set[bytes]:
        """Rows and columns, whole and in parts, of variables that have one value throughout."""
        changing = self.changing()
        constant: dict[Path, int] = {}
        for _, number, value, _ in self.record.changes:
            path = self.record.paths[number]
            if value != GONE and path not in changing:
                constant[path] = value
        recurring = {
            value
            for value, events in self._events_of.items()
            if len(events) > 2 and events[-1] - events[0] > len(self.events) / 2
        }
        data: set[bytes] = set()
        for value in recurring | set(constant.values()):
            array = self.values[value]
            if array.ndim == 0:
                continue
            rows = list(array.reshape(-1, array.shape[-1]))[:2000]
            if array.ndim == 2:
                rows += [np.ascontiguousarray(column) for column in array.T][:2000]
            for row in rows:
                data.update(_parts(row))
        return data


def _parts(row: Array) -> list[bytes]:
    """A row, and (labels stand in its first or last column) the row without its ends."""
    length = len(row)
    cuts = range(1, min(length, 4))
    parts = [row, *(row[:-cut] for cut in cuts), *(row[cut:] for cut in cuts)]
    return [part.tobytes() for part in parts if len(part)]
