"""Whether a mended program is right: do its first steps follow the true gradient?

Only the right step is looked for, none of the wrong ones, so this is quick enough to try several
ways of mending a file.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import FoundLayer, Network, Pass, passes
from chainrule.checker.functions import KNOWN
from chainrule.checker.instrument import Place
from chainrule.checker.judged import Judged, explain_step_with_memory, readings
from chainrule.checker.process import Record
from chainrule.checker.scales import scale_of
from chainrule.checker.single_numbers import is_single
from chainrule.checker.slips import Delta, Slip, deltas_before, last_deltas
from chainrule.checker.steps import Step, batches, find_steps
from chainrule.checker.targets import find_targets
from chainrule.layer import Array

_STEPS = 2
_SINGLE_STEPS = 4  # of one sample and one output, where one step says nothing
_SAME = 1e-4

Way = tuple[str, float]  # whose gradient was followed, and how far


def is_mended(
    record: Record, places: list[Place], before: Judged, slip: Slip, old_places: list[Place]
) -> bool:
    """Whether a mended program's first steps are right.

    Parameters
    ----------
    record, places
        Of the mended program's run.
    before : Judged
        The wrong step of the program as it was.
    slip : Slip
        What was wrong with it.
    old_places : list of Place
        Of the program as it was.
    """
    network = _moved(before.network, old_places, places)
    if not record.events or network is None:
        return False
    evidence = Evidence(record, places)
    at_most = 2 * _SINGLE_STEPS + 3 * len(before.step.passes)
    steps = find_steps(evidence, network, passes(evidence, network, at_most))
    if not steps:
        return False
    explanation = before.explanation
    remembers = bool(explanation.extra) or any(fit.pull for fit in explanation.fits)
    return _all_right(evidence, network, steps, _wrong_loss(before, slip), remembers=remembers)


def _moved(network: Network, old: list[Place], new: list[Place]) -> Network | None:
    """The network with its inputs read at the same expression of the mended program."""
    place = old[network.place]
    twins = [p.number for p in old if (p.scope, p.text) == (place.scope, place.text)]
    here = [p.number for p in new if (p.scope, p.text) == (place.scope, place.text)]
    if len(here) == len(twins):
        return replace(network, place=here[twins.index(place.number)])
    return replace(network, place=here[0]) if here else None


def _wrong_loss(before: Judged, slip: Slip) -> str:
    """The loss whose gradient was followed by mistake, where that was the mistake."""
    explanation = before.explanation
    is_right = not explanation.slips
    return explanation.loss if is_right and slip.cause == "output_derivative_missing" else ""


def _all_right(
    evidence: Evidence, network: Network, steps: list[Step], not_this: str, *, remembers: bool
) -> bool:
    single = is_single(steps[0])
    ways: set[Way] | None = None
    previous: Step | None = None
    for step in steps[: _SINGLE_STEPS if single else _STEPS]:
        here = _right_ways(evidence, network, step, not_this)
        # The first step of momentum has nothing to remember yet.
        may_remember = remembers or previous is not None
        if not here and not (
            may_remember and _right_with_memory(evidence, network, step, previous)
        ):
            return False
        previous = step
        if single:
            ways = here if ways is None else _in_both(ways, here)
            if not ways:
                return False
    return True


def _in_both(some: set[Way], others: set[Way]) -> set[Way]:
    return {
        (loss, scale)
        for loss, scale in some
        if any(loss == name and abs(scale - s) <= _SAME * abs(s) for name, s in others)
    }


def _right_ways(evidence: Evidence, network: Network, step: Step, not_this: str) -> set[Way]:
    found: set[Way] = set()
    for batch, parts in batches(step):
        candidates = find_targets(
            evidence, batch, parts, step.begin, step.end, columns=network.columns
        )
        for targets in candidates[:5]:
            found |= _ways(network, step, batch, targets.y, not_this)
    return found


def _ways(network: Network, step: Step, done: Pass, y: Array, not_this: str) -> set[Way]:
    last = len(network.layers) - 1
    found: set[Way] = set()
    for output in last_deltas(network.layers[last], done, y):
        if output.slips or (not_this and output.loss == not_this):
            continue
        scale = _common_scale(network.layers, step, done, output)
        if scale is not None:
            found.add((output.loss, scale))
    return found


def _common_scale(
    layers: tuple[FoundLayer, ...], step: Step, done: Pass, output: Delta
) -> float | None:
    """The one positive c with which all parameters moved by -c times their gradient."""
    chain = right_chain(layers, done, output, step.weights)
    if chain is None:
        return None
    scales = []
    changes = zip(chain, step.weight_changes(), step.bias_changes(), strict=True)
    for number, (delta, change, bias_change) in enumerate(changes):
        pairs: list[tuple[Array, Array, Array]] = [
            (change, done.h[number].T @ delta.delta, done.weights[number])
        ]
        bias = done.biases[number]
        if bias is not None and bias_change is not None:
            summed = delta.delta.sum(axis=0, keepdims=True)
            gradient = summed.sum().reshape(1, 1) if bias_change.size == 1 else summed
            pairs.append((bias_change, gradient.reshape(bias_change.shape), bias))
        for moved, gradient, parameter in pairs:
            if gradient.shape != moved.shape:
                return None
            scale = scale_of(moved, gradient, float(np.abs(parameter).max(initial=0)))
            if scale is None or scale < 0:
                return None
            scales.append(scale)
    moving = [scale for scale in scales if scale]
    if not moving or max(moving) - min(moving) > 1e-5 * max(moving):
        return None
    return moving[0]


def right_chain(
    layers: tuple[FoundLayer, ...], done: Pass, output: Delta, after: list[Array]
) -> tuple[Delta, ...] | None:
    """The right δ of every layer, the first layer's first, from that of the last."""
    chain: tuple[Delta, ...] = (output,)
    for number in range(len(layers) - 2, -1, -1):
        if layers[number].activation not in KNOWN:
            return None
        right = (d for d in deltas_before(layers, done, number, chain, after) if not d.slips)
        following = next(right, None)
        if following is None:
            return None
        chain = (following, *chain)
    return chain


def _right_with_memory(
    evidence: Evidence, network: Network, step: Step, previous: Step | None
) -> bool:
    tried = readings(evidence, network, step)
    found = explain_step_with_memory(evidence, network, step, tried, previous, ())
    return found is not None and not found.explanation.slips
