"""Which variables are updated: w becomes w less something, as parameters do."""

from __future__ import annotations

import ast
import bisect
import re
from collections import defaultdict

import numpy as np

from chainrule.checker.events import Events
from chainrule.checker.expressions import takes_itself
from chainrule.checker.paths import Path
from chainrule.checker.recorder import GONE

_CHANGES = 20
_DIFFERENCE = re.compile(r"\b(add|subtract)\(")


def updated_paths(run: Events) -> set[Path]:
    """Variables whose every new value was computed from the old one, as parameters are.

    An activation or a gradient is computed afresh; w is w less something.
    """
    values: dict[int, int] = {}
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for at, path, value, place in run.record.changes:
        old = values.get(path, GONE)
        values[path] = value
        if old == GONE or value == GONE:
            continue
        count = counts[path]
        if count[0] == _CHANGES:  # later ones may not have been written down
            continue
        count[0] += 1
        count[1] += _is_update(run, at, old, value, place)
    found = {run.record.paths[path] for path, (all_, own) in counts.items() if own >= 0.9 * all_}
    return found


def reset_paths(run: Events) -> set[Path]:
    """Variables that a statement sets back to zeros, or a part of them."""
    found: set[Path] = set()
    values: dict[int, int] = {}
    for _, path, value, place in run.record.changes:
        old = values.get(path, GONE)
        values[path] = value
        if GONE in (old, value) or place < 0 or run.record.paths[path] in found:
            continue
        node = run.places[place].node
        if isinstance(node, ast.Assign) and not takes_itself(node):
            before, after = np.count_nonzero(run.values[old]), np.count_nonzero(run.values[value])
            if after < before:
                found.add(run.record.paths[path])
    return found


def _is_update(run: Events, at: int, old: int, new: int, place: int) -> bool:
    if place >= 0 and takes_itself(run.places[place].node):
        return True
    events = run.all_of(new)
    last = bisect.bisect_left(events, at) - 1
    for event in events[max(last - 3, 0) : last + 1]:
        place_of_new = run.place(event)
        if event < at - 400 or place_of_new.kind not in ("BinOp", "Call", "ListComp"):
            continue
        if place_of_new.kind == "Call" and not _DIFFERENCE.search(place_of_new.text):
            if _is_argument(run, event, old):
                return True
            continue
        inside = run.inside(run.events[event][0])
        for earlier in range(event - 1, max(event - 100, -1), -1):
            if run.events[earlier][1] == old and run.events[earlier][0] in inside:
                return True
    return False


def _is_argument(run: Events, event: int, value: int) -> bool:
    """Whether a call was given a value itself: w = step(w, gradient)."""
    node = run.place(event).node
    assert isinstance(node, ast.Call)  # noqa: S101 - asked for
    given = set(map(id, node.args))
    for earlier in range(event - 1, max(event - 1500, -1), -1):
        if run.events[earlier][1] == value and id(run.place(earlier).node) in given:
            return True
    return False
