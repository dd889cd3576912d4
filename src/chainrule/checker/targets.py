"""What the learner's network is to answer: which array of the record is y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Pass
from chainrule.layer import Array


@dataclass(frozen=True)
class Targets:
    """A candidate for y.

    Attributes
    ----------
    y : ndarray (batch, outputs)
    places : frozenset of int
        Where it was read.
    error_seen : bool
        Whether ŷ - y (or y - ŷ) was computed.
    """

    y: Array
    places: frozenset[int]
    error_seen: bool


def find_targets(
    evidence: Evidence, batch: Pass, parts: list[Pass], begin: int, end: int, *, columns: bool
) -> list[Targets]:
    """List what may be y in a step, those first whose difference from ŷ was computed."""
    found: dict[bytes, Targets] = {}
    for place, value in _values(evidence, begin, end):
        for y in as_targets(evidence.values[value], batch.output.shape, columns):
            _add(evidence, found, y, place, batch, begin, end)
    if len(parts) > 1:
        for place, y in _one_by_one(evidence, parts, end):
            _add(evidence, found, y, place, batch, begin, end)
    return sorted(found.values(), key=lambda targets: (not targets.error_seen, _oddity(targets.y)))


def _add(
    evidence: Evidence,
    found: dict[bytes, Targets],
    y: Array,
    place: int,
    batch: Pass,
    begin: int,
    end: int,
) -> None:
    output = batch.output
    if same(y, output) or any(
        y.shape == other.shape and same(y, other) for other in (*batch.z, *batch.a[:-1])
    ):
        return
    key = y.tobytes()
    if key in found:
        old = found[key]
        found[key] = Targets(old.y, old.places | {place}, old.error_seen)
        return
    error = output - y
    seen = bool(evidence.find(error, begin, end) or evidence.find(-error, begin, end))
    if not seen and len(error) == 1:
        seen = evidence.has(error, begin, end) or evidence.has(-error, begin, end)
    found[key] = Targets(y, frozenset({place}), seen)


def _values(evidence: Evidence, begin: int, end: int) -> list[tuple[int, int]]:
    """Places and values of a stretch of the record, and of the variables at its beginning."""
    inside = list(dict.fromkeys(evidence.events[begin:end]))
    state = evidence.state(begin)
    return inside + [(-1, number) for number in dict.fromkeys(state.values())]


def as_targets(value: Array, shape: tuple[int, ...], columns: bool) -> list[Array]:
    """Read a value as (batch, outputs), as labels too."""
    batch, outputs = shape
    readings = []
    if value.size == batch * outputs:
        if value.ndim == 2 and value.shape == (outputs, batch) and (columns or batch != outputs):
            readings.append(value.T)
        elif value.ndim < 2 or value.shape in (shape, (batch * outputs, 1), (1, batch * outputs)):
            readings.append(value.reshape(shape))
    if outputs > 1 and value.size == batch:
        labels = value.reshape(-1)
        if (labels == np.round(labels)).all() and labels.min() >= 0 and labels.max() < outputs:
            readings.append(np.eye(outputs)[labels.astype(int)])
    return readings


def _one_by_one(evidence: Evidence, parts: list[Pass], end: int) -> list[tuple[int, Array]]:
    """Targets that were read sample by sample: one place, another value after each pass."""
    borders = [part.event for part in parts] + [end]
    by_place: list[dict[int, Array]] = []
    for part, stop in zip(parts, borders[1:], strict=True):
        here: dict[int, Array] = {}
        for place, value in evidence.events[part.event : stop]:
            for y in as_targets(evidence.values[value], part.output.shape, columns=False):
                here.setdefault(place, y)
        by_place.append(here)
    places = set(by_place[0]).intersection(*by_place[1:])
    return [(place, np.vstack([here[place] for here in by_place])) for place in sorted(places)]


def _oddity(y: Array) -> int:
    """Targets are mostly whole numbers; what is not comes later."""
    return 0 if bool((y == np.round(y)).all()) else 1
