"""Writes down what a learner's program computes, inside the process that runs it.

Three kinds of things are written: *events* (an expression had this value), *changes* (a variable,
attribute or list entry has a new value from here on), and what Python warned about. All values go
into one pool, each only once. The recorder ends the run when it has seen enough.
"""

from __future__ import annotations

import builtins
import itertools
import sys
import time
from types import FrameType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

Key = tuple[str | int, ...]

# The learner's code may replace or delete what NumPy offers. These stay.
_asarray, _ascontiguousarray, _float64 = np.asarray, np.ascontiguousarray, np.float64
_ndarray, _generic = np.ndarray, np.generic
_byte_bounds = np.lib.array_utils.byte_bounds
_isinstance, _type, _id, _len, _vars = isinstance, type, id, len, vars
_seconds, _getframe = time.process_time, sys._getframe
_ValueError, _TypeError, _Exception = ValueError, TypeError, Exception

GONE = -1  # the value of a variable that is no more
LARGEST = 20_000  # numbers in an array that is written down
_EVENTS = 24_000
_PER_PLACE = 1_200
_FEW_EVENTS = 4_000
_MORE_TIME = 3
PER_STATEMENT = 2_000  # changes must be noticed by the statement that made them
_NO_NEWS = 5_000
_DEPTH = 6
_FRAMES = 40
_BIRTHS = 100  # of the objects that one statement in an __init__ makes
_WIDTH = 64
_SCALARS = (int, float, np.floating, np.integer)
_CONTAINERS = (list, tuple, dict)
_SKIPPED = (ModuleType, FunctionType, type, str, bytes, bool)


class SeenEnough(BaseException):
    """Ends the learner's program: the record is long enough."""


class Recorder:
    """The record of a run.

    Parameters
    ----------
    filename : str
        Under which the learner's program is compiled; frames of other files are not looked into.
    seconds : float
        How much processor time to watch for, from the first event.
    """

    def __init__(self, filename: str, seconds: float) -> None:
        self.filename = filename
        self.seconds = seconds
        self.started = 0.0
        self.shapes: list[tuple[int, ...]] = []
        self.pool: list[bytes] = []
        self.index: dict[tuple[tuple[int, ...], bytes], int] = {}
        self.events: list[tuple[int, int]] = []  # (place, value)
        # (events before it, path, value, statement)
        self.changes: list[tuple[int, int, int, int]] = []
        self.paths: list[Key] = []
        self.path_numbers: dict[Key, int] = {}
        self.state: dict[int, int] = {}
        self.counts: dict[int, int] = {}
        self.aliases: set[int] = set()  # paths of arrays that a sibling has too
        # How often two variables (the second may be hidden behind the first) shared memory.
        self.shared: dict[tuple[int, int], int] = {}
        self.without_news = 0
        self.enough = False

    def seen(self, place: int, value: Any) -> Any:
        """Write an expression's value down and give it back."""
        if _isinstance(value, (*_SCALARS, _ndarray, list, tuple)) or (
            hasattr(value, "__array__") and not _isinstance(value, _SKIPPED)
        ):
            self._event(place, value)
        return value

    def assigned(self, place: int) -> None:
        """Look at what a statement changed."""
        if self._counted(place, PER_STATEMENT) and self._is_worth_a_look(_getframe(1), place):
            self._look(_getframe(1), place)

    def repeated(self, place: int) -> None:
        """Look at the state where a loop's body begins."""
        if self._counted(place) and self._is_worth_a_look(_getframe(1), place):
            self._look(_getframe(1), place)

    def _is_worth_a_look(self, frame: FrameType, place: int) -> bool:
        """Not within operators, nor where the same small objects are made again and again."""
        name = frame.f_code.co_name
        if name == "__init__":
            return self.counts[place] < _BIRTHS
        return not (name.startswith("__") and name.endswith("__")) or name == "__call__"

    def forget(self) -> None:
        """Begin anew."""
        self.events.clear()
        self.changes.clear()
        self.counts.clear()
        self.state = {}
        self.without_news = 0

    def _counted(self, place: int, at_most: int = _PER_PLACE) -> bool:
        if self.enough:
            raise SeenEnough
        count = self.counts.get(place, 0) + 1
        self.counts[place] = count
        if count > at_most:
            self.without_news += 1
            late = self.without_news % 256 == 0 and self._is_late()
            if self.without_news > _NO_NEWS or late:
                self.enough = True
                raise SeenEnough
            return False
        return True

    def _event(self, place: int, value: Any) -> None:
        if not self._counted(place):
            return
        number = self.store(value)
        if number is None:
            return
        self.events.append((place, number))
        count = _len(self.events)
        if count == 1:
            self.started = _seconds()
        if count >= _EVENTS or (count % 64 == 0 and self._is_late()):
            self.enough = True
            raise SeenEnough

    def _is_late(self) -> bool:
        """Whether the time is up; what makes many objects is slow to watch, and gets more."""
        spent = _seconds() - self.started
        return spent > self.seconds * (1 if _len(self.events) > _FEW_EVENTS else _MORE_TIME)

    def store(self, value: Any) -> int | None:
        """Put a value into the pool; None where it is not made of a few numbers."""
        array = _numbers(value)
        if array is None:
            return None
        content = array.tobytes()
        key = (array.shape, content)
        number = self.index.get(key)
        if number is None:
            number = self.index[key] = _len(self.pool)
            self.pool.append(content)
            self.shapes.append(array.shape)
        return number

    def look(self) -> None:
        """Look at the state from outside the learner's program."""
        self._look(_getframe(1), GONE)

    def _look(self, frame: FrameType | None, place: int) -> None:
        """Write down every variable that changed, in the learner's frames and globals."""
        frames: list[FrameType] = []
        while frame is not None:
            if frame.f_code.co_filename == self.filename:
                frames.append(frame)
            if _len(frames) > _FRAMES:  # a function that calls itself without end
                return
            frame = frame.f_back
        visited: dict[int, Key] = {}
        found: dict[int, int] = {}
        self.memory: list[tuple[int, int, int]] = []
        if frames:
            self._walk((), frames[0].f_globals, visited, found, 0)
        for inner in reversed(frames):
            if inner.f_code.co_name != "<module>":
                self._walk((f"{inner.f_code.co_name}()",), inner.f_locals, visited, found, 0)
        self._note_shared()
        at = _len(self.events)
        for path, number in found.items():
            if self.state.get(path) != number:
                self.changes.append((at, path, number, place))
        for path in self.state:
            if path not in found:
                self.changes.append((at, path, GONE, place))
        self.state = found

    def _share(self, one: int, other: int) -> None:
        self.shared[one, other] = self.shared.get((one, other), 0) + 1

    def _note_shared(self) -> None:
        """Note which arrays lie over each other, as views of one another do."""
        self.memory.sort()
        reach, owner = 0, GONE
        for low, high, path in self.memory:
            if low < reach:
                self._share(owner, path)
            if high > reach:
                reach, owner = high, path

    def _walk(
        self, path: Key, value: Any, visited: dict[int, Key], found: dict[int, int], depth: int
    ) -> None:
        if _isinstance(value, _SKIPPED) or value is None:
            return
        if _isinstance(value, _SCALARS) or _isinstance(value, _ndarray):
            if _isinstance(value, _ndarray):
                if _id(value) in visited:
                    if visited[_id(value)][:-1] == path[:-1]:
                        self.aliases.add(self._path(visited[_id(value)]))
                    self._share(self._path(visited[_id(value)]), self._path(path))
                    return
                visited[_id(value)] = path
                if value.size:
                    low, high = _byte_bounds(value)
                    self.memory.append((low, high, self._path(path)))
            number = self.store(value)
            if number is not None:
                found[self._path(path)] = number
            return
        if _id(value) in visited or depth > _DEPTH:
            if _id(value) in visited:
                self._share(self._path(visited[_id(value)]), self._path(path))
            return
        visited[_id(value)] = path
        if _isinstance(value, (list, tuple)):
            number = self.store(value) if _numeric(value) else None
            if number is not None:
                found[self._path(path)] = number
                rows = [_id(row) for row in value if _isinstance(row, list)]
                if _len(rows) > _len(set(rows)):
                    self._share(self._path((*path, 0)), self._path((*path, 1)))
                return
            for position, item in enumerate(itertools.islice(value, _WIDTH)):
                self._walk((*path, position), item, visited, found, depth + 1)
        elif _isinstance(value, dict):
            told = [pair for pair in list(value.items()) if _may_hold_numbers(pair[1])]
            for name, item in told[: 4 * _WIDTH]:
                if _isinstance(name, (str, int)) and not str(name).startswith("__"):
                    self._walk((*path, name), item, visited, found, depth + 1)
        elif _is_the_learners(value) and hasattr(value, "__dict__"):
            for name, item in list(_vars(value).items()):
                self._walk((*path, f".{name}"), item, visited, found, depth + 1)

    def _path(self, path: Key) -> int:
        number = self.path_numbers.get(path)
        if number is None:
            number = self.path_numbers[path] = _len(self.paths)
            self.paths.append(path)
        return number


