"""Whether the loss that a program reports is the one whose gradient it follows.

The formula of the loss is not read, it is measured. The program runs again with the last layer's
weighted sums z nudged a little; how much each number that it reports moves is that number's
derivative. Of the loss it must be ∂loss/∂z = r δ, with one r > 0 for every nudge: mean for sum, or
½, only changes r.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.checker.evidence import Evidence, Path, Sighting, same
from chainrule.checker.forward import Network, Pass
from chainrule.checker.functions import KNOWN
from chainrule.checker.judged import Judged
from chainrule.checker.process import run_nudged
from chainrule.checker.reports import Report, report_of
from chainrule.checker.slips import last_deltas
from chainrule.checker.source import Source
from chainrule.checker.steps import parameter_paths
from chainrule.checker.targets import Targets, find_targets
from chainrule.layer import Array

_EPSILON = 1e-5
_DIRECTIONS = 3
_TOLERANCE = 1e-4
_PASSES = 4
_MEASURING = 3
_LATER = 3
_MAKING = ("BinOp", "Call", "ListComp")


@dataclass(frozen=True)
class Reported:
    """A loss that is not the one whose gradient is followed.

    Attributes
    ----------
    follows_from : str
        "squared" where the squared error is reported, "" where it is another formula.
    line : int
        Where it is computed.
    """

    follows_from: str
    line: int


@dataclass(frozen=True, eq=False)
class _Look:
    """One forward pass to be nudged: its z in the record, and what δ may be there."""

    done: Pass
    events: tuple[int, ...]
    stop: int
    deltas: tuple[Array, ...]
    errors: tuple[Array, ...]
    directions: tuple[Array, ...]


@dataclass(eq=False)
class _Measured:
    """A report's derivative along each direction of one look."""

    look: _Look
    event: int
    values: Array
    derivatives: Array


Suspect = tuple[Report, list[_Measured]]


def other_loss(
    source: Source, evidence: Evidence, network: Network, made: list[Pass], right: list[Judged]
) -> Reported | None:
    """Measure the losses that are reported; return one if none of them is the loss followed."""
    looks = _looks(evidence, network, made, right)
    if not looks:
        return None
    measured = _measure(source, evidence, looks)
    updates = _updates(evidence, network)
    suspects: list[Suspect] = []
    agreeing: list[ast.AST] = []
    for place, numbers in measured.items():
        # What comes after the update moves with it, too: there only a known loss counts.
        before = [
            one
            for one in numbers
            if not _after_an_update(updates, one)
            or (one.derivatives.size > 1 and _agrees([one], [_squared(network, one.look)]))
        ]
        seen = before + [one for one in numbers if one not in before and _follows([one])]
        if _follows(seen):
            if sum(one.derivatives.size for one in seen) > 1:  # one number says only its sign
                agreeing.append(evidence.places[place].node)
            continue
        report = report_of(evidence.places, place)
        if report is None or not report.is_loss or not before or not _could_be_loss(report, before):
            continue
        suspects.append((report, before))
    if any(not _is_turned(evidence, node, suspects) for node in agreeing):
        return None
    suspects = _not_part_of_the_step(source, evidence, made, suspects)
    if not suspects:
        return None
    _, seen = max(suspects, key=lambda pair: pair[1][0].event)
    squared = _agrees(seen, [_squared(network, look) for look in _looks_of(seen)])
    return Reported("squared" if squared else "", _line(evidence, *_first_with(suspects, seen)))


def _looks_of(seen: list[_Measured]) -> list[_Look]:
    return [one.look for one in seen]


def _follows(seen: list[_Measured]) -> bool:
    """Whether numbers move as the loss does whose gradient is followed."""
    return bool(seen) and _agrees(seen, [look.deltas for look in _looks_of(seen)])


def _is_turned(evidence: Evidence, node: ast.AST, suspects: list[Suspect]) -> bool:
    """Whether a number is reported with the other sign, as part of -np.mean(e ** 2)."""
    return any(
        any(part is node for part in ast.walk(evidence.place(seen[0].event).node))
        and _follows([replace(one, derivatives=-one.derivatives) for one in seen])
        for _, seen in suspects
    )


def _squared(network: Network, look: _Look) -> tuple[Array, ...]:
    """∂loss/∂z if the loss were the squared error."""
    slope = KNOWN[network.layers[-1].activation].slope(look.done.z[-1])
    if network.layers[-1].activation == "softmax":
        a = look.done.output
        return tuple(a * (e - (e * a).sum(axis=1, keepdims=True)) for e in look.errors)
    return tuple(e * slope for e in look.errors)


