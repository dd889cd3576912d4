"""The whole check: read, run, find the network, explain its steps, say what was found."""

from __future__ import annotations

import numpy as np

from chainrule.checker import process
from chainrule.checker.answers import answer, certificate, convention
from chainrule.checker.bias_findings import cancelled, needed_bias, unused_bias
from chainrule.checker.data_findings import with_the_samples
from chainrule.checker.evidence import Evidence
from chainrule.checker.finding_lines import finding_line
from chainrule.checker.forward import Network, Pass, find_network, passes
from chainrule.checker.instrument import Place, instrument
from chainrule.checker.judge import explained, judge
from chainrule.checker.judged import Finding, explain_step, readings
from chainrule.checker.mending import Mended, point_at
from chainrule.checker.no_network import shapes_that_do_not_fit, zeros_only
from chainrule.checker.other_findings import (
    Structural,
    after_judging,
    before_judging,
    before_the_network,
    useless_start,
)
from chainrule.checker.process import Record
from chainrule.checker.rates import rate_line
from chainrule.checker.reported_loss import Reported, other_loss
from chainrule.checker.rows_read import with_rows_read
from chainrule.checker.scene import Scene
from chainrule.checker.slips import Slip
from chainrule.checker.source import Source
from chainrule.checker.stale_outputs import updates_without_a_pass
from chainrule.checker.steps import Step, find_steps
from chainrule.checker.troubles import trouble
from chainrule.checker.verdict import Verdict

_FEW = 3
_NOT_TO_BE_DRIVEN = ("time_limit", "asks_input", "exits", "not_understood")


def check_source(source: Source) -> Verdict:
    """Check one program."""
    try:
        with np.errstate(all="ignore"):  # the learner's numbers may be anything
            return _check(source)
    except Exception as error:  # noqa: BLE001 - whatever a learner writes, there is an answer
        return Verdict(
            "unchecked",
            "The checker could not follow this file, and that is a fault of the checker "
            f"({type(error).__name__}: {error}). So there is no verdict.",
            cause="checker_failed",
        )


def _check(source: Source) -> Verdict:
    try:
        tree = source.parse()
        compile(tree, "<learner>", "exec")
    except (SyntaxError, ValueError, RecursionError) as error:
        return trouble_with_syntax(error)
    places = instrument(source.text, tree)
    first = _judge_run(source, places, process.run(source))
    if first.verdict != "unchecked" or first.cause in _NOT_TO_BE_DRIVEN:
        return first
    return _driven(source, places) or first


def _driven(source: Source, places: list[Place]) -> Verdict | None:
    """Call the learner's network with data of our own, in several layouts.

    A layout that the network was not written for gives nonsense, so the first one in which it is
    correct counts; only if there is none, the first one in which its mistake has a name.
    """
    verdicts = []
    for layout in _layouts(source.text):
        verdict = _judge_run(source, places, process.run(source, mode="drive", layout=layout))
        if verdict.verdict == "correct":
            return verdict
        if verdict.verdict == "wrong":
            verdicts.append(verdict)
    return verdicts[0] if verdicts else None


def _begin(
    evidence: Evidence, network: Network, made: list[Pass], steps: list[Step]
) -> Pass | None:
    """A pass that is known to belong to the training, not to what comes before it."""
    if steps:
        tried = readings(evidence, network, steps[0])
        if explain_step(evidence, network, steps[0], tried) is not None:
            return steps[0].before
    return made[min(_FEW, len(made) - 1)] if made else None


def _no_network(source: Source, record: Record, places: list[Place]) -> Verdict:
    found = shapes_that_do_not_fit(record, places, source) or zeros_only(record, places)
    if found is not None:
        return _structural(source, None, found)
    return trouble(record)


def _layouts(text: str) -> list[str]:
    """Layouts of the data, likeliest first."""
    if "softmax" in text.lower():
        return ["labels", "one-hot", "columns one-hot"]
    return ["column", "columns column", "flat"]


