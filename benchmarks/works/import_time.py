"""How long ``import chainrule`` takes, apart from NumPy's part of it."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.targets import AtMost
from benchmarks.work import OURS, Evidence, Side, Work


class ImportTime(Side):
    """What ``python -X importtime`` says, in a new Python each time.

    Parameters
    ----------
    name : str
        "chainrule" (without the NumPy that it imports), or "NumPy".
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def evidence(self) -> Evidence:
        """Nothing to compare; the first import of all writes Python's cache files."""
        self.figure()
        return Evidence()

    def figure(self) -> float:
        """Import, and read the time from the report."""
        # NumPy first: what both need of Python's own library (typing, re, inspect, ...) is NumPy's,
        # so this is the time that ``import chainrule`` takes more than ``import numpy`` alone.
        imports = "import numpy, chainrule"
        command = [sys.executable, "-X", "importtime", "-c", imports]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        cumulative = _cumulative_seconds(run.stderr)
        return cumulative["chainrule" if self.name == OURS else "numpy"]

    def run(self) -> None:
        """``figure`` does it."""


def _cumulative_seconds(report: str) -> dict[str, float]:
    """Seconds by package, from lines as ``import time:  self [us] | cumulative | package``."""
    times = {}
    for line in report.splitlines():
        _, _, columns = line.partition("import time:")
        parts = [part.strip() for part in columns.split("|")]
        if len(parts) == 3 and parts[1].isdigit():
            times[parts[2]] = int(parts[1]) / 1e6
    return times


WORK = Work(
    name="import",
    title="import chainrule, beyond the import of NumPy",
    setting="python -X importtime, a new process each time",
    sides=(ImportTime(OURS), ImportTime("NumPy")),
    targets=(AtMost(enough=0.050),),
)
