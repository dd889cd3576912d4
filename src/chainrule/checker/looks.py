"""Forward passes whose loss can be measured: where their z is in the record, and what δ they have.

A pass of a training step has the δ that explains the step. One that only measures has the δ that
the same loss gives with its own targets; where these are not certain, any of several.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.forward import Network, Pass, passes
from chainrule.checker.judged import Judged
from chainrule.checker.slips import last_deltas
from chainrule.checker.targets import Targets, find_targets
from chainrule.layer import Array

_DIRECTIONS = 3
_PASSES = 4
_MEASURING = 3
_PLACES = 12
_MAKING = ("BinOp", "Call", "ListComp")


@dataclass(frozen=True, eq=False)
class Look:
    """One forward pass to be nudged.

    Attributes
    ----------
    done : Pass
    events : tuple of int
        Where its last z is in the record, whole or one of its numbers.
    stop : int
        The event at which the next pass begins.
    deltas, errors : tuple of ndarray (batch, outputs)
        What δ may be there, and for each the error ŷ - y.
    directions : tuple of ndarray (batch, outputs)
        Along which to nudge z.
    """

    done: Pass
    events: tuple[int, ...]
    stop: int
    deltas: tuple[Array, ...]
    errors: tuple[Array, ...]
    directions: tuple[Array, ...]


def find_looks(
    evidence: Evidence, network: Network, made: list[Pass], right: list[Judged]
) -> list[Look]:
    """Find the passes whose δ is known: those of the steps, and those that only measure."""
    looks: list[Look] = []
    # Of one number alone, every loss says the same but for a factor: it takes several passes.
    for judged in right[: _PASSES if right[0].parts[-1].output.size == 1 else 1]:
        part, rows = judged.parts[-1], judged.parts[-1].rows()
        delta = judged.explanation.deltas[-1].delta[-rows:]
        error = part.output - judged.targets.y[-rows:]
        looks += _look(evidence, part, made, (delta,), (error,))
    looks += _beforehand(evidence, made, right)
    for done in _measuring(made, right) or _elsewhere(evidence, network, made, right):
        deltas, errors = _deltas_of(evidence, network, done, made, right)
        looks += _look(evidence, done, made, deltas, errors)
    return looks


def _beforehand(evidence: Evidence, made: list[Pass], right: list[Judged]) -> list[Look]:
    """A loss that is measured between two steps, in lines of its own, has the next one's z."""
    for judged in right[1:_PASSES]:
        done = judged.parts[-1]
        begin = max((p.event for p in made if p.event < done.event), default=0)
        found = evidence.find(done.z[-1], begin, done.event)
        if found and len(judged.parts) == 1:
            delta = judged.explanation.deltas[-1].delta
            error = done.output - judged.targets.y
            directions = _directions(done.z[-1])
            return [Look(done, _where(found), done.event, (delta,), (error,), directions)]
    return []


def _measuring(made: list[Pass], right: list[Judged]) -> list[Pass]:
    """Passes that only measure: beside a step's own, or over another number of samples."""
    beside = [
        done
        for judged in right[:_PASSES]
        for done in judged.step.passes
        if not any(done is part for part in judged.parts)
    ]
    usual = {part.rows() for judged in right for part in judged.parts}
    others = [done for done in made if done.rows() not in usual]
    if all(len(judged.parts) == 1 for judged in right):
        others += _without_an_update(made, {x.tobytes() for one in right for x in one.batch.h[0]})
    return [*beside, *others][:_MEASURING]