def _judge_run(source: Source, places: list[Place], record: Record) -> Verdict:
    network: Network | None = None
    if record.events:
        evidence = Evidence(with_rows_read(record, places), places)
        network = find_network(evidence)
        broadcast = before_the_network(record, places)
        if broadcast is not None:
            return _structural(source, network, broadcast, evidence)
    if network is None:
        return _no_network(source, record, places)
    made = passes(evidence, network)
    steps = find_steps(evidence, network, made)
    found = before_judging(evidence, network, made)
    if found is not None:
        return _structural(source, network, found, evidence)
    found = useless_start(evidence, network, made, _begin(evidence, network, made, steps))
    if found is not None:
        return _structural(source, network, found, evidence)
    known = explained(evidence, network, steps)
    if len(steps) < _FEW or not known:  # the program's own error may have ended it
        misfit = shapes_that_do_not_fit(record, places, source)
        if misfit is not None:
            return _structural(source, network, misfit, evidence)
    found = updates_without_a_pass(evidence, network, made)
    found = found or unused_bias(evidence, network, known)
    found = found or needed_bias(evidence, network, known)
    if found is not None:
        return _structural(source, network, found, evidence)
    finding = judge(known)
    if finding.verdict != "wrong":
        found = after_judging(
            evidence, network, made, rate_line(source, known)
        ) or with_the_samples(evidence, network, steps, known)
        if found is not None:
            return _structural(source, network, found, evidence)
    if finding.verdict == "correct":
        reported = other_loss(source, evidence, network, made, known)
        if reported is not None:
            return _other_loss(source, evidence, network, finding, reported)
    if not steps:
        return Verdict(
            "unchecked",
            f"Found a network of {len(network.layers)} layers, but saw no training step: its "
            "weights never changed while the file ran. Call the training at the end of the file.",
            cause="no_training",
        )
    return _say(source, evidence, network, finding)


def _other_loss(
    source: Source, evidence: Evidence, network: Network, finding: Finding, reported: Reported
) -> Verdict:
    """The gradient is that of a loss, but not of the one that is reported."""
    judged, last = finding.judged, len(network.layers) - 1
    assert judged is not None  # noqa: S101 - a correct finding has its step
    is_missing = reported.follows_from == "squared" and judged.explanation.loss == "cross-entropy"
    if is_missing and network.layers[-1].activation == "sigmoid":
        delta = judged.explanation.deltas[-1].delta
        slip = Slip("output_derivative_missing", last, delta, None)
        return _say(source, evidence, network, Finding("wrong", slip, judged))
    return _structural(source, network, Structural("loss_mismatch", last, reported.line))


def trouble_with_syntax(error: Exception) -> Verdict:
    """What Python cannot read."""
    line = getattr(error, "lineno", None)
    where = f"line {line}: " if line else ""
    message = getattr(error, "msg", None) or str(error)
    return Verdict(
        "unchecked",
        f"Python cannot read the file: {where}{message}. Nothing can be checked before that is "
        "mended.",
        cause="syntax_error",
        line=line,
    )


def _structural(
    source: Source, network: Network | None, found: Structural, evidence: Evidence | None = None
) -> Verdict:
    line = found.line
    if evidence is not None:
        line = finding_line(source, evidence, network, found)
    pointed = None if line is None else Mended(line, found.right_line or "", is_proved=False)
    return Verdict(
        "wrong",
        answer(source, network, found.cause, found.layer, pointed, found.words),
        cause=found.cause,
        layer=found.layer + 1,
        line=line,
        right_line=found.right_line,
    )


def _say(source: Source, evidence: Evidence, network: Network, finding: Finding) -> Verdict:
    if finding.verdict == "unchecked" or finding.judged is None:
        return Verdict(
            "unchecked",
            "Found a network and saw it train, but could not follow its arithmetic: no known step, "
            "right or wrong, gives its numbers. So there is no verdict.",
            cause="not_understood",
        )
    said = convention(network, finding)
    if finding.slip is None:
        return Verdict("correct", certificate(network, finding, said), convention=said)
    slip = cancelled(evidence, finding.judged, finding.slip)
    pointed = point_at(Scene(source, evidence, finding.judged, slip))
    words = {"factor": slip.detail.partition(" ")[2] or slip.detail, "kind": slip.detail}
    return Verdict(
        "wrong",
        answer(source, network, slip.cause, slip.layer, pointed, words),
        cause=slip.cause,
        layer=slip.layer + 1,
        line=pointed.line if pointed else None,
        right_line=(pointed.right_line or None) if pointed else None,
        convention=said,
    )
