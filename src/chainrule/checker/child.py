"""The process that runs a learner's program: limits first, then the program, then the record.

``python -m chainrule.checker.child`` reads one JSON object from standard input, runs the program,
and writes what was recorded to a file descriptor that the parent opened. It decides nothing: the
verdict is computed by the parent from the numbers.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import json
import os
import random
import resource
import signal
import struct
import sys
import traceback
import types
import warnings
from functools import partial
from typing import Any

import numpy as np

from chainrule.checker import drive
from chainrule.checker.instrument import ASSIGNED, REPEATED, SEEN, instrument
from chainrule.checker.nudging import NudgingRecorder, run_nudges
from chainrule.checker.recorder import Recorder, SeenEnough, install
from chainrule.checker.rehearsing import ShortRecorder, rehearse
from chainrule.checker.stand_ins import StandInFinder, quiet_plots

FILENAME = "<learner>"


class InputAsked(Exception):
    """The learner's program asks for keyboard input."""


def limit(megabytes: int, seconds: int) -> None:
    """Limit memory and processor time of this process and of whatever it starts."""
    size = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 2**20, 64 * 2**20))


def main() -> None:
    """Run one request."""
    request = json.loads(sys.stdin.buffer.read())
    channel = os.dup(int(sys.argv[1]))
    os.close(int(sys.argv[1]))
    limit(request["megabytes"], request["seconds"])
    _close_the_door(request["folder"])
    if "nudges" in request:
        answers = run_nudges(request, partial(_nudging, request), run)
        _write(channel, json.dumps({"token": request["token"], "answers": answers}).encode())
        os._exit(0)
    if "versions" in request:
        rehearse(request["versions"], partial(_run_version, request), channel)
        os._exit(0)
    _run_and_send(request, Recorder(FILENAME, request["watch"]), channel)
    os._exit(0)  # whatever threads or exit handlers the program left behind


def _run_version(request: dict[str, Any], version: str, channel: int) -> None:
    recorder = ShortRecorder(FILENAME, request["watch"], request["stop"])
    _run_and_send({**request, "text": version}, recorder, channel)


def _run_and_send(request: dict[str, Any], recorder: Recorder, channel: int) -> None:
    notes: list[tuple[int, str]] = []
    outcome = run(request, recorder, notes)
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    _send(channel, request["token"], recorder, outcome, notes)


def _nudging(request: dict[str, Any], nudge: dict[str, Any]) -> NudgingRecorder:
    return NudgingRecorder(
        FILENAME, request["watch"], nudge["events"], nudge["nudge"], nudge["stop"]
    )


def run(
    request: dict[str, Any], recorder: Recorder, notes: list[tuple[int, str]]
) -> dict[str, Any]:
    """Run the program and say how it ended."""
    tree = ast.parse(request["text"])
    instrument(request["text"], tree, frozenset(request.get("unwatched", ())))
    install(recorder, (SEEN, ASSIGNED, REPEATED))
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=request["path"], __builtins__=builtins)
    sys.modules["__main__"] = module
    random.seed(0)
    np.random.seed(request["seed"])  # noqa: NPY002 - the learner's program draws from it
    _seed_generators(request["seed"])
    _note_warnings(notes)
    try:
        if request["mode"] == "run":
            exec(compile(tree, FILENAME, "exec"), module.__dict__)  # noqa: S102 - what this is for
        else:
            drive.define(tree, FILENAME, module)
            drive.drive(module, request, recorder)
    except SeenEnough:
        return {"ended": "enough"}
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt too
        return _failure(error)
    return {"ended": "finished"}


def _seed_generators(ours: int) -> None:
    """Let a generator without a seed begin alike in every run."""
    original = np.random.default_rng

    def default_rng(seed: Any = None) -> np.random.Generator:
        return original(ours if seed is None else seed)

    np.random.default_rng = default_rng


def _failure(error: BaseException) -> dict[str, Any]:
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == FILENAME
    ]
    message = ""
    with contextlib.suppress(Exception):
        message = str(error)[:400]
    return {
        "ended": "failed",
        "error": type(error).__name__,
        "message": message,
        "line": lines[-1] if lines else None,
        "name": str(getattr(error, "name", "") or ""),
    }


def _note_warnings(notes: list[tuple[int, str]]) -> None:
    def note(message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        if filename == FILENAME and len(notes) < 50:
            notes.append((lineno, str(message)[:200]))

    warnings.simplefilter("always")
    warnings.showwarning = note  # type: ignore[assignment]  # learners pass whatever they like


def _close_the_door(folder: str) -> None:
    """No keyboard, no printing, no windows; imports from the file's own folder work."""
    devnull = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(devnull, descriptor)

    def asks(*_: Any) -> str:
        raise InputAsked("input() was called")

    builtins.input = asks
    # In single precision rounding would hide what is looked for.
    np.float32 = np.single = np.float64  # type: ignore[assignment]  # meant
    os.environ["MPLBACKEND"] = "Agg"
    sys.path.insert(0, folder)
    sys.argv = ["learner.py"]
    sys.meta_path.insert(0, StandInFinder())
    quiet_plots()


def _send(
    channel: int,
    token: str,
    recorder: Recorder,
    outcome: dict[str, Any],
    notes: list[tuple[int, str]],
) -> None:
    header = json.dumps(
        {
            "token": token,
            "outcome": outcome,
            "events": recorder.events,
            "changes": recorder.changes,
            "paths": recorder.paths,
            "aliases": sorted(recorder.aliases),
            "shared": [pair for pair, times in recorder.shared.items() if times > 2],
            "shapes": recorder.shapes,
            "warnings": notes,
        }
    ).encode()
    _write(channel, struct.pack("<Q", len(header)) + header, *recorder.pool)


def _write(channel: int, *contents: bytes) -> None:
    with open(channel, "wb") as stream:
        for content in contents:
            stream.write(content)


if __name__ == "__main__":
    main()