def _elsewhere(
    evidence: Evidence, network: Network, made: list[Pass], right: list[Judged]
) -> list[Pass]:
    """Passes over several samples at once, in other lines than those of the steps."""
    known = {x.tobytes() for judged in right for x in judged.batch.h[0]}
    places: dict[int, None] = {}
    for place, value in evidence.events[right[0].step.end :]:
        x = evidence.values[value]
        if place == network.place or place in places or x.ndim != 2:
            continue
        rows = x.T if network.columns else x
        if len(rows) > 1 and known.intersection(row.tobytes() for row in rows):
            places[place] = None
    own = {done.z[-1].tobytes() for done in made}
    found = [
        done
        for place in list(places)[:_PLACES]
        for done in passes(evidence, replace(network, place=place), _PASSES)
        if done.event > right[0].step.begin and done.z[-1].tobytes() not in own
    ]
    return sorted(found, key=lambda done: done.event)[:_MEASURING]


def _without_an_update(made: list[Pass], known: set[bytes]) -> list[Pass]:
    """Passes over known samples after which the next one still has the same parameters."""
    return [
        done
        for done, following in pairwise(made)
        if all(x.tobytes() in known for x in done.h[0])
        and all(
            one is other or (one is not None and other is not None and np.array_equal(one, other))
            for one, other in zip(
                (*done.weights, *done.biases), (*following.weights, *following.biases), strict=True
            )
        )
    ]


def _deltas_of(
    evidence: Evidence, network: Network, done: Pass, made: list[Pass], right: list[Judged]
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """δ of a pass that only measures, for every y that agrees with the steps' own targets."""
    followed = right[0].explanation.loss
    known = {
        x.tobytes(): y
        for judged in right
        for x, y in zip(judged.batch.h[0], judged.targets.y, strict=True)
    }
    deltas, errors = [], []
    candidates = find_targets(
        evidence, done, [done], done.event, _stop(evidence, made, done), columns=network.columns
    )
    for targets in candidates[:8]:
        if not _agrees_with(targets, done, known):
            continue
        for delta in last_deltas(network.layers[-1], done, targets.y):
            if not delta.slips and delta.loss == followed:
                deltas.append(delta.delta)
                errors.append(done.output - targets.y)
    return tuple(deltas), tuple(errors)


def _agrees_with(targets: Targets, done: Pass, known: dict[bytes, Array]) -> bool:
    """Whether targets are those of the steps, for every sample that both have."""
    shared = [
        same(y, known[x.tobytes()])
        for x, y in zip(done.h[0], targets.y, strict=True)
        if x.tobytes() in known
    ]
    return len(shared) > 0 and all(shared)


def _stop(evidence: Evidence, made: list[Pass], done: Pass) -> int:
    """Where the next pass begins."""
    return min((p.event for p in made if p.event > done.event), default=len(evidence.events))


def _look(
    evidence: Evidence,
    done: Pass,
    made: list[Pass],
    deltas: tuple[Array, ...],
    errors: tuple[Array, ...],
) -> list[Look]:
    z, stop = done.z[-1], _stop(evidence, made, done)
    if not deltas:
        return []
    whole = evidence.find(z, done.event, stop)
    if whole and (len(z) > 1 or z.size == 1 or whole[0].place.kind in _MAKING):
        return [Look(done, _where(whole), stop, deltas, errors, _directions(z))]
    looks = []
    for output in range(z.shape[1] if len(z) == 1 else 0):
        found = evidence.find(z[:, output], done.event, stop)
        if found:
            direction = np.zeros_like(z)
            direction[0, output] = 1
            looks.append(Look(done, _where(found), stop, deltas, errors, (direction,)))
    return looks


def _directions(z: Array) -> tuple[Array, ...]:
    if z.size == 1:
        return (np.ones_like(z),)
    random = np.random.default_rng(0)
    return tuple(
        random.uniform(0.5, 1, z.shape) * random.choice((-1, 1), z.shape)
        for _ in range(_DIRECTIONS)
    )


def _where(found: list[Sighting]) -> tuple[int, ...]:
    """Where to nudge: the expression that made a value, else wherever its name is read.

    What is handed on under another name is nudged already.
    """
    first = found[0].place
    if first.kind in _MAKING:
        return (found[0].event,)
    return tuple(sighting.event for sighting in found if sighting.place.text == first.text)
