"""Which hint comes next: remembered in a small file beside the learner's own."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from chainrule.errors import InvalidSetting
from chainrule.exercises.exercise import Exercise
from chainrule.files import write_atomically

MEMORY = ".chainrule-hints.json"


def next_hint(exercise: Exercise, path: Path) -> str:
    """Return the next hint for a file, one step more specific than the last time.

    Where nothing can be remembered (a folder that may not be written to), it is the first.
    """
    known = _known(path)
    number = min(known.get(path.name, 0), len(exercise.hints) - 1)
    with suppress(InvalidSetting):
        _remember(path, {**known, path.name: number + 1})
    last = " (the last one)" if number + 1 == len(exercise.hints) else ""
    return f"Hint {number + 1} of {len(exercise.hints)}{last}: {exercise.hints[number]}"


def forget(path: Path) -> None:
    """Begin again with the first hint."""
    known = _known(path)
    if known.pop(path.name, None) is not None:
        with suppress(InvalidSetting):
            _remember(path, known)


def _known(path: Path) -> dict[str, int]:
    with suppress(OSError, ValueError):
        found = json.loads(path.with_name(MEMORY).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {k: v for k, v in found.items() if isinstance(v, int) and v >= 0}
    return {}


def _remember(path: Path, known: dict[str, int]) -> None:
    memory = path.with_name(MEMORY)
    if known:
        write_atomically(memory, json.dumps(known).encode())
    else:
        memory.unlink(missing_ok=True)