def _may_hold_numbers(value: Any) -> bool:
    """Whether a variable is worth a look: all of NumPy's names may stand among the learner's."""
    if _isinstance(value, (*_SCALARS, _ndarray, *_CONTAINERS)):
        return not _isinstance(value, bool)
    return _is_the_learners(value)


def _is_the_learners(value: Any) -> bool:
    """Whether an object is of a class of the learner's, or a bare namespace."""
    return (
        _isinstance(value, SimpleNamespace) or getattr(_type(value), "__module__", "") == "__main__"
    )


def _numeric(value: Any) -> bool:
    """Whether the first leaf of nested lists is a number."""
    for _ in range(4):
        if not _isinstance(value, (list, tuple)):
            return _isinstance(value, (*_SCALARS,)) and not _isinstance(value, bool)
        if not value:
            return False
        value = value[0]
    return False


def _numbers(value: Any) -> Any:
    """Numbers as a float64 array; None where they are none, ragged or too many."""
    if _isinstance(value, bool):
        return None
    is_list = _isinstance(value, (list, tuple))
    if is_list and not _numeric(value) and not (value and _isinstance(value[0], _ndarray)):
        return None
    try:
        array = _asarray(value)
        if array.dtype.kind not in "fiub" or array.size > LARGEST or array.size == 0:
            return None
        return _ascontiguousarray(array, dtype=_float64).reshape(array.shape)
    except _Exception:  # ragged lists, objects of any kind
        return None


def install(recorder: Recorder, names: tuple[str, str, str]) -> None:
    """Make the three functions known to the program, whichever module its code runs in."""
    for name, function in zip(
        names, (recorder.seen, recorder.assigned, recorder.repeated), strict=True
    ):
        setattr(builtins, name, function)
