"""The events of a run: which expression gave which value, in order of time."""

from __future__ import annotations

import ast
import bisect
from collections import defaultdict

from chainrule.checker.instrument import Place
from chainrule.checker.process import Record
from chainrule.layer import Array


class Events:
    """A record and the places its numbers belong to.

    Attributes
    ----------
    record : Record
    places : list of Place
    events : list of (int, int)
        Place and value of each expression, in order.
    values : list of ndarray
        The pool that events point into.
    """

    def __init__(self, record: Record, places: list[Place]) -> None:
        self.record = record
        self.places = places
        self.values = record.values
        self.events = record.events
        self._within: dict[int, set[int]] = {}
        self._events_of: dict[int, list[int]] = defaultdict(list)
        for event, (_, number) in enumerate(record.events):
            self._events_of[number].append(event)

    def value(self, event: int) -> Array:
        """Value of an event."""
        return self.values[self.events[event][1]]

    def place(self, event: int) -> Place:
        """Place of an event."""
        return self.places[self.events[event][0]]

    def all_of(self, number: int) -> list[int]:
        """When a value, told by its number, was seen."""
        return self._events_of.get(number, [])

    def within(self, number: int, begin: int, end: int) -> list[int]:
        """When a value was seen, from one event until before another."""
        events = self.all_of(number)
        return events[bisect.bisect_left(events, begin) : bisect.bisect_left(events, end)]

    def inside(self, place: int) -> set[int]:
        """Places of the expressions within an expression."""
        if place not in self._within:
            nodes = set(map(id, ast.walk(self.places[place].node)))
            self._within[place] = {
                other.number
                for other in self.places
                if id(other.node) in nodes and other.number != place
            }
        return self._within[place]
