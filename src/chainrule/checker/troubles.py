"""One clear sentence for each way in which a file cannot be checked."""

from __future__ import annotations

from chainrule.checker.process import MEGABYTES, SECONDS, Record
from chainrule.checker.verdict import Verdict


def trouble(record: Record) -> Verdict:
    """Say why a run showed no network."""
    outcome = record.outcome
    line = outcome.get("line")
    where = f" (line {line})" if line else ""
    cause, sentence = _sentence(outcome, where)
    return Verdict("unchecked", sentence, cause=cause, line=line)


def _sentence(outcome: dict[str, object], where: str) -> tuple[str, str]:
    ended = outcome["ended"]
    if ended == "late":
        return "time_limit", (
            f"The file was stopped after {SECONDS} seconds without a training step to look at. "
            "Is there an endless loop before the training?"
        )
    if ended == "silent":
        return "process_ended", (
            "The file ended its own process before anything could be seen (os._exit, a crash, or "
            "too much memory). Remove what ends it and check again."
        )
    if ended in ("finished", "enough"):
        return "no_network", (
            "The file ran, but no network was seen in training: no product of inputs and weights "
            "that were updated afterwards. Call your training at the end of the file, or give the "
            "checker an adapter (docs/checker.md)."
        )
    return _of_error(str(outcome.get("error")), str(outcome.get("message")), where, outcome)


def _of_error(error: str, message: str, where: str, outcome: dict[str, object]) -> tuple[str, str]:
    if error == "MemoryError" or error.endswith("ArrayMemoryError"):
        return "memory_limit", (
            f"The file asks for more than the {MEGABYTES / 1024:g} GB it may have{where}. Make the "
            "array smaller."
        )
    if error == "SystemExit":
        return "exits", f"The file leaves with sys.exit or exit{where} before it has trained."
    if error == "InputAsked":
        return "asks_input", (
            f"The file waits for keyboard input{where}, and there is nobody to type. Put the value "
            "into the file."
        )
    if error in ("ModuleNotFoundError", "ImportError"):
        return "missing_import", (
            f"The file imports something that is not installed here{where}: {message}."
        )
    if error in ("FileNotFoundError", "IsADirectoryError", "PermissionError"):
        return "missing_file", (
            f"The file reads something that is not there{where}: {message}. Put the data beside it "
            "or make a few rows in the file itself."
        )
    if error == "RecursionError":
        return "recursion", f"A function calls itself without end{where}."
    return "raised", (
        f"The file stops with an error of its own before it has trained{where}: {error}: "
        f"{message}. Mend that first."
    )
