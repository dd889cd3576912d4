"""Runs a learner's program in a process of its own, within limits, and reads its record.

Its memory and processor time are limited by the system, its time on the wall by the parent. It
sends numbers through a private pipe, never objects, and they are believed only with the run's
random token.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import struct
import subprocess
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.checker.source import Source
from chainrule.layer import Array
from chainrule.learner_process import learner_process

SECONDS = 8  # on the wall, and of processor time
MEGABYTES = 2048
_LARGEST_RECORD = 256 * 2**20


@dataclass
class Record:
    """What a run left behind.

    Attributes
    ----------
    outcome : dict
        "ended": "finished", "enough" (watched long enough), "failed" (with "error", "message",
        "line"), "silent" (killed, or it left by a back door), "late" (over the time limit).
    events : ndarray of int (events, 2)
        Place and value of each expression, in order.
    changes : list of (int, int, int, int)
        From this event on, the variable of this path has this value; noticed after this place.
    values : list of ndarray
        The pool that values point into.
    paths : list of tuple
        How the learner's program reaches a variable: ("train()", "self", ".weights").
    warnings : list of (int, str)
        Line and text of what NumPy or Python warned about.
    aliases : list of int
        Paths of arrays that stand under a second name beside the first.
    shared : list of (int, int)
        Pairs of paths whose numbers lay in the same memory, more than twice.
    how : dict
        What to ask for to see the same run again.
    """

    outcome: dict[str, Any]
    events: list[tuple[int, int]] = field(default_factory=list)
    changes: list[tuple[int, int, int, int]] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)
    paths: list[tuple[str | int, ...]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    aliases: list[int] = field(default_factory=list)
    shared: list[tuple[int, int]] = field(default_factory=list)
    how: dict[str, Any] = field(default_factory=dict)


def run(source: Source, *, mode: str = "run", seed: int = 0, **options: Any) -> Record:
    """Run a program and return its record."""
    how = {"mode": mode, "seed": seed, **options}
    token = secrets.token_hex(16)
    content = _converse(source, {**how, "token": token})
    record = Record({"ended": "late"}) if content is None else _decode(content, token)
    record.how = how
    return record


def run_nudged(
    source: Source, record: Record, nudges: list[dict[str, Any]]
) -> list[dict[str, Any] | None]:
    """Run a program again as in ``record``, once for each nudge (see nudging.py).

    A nudge has the "events" to change, the numbers to add ("nudge"), the event at which to "stop",
    and events whose values are wanted ("chosen"). None stands for a run that failed.
    """
    token = secrets.token_hex(16)
    content = _converse(source, {**record.how, "token": token, "nudges": nudges})
    try:
        answer = json.loads(content or b"")
        found: list[dict[str, Any] | None] = answer["answers"]
        return found if answer["token"] == token else [None] * len(nudges)
    except (ValueError, KeyError, TypeError):
        return [None] * len(nudges)


def run_versions(
    source: Source, record: Record, versions: list[str], stop: int
) -> Generator[Record, None, None]:
    """Run other versions of a program as in ``record``, each until so many events were seen.

    The records come as they are ready, in the order of the versions. All of them together have the
    time of one run; those that are not asked for are not run to their end.
    """
    token = secrets.token_hex(16)
    request = {**record.how, "token": token, "versions": versions, "stop": stop}
    deadline = time.monotonic() + SECONDS
    with _child(source, request) as (_, reading):
        while header := _read(reading, deadline, 8):
            if len(header) < 8:
                return
            (length,) = struct.unpack("<Q", header)
            content = _read(reading, deadline, min(length, _LARGEST_RECORD))
            if content is None:
                return
            yield _decode(content, token)


def _converse(source: Source, request: dict[str, Any]) -> bytes | None:
    """Give a request to a process of its own; return what it sends, None if it is late."""
    with _child(source, request) as (process, reading):
        content = _read(reading, time.monotonic() + SECONDS, _LARGEST_RECORD)
    return content if process.returncode != -signal.SIGXCPU else None


@contextlib.contextmanager
def _child(
    source: Source, request: dict[str, Any]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that answers a request, and the descriptor to read its answer from."""
    request = {
        "text": source.text,
        "path": str(source.path.absolute()),
        "folder": str(source.path.absolute().parent),
        "megabytes": MEGABYTES,
        "seconds": SECONDS,
        "watch": 1.0,
        **request,
    }
    reading, writing = os.pipe()
    command = ["-m", "chainrule.checker.child", str(writing)]
    try:
        with learner_process(
            command,
            json.dumps(request).encode(),
            stdout=subprocess.DEVNULL,
            pass_fds=(writing,),
        ) as process:
            os.close(writing)
            yield process, reading
    finally:
        os.close(reading)


def _read(descriptor: int, deadline: float, at_most: int) -> bytes | None:
    """Read until the other side closes or so many bytes are there; None if that is late."""
    chunks: list[bytes] = []
    missing = at_most
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while missing:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not selector.select(left):
                continue
            chunk = os.read(descriptor, min(missing, 2**20))
            if not chunk:
                break
            chunks.append(chunk)
            missing -= len(chunk)
    return b"".join(chunks)


def _decode(content: bytes, token: str) -> Record:
    try:
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        if header["token"] != token:
            return Record({"ended": "silent"})
        values = []
        at = 8 + length
        for shape in header["shapes"]:
            count = int(np.prod(shape, dtype=int))
            values.append(np.frombuffer(content, np.float64, count, at).reshape(shape))
            at += 8 * count
        return Record(
            header["outcome"],
            [tuple(event) for event in header["events"]],
            [tuple(change) for change in header["changes"]],
            values,
            [tuple(path) for path in header["paths"]],
            [tuple(warning) for warning in header["warnings"]],
            [int(number) for number in header["aliases"]],
            [(int(one), int(other)) for one, other in header["shared"]],
        )
    except (struct.error, ValueError, KeyError, TypeError):
        return Record({"ended": "silent"})
