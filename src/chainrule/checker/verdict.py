"""What the checker says in the end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

EXIT_STATUS = {"correct": 0, "wrong": 1, "unchecked": 2}


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes
    ----------
    verdict : str
        "correct", "wrong" or "unchecked".
    cause : str or None
        The name of the mistake, as "early_update"; of an unchecked file, why it was not.
    layer : int or None
        Which layer, from 1.
    line : int or None
        Where in the file (of a notebook, in its code cells joined together), from 1.
    right_line : str or None
        That line as it should be, in the learner's own names.
    convention : str
        What the learner's choices were found to be: sign, scale, loss.
    message : str
        The whole answer in sentences.
    """

    verdict: str
    message: str
    cause: str | None = None
    layer: int | None = None
    line: int | None = None
    right_line: str | None = None
    convention: str = ""

    @property
    def exit_status(self) -> int:
        """0 correct, 1 wrong, 2 unchecked."""
        return EXIT_STATUS[self.verdict]

    def to_json(self) -> str:
        """One object of JSON."""
        names = ("verdict", "cause", "layer", "line", "right_line", "convention", "message")
        fields = asdict(self)
        return json.dumps({name: fields[name] for name in names}, ensure_ascii=False)

    def __str__(self) -> str:
        return self.message