def _looks(
    evidence: Evidence, network: Network, made: list[Pass], right: list[Judged]
) -> list[_Look]:
    """Passes whose δ is known: those of the steps, and those that only measure."""
    looks: list[_Look] = []
    # Of one number alone, every loss says the same but for a factor: it takes several passes.
    for judged in right[: _PASSES if right[0].parts[-1].output.size == 1 else 1]:
        part, rows = judged.parts[-1], judged.parts[-1].rows()
        delta = judged.explanation.deltas[-1].delta[-rows:]
        error = part.output - judged.targets.y[-rows:]
        looks += _look(evidence, part, made, (delta,), (error,))
    looks += _beforehand(evidence, made, right)
    for done in _measuring(made, right):
        deltas, errors = _deltas_of(evidence, network, done, made, right)
        looks += _look(evidence, done, made, deltas, errors)
    return looks


def _beforehand(evidence: Evidence, made: list[Pass], right: list[Judged]) -> list[_Look]:
    """A loss that is measured between two steps, in lines of its own, has the next one's z."""
    for judged in right[1:_PASSES]:
        done = judged.parts[-1]
        begin = max((p.event for p in made if p.event < done.event), default=0)
        found = evidence.find(done.z[-1], begin, done.event)
        if found and len(judged.parts) == 1:
            delta = judged.explanation.deltas[-1].delta
            error = done.output - judged.targets.y
            directions = _directions(done.z[-1])
            return [_Look(done, _where(found), done.event, (delta,), (error,), directions)]
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
    return [*beside, *(done for done in made if done.rows() not in usual)][:_MEASURING]


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
) -> list[_Look]:
    z, stop = done.z[-1], _stop(evidence, made, done)
    if not deltas:
        return []
    whole = evidence.find(z, done.event, stop)
    if whole and (len(z) > 1 or z.size == 1 or whole[0].place.kind in _MAKING):
        return [_Look(done, _where(whole), stop, deltas, errors, _directions(z))]
    looks = []
    for output in range(z.shape[1] if len(z) == 1 else 0):
        found = evidence.find(z[:, output], done.event, stop)
        if found:
            direction = np.zeros_like(z)
            direction[0, output] = 1
            looks.append(_Look(done, _where(found), stop, deltas, errors, (direction,)))
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
    """Where to nudge: the expression that made a value, else wherever its name is read."""
    if found[0].place.kind in _MAKING:
        return (found[0].event,)
    return tuple(sighting.event for sighting in found)


def _nudge(evidence: Evidence, look: _Look, direction: Array, sign: float) -> dict[str, Any]:
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


def _measure(source: Source, evidence: Evidence, looks: list[_Look]) -> dict[int, list[_Measured]]:
    """Derivatives of all single numbers that each pass leads to, by place."""
    nudges = [
        _nudge(evidence, look, direction, sign)
        for look in looks
        for direction in look.directions
        for sign in (1.0, -1.0)
    ]
    answers = iter(run_nudged(source, evidence.record, nudges))
    measured: dict[int, list[_Measured]] = defaultdict(list)
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
            measured[place].append(_Measured(look, chosen[-1], values, slopes))
    return measured


def _differences(up: Any, down: Any) -> dict[tuple[int, int], float]:
    below = {(event, place): value for event, place, value in down["single"]}
    return {
        (event, place): (value - below[event, place]) / (2 * _EPSILON)
        for event, place, value in up["single"]
        if (event, place) in below
    }


def _agrees(seen: list[_Measured], deltas: list[tuple[Array, ...]]) -> bool:
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


def _along(delta: Array, one: _Measured) -> Array:
    return np.array([float((delta * direction).sum()) for direction in one.look.directions])


def _proportional(derivatives: Array, predicted: Array) -> bool:
    length = float(predicted @ predicted)
    if length == 0:
        return not derivatives.any()
    ratio = float(derivatives @ predicted) / length
    off = float(np.abs(derivatives - ratio * predicted).max())
    return ratio > 0 and off <= _TOLERANCE * float(np.abs(derivatives).max())


