"""From explained steps to one finding: right, wrong with its cause, or not to be judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.explain import Explanation, explain
from chainrule.checker.extras import explain_with_memory
from chainrule.checker.forward import Network, Pass
from chainrule.checker.slips import Slip
from chainrule.checker.steps import Step, batches
from chainrule.checker.targets import Targets, find_targets

_STEPS = 4
_LOOKED_AT = 12


@dataclass(frozen=True)
class Judged:
    """A step with its explanation."""

    network: Network
    step: Step
    batch: Pass
    parts: list[Pass]
    targets: Targets
    explanation: Explanation


@dataclass(frozen=True)
class Finding:
    """What all steps together say.

    Attributes
    ----------
    verdict : str
        "correct", "wrong" or "unchecked".
    slip : Slip or None
        The mistake.
    judged : Judged or None
        The step that shows it best.
    extra : str
        Momentum and regularisation, as far as they are part of the update.
    """

    verdict: str
    slip: Slip | None = None
    judged: Judged | None = None
    extra: str = ""


def judge(evidence: Evidence, network: Network, steps: list[Step]) -> Finding:
    """Explain the first telling steps, and say what they have in common."""
    judged: list[Judged | None] = []
    memories: list[tuple[str, str]] = []
    previous: Step | None = None
    for step in steps[:_LOOKED_AT]:
        found = _explain_step(evidence, network, step)
        if found is None or found.explanation.cost:
            memory = _with_memory(evidence, network, step, previous)
            if memory is not None:
                found = memory
        previous = step
        if found is not None and not _telling(found):
            continue
        judged.append(found)
        if found is not None and found.explanation.extra:
            memories.append((found.explanation.extra, ""))
        if len(judged) == _STEPS:
            break
    known = [found for found in judged if found is not None]
    if not known:
        return Finding("unchecked")
    wrong = [found for found in known if found.explanation.cost]
    right = [found for found in known if not found.explanation.cost]
    if not wrong:
        return Finding("correct", judged=right[-1], extra=right[-1].explanation.extra)
    causes = [found.explanation.slips[0].cause for found in wrong]
    likeliest = max(set(causes), key=causes.count)
    best = next(found for found in wrong if found.explanation.slips[0].cause == likeliest)
    return Finding("wrong", best.explanation.slips[0], best)


def _telling(found: Judged) -> bool:
    """Whether the step moved all weights, as a sample of zeros does not."""
    return not (
        found.explanation.cost == 0
        and any(fit.scale == 0 and fit.kind == "weights" for fit in found.explanation.fits)
    )


def _explain_step(evidence: Evidence, network: Network, step: Step) -> Judged | None:
    best: Judged | None = None
    best_rank = (99, True, 99)
    for order, (batch, parts) in enumerate(batches(step)):
        candidates = find_targets(
            evidence, batch, parts, step.begin, step.end, columns=network.columns
        )
        for targets in candidates[:8]:
            explanation = explain(network, step, batch, targets.y)
            if explanation is None:
                continue
            rank = (explanation.cost, not targets.error_seen, order)
            if rank < best_rank:
                best, best_rank = Judged(network, step, batch, parts, targets, explanation), rank
        if best is not None and best.explanation.cost == 0:
            break
    return best


def _with_memory(
    evidence: Evidence, network: Network, step: Step, previous: Step | None
) -> Judged | None:
    for batch, parts in batches(step):
        candidates = find_targets(
            evidence, batch, parts, step.begin, step.end, columns=network.columns
        )
        for targets in candidates[:6]:
            explanation = explain_with_memory(network, step, batch, targets.y, previous)
            if explanation is not None:
                return Judged(network, step, batch, parts, targets, explanation)
    return None


def sizes(network: Network, done: Pass) -> list[int]:
    """Inputs of the first layer and outputs of each: [3, 4, 1]."""
    first = done.h[0].shape[1] - bool(network.layers[0].bias_row)
    return [first, *(z.shape[1] for z in done.z)]


def largest(values: list[np.ndarray]) -> float:
    """The largest absolute number of several arrays."""
    return max(float(np.abs(value).max()) for value in values)
