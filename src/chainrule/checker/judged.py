"""Explains one training step: tries what its batch and its targets may have been."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from chainrule.checker.evidence import Evidence
from chainrule.checker.explain import Explanation, explain
from chainrule.checker.extras import explain_with_memory
from chainrule.checker.forward import Network, Pass
from chainrule.checker.slips import Slip
from chainrule.checker.steps import Step, batches
from chainrule.checker.targets import Targets, find_targets
from chainrule.layer import Array


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


def is_telling(found: Judged) -> bool:
    """Whether the step moved all weights, as a sample of zeros does not."""
    return not (
        found.explanation.cost == 0
        and any(fit.scale == 0 and fit.kind == "weights" for fit in found.explanation.fits)
    )


def explain_step(
    evidence: Evidence, network: Network, step: Step, *, decay: bool = False, seen: bool = False
) -> Judged | None:
    """Try every batch and target that the step may have had; the simplest explanation wins."""
    best: Judged | None = None
    best_rank = (99, True, 99)
    for order, (batch, parts) in enumerate(batches(step)):
        candidates = find_targets(
            evidence, batch, parts, step.begin, step.end, columns=network.columns
        )
        for targets in candidates[:8]:
            explanation = explain(
                network,
                step,
                batch,
                targets.y,
                decay=decay,
                seen=partial(_factor_seen, evidence, step) if seen else None,
            )
            if explanation is None:
                continue
            if seen:
                explanation = replace(
                    explanation, extra="an optimizer whose own arithmetic is left out"
                )
            rank = (explanation.cost, not targets.error_seen, order)
            if rank < best_rank:
                best, best_rank = Judged(network, step, batch, parts, targets, explanation), rank
        if best is not None and best.explanation.cost == 0:
            break
    return best


def explain_step_with_memory(
    evidence: Evidence, network: Network, step: Step, previous: Step | None
) -> Judged | None:
    """Try the right gradients with momentum and penalties."""
    for batch, parts in batches(step):
        candidates = find_targets(
            evidence, batch, parts, step.begin, step.end, columns=network.columns
        )
        for targets in candidates[:6]:
            explanation = explain_with_memory(network, step, batch, targets.y, previous)
            if explanation is not None:
                return Judged(network, step, batch, parts, targets, explanation)
    return None


def sizes(done: Pass) -> list[int]:
    """Inputs of the first layer and outputs of each: [3, 4, 1]."""
    return [done.h[0].shape[1], *(z.shape[1] for z in done.z)]


def _factor_seen(evidence: Evidence, step: Step, gradient: Array) -> float | None:
    """How many times a gradient was computed during a step, by the last expression before Adam."""
    found = evidence.find(gradient, step.begin, step.end, scaled=True)
    made = [sighting.factor for sighting in found if sighting.place.kind in ("BinOp", "Call")]
    return made[0] if made else None
