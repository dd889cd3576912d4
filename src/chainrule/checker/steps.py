"""Training steps in a record: parameters before, what was computed, parameters after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network, Pass, parameter_paths, split
from chainrule.checker.paths import Path
from chainrule.layer import Array


@dataclass
class Step:
    """One update of the parameters.

    Attributes
    ----------
    passes : list of Pass
        The forward passes that were made with the parameters as they stood before it.
    weights, biases : list of ndarray or None
        The same parameters after it, as (inputs, outputs) and (1, outputs).
    begin, end : int
        Events between which it happened.
    """

    passes: list[Pass]
    weights: list[Array]
    biases: list[Array | None]
    begin: int
    end: int

    @property
    def before(self) -> Pass:
        """The pass whose parameters the step starts from."""
        return self.passes[0]

    def weight_changes(self) -> list[Array]:
        """After less before, for each layer's W."""
        return [
            after - before for after, before in zip(self.weights, self.before.weights, strict=True)
        ]

    def bias_changes(self) -> list[Array | None]:
        """After less before, for each layer's b."""
        return [
            None if after is None or before is None else after - before
            for after, before in zip(self.biases, self.before.biases, strict=True)
        ]

    def keeps_shapes(self) -> bool:
        """Whether it is a step at all, and not another network in the same variables."""
        pairs = [*zip(self.weights, self.before.weights, strict=True)]
        return all(after.shape == before.shape for after, before in pairs) and all(
            (after is None) == (before is None)
            and (after is None or before is None or after.shape == before.shape)
            for after, before in zip(self.biases, self.before.biases, strict=True)
        )

    def changed(self) -> bool:
        """Whether any parameter moved."""
        changes = [*self.weight_changes(), *self.bias_changes()]
        return any(change is not None and bool(change.any()) for change in changes)


def find_steps(evidence: Evidence, network: Network, passes: list[Pass]) -> list[Step]:
    """Put passes with the same parameters together; the next ones tell what the step did."""
    groups: list[list[Pass]] = []
    for done in passes:
        if groups and _same_parameters(groups[-1][-1], done):
            groups[-1].append(done)
        else:
            groups.append([done])
    steps = []
    for number, group in enumerate(groups):
        if number + 1 < len(groups):
            following = groups[number + 1][0]
            steps.append(
                Step(group, following.weights, following.biases, group[0].event, following.event)
            )
        else:
            after = _after_first_change(evidence, network, group)
            if after is not None:
                steps.append(after)
    return [step for step in steps if step.keeps_shapes() and step.changed()]


def _same_parameters(one: Pass, other: Pass) -> bool:
    pairs = [*zip(one.weights, other.weights, strict=True)]
    pairs += [
        (a, b)
        for a, b in zip(one.biases, other.biases, strict=True)
        if a is not None and b is not None
    ]
    return all(a.shape == b.shape and bool((a == b).all()) for a, b in pairs)


def _after_first_change(evidence: Evidence, network: Network, group: list[Pass]) -> Step | None:
    """Read the last step off the variables: it ends where one would be changed a second time."""
    parameters = parameter_paths(network)
    begin = group[-1].event
    times = change_times(evidence, parameters, begin)
    changed: set[Path] = set()
    end = None
    for at, path in times:
        if path in changed:
            break
        changed.add(path)
        end = at
    if end is None:
        return None
    arrays = evidence.arrays(end)
    if not parameters <= set(arrays):
        return None
    try:
        pairs = [split(layer, arrays) for layer in network.layers]
        weights, biases = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        step = Step(group, weights, biases, group[0].event, end)
        step.changed()
    except ValueError:  # shapes that a step should not change
        return None
    return step


def change_times(evidence: Evidence, parameters: set[Path], begin: int) -> list[tuple[int, Path]]:
    """When which parameter changed after an event, in order."""
    found = []
    for at, number, value, _ in evidence.record.changes:
        path = evidence.record.paths[number]
        if at > begin and value >= 0 and path in parameters:
            found.append((at, path))
    return found


def stacked(passes: list[Pass]) -> Pass:
    """Several passes with the same parameters as one pass over all their samples."""
    if len(passes) == 1:
        return passes[0]
    first = passes[0]
    return Pass(
        first.event,
        [np.vstack(parts) for parts in zip(*(p.h for p in passes), strict=True)],
        first.weights,
        first.biases,
        [np.vstack(parts) for parts in zip(*(p.z for p in passes), strict=True)],
        [np.vstack(parts) for parts in zip(*(p.a for p in passes), strict=True)],
    )


def batches(step: Step) -> list[tuple[Pass, list[Pass]]]:
    """What the step's batch may have been, likeliest first, with the passes it is made of."""
    last, first = step.passes[-1], step.passes[0]
    choices = [(last, [last])]
    if len(step.passes) > 1:
        distinct: list[Pass] = []
        for done in step.passes:
            if not any(
                done.h[0].shape == other.h[0].shape and same(done.h[0], other.h[0])
                for other in distinct
            ):
                distinct.append(done)
        choices.append((first, [first]))
        choices.append((stacked(step.passes), step.passes))
        if 1 < len(distinct) < len(step.passes):
            choices.append((stacked(distinct), distinct))
    return choices
