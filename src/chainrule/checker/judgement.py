"""What one reading of a run comes to: a structural finding, an explained step, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.checker.bias_findings import needed_bias, unused_bias
from chainrule.checker.data_findings import with_the_samples
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network, Pass, passes
from chainrule.checker.instrument import Place
from chainrule.checker.judge import explained, judge
from chainrule.checker.judged import Finding, Judged, explain_step, readings
from chainrule.checker.no_network import shapes_that_do_not_fit
from chainrule.checker.other_findings import (
    Structural,
    after_judging,
    before_judging,
    useless_start,
)
from chainrule.checker.process import Record
from chainrule.checker.rates import rate_line
from chainrule.checker.reported_loss import Reported, other_loss
from chainrule.checker.slips import Slip
from chainrule.checker.source import Source
from chainrule.checker.stale_outputs import updates_without_a_pass
from chainrule.checker.steps import Step, find_steps

_FEW = 3


@dataclass(frozen=True)
class Judgement:
    """A network, and what was found of it.

    Attributes
    ----------
    evidence : Evidence
    network : Network
    found : Structural, Finding or None
        None where no training step was seen.
    """

    evidence: Evidence
    network: Network
    found: Structural | Finding | None

    @property
    def verdict(self) -> str:
        """Correct, wrong or unchecked."""
        if self.found is None:
            return "unchecked"
        return self.found.verdict if isinstance(self.found, Finding) else "wrong"


def judgement(
    source: Source, places: list[Place], record: Record, evidence: Evidence, network: Network
) -> Judgement:
    """Judge a run, read as that of a network."""
    made = passes(evidence, network)
    steps = find_steps(evidence, network, made)
    found: Structural | Finding | None = _before_explaining(evidence, network, made, steps)
    if found is None:
        known = explained(evidence, network, steps)
        if len(steps) < _FEW or not known:  # the program's own error may have ended it
            found = shapes_that_do_not_fit(record, places, source)
        found = found or updates_without_a_pass(evidence, network, made)
        found = found or unused_bias(evidence, network, known)
        found = found or needed_bias(evidence, network, known)
        found = found or _of_steps(source, evidence, network, made, steps, known)
    return Judgement(evidence, network, found)


def _before_explaining(
    evidence: Evidence, network: Network, made: list[Pass], steps: list[Step]
) -> Structural | None:
    return before_judging(evidence, network, made) or useless_start(
        evidence, network, made, _begin(evidence, network, made, steps)
    )


def _of_steps(
    source: Source,
    evidence: Evidence,
    network: Network,
    made: list[Pass],
    steps: list[Step],
    known: list[Judged],
) -> Structural | Finding | None:
    finding = judge(known)
    found: Structural | Finding | None = None
    if finding.verdict != "wrong":
        found = after_judging(
            evidence, network, made, rate_line(source, known)
        ) or with_the_samples(evidence, network, steps, known)
    if found is None and finding.verdict == "correct":
        reported = other_loss(source, evidence, network, made, known)
        found = _other_loss(network, finding, reported) if reported else None
    if found is None and steps:
        found = finding
    return found


def _begin(
    evidence: Evidence, network: Network, made: list[Pass], steps: list[Step]
) -> Pass | None:
    """A pass that is known to belong to the training, not to what comes before it."""
    if steps:
        tried = readings(evidence, network, steps[0])
        if explain_step(evidence, network, steps[0], tried) is not None:
            return steps[0].before
    return made[min(_FEW, len(made) - 1)] if made else None


def _other_loss(network: Network, finding: Finding, reported: Reported) -> Structural | Finding:
    """The gradient is that of a loss, but not of the one that is reported."""
    judged, last = finding.judged, len(network.layers) - 1
    assert judged is not None  # noqa: S101 - a correct finding has its step
    is_missing = reported.follows_from == "squared" and judged.explanation.loss == "cross-entropy"
    if is_missing and network.layers[-1].activation == "sigmoid":
        delta = judged.explanation.deltas[-1].delta
        return Finding("wrong", Slip("output_derivative_missing", last, delta, None), judged)
    return Structural("loss_mismatch", last, reported.line)
