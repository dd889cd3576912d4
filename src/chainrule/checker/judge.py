"""From explained steps to one finding: right, wrong with its cause, or not to be judged."""

from __future__ import annotations

from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network
from chainrule.checker.judged import (
    Finding,
    Judged,
    explain_step,
    explain_step_with_memory,
    is_telling,
)
from chainrule.checker.single_numbers import explained_alike, is_single
from chainrule.checker.steps import Step

_STEPS = 4
_LOOKED_AT = 12


def judge(known: list[Judged]) -> Finding:
    """Say what explained steps have in common."""
    if not known:
        return Finding("unchecked")
    wrong = [found for found in known if found.explanation.cost]
    right = [found for found in known if not found.explanation.cost]
    if not wrong:
        best = next((found for found in right if found.explanation.extra), right[0])
        return Finding("correct", judged=best, extra=best.explanation.extra)
    causes = [found.explanation.slips[0].cause for found in wrong]
    likeliest = max(dict.fromkeys(causes), key=causes.count)
    best = next(found for found in wrong if found.explanation.slips[0].cause == likeliest)
    return Finding("wrong", best.explanation.slips[0], best)


def explained(evidence: Evidence, network: Network, steps: list[Step]) -> list[Judged]:
    """Explain the first steps that move all weights."""
    single = [step for step in steps[: 2 * _LOOKED_AT] if is_single(step)]
    if len(single) >= _STEPS:
        alike = explained_alike(evidence, network, single)
        if alike:
            return alike
    known: list[Judged] = []
    tried = 0
    previous: Step | None = None
    for step in steps[:_LOOKED_AT]:
        found = explain_step(evidence, network, step)
        if found is None or found.explanation.cost:
            memory = explain_step_with_memory(evidence, network, step, previous)
            found = (
                memory
                or found
                or explain_step(evidence, network, step, decay=True)
                or explain_step(evidence, network, step, seen=True)
            )
        previous = step
        if found is not None and not is_telling(found):
            continue
        tried += 1
        if found is not None:
            known.append(found)
        if tried == _STEPS:
            break
    return known
