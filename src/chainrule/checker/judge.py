"""From explained steps to one finding: right, wrong with its cause, or not to be judged."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import takewhile

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.explanation import Piled
from chainrule.checker.forward import Network
from chainrule.checker.judged import (
    UNKNOWN_OPTIMIZER,
    Finding,
    Judged,
    Reading,
    explain_step,
    explain_step_with_memory,
    is_telling,
    is_unexplained,
    readings,
)
from chainrule.checker.memory import KINDS
from chainrule.checker.single_numbers import explained_alike, is_single, one_rate
from chainrule.checker.slips import Slip
from chainrule.checker.stale_outputs import explain_by_an_earlier_pass
from chainrule.checker.steps import Step
from chainrule.layer import Array

_STEPS = 4
_LOOKED_AT = 12
_GROWTH = 100.0
_SECONDS = 2.0  # of processor time for explanations, once there is one
_SECONDS_FOR_ONE = 4.0


def judge(known: list[Judged]) -> Finding:
    """Say what explained steps have in common."""
    if not known:
        return Finding("unchecked")
    exact = [found for found in known if found.explanation.extra != UNKNOWN_OPTIMIZER]
    if any(not found.explanation.cost for found in exact):  # then the optimizer is known
        known = exact
    wrong = [found for found in known if found.explanation.cost]
    right = [found for found in known if not found.explanation.cost]
    if len(wrong) <= 0.25 * len(known):  # a mistake shows in every step; chance does not
        best = next((found for found in right if found.explanation.extra), right[0])
        return Finding("correct", judged=best)
    causes = [found.explanation.slips[0].cause for found in wrong]
    likeliest = max(dict.fromkeys(causes), key=causes.count)
    best = next(found for found in wrong if found.explanation.slips[0].cause == likeliest)
    return Finding("wrong", _renamed(best, best.explanation.slips[0]), best)


def _renamed(judged: Judged, slip: Slip) -> Slip:
    """A hidden layer without an activation, but with a derivative of one, has lost it forward."""
    layers = judged.network.layers
    lost = layers[slip.layer].activation == "identity" and slip.layer + 1 < len(layers)
    if slip.cause == "other_activation_derivative" and lost:
        return replace(slip, cause="forward_through_z", layer=slip.layer + 1)
    return slip


def _before_running_away(steps: list[Step]) -> list[Step]:
    """Steps up to the first whose numbers have exploded: rounding hides what those compute."""
    if not steps:
        return steps
    largest = _GROWTH * max(_size(steps[0]), 1.0)
    return list(takewhile(lambda step: _size(step) <= largest, steps))


def _size(step: Step) -> float:
    size = max(float(np.abs(weights).max()) for weights in step.before.weights)
    return size if np.isfinite(size) else np.inf


def explained(evidence: Evidence, network: Network, steps: list[Step]) -> list[Judged]:
    """Explain the first steps that move all weights."""
    steps = _before_running_away(steps)
    single = [step for step in steps[: 2 * _LOOKED_AT] if is_single(step)]
    if len(single) >= _STEPS:
        for kind in ("", *KINDS):
            alike = explained_alike(evidence, network, single, kind)
            if alike:
                return alike
    known: list[Judged] = []
    tried = 0
    earlier: tuple[Array, ...] = ()
    latest: Judged | None = None
    begun = time.thread_time()
    for number, step in enumerate(steps[:_LOOKED_AT]):
        found = latest = _explain(evidence, network, step, steps[:number], earlier, latest)
        earlier = _added(earlier, found, is_first=number == 0)
        if found is not None and not is_telling(found):
            continue
        tried += 1
        if found is not None:
            known.append(found)
        seconds = time.thread_time() - begun
        if tried == _STEPS or seconds > (_SECONDS if known else _SECONDS_FOR_ONE):
            break
    # What holds for a few steps only is no explanation, nor is another rate in each of them.
    varies = len(single) >= _STEPS and len(known) > 0 and not one_rate(known)
    return known if 2 * len(known) > tried and not varies else []


def _added(
    earlier: tuple[Array, ...], found: Judged | None, *, is_first: bool
) -> tuple[Array, ...]:
    """Add a step's gradients to the sum of all before it; nothing once one is not known."""
    if found is None or not (earlier or is_first):
        return ()
    if any(slip.cause != "gradients_not_reset" for slip in found.explanation.slips):
        return ()
    fits = [fit for fit in found.explanation.fits if fit.kind == "weights"]
    gradients = [fit.gradient for fit in sorted(fits, key=lambda fit: fit.layer)]
    if is_first:
        return tuple(gradients)
    return tuple(total + new for total, new in zip(earlier, gradients, strict=True))


def _explain(
    evidence: Evidence,
    network: Network,
    step: Step,
    before: list[Step],
    earlier: tuple[Array, ...],
    latest: Judged | None,
) -> Judged | None:
    """Explain a step by its gradient alone, with momentum and penalties, or by what was seen."""
    tried = readings(evidence, network, step)
    plain = explain_step(evidence, network, step, tried)
    if plain is not None and not plain.explanation.cost:
        return plain
    memory = _with_memory(evidence, network, step, tried, before, earlier)
    found = [one for one in (plain, memory) if one is not None]
    known = [one for one in found if not is_unexplained(one)]
    known = known or _piled_up(evidence, network, step, tried, before, earlier, latest)
    if known:
        return min(known, key=lambda one: one.explanation.cost)
    stale = explain_by_an_earlier_pass(evidence, network, step, before)
    if stale is not None:
        return stale
    return explain_step(evidence, network, step, tried, seen=True) or next(iter(found), None)


def _with_memory(
    evidence: Evidence,
    network: Network,
    step: Step,
    tried: list[Reading],
    before: list[Step],
    earlier: tuple[Array, ...],
) -> Judged | None:
    """Explain a step with momentum and penalties, also where all gradients pile up."""
    previous = before[-1] if before else None
    summed = tuple(
        np.sum(weights, axis=0)
        for weights in zip(*(one.before.weights for one in before), strict=True)
    )
    return explain_step_with_memory(
        evidence, network, step, tried, previous, earlier, earlier_weights=summed
    )


def _piled_up(
    evidence: Evidence,
    network: Network,
    step: Step,
    tried: list[Reading],
    before: list[Step],
    earlier: tuple[Array, ...],
    latest: Judged | None,
) -> list[Judged]:
    """Explain a step with δ or gradients of earlier steps still in its own."""
    if latest is None or any(
        slip.cause != "gradients_not_reset" for slip in latest.explanation.slips
    ):
        return []
    piled, previous = Piled(latest.explanation.deltas, earlier), before[-1]
    ways = (
        explain_step(evidence, network, step, tried, piled=piled),
        explain_step_with_memory(evidence, network, step, tried, previous, (), piled=piled),
    )
    return [one for one in ways if one is not None and not is_unexplained(one)]
