"""Versions of a program run apart from each other, in the order in which they were given."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chainrule.checker import process
from chainrule.checker.source import Source

SOURCE = Source(
    Path("network.py"),
    "import numpy as np\nx = np.arange(3.0)\nfor i in range(9):\n    x = x + 1\n",
)


def records(versions: list[str], stop: int = 1000) -> list[process.Record]:
    """The records of some versions."""
    first = process.run(SOURCE)
    return list(process.run_versions(SOURCE, first, versions, stop))


def largest(record: process.Record) -> float:
    """The largest number of a run."""
    return max(float(value.max()) for value in record.values)


def test_each_version_has_its_own_record() -> None:
    versions = [SOURCE.text, SOURCE.text.replace("+ 1", "+ 100"), "raise ValueError('no')\n"]
    one, hundred, failed = records(versions)
    assert (largest(one), largest(hundred)) == (11.0, 902.0)
    assert (failed.outcome["ended"], failed.outcome["error"]) == ("failed", "ValueError")


def test_a_version_ends_after_so_many_events() -> None:
    (short,) = records([SOURCE.text], stop=5)
    assert short.outcome == {"ended": "enough"}
    assert len(short.events) == 5


def test_what_one_version_does_to_numpy_is_not_seen_by_the_next() -> None:
    broken, whole = records(["import numpy as np\nnp.arange = None\n" + SOURCE.text, SOURCE.text])
    assert broken.outcome["ended"] == "failed"
    assert largest(whole) == 11.0


def test_a_version_that_never_ends_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    first = process.run(SOURCE)
    monkeypatch.setattr(process, "SECONDS", 2)
    started = time.monotonic()
    endless = "import time\ntime.sleep(1e6)\n"
    assert list(process.run_versions(SOURCE, first, [endless], 100)) == []
    assert time.monotonic() - started < 5


def test_versions_that_are_not_asked_for_are_not_waited_for() -> None:
    first = process.run(SOURCE)
    versions = process.run_versions(
        SOURCE, first, [SOURCE.text, "import time\ntime.sleep(1e6)\n"], 100
    )
    assert next(versions).outcome["ended"] == "finished"
    started = time.monotonic()
    versions.close()
    assert time.monotonic() - started < 2
