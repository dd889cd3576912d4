"""Runs a learner's file in a process of its own, within limits, and reads what its functions give.

Its memory and its processor time are limited by the system, its time on the wall from here. It
sends numbers, never objects, and they are believed only with the run's random token.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.layer import Array
from chainrule.learner_process import learner_process

SECONDS = 10  # on the wall, and of processor time
MEGABYTES = 2048
_LARGEST_REPLY = 64 * 2**20
_CHILD = Path(__file__).with_name("child.py")

Tree = Any  # an array, or a list of trees


@dataclass(frozen=True)
class Failure:
    """An exception that ended the learner's code.

    Attributes
    ----------
    error, message : str
        Its class and what it says.
    line : int or None
        In the learner's file, from 1.
    name : str
        What was not found, where the exception says it.
    """

    error: str
    message: str
    line: int | None
    name: str = ""


@dataclass(frozen=True)
class Answer:
    """What one call gave.

    Attributes
    ----------
    value : Tree or None
        Arrays of float64, and lists of them; None when the function gave None or failed.
    failure : Failure or None
    kind : str
        What it was, where it is neither a number nor an array; otherwise empty.
    missing : bool
        The file has no such function.
    changed : bool
        The function changed the arrays it was given.
    """

    value: Tree = None
    failure: Failure | None = None
    kind: str = ""
    missing: bool = False
    changed: bool = False


@dataclass(frozen=True)
class Run:
    """What became of a file.

    Attributes
    ----------
    ended : str
        "answered", "failed" (while the file itself ran), "late" (over the time limit), "silent"
        (it ended its own process or ran out of memory).
    """

    ended: str
    answers: Sequence[Answer] = field(default_factory=tuple)
    failure: Failure | None = None


@dataclass(frozen=True)
class Generator:
    """Stands for ``np.random.default_rng(seed)`` among the arguments of a call."""

    seed: int


Call = tuple[str, Sequence[Any]]  # name of a function, and its arguments


def run(
    text: str, path: Path, calls: Sequence[Call], *, adapter: str = "", seconds: int = SECONDS
) -> Run:
    """Run a file and call functions in it.

    Parameters
    ----------
    text : str
        Python that compiles.
    path : Path
        Where it came from; modules beside it can be imported.
    calls : sequence of (str, arguments)
        Arguments are arrays, numbers, lists of them, None, or ``Generator``.
    adapter : str
        Python of our own with functions that take the learner's module before the arguments.
    seconds : int
        The limit.
    """
    token = secrets.token_hex(16)
    request = {
        "text": text,
        "path": str(path.absolute()),
        "folder": str(path.absolute().parent),
        "adapter": adapter,
        "token": token,
        "megabytes": MEGABYTES,
        "seconds": seconds,
        "calls": [
            {"function": name, "arguments": [_encode(argument) for argument in arguments]}
            for name, arguments in calls
        ],
    }
    content, status = _answer_of(json.dumps(request).encode(), seconds)
    if content is None or (hasattr(signal, "SIGXCPU") and status == -signal.SIGXCPU):
        return Run("late")
    return _decode(content, token)


def _answer_of(request: bytes, seconds: int) -> tuple[bytes | None, int | None]:
    """What the child wrote (None: nothing in time), and how it ended."""
    chunks: list[bytes] = []
    with learner_process(["-P", str(_CHILD)], request, stdout=subprocess.PIPE) as process:
        # A thread reads, because a process that got away may hold the pipe open for ever.
        reader = threading.Thread(target=_read, args=(process, chunks), daemon=True)
        reader.start()
        reader.join(seconds)
        in_time = not reader.is_alive()
        # One that has answered is given a moment to leave by itself, so that its status is its own.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    return (b"".join(chunks) if in_time else None), process.returncode


def _read(process: subprocess.Popen[bytes], chunks: list[bytes]) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for above
    with process.stdout as stream:
        size = 0
        while size < _LARGEST_REPLY and (chunk := os.read(stream.fileno(), 2**20)):
            chunks.append(chunk)
            size += len(chunk)


def _encode(argument: Any) -> Any:
    if isinstance(argument, Generator):
        return {"generator": argument.seed}
    if isinstance(argument, list | tuple):
        return [_encode(item) for item in argument]
    if isinstance(argument, np.ndarray):
        kind = "int64" if argument.dtype.kind in "iu" else "float64"
        flat = argument.ravel().tolist()
        return {"shape": list(argument.shape), "dtype": kind, "values": flat}
    return argument


def _decode(content: bytes, token: str) -> Run:
    try:
        reply = json.loads(content)
        if reply["token"] != token:
            return Run("silent")
        if reply["failure"]:
            return Run("failed", failure=Failure(**reply["failure"]))
        return Run("answered", [_answer(answer) for answer in reply["answers"]])
    except (ValueError, KeyError, TypeError):
        return Run("silent")


def _answer(reply: dict[str, Any]) -> Answer:
    if "missing" in reply:
        return Answer(missing=True)
    if "failure" in reply:
        return Answer(failure=Failure(**reply["failure"]))
    if "kind" in reply:
        return Answer(kind=str(reply["kind"]))
    return Answer(_tree(reply["value"]), changed=bool(reply["changed"]))


def _tree(value: dict[str, Any]) -> Tree:
    if value["kind"] == "nothing":
        return None
    if value["kind"] == "many":
        return [_tree(item) for item in value["items"]]
    array: Array = np.array(value["values"], np.float64).reshape(value["shape"])
    return array
