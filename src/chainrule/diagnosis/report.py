"""``diagnose``: look for every symptom, and tell what was found."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any, overload

from chainrule.checks import shown
from chainrule.diagnosis.evidence import Evidence, silently
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.samples import Samples, check_inputs, check_samples
from chainrule.training.history import History


class Diagnosis(Sequence[Finding]):
    """What ``diagnose`` has found: a sequence of findings, empty when all is well.

    Printed it is text for a terminal of 80 columns; in a notebook it shows itself.

    Parameters
    ----------
    findings : sequence of Finding
    looked_for : int
        How many symptoms were looked for.
    """

    def __init__(self, findings: Sequence[Finding], looked_for: int) -> None:
        self.findings = tuple(findings)
        self.looked_for = looked_for

    def __len__(self) -> int:
        return len(self.findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return self.findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def names(self) -> list[str]:
        """The names of what was found: ``["dead_relus"]``."""
        return [finding.name for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, ready for JSON."""
        return {
            "looked_for": self.looked_for,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def __str__(self) -> str:
        return "\n\n".join([self._headline(), *map(str, self.findings)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li><b>{html.escape(found.title)}</b> ({html.escape(', '.join(found.where))})<br>"
            f"{html.escape(found.evidence)}<br><i>Why:</i> {html.escape(found.why)}<br>"
            f"<i>Try:</i> {html.escape(found.suggestion)}</li>"
            for found in self.findings
        )
        return f"<div><p>{self._headline()}</p>{items and f'<ol>{items}</ol>'}</div>"

    def _headline(self) -> str:
        count = len(self.findings)
        if not count:
            return f"Diagnosis: nothing found ({self.looked_for} conditions looked for)."
        return f"Diagnosis: {count} finding{'s' if count > 1 else ''}."


def diagnose(
    network: Any,
    x: Any,
    y: Any,
    *,
    history: History | None = None,
    sample_weight: Any = None,
    columns: Sequence[str] = (),
) -> Diagnosis:
    """Look for what is wrong with a training: gradients, units, steps, data.

    It looks at a few hundred of the samples and changes nothing.

    Parameters
    ----------
    network : NeuralNetwork
        Before, during or after training; also one that is not built yet.
    x, y, sample_weight : array_like
        What it is trained on, as for ``fit``.
    history : History, optional
        What ``fit`` has returned. Without it nothing can be said about the loss curve: bouncing,
        rising, overfitting.
    columns : sequence of str, optional
        What the columns of x are called; without it findings number them, from 0.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InvalidInput
        As ``fit`` does, for data that do not fit the network or the loss.
    """
    if history is not None and not isinstance(history, History):
        raise InvalidSetting(
            f"history received {shown(history)}; expected what fit has returned, a History."
        )
    samples = checked_samples(network, x, y, sample_weight)
    if len(columns) and samples.x.shape[1:] != (len(columns),):
        raise InvalidShape(
            f"columns holds {len(columns)} names; expected one for each column of x, whose shape "
            f"is {samples.x.shape}."
        )
    return diagnosis_of(Evidence(network, samples, history, list(columns)))


@silently
def diagnosis_of(evidence: Evidence) -> Diagnosis:
    """Look for every symptom that is defined."""
    names = Symptom.names()
    found = [Symptom.get(name).look(evidence) for name in names]
    return Diagnosis([finding for finding in found if finding is not None], len(names))


def checked_samples(network: Any, x: Any, y: Any, sample_weight: Any) -> Samples:
    """Check samples for a network that need not be built.

    Raises
    ------
    InvalidData, InvalidShape
    """
    inputs = check_inputs(x, network.input_shape, network.dtype, "This network")
    shape = inputs.shape[1:]
    built = network if network.is_built else network.copy().build(shape)
    return check_samples(inputs, y, sample_weight, network.loss, built.output_shape)
