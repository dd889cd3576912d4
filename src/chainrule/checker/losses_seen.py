"""Which loss the learner's program computes, as opposed to whose gradient it follows."""

from __future__ import annotations

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.judged import Judged
from chainrule.checker.slips import Slip
from chainrule.layer import Array

_EPSILONS = (0.0, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-5)


def losses_seen(evidence: Evidence, judged: list[Judged]) -> set[str]:
    """Return "squared" and "cross-entropy", as far as they were computed in these steps."""
    seen: set[str] = set()
    for one in judged:
        y_hat, y = one.batch.output, one.targets.y
        if _is_seen(evidence, one, (y_hat - y) ** 2) or _is_seen(
            evidence, one, ((y_hat - y) ** 2).sum(axis=1, keepdims=True)
        ):
            seen.add("squared")
        for epsilon in _EPSILONS:
            with np.errstate(all="ignore"):
                logs = [np.log(y_hat + epsilon), np.log(np.clip(y_hat, epsilon, 1 - epsilon))]
                logs += [np.log(1 - y_hat + epsilon)]
                if y_hat.shape[1] > 1:
                    logs.append(np.log((y_hat * y).sum(axis=1) + epsilon))
            if any(_is_seen(evidence, one, values) for values in logs):
                seen.add("cross-entropy")
    return seen


def _is_seen(evidence: Evidence, one: Judged, values: Array) -> bool:
    if not np.isfinite(values).all():
        return False
    begin, end = one.step.begin, one.step.end
    if len(one.parts) > 1 and len(values) == one.batch.rows():
        values = values[-one.parts[-1].rows() :]
    if values.size > 1 and evidence.has(values, begin, end):
        return True
    return all(evidence.has(np.array([v]), begin, end) for v in values.reshape(-1)[:8])


def mismatch(evidence: Evidence, one: Judged, seen: set[str]) -> Slip | None:
    """Compare the loss that is computed with the one whose gradient is followed."""
    if len(seen) != 1:
        return None
    (reported,) = seen
    followed = one.explanation.loss
    if followed not in ("squared", "cross-entropy") or followed == reported:
        return None
    last = len(one.network.layers) - 1
    delta = one.explanation.deltas[-1]
    activation = one.network.layers[-1].activation
    if activation not in ("sigmoid", "softmax"):
        return None
    if reported == "squared" and activation == "sigmoid":
        return Slip("output_derivative_missing", last, delta.delta, None)
    return Slip("loss_mismatch", last, delta.delta, delta.error, "extra factor")