def _could_be_loss(report: Report, seen: list[_Measured]) -> bool:
    """Not a constant, nor a number of the pass itself, nor the mean absolute error."""
    if not any(np.abs(one.derivatives).max() > 1e-9 for one in seen):
        return False
    if all(_is_of_the_pass(report, one) for one in seen):  # where y is 0, ŷ - y is ŷ by chance
        return False
    signs = [tuple(_slope_of_absolute(one, e) for e in one.look.errors) for one in seen]
    return not (_agrees(seen, signs) and all((one.values >= 0).all() for one in seen))


def _is_of_the_pass(report: Report, one: _Measured) -> bool:
    """Whether a number is one of those that a pass computes, or its error."""
    done = one.look.done
    numbers = [*done.z, *done.a, *done.h]
    if not report.adds_up:  # a total of errors is a loss, if a wrong one
        numbers += [*one.look.errors, *one.look.deltas]
    value = np.abs(one.values[-1])
    return any(np.isclose(value, np.abs(number), rtol=1e-9, atol=0).any() for number in numbers)


def _updates(evidence: Evidence, network: Network) -> list[int]:
    """When any parameter changed, also a part of one that is kept number by number."""
    members = [one for path in parameter_paths(network) for one in evidence.members(path)]
    own = {
        number
        for number, known in enumerate(evidence.record.paths)
        if any(_stands_for(member, known) for member in members)
    }
    return [at for at, number, value, _ in evidence.record.changes if value >= 0 and number in own]


def _stands_for(path: Path, known: Path) -> bool:
    """Whether a variable is one of those that a path with "*" stands for."""
    return len(path) == len(known) and all(
        part in ("*", theirs) for part, theirs in zip(path, known, strict=True)
    )


def _after_an_update(updates: list[int], one: _Measured) -> bool:
    """Whether a number came after the parameters had moved, with the nudge in them."""
    return any(one.look.events[0] < at <= one.event for at in updates)


def _slope_of_absolute(one: _Measured, error: Array) -> Array:
    """∂/∂z of |ŷ - y|, by the slope that e f' / e is."""
    for known in KNOWN.values():
        if known.name != "softmax" and same(known.value(one.look.done.z[-1]), one.look.done.output):
            return np.sign(error) * known.slope(one.look.done.z[-1])
    return np.sign(error)


def _not_part_of_the_step(
    source: Source, evidence: Evidence, made: list[Pass], suspects: list[Suspect]
) -> list[Suspect]:
    """Leave out numbers that the next pass changes with: those are part of the gradient."""
    nudges, kept = [], []
    for suspect in suspects:
        one = suspect[1][0]
        # What momentum remembers shows only after one more step.
        later = [done for done in made if done.event >= one.look.stop][:_LATER]
        found = _first_sighting(evidence, later[-1]) if later else []
        if not found:
            continue  # not known, so nothing is said
        event = found[0].event
        value = float(evidence.value(one.event).reshape(-1)[0])
        nudge = [1e-3 * max(1.0, abs(value))]
        nudges.append({"events": [one.event], "nudge": nudge, "stop": event + 1, "chosen": [event]})
        kept.append((suspect, event))
    answers = run_nudged(source, evidence.record, nudges) if nudges else []
    return [
        suspect
        for (suspect, event), answer in zip(kept, answers, strict=True)
        if answer is not None
        and str(event) in answer["chosen"]
        and same(np.array(answer["chosen"][str(event)]), evidence.value(event).reshape(-1))
    ]


def _first_sighting(evidence: Evidence, done: Pass) -> list[Sighting]:
    """Where a pass's last z was seen, whole or its first number."""
    z = done.z[-1]
    return evidence.find(z, done.event) or evidence.find(z[:1, :1], done.event)


def _first_with(suspects: list[Suspect], wrong: list[_Measured]) -> tuple[_Measured, Report]:
    """The first number with the derivatives of the wrong one: what is added later is a penalty."""
    alike = [
        (seen[0], report)
        for report, seen in suspects
        if seen[0].look is wrong[0].look
        and np.allclose(seen[0].derivatives, wrong[0].derivatives, rtol=1e-6, atol=0)
    ]
    return min(alike, key=lambda pair: pair[0].event)


def _line(evidence: Evidence, one: _Measured, report: Report) -> int:
    """The line where the number was first computed, before it was handed on."""
    value = evidence.value(one.event)
    for sighting in evidence.find(value, one.look.events[0], one.event + 1):
        if sighting.place.kind in ("BinOp", "Call", "UnaryOp"):
            return sighting.place.line
    return report.line
