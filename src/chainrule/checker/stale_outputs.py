"""Gradients from the outputs of an earlier forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chainrule.checker.evidence import Evidence
from chainrule.checker.explain import explain
from chainrule.checker.forward import Network, Pass, forward, parameter_paths
from chainrule.checker.judged import Judged
from chainrule.checker.memory import Memory
from chainrule.checker.other_findings import Structural
from chainrule.checker.slips import Slip
from chainrule.checker.steps import Step, change_times, stacked
from chainrule.checker.targets import find_targets
from chainrule.layer import Array

_UPDATES = 3


def explain_by_an_earlier_pass(
    evidence: Evidence, network: Network, step: Step, earlier: list[Step]
) -> Judged | None:
    """Try the first pass of all, and the one before, with the weights as they are now."""
    previous = earlier[-1] if earlier else None
    for mixed, parts in _mixed(step, earlier):
        targets = find_targets(
            evidence, mixed, parts, step.begin, step.end, columns=network.columns
        )
        for one in targets[:3]:
            for memory in (None, Memory("momentum", previous)):
                found = explain(network, step, mixed, one.y, memory=memory)
                if found is not None and not found.cost:
                    slip = Slip("stale_output", len(network.layers) - 1)
                    found = replace(found, slips=(slip,))
                    return Judged(network, step, mixed, parts, one, found)
    return None


def _mixed(step: Step, earlier: list[Step]) -> Iterator[tuple[Pass, list[Pass]]]:
    """Passes with the weights as they are and numbers of an earlier one, and their parts."""
    now = step.passes[-1]
    for old in [*earlier[:1], *earlier[-1:]]:
        then = old.passes[-1]
        if now.h[0].shape == then.h[0].shape:
            mixed = Pass(now.event, then.h, now.weights, now.biases, then.z, then.a)
            yield mixed, [mixed]
            z, a = [*now.z[:-1], then.z[-1]], [*now.a[:-1], then.a[-1]]
            mixed = Pass(now.event, now.h, now.weights, now.biases, z, a)
            yield mixed, [mixed]
    if len(step.passes) > _UPDATES:  # each sample with the outputs of the one before
        inputs, outputs = stacked(step.passes[1:]), stacked(step.passes[:-1])
        h = [inputs.h[0], *outputs.h[1:]]
        mixed = Pass(now.event, h, now.weights, now.biases, outputs.z, outputs.a)
        yield mixed, step.passes[:-1]


def updates_without_a_pass(
    evidence: Evidence, network: Network, passes: list[Pass]
) -> Structural | None:
    """Several updates after one forward pass, with none for the new weights in between."""
    if evidence.number_by_number:  # each number is a change of its own there
        return None
    last = len(network.layers) - 1
    borders = [done.event for done in passes[1:]] + [len(evidence.events)]
    for done, border in zip(passes[:2], borders, strict=False):
        times = change_times(evidence, {network.layers[last].weights}, done.event)
        updates = [at for at, _ in times if at < border]
        if len(updates) < _UPDATES:
            continue
        ends = [*updates[1:_UPDATES], border]
        x = evidence.value(done.event)
        if any(
            _passed_with(evidence, network, x, at, end)
            for at, end in zip(updates, ends, strict=False)
        ):
            continue
        changes = [c for c in evidence.record.changes if c[0] == updates[0] and c[3] >= 0]
        line = evidence.places[changes[0][3]].line if changes else None
        return Structural("stale_output", last, line)
    return None


def _passed_with(evidence: Evidence, network: Network, x: Array, begin: int, end: int) -> bool:
    """Whether x was passed through the network as it stood at any time between two updates.

    All parameters move one after the other, so the network of one step stands for a while only.
    """
    times = change_times(evidence, parameter_paths(network), begin - 1)
    for at in dict.fromkeys(at for at, _ in times if at < end):
        new = forward(network, evidence.arrays(at), x, at)
        if new is None or evidence.has(new.z[-1], at, end):
            return True
    return False
