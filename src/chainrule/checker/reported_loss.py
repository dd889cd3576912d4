"""Whether the loss that a program reports is the one whose gradient it follows.

The formula of the loss is not read, it is measured. The program runs again with the last layer's
weighted sums z nudged a little; how much each number that it reports moves is that number's
derivative. Of the loss it must be ∂loss/∂z = r δ, with one r > 0 for every nudge: mean for sum, or
½, only changes r.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.derivatives import Measured, agrees, measure
from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.forward import Network, Pass, parameter_paths
from chainrule.checker.functions import KNOWN
from chainrule.checker.judged import Judged
from chainrule.checker.looks import Look, find_looks
from chainrule.checker.paths import Path
from chainrule.checker.process import run_nudged
from chainrule.checker.reported_penalty import penalty_taken_away
from chainrule.checker.reports import Report, report_of
from chainrule.checker.source import Source
from chainrule.layer import Array

_LATER = 3


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


Suspect = tuple[Report, list[Measured]]


def other_loss(
    source: Source, evidence: Evidence, network: Network, made: list[Pass], right: list[Judged]
) -> Reported | None:
    """Measure the losses that are reported; return one if none of them is the loss followed."""
    if right and right[0].parts[-1].output.size == 1:
        right = _of_one_rate(right)
    looks = find_looks(evidence, network, made, right)
    if not looks:
        return None
    measured = measure(source, evidence, looks)
    updates = _updates(evidence, network)
    suspects: list[Suspect] = []
    after: list[Suspect] = []
    agreeing: list[ast.AST] = []
    followed: list[Measured] = []
    for place, numbers in measured.items():
        # What comes after the update moves with it, too: there only a known loss counts.
        before = [
            one
            for one in numbers
            if not _after_an_update(updates, one)
            or (one.derivatives.size > 1 and agrees([one], [_squared(network, one.look)]))
        ]
        seen = before + [one for one in numbers if one not in before and _follows([one])]
        if _follows(seen):
            if sum(one.derivatives.size for one in seen) > 1:  # one number says only its sign
                agreeing.append(evidence.places[place].node)
            followed += _if_reported(evidence, place, seen)
            continue
        report = report_of(evidence.places, place)
        if report is None or not report.is_loss or not _could_be_loss(report, before or numbers):
            continue
        (suspects if before else after).append((report, before or numbers))
    penalty = penalty_taken_away(source, evidence, network, right, followed)
    if penalty is not None:
        return Reported("", penalty)
    suspects = suspects or _untouched_by_the_update(source, evidence, network, after)
    if any(not _is_turned(evidence, node, suspects) for node in agreeing):
        return None
    suspects = _not_part_of_the_step(source, evidence, made, suspects)
    if not suspects:
        return None
    _, seen = max(suspects, key=lambda pair: pair[1][0].event)
    squared = agrees(seen, [_squared(network, look) for look in _looks_of(seen)])
    return Reported("squared" if squared else "", _line(evidence, *_first_with(suspects, seen)))


def _of_one_rate(right: list[Judged]) -> list[Judged]:
    """Steps of the commonest rate: one number alone may be explained by another target, too."""
    rates = [judged.explanation.scale for judged in right]
    commonest = max(rates, key=lambda rate: sum(np.isclose(rate, other) for other in rates))
    return [judged for judged in right if np.isclose(judged.explanation.scale, commonest)]


def _if_reported(evidence: Evidence, place: int, seen: list[Measured]) -> list[Measured]:
    report = report_of(evidence.places, place)
    return seen[-1:] if report is not None and report.is_loss else []


def _looks_of(seen: list[Measured]) -> list[Look]:
    return [one.look for one in seen]


def _follows(seen: list[Measured]) -> bool:
    """Whether numbers move as the loss does whose gradient is followed."""
    return bool(seen) and agrees(seen, [look.deltas for look in _looks_of(seen)])


def _is_turned(evidence: Evidence, node: ast.AST, suspects: list[Suspect]) -> bool:
    """Whether a number is reported with the other sign, as part of -np.mean(e ** 2)."""
    return any(
        any(part is node for part in ast.walk(evidence.place(seen[0].event).node))
        and _follows([replace(one, derivatives=-one.derivatives) for one in seen])
        for _, seen in suspects
    )


def _squared(network: Network, look: Look) -> tuple[Array, ...]:
    """∂loss/∂z if the loss were the squared error."""
    slope = KNOWN[network.layers[-1].activation].slope(look.done.z[-1])
    if network.layers[-1].activation == "softmax":
        a = look.done.output
        return tuple(a * (e - (e * a).sum(axis=1, keepdims=True)) for e in look.errors)
    return tuple(e * slope for e in look.errors)


def _could_be_loss(report: Report, seen: list[Measured]) -> bool:
    """Not a constant, nor a number of the pass itself, nor the mean absolute error."""
    if not any(np.abs(one.derivatives).max() > 1e-9 for one in seen):
        return False
    if all(_is_of_the_pass(report, one) for one in seen):  # where y is 0, ŷ - y is ŷ by chance
        return False
    signs = [tuple(_slope_of_absolute(one, e) for e in one.look.errors) for one in seen]
    return not (agrees(seen, signs) and all((one.values >= 0).all() for one in seen))


def _is_of_the_pass(report: Report, one: Measured) -> bool:
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


def _after_an_update(updates: list[int], one: Measured) -> bool:
    """Whether a number came after the parameters had moved, with the nudge in them."""
    return any(one.look.events[0] < at <= one.event for at in updates)


def _untouched_by_the_update(
    source: Source, evidence: Evidence, network: Network, suspects: list[Suspect]
) -> list[Suspect]:
    """Of numbers that came after an update, those that stay as they are when it is another one."""
    nudges, kept = [], []
    for suspect in suspects:
        one = suspect[1][0]
        event = _new_weights(evidence, network, one.look.events[0], one.event)
        if event is not None:
            nudge = [1e-3] * evidence.value(event).size
            wanted = {"stop": one.event + 1, "chosen": [one.event]}
            nudges.append({"events": [event], "nudge": nudge, **wanted})
            kept.append(suspect)
    answers = run_nudged(source, evidence.record, nudges) if nudges else []
    return [
        suspect
        for suspect, answer in zip(kept, answers, strict=True)
        if answer is not None and _is_still(evidence, suspect[1][0].event, answer["chosen"])
    ]


def _new_weights(evidence: Evidence, network: Network, begin: int, end: int) -> int | None:
    """Where the update of the last layer's weights was computed, the latest between two events."""
    for at, number, value, place in reversed(evidence.record.changes):
        same_path = _stands_for(network.layers[-1].weights, evidence.record.paths[number])
        if not same_path or value < 0 or place < 0 or not begin < at <= end:
            continue
        made = getattr(evidence.places[place].node, "value", None)
        for event in range(at - 1, begin, -1):
            if evidence.place(event).node is made:
                return event
    return None


