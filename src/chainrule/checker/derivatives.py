"""Derivatives of the numbers that a program computes, measured by nudging its weighted sums z."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.looks import Look
from chainrule.checker.process import run_nudged
from chainrule.checker.reports import report_of
from chainrule.checker.source import Source
from chainrule.layer import Array

_EPSILON = 1e-5
_TOLERANCE = 1e-4


@dataclass(eq=False)
class Measured:
    """How one number that a program computes moves with the z of one look.

    Attributes
    ----------
    look : Look
    event : int
        When it was computed; of what is added up in a loop, when for the last time.
    values : ndarray (times added up,)
    derivatives : ndarray (directions,)
    """

    look: Look
    event: int
    values: Array
    derivatives: Array


def measure(source: Source, evidence: Evidence, looks: list[Look]) -> dict[int, list[Measured]]:
    """Measure the derivatives of all single numbers that each pass leads to, by place."""
    nudges = [
        _nudge(evidence, look, direction, sign)
        for look in looks
        for direction in look.directions
        for sign in (1.0, -1.0)
    ]
    answers = iter(run_nudged(source, evidence.record, nudges))
    measured: dict[int, list[Measured]] = defaultdict(list)
    for look in looks:
        pairs = [(next(answers), next(answers)) for _ in look.directions]
        if any(up is None or down is None for up, down in pairs):
            continue
        by_event = [_differences(up, down) for up, down in pairs]
        places: dict[int, list[int]] = defaultdict(list)
        for event, place in by_event[0]:
            if all((event, place) in found for found in by_event):
                places[place].append(event)
        for place, events in places.items():
            # What is added up in a loop counts as a whole; of other places the last one.
            report = report_of(evidence.places, place)
            chosen = events if report is not None and report.adds_up else events[-1:]
            slopes = np.array([sum(found[at, place] for at in chosen) for found in by_event])
            slopes *= 1.0 if report is None else report.sign
            values = np.array([float(evidence.value(at).reshape(-1)[0]) for at in chosen])
            measured[place].append(Measured(look, chosen[-1], values, slopes))
    return measured


def _nudge(evidence: Evidence, look: Look, direction: Array, sign: float) -> dict[str, Any]:
    value = evidence.value(look.events[0])
    if value.size == 1:
        numbers = direction[direction != 0][:1]
    elif value.shape == direction.shape[::-1] and not (
        value.shape == direction.shape and same(value, look.done.z[-1])
    ):
        numbers = direction.T
    else:
        numbers = direction
    return {
        "events": list(look.events),
        "nudge": (sign * _EPSILON * numbers).reshape(-1).tolist(),
        "stop": look.stop,
        "chosen": [],
    }


def _differences(up: Any, down: Any) -> dict[tuple[int, int], float]:
    below = {(event, place): value for event, place, value in down["single"]}
    return {
        (event, place): (value - below[event, place]) / (2 * _EPSILON)
        for event, place, value in up["single"]
        if (event, place) in below
    }


def agrees(seen: list[Measured], deltas: list[tuple[Array, ...]]) -> bool:
    """Whether the derivatives are r times those that the δ say, with one r above zero."""
    one_number = all(one.look.done.z[-1].size == 1 for one in seen)
    per_output = all(len(one.look.directions) == 1 for one in seen)
    if one_number or per_output:
        predicted = np.array(
            [_along(choices[0], one) for one, choices in zip(seen, deltas, strict=True)]
        ).reshape(-1)
        return _proportional(np.concatenate([one.derivatives for one in seen]), predicted)
    return all(
        any(_proportional(one.derivatives, _along(choice, one)) for choice in choices)
        for one, choices in zip(seen, deltas, strict=True)
    )


def _along(delta: Array, one: Measured) -> Array:
    return np.array([float((delta * direction).sum()) for direction in one.look.directions])


def _proportional(derivatives: Array, predicted: Array) -> bool:
    length = float(predicted @ predicted)
    if length == 0:
        return not derivatives.any()
    ratio = float(derivatives @ predicted) / length
    off = float(np.abs(derivatives - ratio * predicted).max())
    return ratio > 0 and off <= _TOLERANCE * float(np.abs(derivatives).max())
