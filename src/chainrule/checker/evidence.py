"""The record of a run, made searchable: where did this array show up, under which expression?

An array is found in whatever layout the learner keeps it (rows or columns, flat or not), and, on
request, multiplied by any factor: a delta with the other sign is still that delta.
"""

from __future__ import annotations

import ast
import bisect
import re
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from chainrule.checker.instrument import Place
from chainrule.checker.process import Record
from chainrule.checker.recorder import GONE
from chainrule.checker.scattered import scattered
from chainrule.layer import Array

TOLERANCE = 1e-8
_CHANGES = 20
_NEAR = 40  # events between an operation and its operands
_DIFFERENCE = re.compile(r"\b(add|subtract)\(")
Path = tuple[str | int, ...]
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


class Evidence:
    """A record and the places its numbers belong to."""

    def __init__(self, record: Record, places: list[Place]) -> None:
        self._known: dict[Hashable, Any] = {}
        self.record = record
        self.places = places
        self.values = record.values
        self.events = record.events
        self.aliased = self._aliased()
        self._events_of: dict[int, list[int]] = defaultdict(list)
        for event, (_, number) in enumerate(record.events):
            self._events_of[number].append(event)
        by_size: dict[int, list[int]] = defaultdict(list)
        for number, value in enumerate(self.values):
            by_size[value.size].append(number)
        self._by_size = {
            size: (np.array(numbers), *_fingerprints([self.values[n] for n in numbers]))
            for size, numbers in by_size.items()
        }
        self._scalars = sorted(float(self.values[n].reshape(-1)[0]) for n in by_size[1])
        single = sum(self.values[value].ndim == 0 for _, value in record.events)
        self.number_by_number = single > 0.4 * len(record.events)
        self._alike: dict[tuple[tuple[int, ...], bytes], list[int]] = {}
        self._within: dict[int, set[int]] = {}
        self._place_of = {id(place.node): place.number for place in places}
        self.scattered = scattered(places, self._parameter_of)
        self._data = self._gather_data()
        self._change_times = [change[0] for change in record.changes]
        self._states: dict[int, dict[Path, int]] = {}
        self._arrays: dict[int, dict[Path, Array]] = {}

    def _aliased(self) -> set[Path]:
        """Variables that stand twice in one object, list or function, themselves or around them."""
        paths = self.record.paths
        twins = {
            paths[one]
            for one, other in self.record.shared
            if _are_siblings(paths[one], paths[other])
        }
        twins |= {paths[number] for number in self.record.aliases}
        return twins | {path for path in paths if any(path[: len(twin)] == twin for twin in twins)}

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

    def members(self, path: Path) -> set[Path]:
        """The variables that a path stands for."""
        for layer in self.scattered:
            if path == layer.name:
                return {single for row in layer.weights for single in row}
            if path == layer.bias_name:
                return set(layer.biases)
        return {path}

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Compute something about this record once, and remember it."""
        if key not in self._known:
            self._known[key] = compute()
        found: T = self._known[key]
        return found

    def value(self, event: int) -> Array:
        """Value of an event."""
        return self.values[self.events[event][1]]

    def place(self, event: int) -> Place:
        """Place of an event."""
        return self.places[self.events[event][0]]

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

    def same(self, wanted: Array) -> list[tuple[int, float]]:
        """Numbers of the values that are ``wanted`` in any layout, with the factor 1."""
        return [(n, 1.0) for n in self._like(wanted, scaled=False)]

    def find(
        self, wanted: Array, begin: int = 0, end: int | None = None, *, scaled: bool = False
    ) -> list[Sighting]:
        """Where ``wanted`` was seen between two events, in order of time."""
        end = len(self.events) if end is None else end
        found: list[Sighting] = []
        for number in self._like(wanted, scaled=scaled):
            factor = 1.0
            if scaled:
                factor = _factor(self.values[number], wanted)
            events = self._events_of[number]
            first, last = bisect.bisect_left(events, begin), bisect.bisect_left(events, end)
            found += [Sighting(event, self.place(event), factor) for event in events[first:last]]
        return sorted(found, key=lambda sighting: sighting.event)

    def has(self, wanted: Array, begin: int, end: int) -> bool:
        """Whether an array was seen, whole or (computed in loops) number by number."""
        if wanted.size not in self._by_size and not self.number_by_number:
            return False
        key = (wanted.shape, wanted.tobytes())
        if key not in self._alike:
            self._alike[key] = self._like(wanted, scaled=False)
        for number in self._alike[key]:
            events = self._events_of[number]
            at = bisect.bisect_left(events, begin)
            if at < len(events) and events[at] < end:
                return True
        return self.number_by_number and len(wanted) == 1 and self._has_numbers(wanted)

    def _has_numbers(self, wanted: Array) -> bool:
        telling = 0
        for number in wanted.reshape(-1).tolist():
            near = 1e-10 * max(abs(number), 1e-6)
            at = bisect.bisect_left(self._scalars, number - near)
            if at == len(self._scalars) or self._scalars[at] > number + near:
                return False
            telling += number not in (0.0, 1.0, 0.5, 2.0, -1.0)  # those are everywhere
        return telling > 0

    def _like(self, wanted: Array, *, scaled: bool) -> list[int]:
        if wanted.size not in self._by_size or not np.isfinite(wanted).all():
            return []
        numbers, lengths, shapes = self._by_size[wanted.size]
        (length,), (shape,) = _fingerprints([wanted])
        if scaled:
            if length == 0:
                return []
            near = np.abs(shapes - shape) <= 1e-7 * max(shape, 1e-9)
        else:
            near = (np.abs(lengths - length) <= 1e-8 * max(length, 1e-300)) & (
                np.abs(shapes - shape) <= 1e-7 * max(shape, 1e-9)
            )
        return [
            int(n) for n in numbers[near] if _matches(self.values[int(n)], wanted, scaled=scaled)
        ]

    def state(self, event: int) -> dict[Path, int]:
        """Every variable's value (by number) at the time of an event."""
        count = bisect.bisect_right(self._change_times, event)
        if count not in self._states:
            start = max((known for known in self._states if known <= count), default=0)
            state = dict(self._states.get(start, {}))
            for _, path, value, _ in self.record.changes[start:count]:
                if value == GONE:
                    state.pop(self.record.paths[path], None)
                else:
                    state[self.record.paths[path]] = value
            self._states[count] = state
        return self._states[count]

    def changing(self) -> set[Path]:
        """Variables that had more than one value, "*" standing for the place in a list."""
        values: dict[Path, set[int]] = defaultdict(set)
        for _, number, value, _ in self.record.changes:
            if value != GONE:
                values[self.record.paths[number]].add(value)
        paths = {path for path, seen in values.items() if len(seen) > 1}
        return _with_starred(paths)

    def updated(self) -> set[Path]:
        """Variables that are computed from their old values, those that stand for several too."""
        names = {layer.name for layer in self.scattered}
        names |= {layer.bias_name for layer in self.scattered if layer.biases}
        return _with_starred(self._updated | self._views_of_updated()) | names

    def _views_of_updated(self) -> set[Path]:
        """Variables in the memory of updated ones, as W1 = theta[:6].reshape(2, 3) is."""
        paths = self.record.paths
        pairs = [(paths[one], paths[other]) for one, other in self.record.shared]
        pairs += [(other, one) for one, other in pairs]
        return {other for one, other in pairs if one in self._updated and one != other}

    @cached_property
    def _updated(self) -> set[Path]:
        """Variables whose every new value was computed from the old one, as parameters are.

        An activation or a gradient is computed afresh; w is w less something.
        """
        values: dict[int, int] = {}
        counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for at, path, value, place in self.record.changes:
            old = values.get(path, GONE)
            values[path] = value
            if old == GONE or value == GONE:
                continue
            count = counts[path]
            if count[0] == _CHANGES:  # later ones may not have been written down
                continue
            count[0] += 1
            count[1] += self._is_update(at, old, value, place)
        found = {
            self.record.paths[path] for path, (all_, own) in counts.items() if own >= 0.9 * all_
        }
        return found

    def constant(self) -> set[Path]:
        """Variables that never changed."""
        changing = self.changing()
        paths = set(self.record.paths) - changing
        return paths | (_with_starred(paths) - changing)

    def _is_update(self, at: int, old: int, new: int, place: int) -> bool:
        if place >= 0 and _takes_itself(self.places[place].node):
            return True
        events = self._events_of.get(new, [])
        last = bisect.bisect_left(events, at) - 1
        for event in events[max(last - 3, 0) : last + 1]:
            place_of_new = self.place(event)
            if event < at - 400 or place_of_new.kind not in ("BinOp", "Call", "ListComp"):
                continue
            if place_of_new.kind == "Call" and not _DIFFERENCE.search(place_of_new.text):
                if self._is_argument(event, old):
                    return True
                continue
            inside = self._inside(self.events[event][0])
            for earlier in range(event - 1, max(event - 100, -1), -1):
                if self.events[earlier][1] == old and self.events[earlier][0] in inside:
                    return True
        return False

    def _is_argument(self, event: int, value: int) -> bool:
        """Whether a call was given a value itself: w = step(w, gradient)."""
        node = self.place(event).node
        assert isinstance(node, ast.Call)  # noqa: S101 - asked for
        given = set(map(id, node.args))
        for earlier in range(event - 1, max(event - 1500, -1), -1):
            if self.events[earlier][1] == value and id(self.place(earlier).node) in given:
                return True
        return False

    def _inside(self, place: int) -> set[int]:
        """Places of the expressions within an expression."""
        if place not in self._within:
            nodes = set(map(id, ast.walk(self.places[place].node)))
            self._within[place] = {
                other.number
                for other in self.places
                if id(other.node) in nodes and other.number != place
            }
        return self._within[place]

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

    def arrays(self, event: int) -> dict[Path, Array]:
        """Every variable at the time of an event; numbers kept one by one are put together.

        Weights of neurons that stand in a list, as ``neurons[i].weights`` or
        ``layer[i]["weights"]``, become one array; its path has "*" in place of i.
        """
        count = bisect.bisect_right(self._change_times, event)
        if count not in self._arrays:
            self._arrays[count] = self._put_together(event)
        return self._arrays[count]

    def _put_together(self, event: int) -> dict[Path, Array]:
        single = {path: self.values[number] for path, number in self.state(event).items()}
        grouped: dict[Path, dict[int, Array]] = defaultdict(dict)
        for path, value in single.items():
            if value.ndim > 1:
                continue
            starred = _starred(path)
            if starred != path:
                index = path[starred.index("*")]
                assert isinstance(index, int)  # noqa: S101 - that is what a star stands for
                grouped[starred][index] = value
        together = _joined(grouped)
        # Neurons that keep a list of objects each, as layers[0][i].w[j].data, take a second round.
        rows: dict[Path, dict[int, Array]] = defaultdict(dict)
        for path, value in together.items():
            starred = _starred(path)
            if starred != path:
                index = path[starred.index("*")]
                assert isinstance(index, int)  # noqa: S101 - that is what a star stands for
                rows[starred][index] = value
        return self._gathered(single) | _joined(rows) | together | single

    def _gathered(self, single: dict[Path, Array]) -> dict[Path, Array]:
        """Matrices of parameters that stand apart."""
        found: dict[Path, Array] = {}
        for layer in self.scattered:
            names = [*layer.biases, *(path for row in layer.weights for path in row)]
            if all(name in single and single[name].ndim == 0 for name in names):
                found[layer.name] = np.array([[single[w] for w in row] for row in layer.weights])
                if layer.biases:
                    found[layer.bias_name] = np.array([single[b] for b in layer.biases])
        return found


