"""Runs several versions of a learner's program, each in a process of its own.

This part runs in the child process, which has Python and NumPy ready: it splits once for each
version, so that a version costs little more than its own running, and cannot touch the next one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any

from chainrule.checker.recorder import Recorder, SeenEnough

_exit, _pipe, _fork, _close, _waitpid = os._exit, os.pipe, os.fork, os.close, os.waitpid
_write = os.write
_AT_A_TIME = 2


class ShortRecorder(Recorder):
    """A recorder that ends the run after so many events."""

    def __init__(self, filename: str, seconds: float, stop: int) -> None:
        super().__init__(filename, seconds)
        self.stop = stop

    def _event(self, place: int, value: Any) -> None:
        super()._event(place, value)
        if len(self.events) >= self.stop:
            self.enough = True
            raise SeenEnough


def rehearse(versions: list[str], run_and_send: Callable[[str, int], None], channel: int) -> None:
    """Run each version apart, and pass on what each sends, with its length before it.

    Two run at a time: while one is passed on and looked at, the next one computes.
    """
    waiting = list(versions)
    running: list[tuple[int, int]] = []
    while waiting or running:
        while waiting and len(running) < _AT_A_TIME:
            running.append(_apart(waiting.pop(0), run_and_send, channel))
        process, reading = running.pop(0)
        with os.fdopen(reading, "rb") as answers:
            content = answers.read()
        _waitpid(process, 0)
        _write_all(channel, struct.pack("<Q", len(content)) + content)


def _apart(version: str, run_and_send: Callable[[str, int], None], channel: int) -> tuple[int, int]:
    reading, writing = _pipe()
    process = _fork()
    if process == 0:
        try:
            _close(reading)
            _close(channel)
            run_and_send(version, writing)
        finally:
            _exit(0)
    _close(writing)
    return process, reading


def _write_all(channel: int, content: bytes) -> None:
    while content:
        content = content[_write(channel, content) :]
