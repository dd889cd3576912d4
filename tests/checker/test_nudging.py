"""A program runs again with one of its numbers nudged, each time from the beginning."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.checker import process
from chainrule.checker.source import Source

TEXT = """import numpy as np
z = np.array([1.0, 2.0])
a = z * 3
loss = float((a * a).sum())
print(loss)
"""


def events_called(source: Source, record: process.Record, size: int, value: float) -> list[int]:
    """When a value of so many numbers was seen that begins with one."""
    return [
        at
        for at, (_, number) in enumerate(record.events)
        if record.values[number].size == size and record.values[number].flat[0] == value
    ]


def test_what_depends_on_a_number_moves_with_it() -> None:
    source = Source(Path("network.py"), TEXT)
    record = process.run(source)
    (product,) = events_called(source, record, 2, 3.0)[:1]
    nudges = [
        {"events": [product], "nudge": [sign * 1e-3, 0.0], "stop": 10**6, "chosen": [product]}
        for sign in (1, -1)
    ]
    up, down = process.run_nudged(source, record, nudges)
    assert up is not None
    assert down is not None
    # loss = Σ a², a = (3, 6): ∂loss/∂a₁ = 2 · 3
    by_event = {event: value for event, _, value in down["single"]}
    slopes = [(value - by_event[event]) / 2e-3 for event, _, value in up["single"]]
    assert slopes[-1] == pytest.approx(6.0)
    # The event itself is written down as it was, what comes after as it is.
    assert up["chosen"][str(product)] == [3.0, 6.0]


def test_a_single_number_is_nudged_too() -> None:
    source = Source(Path("network.py"), "x = 2.0\ny = x * x\nz = y + 1\nprint(z)\n")
    record = process.run(source)
    (square,) = events_called(source, record, 1, 4.0)[:1]
    (answer,) = process.run_nudged(
        source, record, [{"events": [square], "nudge": [0.5], "stop": 10**6, "chosen": []}]
    )
    assert answer is not None
    assert answer["single"][-1][2] == 5.5


def test_a_run_that_is_late_or_writes_nonsense_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Source(Path("network.py"), TEXT)
    record = process.run(source)
    nudge = {"events": [0], "nudge": [0.0, 0.0], "stop": 10**6, "chosen": []}
    leaves = Source(Path("network.py"), "import os\nos._exit(0)\n")
    assert process.run_nudged(leaves, record, [nudge, nudge]) == [None, None]
    monkeypatch.setattr(process, "SECONDS", 1)
    endless = Source(Path("network.py"), "import time\ntime.sleep(1e6)\n")
    assert process.run_nudged(endless, record, [nudge]) == [None]