def _joined(grouped: dict[Path, dict[int, Array]]) -> dict[Path, Array]:
    """Put numbers or rows of one shape together that are numbered from 0."""
    return {
        path: np.stack([parts[index] for index in sorted(parts)])
        for path, parts in grouped.items()
        if sorted(parts) == list(range(len(parts)))
        and len({part.shape for part in parts.values()}) == 1
    }


def same(a: Array, b: Array, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays of one shape are equal but for rounding."""
    scale = max(float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)))
    return bool(np.abs(a - b).max(initial=0) <= tolerance * scale)


def _parts(row: Array) -> list[bytes]:
    """A row, and (labels stand in its first or last column) the row without its ends."""
    length = len(row)
    cuts = range(1, min(length, 4))
    parts = [row, *(row[:-cut] for cut in cuts), *(row[cut:] for cut in cuts)]
    return [part.tobytes() for part in parts if len(part)]


def _takes_itself(statement: ast.AST) -> bool:
    """Whether a statement computes a variable from its old value: w += d, w[i] = w[i] + d."""
    if not isinstance(statement, ast.Assign):
        return isinstance(statement, ast.AugAssign)
    targets = {ast.unparse(target) for target in statement.targets}
    return any(
        isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and ast.unparse(node) in targets
        for node in ast.walk(statement.value)
    )


def _are_siblings(one: Path, other: Path) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _with_starred(paths: set[Path]) -> set[Path]:
    once = {_starred(path) for path in paths}
    return paths | once | {_starred(path) for path in once}


def _starred(path: Path) -> Path:
    """A path with its last list index as "*"; the path itself where it has none."""
    if path.count("*") > 1:
        return path
    for at in range(len(path) - 1, -1, -1):
        if isinstance(path[at], int):
            return (*path[:at], "*", *path[at + 1 :])
    return path


def last_name(node: ast.expr) -> str:
    """What distinguishes a variable from its neighbours: b2 of self.b2, params["b2"] and b2."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else ""


def spoken(text: str) -> str:
    """An expression's text on one line."""
    return re.sub(r"\s+", " ", text)


def _fingerprints(values: list[Array]) -> tuple[Array, Array]:
    """Length of each array, and its sum of absolute numbers over that length."""
    flat = np.stack([value.reshape(-1) for value in values])
    with np.errstate(all="ignore"):
        lengths = np.sqrt((flat * flat).sum(axis=1))
        sums = np.abs(flat).sum(axis=1)
        return lengths, np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), 0)


def _layouts(value: Array) -> list[Array]:
    layouts = [value.reshape(-1)]
    if value.ndim == 2 and 1 not in value.shape:
        layouts.append(value.T.reshape(-1))
    return layouts


def _matches(value: Array, wanted: Array, *, scaled: bool) -> bool:
    flat = value.reshape(-1)
    for layout in _layouts(wanted):
        if scaled:
            length = float(layout @ layout)
            if length == 0:
                return False
            factor = float(flat @ layout) / length
            if factor != 0 and same(flat, factor * layout):
                return True
        elif same(flat, layout):
            return True
    return False


def _factor(value: Array, wanted: Array) -> float:
    flat = value.reshape(-1)
    best = 0.0
    for layout in _layouts(wanted):
        factor = float(flat @ layout) / float(layout @ layout)
        if same(flat, factor * layout):
            return factor
        best = factor
    return best
