"""Diagnosis while training: tells a finding when it first appears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import checks
from chainrule.checks import shown
from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.report import diagnosis_of
from chainrule.diagnosis.symptom import Finding
from chainrule.errors import InvalidData, InvalidSetting
from chainrule.samples import Samples
from chainrule.training.callbacks import Callback
from chainrule.training.history import History


class Diagnose(Callback):
    """Look for what is wrong while a network trains, and tell each finding once.

    The looks read the network and change nothing: training gives the same bits with and without
    them, by either engine. A look takes some milliseconds where the network is small, and up to
    half a second; ``every=10`` takes a tenth of that. At most a few hundred of the training samples
    are passed through it.

    Parameters
    ----------
    every : int, default 1
        Epochs from one look to the next. The first is before training.
    print : callable, default print
        Gets the text of each new finding; ``print=log.warning`` writes it somewhere else.

    Attributes
    ----------
    findings : list of Finding
        All that were told, in their order; ``epochs`` says when each was.
    epochs : list of int
        The epoch after which it first appeared; 0 is before training.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = cr.data.truth_table()
    >>> same = cr.Constant(0.5)
    >>> net = cr.NeuralNetwork(
    ...     cr.Dense(4, "sigmoid", weights_initializer=same), cr.Dense(1, weights_initializer=same)
    ... )
    >>> look = cr.Diagnose(print=lambda text: None)
    >>> history = net.fit(X, y, epochs=3, callbacks=[look])
    >>> [finding.name for finding in look.findings]
    ['identical_units']
    """

    only_watches = True

    def __init__(
        self,
        *,
        every: int = 1,
        print: Callable[[str], object] = print,  # noqa: A002 - what it stands in for
    ) -> None:
        self.every = checks.whole_number("every", every)
        if not callable(print):
            raise InvalidSetting(
                f"Diagnose: print received {shown(print)}; expected a function of a text, such as "
                "print."
            )
        self.print = print
        self.findings: list[Finding] = []
        self.epochs: list[int] = []

    def take_samples(self, samples: Samples) -> None:
        """Keep the training samples, to look at some of them."""
        self._samples = samples

    def before_training(self, network: Any, history: History) -> None:
        """Look for the first time."""
        self.findings, self.epochs = [], []
        self._look(network, history)

    def after_epoch(self, network: Any, history: History) -> None:
        """Look, where it is time to."""
        if len(history.epochs["loss"]) % self.every == 0:
            self._look(network, history)

    def to_keep(self) -> dict[str, Any]:
        """What was told, and when, for a checkpoint."""
        told = [vars(finding) | {"where": list(finding.where)} for finding in self.findings]
        for finding in told:  # whose numbers may be infinite, which JSON does not know
            finding["numbers"] = {name: repr(n) for name, n in finding["numbers"].items()}
        return {"findings": told, "epochs": list(self.epochs)}

    def before_resuming(self, network: Any, history: History, kept: dict[str, Any]) -> None:
        """Remember what was told before, so that it is not told again."""
        try:
            self.findings = [_finding(told) for told in kept["findings"]]
            self.epochs = [
                checks.whole_number("epoch", epoch, at_least=0)
                for _, epoch in zip(self.findings, kept["epochs"], strict=True)
            ]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InvalidData(
                "Diagnose: what was kept of it cannot be read; expected the findings that were "
                "told, and the epoch of each."
            ) from error

    def _look(self, network: Any, history: History) -> None:
        epoch = len(history.epochs["loss"])
        told = {finding.name for finding in self.findings}
        for finding in diagnosis_of(Evidence(network, self._samples, history)):
            if finding.name not in told:
                self.findings.append(finding)
                self.epochs.append(epoch)
                when = f"After epoch {epoch}" if epoch else "Before training"
                self.print(f"{when}: {finding}")


def _finding(told: dict[str, Any]) -> Finding:
    """Read what ``to_keep`` wrote of one."""
    numbers = {str(name): float(number) for name, number in told["numbers"].items()}
    where = tuple(map(str, told["where"]))
    texts = {name: str(told[name]) for name in ("name", "title", "evidence", "why", "suggestion")}
    return Finding(where=where, numbers=numbers, **texts)
