"""The line as it should be, in the learner's own names."""

from __future__ import annotations

from chainrule.checker.evidence import Evidence
from chainrule.checker.judged import Judged
from chainrule.checker.lines import Spot
from chainrule.checker.slips import Slip
from chainrule.checker.source import Source


def right_line(
    source: Source, evidence: Evidence, judged: Judged, slip: Slip, spot: Spot
) -> str | None:
    """Compose it, or return None where that cannot be done with certainty."""
    return None
