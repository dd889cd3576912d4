"""Runs a learner's program again with one of its numbers nudged, to see what depends on it.

This part runs in the learner's process. Each nudge gets a process of its own, split off before the
program starts, so that all of them begin alike; and it ends as soon as enough was seen.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.checker.recorder import PER_STATEMENT, Recorder, SeenEnough

_add, _reshape, _float64, _array = np.add, np.reshape, np.float64, np.array
_ndarray = np.ndarray
_exit = os._exit


class NudgingRecorder(Recorder):
    """A recorder that changes one value on its way.

    Parameters
    ----------
    filename, seconds
        As for any recorder.
    nudged_events : list of int
        Which values; events are counted from 0.
    nudge : list of float
        What to add to each of them, number by number.
    stop : int
        After so many events the run ends.
    """

    def __init__(
        self,
        filename: str,
        seconds: float,
        nudged_events: list[int],
        nudge: list[float],
        stop: int,
    ) -> None:
        super().__init__(filename, seconds)
        self.nudged_events = nudged_events
        self.nudge = nudge
        self.stop = stop

    def seen(self, place: int, value: Any) -> Any:
        """Write a value down; of the chosen events, give it back nudged."""
        at = len(self.events)
        value = super().seen(place, value)
        if len(self.events) == at:
            return value
        if at >= self.stop:
            raise SeenEnough
        return self._nudged(value) if at in self.nudged_events else value

    def assigned(self, place: int) -> None:
        """Count only: what changed is known from the run without a nudge."""
        self._counted(place, PER_STATEMENT)

    def repeated(self, place: int) -> None:
        """Count only."""
        self._counted(place)

    def _nudged(self, value: Any) -> Any:
        if len(self.nudge) == 1 and not isinstance(value, (_ndarray, list, tuple)):
            return value + self.nudge[0]
        array = _array(value, dtype=_float64)
        nudged = _add(array, _reshape(_array(self.nudge), array.shape))
        return nudged if isinstance(value, _ndarray) else nudged.tolist()

    def numbers(self, events: list[int]) -> dict[str, Any]:
        """What single numbers came after the nudge, and what chosen events were."""
        after = range(self.nudged_events[0], len(self.events))
        single = [
            (at, self.events[at][0], *struct.unpack("<d", self.pool[self.events[at][1]]))
            for at in after
            if len(self.pool[self.events[at][1]]) == 8
        ]
        chosen = {
            at: np.frombuffer(self.pool[self.events[at][1]]).tolist()
            for at in events
            if at < len(self.events)
        }
        return {"single": single, "chosen": chosen}


def run_nudges(
    request: dict[str, Any], recorder_for: Callable[..., Any], run: Callable[..., Any]
) -> list[dict[str, Any] | None]:
    """Run the program once for each nudge of a request; None for a run that failed."""
    return [_apart(request, nudge, recorder_for, run) for nudge in request["nudges"]]


def _apart(
    request: dict[str, Any],
    nudge: dict[str, Any],
    recorder_for: Callable[..., Any],
    run: Callable[..., Any],
) -> dict[str, Any] | None:
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            recorder = recorder_for(nudge)
            run(request, recorder, [])
            with os.fdopen(writing, "w", encoding="utf-8") as stream:
                numbers = recorder.numbers(nudge["chosen"])
                json.dump(numbers | {"token": request["token"]}, stream)
        finally:
            _exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        content = stream.read()
    os.waitpid(process, 0)
    try:
        answer: dict[str, Any] = json.loads(content)
        return answer if answer["token"] == request["token"] else None
    except (ValueError, KeyError, TypeError):
        return None
