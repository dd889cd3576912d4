"""Which variables are updated: w becomes w less something, as parameters do."""

from __future__ import annotations

import ast
import bisect
import re
from collections import defaultdict

import numpy as np

from chainrule.checker.events import Events
from chainrule.checker.expressions import takes_itself
from chainrule.checker.paths import Path, starred_everywhere
from chainrule.checker.recorder import GONE

_CHANGES = 20
_BIRTHS = 2
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


def passing_paths(run: Events) -> set[Path]:
    """Variables that come and go, as parameters do not.

    Those that a statement sets back to zeros, or that begin as zeros again and again, as sums of
    gradients do; and those that have the same few values in turn, as shuffled samples do.
    """
    values: dict[int, int] = {}
    births: dict[int, int] = defaultdict(int)
    had: dict[int, list[int]] = defaultdict(list)
    found: set[int] = set()
    for _, path, value, place in run.record.changes:
        old = values.get(path, GONE)
        values[path] = value
        if value == GONE:
            continue
        had[path].append(value)
        if old == GONE:
            births[path] += not run.values[value].any()
        elif place >= 0 and _sets_to_zeros(run, old, value, place):
            found.add(path)
    found |= {path for path, times in births.items() if times > _BIRTHS}
    found |= {path for path, seen in had.items() if len(seen) > 3 * len(set(seen))}
    return {run.record.paths[path] for path in found}


def shuffled_paths(run: Events) -> set[Path]:
    """Entries of lists whose new values are mostly those that other entries had: samples, say."""
    before: dict[Path, set[int]] = defaultdict(set)
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    values: dict[int, int] = {}
    for _, path, value, _ in run.record.changes:
        if value == GONE or values.get(path) == value:
            continue
        siblings = starred_everywhere(run.record.paths[path])
        if path in values:
            counts[path][0] += 1
            counts[path][1] += value in before[siblings]
        values[path] = value
        if siblings != run.record.paths[path]:
            before[siblings].add(value)
    return {run.record.paths[path] for path, (all_, moved) in counts.items() if 2 * moved > all_}


def _sets_to_zeros(run: Events, old: int, new: int, place: int) -> bool:
    node = run.places[place].node
    if not isinstance(node, ast.Assign) or takes_itself(node):
        return False
    return bool(np.count_nonzero(run.values[new]) < np.count_nonzero(run.values[old]))


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
