"""Whether the penalty in a reported loss has the sign that the gradient says.

An update that pulls the weights towards zero makes loss + λ/2 Σ w² smaller. Wherever the program
computes a Σ w² on its way to that loss, the number is nudged: the loss must go up with it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.checker.derivatives import Measured
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import FoundLayer, Network
from chainrule.checker.judged import Judged
from chainrule.checker.paths import Path
from chainrule.checker.process import run_nudged
from chainrule.checker.source import Source
from chainrule.layer import Array

_BEFORE = 400  # events in which a loss is computed
_LATEST = 2  # losses to look at: a penalty is added last
_SHARE = 1e-3  # of the sum, by which it is nudged
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class _Nudged:
    """One loss, and where a sum of squared weights was computed on its way."""

    event: int
    sums: list[int]


def penalty_taken_away(
    source: Source, evidence: Evidence, network: Network, right: list[Judged], seen: list[Measured]
) -> int | None:
    """The line in which a penalty is taken from a loss, though the weights are pulled to zero.

    ``seen`` are reported numbers that move with the outputs as the loss does that is followed.
    """
    pulls = [fit.pull for judged in right for fit in judged.explanation.fits]
    if not any(pulls):
        return None
    chosen = [
        _Nudged(one.event, sums)
        for one in sorted(seen, key=lambda one: one.event)[-_LATEST:]
        for sums in _sums_of_squares(evidence, network, one)
    ]
    nudges = [
        {
            "events": one.sums,
            "nudge": [_SHARE * float(evidence.value(one.sums[0]))],
            "stop": one.event + 1,
            "chosen": [one.event],
        }
        for one in chosen
    ]
    answers = run_nudged(source, evidence.record, nudges) if nudges else []
    lines = [
        _first_fall(evidence, answer, one)
        for one, answer in zip(chosen, answers, strict=True)
        if answer is not None and _falls(evidence, answer, one.event)
    ]
    return next(iter(lines), None)


def _sums_of_squares(evidence: Evidence, network: Network, one: Measured) -> list[list[int]]:
    """Where Σ w² of each layer was computed, with the weights of the pass or as they are later."""
    begin = max(min(one.event - _BEFORE, one.look.done.event), 0)
    found = []
    for arrays in (evidence.arrays(one.look.done.event), evidence.arrays(one.event)):
        for layer in network.layers:
            for total in _squares(layer, arrays):
                sums = evidence.find(np.array(total), begin, one.event)
                made = [seen.event for seen in sums if seen.place.kind in ("Call", "BinOp")]
                found += [made] if made else []
    return found


def _squares(layer: FoundLayer, arrays: dict[Path, Array]) -> list[float]:
    """Σ w² of a layer's W, whole and but for the row of biases that stands in it."""
    whole = arrays.get(layer.weights)
    if whole is None or whole.ndim != 2:
        return []
    parts = [whole, whole[1:], whole[:-1], whole[:, 1:], whole[:, :-1]]
    return [float((part**2).sum()) for part in (parts if layer.bias_row else parts[:1])]


def _falls(evidence: Evidence, answer: dict[str, Any], event: int) -> bool:
    """Whether a loss goes down when a sum of squared weights goes up."""
    numbers = answer["chosen"].get(str(event))
    value = float(evidence.value(event).reshape(-1)[0])
    return numbers is not None and numbers[0] < value - _ROUNDING * max(abs(value), 1.0)


def _first_fall(evidence: Evidence, answer: dict[str, Any], one: _Nudged) -> int:
    """The line of the first number above zero that goes down instead of up."""
    for event, place, value in answer["single"]:
        before = float(evidence.value(event).reshape(-1)[0])
        if event not in one.sums and value < before - _ROUNDING * max(abs(before), 1.0):
            return _taken(evidence, place)
    return evidence.place(one.event).line


def _taken(evidence: Evidence, place: int) -> int:
    """The line of a number; of a name, the nearest one above that takes something from it."""
    name = evidence.places[place]
    taking = [
        other.line
        for other in evidence.places
        if isinstance(other.node, ast.AugAssign)
        and isinstance(other.node.op, ast.Sub)
        and ast.unparse(other.node.target) == name.text
        and other.scope == name.scope
        and other.line < name.line
    ]
    return max(taking, default=name.line)
