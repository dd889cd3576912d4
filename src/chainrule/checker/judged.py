"""Explains one training step: tries what its batch and its targets may have been."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from chainrule.checker.evidence import Evidence
from chainrule.checker.explain import explain
from chainrule.checker.explanation import Explanation, Piled
from chainrule.checker.forward import Network, Pass
from chainrule.checker.memory import KINDS, Memory
from chainrule.checker.slips import Slip
from chainrule.checker.steps import Step, batches
from chainrule.checker.targets import Targets, find_targets
from chainrule.layer import Array

_TARGETS = 8

UNKNOWN_OPTIMIZER = "an optimizer whose own arithmetic is left out"


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
    """

    verdict: str
    slip: Slip | None = None
    judged: Judged | None = None


def is_telling(found: Judged) -> bool:
    """Whether the step moved all weights, as a sample of zeros does not."""
    return not (
        found.explanation.cost == 0
        and any(fit.scale == 0 and fit.kind == "weights" for fit in found.explanation.fits)
    )


def is_unexplained(found: Judged) -> bool:
    """Whether a layer moves by nothing that is known, though the others are right."""
    return any(slip.cause == "unexplained" for slip in found.explanation.slips)


@dataclass(frozen=True, eq=False)
class Reading:
    """What a step's batch may have been, and its targets, likeliest first."""

    batch: Pass
    parts: list[Pass]
    targets: list[Targets]


def readings(evidence: Evidence, network: Network, step: Step) -> list[Reading]:
    """List what a step may have been trained on."""
    return evidence.once(
        ("readings", network, step.begin, step.end), lambda: _readings(evidence, network, step)
    )


def _readings(evidence: Evidence, network: Network, step: Step) -> list[Reading]:
    return [
        Reading(
            batch,
            parts,
            find_targets(evidence, batch, parts, step.begin, step.end, columns=network.columns)[
                :_TARGETS
            ],
        )
        for batch, parts in batches(step)
    ]


def explain_step(
    evidence: Evidence,
    network: Network,
    step: Step,
    tried: list[Reading],
    *,
    memory: Memory | None = None,
    seen: bool = False,
    piled: Piled | None = None,
) -> Judged | None:
    """Try every batch and target that the step may have had; the simplest explanation wins."""
    best: Judged | None = None
    best_rank = (99, True, 99)
    for order, reading in enumerate(tried):
        for targets in reading.targets:
            explanation = explain(
                network,
                step,
                reading.batch,
                targets.y,
                memory=memory,
                seen=partial(_factor_seen, evidence, step) if seen else None,
                piled=piled,
            )
            if explanation is None:
                continue
            if seen:
                explanation = replace(explanation, extra=UNKNOWN_OPTIMIZER)
            rank = (explanation.cost, not targets.error_seen, order)
            if rank < best_rank:
                best_rank = rank
                best = Judged(network, step, reading.batch, reading.parts, targets, explanation)
        if best is not None and best.explanation.cost == 0:
            break
    return best


def explain_step_with_memory(
    evidence: Evidence,
    network: Network,
    step: Step,
    tried: list[Reading],
    previous: Step | None,
    earlier: tuple[Array, ...],
    *,
    earlier_weights: tuple[Array, ...] = (),
    piled: Piled | None = None,
) -> Judged | None:
    """Try momentum and penalties; what is right with them wins."""
    best: Judged | None = None
    likely = [_with_error_seen(reading) for reading in tried]
    kinds = [Memory(kind, previous) for kind in KINDS]
    if earlier:
        kinds.append(Memory("piled up", previous, earlier))
        kinds.append(Memory("all piled up", previous, earlier, earlier_weights))
    for memory in kinds:
        if memory.has_momentum and previous is None:
            continue
        found = explain_step(evidence, network, step, likely, memory=memory, piled=piled)
        if found and (best is None or found.explanation.cost < best.explanation.cost):
            best = found
        if best is not None and best.explanation.cost == 0:
            break
    return best


def _with_error_seen(reading: Reading) -> Reading:
    """Only targets whose difference from the output was computed, where there are any."""
    if len(reading.parts) > 1:  # sample by sample no whole difference is ever computed
        return reading
    seen = [targets for targets in reading.targets if targets.error_seen]
    return replace(reading, targets=seen or reading.targets)


def sizes(done: Pass) -> list[int]:
    """Inputs of the first layer and outputs of each: [3, 4, 1]."""
    return [done.h[0].shape[1], *(z.shape[1] for z in done.z)]


def _factor_seen(evidence: Evidence, step: Step, gradient: Array) -> float | None:
    """How many times a gradient was computed during a step, by the last expression before Adam."""
    found = evidence.find(gradient, step.begin, step.end, scaled=True)
    made = [sighting.factor for sighting in found if sighting.place.kind in ("BinOp", "Call")]
    return made[0] if made else None
