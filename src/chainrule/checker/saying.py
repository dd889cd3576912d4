"""A judgement, put into words for the learner: what is wrong, in which line, and what is right."""

from __future__ import annotations

from chainrule.checker.answers import answer, certificate, convention
from chainrule.checker.bias_findings import cancelled
from chainrule.checker.evidence import Evidence
from chainrule.checker.finding_lines import finding_line
from chainrule.checker.forward import Network
from chainrule.checker.judged import Finding
from chainrule.checker.judgement import Judgement
from chainrule.checker.mending import Mended, point_at
from chainrule.checker.other_findings import Structural
from chainrule.checker.scene import Scene
from chainrule.checker.source import Source
from chainrule.checker.verdict import Verdict


def said(source: Source, judgement: Judgement) -> Verdict:
    """Put a judgement into words."""
    evidence, network, found = judgement.evidence, judgement.network, judgement.found
    if found is None:
        return Verdict(
            "unchecked",
            f"Found a network of {len(network.layers)} layers, but saw no training step: its "
            "weights never changed while the file ran. Call the training at the end of the file.",
            cause="no_training",
        )
    if isinstance(found, Structural):
        return structural(source, network, found, evidence)
    return _say(source, evidence, network, found)


def structural(
    source: Source, network: Network | None, found: Structural, evidence: Evidence | None = None
) -> Verdict:
    """Put a finding that needs no explained step into words."""
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
