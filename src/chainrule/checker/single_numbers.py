"""Networks with one output that learn from one sample at a time.

Their δ is a single number, and any factor missing from it looks like another learning rate. One
step says nothing then, but several do: only with the right factors is the rate the same in all.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.explain import explain_every_way
from chainrule.checker.forward import Network
from chainrule.checker.judged import Judged, is_telling
from chainrule.checker.steps import Step
from chainrule.checker.targets import find_targets

_STEPS = 6
_SAME = 1e-4
_CANDIDATES = 12

Key = tuple[int, str, tuple[tuple[str, int, str], ...]]


def is_single(step: Step) -> bool:
    """Whether a step's batch has one sample and one output."""
    return len(step.passes) == 1 and step.before.output.size == 1


def explained_alike(evidence: Evidence, network: Network, steps: list[Step]) -> list[Judged]:
    """Explain several steps by one and the same thing, with one learning rate; else nothing."""
    ways: dict[Key, list[Judged]] = defaultdict(list)
    count = 0
    for step in steps:
        here = _ways(evidence, network, step)
        if not here:
            continue
        for key, judged in here.items():
            ways[key].append(judged)
        count += 1
        if count == _STEPS:
            break
    if count < 3:
        return []
    alike = [found for found in ways.values() if len(found) == count and _one_rate(found)]
    if not alike:
        return []
    return min(alike, key=lambda found: found[0].explanation.cost)


def _one_rate(found: list[Judged]) -> bool:
    scales = np.array([one.explanation.fits[0].scale for one in found])
    return bool(np.ptp(scales) <= _SAME * np.abs(scales).max())


def _ways(evidence: Evidence, network: Network, step: Step) -> dict[Key, Judged]:
    """Every explanation of a step, by what it says and from where it takes the target."""
    found: dict[Key, Judged] = {}
    batch = step.before
    candidates = find_targets(
        evidence, batch, [batch], step.begin, step.end, columns=network.columns
    )
    for targets in candidates[:_CANDIDATES]:
        for explanation in explain_every_way(network, step, batch, targets.y):
            judged = Judged(network, step, batch, [batch], targets, explanation)
            if not is_telling(judged):
                continue
            slips = tuple((slip.cause, slip.layer, slip.detail) for slip in explanation.slips)
            for place in targets.places:
                found.setdefault((place, explanation.loss, slips), judged)
    return found
