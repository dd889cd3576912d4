"""The process that runs a learner's file: limits first, then the file, then the calls.

It is started as a script with NumPy alone, reads one JSON object from standard input, calls the
functions that it names, and writes what they gave. It decides nothing and knows no right answer:
the parent compares. Whatever it needs after the learner's file has run is taken hold of before, so
that a patched NumPy changes the learner's numbers and nothing else.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.abc
import json
import os
import random
import sys
import traceback
import types
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

try:
    import resource
except ImportError:  # not on Windows; there only the time is limited
    resource = None  # type: ignore[assignment]  # asked for before each use

_FILENAME = "<learner>"
_MOST_NUMBERS = 200_000
_MOST_ITEMS = 1_000

# Held on to: the learner's file may replace any of them.
_Array, _as_array, _to_list = np.ndarray, np.asarray, np.ndarray.tolist
_array, _default_rng = np.array, np.random.default_rng
_write, _exit, _process_id = os.write, os._exit, os.getpid
_dumps, _walk, _filter_warnings = json.dumps, traceback.walk_tb, warnings.simplefilter


class InputAsked(Exception):
    """The learner's file asks for keyboard input."""


class WrongKind(Exception):
    """A function gave something that is neither a number nor an array of numbers."""


class NotForLearners(importlib.abc.MetaPathFinder):
    """Refuses chainrule itself: a network from scratch has no use for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> None:
        if fullname.partition(".")[0] == "chainrule":
            raise ModuleNotFoundError("chainrule", name="chainrule")


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.stdin.buffer.read())
    channel, own_process = os.dup(1), os.getpid()
    _close_the_door(request["folder"])
    _limit(request["megabytes"], request["seconds"])
    adapter = types.ModuleType("adapter")
    exec(compile(request["adapter"], "<adapter>", "exec"), adapter.__dict__)  # noqa: S102 - ours
    calls = [(call["function"], decode(call["arguments"])) for call in request["calls"]]
    module = types.ModuleType("learner")
    module.__file__ = request["path"]
    sys.modules["learner"] = module
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the learner's file may draw from it
    failure = None
    try:
        exec(compile(request["text"], _FILENAME, "exec"), module.__dict__)  # noqa: S102 - the task
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt too
        failure = _describe(error)
    if _process_id() != own_process:  # a copy made by the learner's fork
        _exit(0)
    answers = [] if failure else [_call(module, adapter, *call) for call in calls]
    reply = {"token": request["token"], "failure": failure, "answers": answers}
    content = memoryview(_dumps(reply).encode())
    while content:
        content = content[_write(channel, content) :]
    _exit(0)  # whatever threads or exit handlers the file left behind


def decode(value: Any) -> Any:
    """Turn JSON into what a learner's function receives."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        if "generator" in value:
            return _default_rng(value["generator"])
        return _array(value["values"], value["dtype"]).reshape(value["shape"])
    return value


def encode(value: Any) -> Any:
    """Turn what a function gave into JSON: arrays, numbers, and lists or tuples of them.

    Raises
    ------
    WrongKind
        When it is something else; the message says what.
    """
    if value is None:
        return {"kind": "nothing"}
    if isinstance(value, list | tuple | Iterator):
        return _encode_many(value)
    if isinstance(value, str | bytes | dict | set) or callable(value):
        raise WrongKind(f"something of the type {type(value).__name__}")
    try:
        array = _as_array(value)
    except Exception as error:
        raise WrongKind(f"something of the type {type(value).__name__}") from error
    if array.dtype.kind not in "biuf":
        raise WrongKind(f"numbers of the type {array.dtype}")
    if array.size > _MOST_NUMBERS:
        raise WrongKind(f"an array of shape {array.shape}")
    flat = _to_list(array.reshape(-1).astype(float))
    return {"kind": "array", "shape": list(array.shape), "values": flat}


def _encode_many(value: Any) -> Any:
    items: list[Any] = []
    for item in value:
        if len(items) == _MOST_ITEMS:
            raise WrongKind(f"more than {_MOST_ITEMS} things")
        items.append(item)
    if items and all(isinstance(item, int | float) for item in items):
        return encode(_as_array(items, dtype=float))
    return {"kind": "many", "items": [encode(item) for item in items]}


def _call(module: types.ModuleType, adapter: types.ModuleType, name: str, arguments: Any) -> Any:
    function = getattr(adapter, name, None)
    if function is not None:  # ours: it knows how this file is to be called
        arguments = [module, *arguments]
    else:
        function = module.__dict__.get(name)
        if not callable(function):
            return {"missing": name}
    before = _dumps(_snapshot(arguments))
    try:
        _filter_warnings("ignore")  # the numbers tell enough
        answer = encode(function(*arguments))
    except WrongKind as error:
        return {"kind": str(error)}
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt too
        return {"failure": _describe(error)}
    return {"value": answer, "changed": before != _dumps(_snapshot(arguments))}


def _snapshot(arguments: Any) -> Any:
    """Numbers of all array arguments, to see whether a function changed them."""
    if isinstance(arguments, list):
        return [_snapshot(item) for item in arguments]
    return _to_list(arguments) if isinstance(arguments, _Array) else None


def _describe(error: BaseException) -> dict[str, Any]:
    lines = [
        line for frame, line in _walk(error.__traceback__) if frame.f_code.co_filename == _FILENAME
    ]
    message = ""
    with contextlib.suppress(Exception):
        message = " ".join(str(error)[:300].split())
    return {
        "error": type(error).__name__,
        "message": message,
        "line": lines[-1] if lines else None,
        "name": str(getattr(error, "name", None) or ""),
    }


def _close_the_door(folder: str) -> None:
    """No keyboard, no printing, no windows; imports from the file's own folder work."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)

    def asks(*_: Any) -> str:
        raise InputAsked("input() was called")

    builtins.input = asks
    os.environ["MPLBACKEND"] = "Agg"
    sys.meta_path.insert(0, NotForLearners())
    sys.path.insert(0, folder)
    sys.argv = ["learner.py"]
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")


def _limit(megabytes: int, seconds: int) -> None:
    """Limit memory and processor time of this process and of whatever it starts."""
    if resource is None:
        return
    size = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 2**20, 16 * 2**20))


if __name__ == "__main__":
    main()
