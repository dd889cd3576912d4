"""What a check of an exercise or of a bug hunt says in the end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

_EXIT_STATUS = {"correct": 0, "wrong": 1, "unchecked": 2}


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes
    ----------
    verdict : str
        "correct", "wrong" or "unchecked".
    message : str
        The whole answer in sentences.
    cause : str or None
        Name of the mistake, as "bias_forgotten"; of an unchecked file, why it was not checked.
    line : int or None
        Where in the file, from 1.
    """

    verdict: str
    message: str
    cause: str | None = None
    line: int | None = None

    @property
    def exit_status(self) -> int:
        """0 correct, 1 wrong, 2 unchecked."""
        return _EXIT_STATUS[self.verdict]

    def to_json(self) -> str:
        """One object of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def __str__(self) -> str:
        return self.message
