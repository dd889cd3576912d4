"""Networks with one output that learn from one sample at a time.

Their δ is a single number, and any factor missing from it looks like another learning rate. One
step says nothing then, but several do: only with the right factors is the rate the same in all.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.explain import explain_every_way
from chainrule.checker.explanation import Explanation
from chainrule.checker.forward import Network
from chainrule.checker.judged import Judged, is_telling
from chainrule.checker.memory import Memory
from chainrule.checker.steps import Step
from chainrule.checker.targets import find_targets

_STEPS = 5
_AT_LEAST = 3
_SILENT = 3  # steps that say nothing, until the others are thought to say nothing either
_SAME = 1e-4
_CANDIDATES = 12

Key = tuple[int, str, tuple[tuple[str, int, str], ...]]


def is_single(step: Step) -> bool:
    """Whether a step's batch has one sample and one output."""
    return len(step.passes) == 1 and step.before.output.size == 1


def explained_alike(
    evidence: Evidence, network: Network, steps: list[Step], kind: str = ""
) -> list[Judged]:
    """Explain several steps by one and the same thing, with one learning rate; else nothing.

    ``kind`` is a kind of momentum or penalty that may be part of the updates.
    """
    alike: dict[Key, list[Judged]] = {}
    count = silent = 0
    for previous, step in pairwise([None, *steps]):
        assert step is not None  # noqa: S101 - only the first one's predecessor is
        if kind and previous is None:
            continue
        here = _ways(evidence, network, step, Memory(kind, previous) if kind else None)
        if not here:
            silent += 1
            if silent == _SILENT:
                break
            continue
        count += 1
        ways = {key: [*alike.get(key, []), judged] for key, judged in here.items()}
        alike = {key: found for key, found in ways.items() if len(found) == count}
        alike = {key: found for key, found in alike.items() if one_rate(found)}
        if count == _STEPS or not alike:
            break
    if count < _AT_LEAST:
        return []
    return min(alike.values(), key=lambda found: found[0].explanation.cost, default=[])


def _moves_nothing(explanation: Explanation) -> bool:
    """Whether some weights stay because the sample is zero, not because they are never updated."""
    never = {slip.layer for slip in explanation.slips if slip.cause == "weights_never_updated"}
    return any(
        fit.kind == "weights" and fit.scale == 0 and fit.layer not in never
        for fit in explanation.fits
    )


def one_rate(found: list[Judged]) -> bool:
    """Whether several steps have one learning rate in common."""
    scales = np.array([one.explanation.scale for one in found])
    return bool(np.ptp(scales) <= _SAME * np.abs(scales).max())


def _ways(
    evidence: Evidence, network: Network, step: Step, memory: Memory | None
) -> dict[Key, Judged]:
    """Every explanation of a step, by what it says and from where it takes the target."""
    found: dict[Key, Judged] = {}
    batch = step.before
    candidates = evidence.once(
        ("targets", network, step.begin, step.end),
        lambda: find_targets(
            evidence, batch, [batch], step.begin, step.end, columns=network.columns
        ),
    )
    seen = [targets for targets in candidates if targets.error_seen]
    for targets in (seen or candidates)[:_CANDIDATES]:
        for explanation in explain_every_way(network, step, batch, targets.y, memory):
            judged = Judged(network, step, batch, [batch], targets, explanation)
            if not is_telling(judged) or _moves_nothing(explanation):
                continue
            slips = tuple((slip.cause, slip.layer, slip.detail) for slip in explanation.slips)
            for place in targets.places:
                found.setdefault((place, explanation.loss, slips), judged)
    return found