def _is_still(evidence: Evidence, event: int, chosen: dict[str, list[float]]) -> bool:
    """Whether a value is what it was without a nudge."""
    numbers = chosen.get(str(event))
    return numbers is not None and same(np.array(numbers), evidence.value(event).reshape(-1))


def _slope_of_absolute(one: Measured, error: Array) -> Array:
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
        if answer is not None and _is_still(evidence, event, answer["chosen"])
    ]


def _first_sighting(evidence: Evidence, done: Pass) -> list[Sighting]:
    """Where a pass's last z was seen, whole or its first number."""
    z = done.z[-1]
    return evidence.find(z, done.event) or evidence.find(z[:1, :1], done.event)


def _first_with(suspects: list[Suspect], wrong: list[Measured]) -> tuple[Measured, Report]:
    """The first number with the derivatives of the wrong one: what is added later is a penalty."""
    alike = [
        (seen[0], report)
        for report, seen in suspects
        if seen[0].look is wrong[0].look
        and np.allclose(seen[0].derivatives, wrong[0].derivatives, rtol=1e-6, atol=0)
    ]
    return min(alike, key=lambda pair: pair[0].event)


def _line(evidence: Evidence, one: Measured, report: Report) -> int:
    """The line where the number was first computed, before it was handed on."""
    value = evidence.value(one.event)
    for sighting in evidence.find(value, one.look.events[0], one.event + 1):
        if sighting.place.kind in ("BinOp", "Call", "UnaryOp"):
            return sighting.place.line
    return report.line
