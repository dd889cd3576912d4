"""What the runs reached: kept in a JSON file run by run, shown as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.image_runs import RUNS, Run

BESIDE_TORCH = 0.003  # within 0.3 points of PyTorch, either way

Entry = dict[str, Any]


def load(path: Path) -> dict[str, Entry]:
    """Read the entries, by the name of their run; none where there is no file yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(path: Path, entries: dict[str, Entry]) -> None:
    """Write the entries, in the order of the runs; those of runs that are no more come last."""
    names = [*(run.name for run in RUNS), *entries]
    in_order = {name: entries[name] for name in sorted(entries, key=names.index)}
    path.write_text(json.dumps(in_order, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def misses(run: Run, entry: Entry) -> list[str]:
    """Say what should have been reached and was not."""
    found = []
    if entry["accuracy"] < run.target:
        found.append(f"{run.name}: {_percent(entry['accuracy'])}, below {_percent(run.target)}")
    if not is_beside_torch(entry):
        found.append(
            f"{run.name}: {_percent(entry['accuracy'])}, more than 0.3 points from PyTorch's "
            f"{_percent(entry['torch']['accuracy'])}"
        )
    return found


def is_beside_torch(entry: Entry) -> bool:
    """Whether PyTorch, where it was trained, got within 0.3 points."""
    if "torch" not in entry:
        return True
    # Rounded, because 0.913 - 0.910 is a little more than 0.003 in floating point.
    return round(abs(entry["accuracy"] - entry["torch"]["accuracy"]), 9) <= BESIDE_TORCH


def table(runs: Sequence[Run], entries: dict[str, Entry], absent: dict[str, str]) -> str:
    """Return a Markdown table with a row for each run, and below it what computed them.

    Parameters
    ----------
    runs : sequence of Run
    entries : dict
        By the name of the run.
    absent : dict
        Why a run without an entry has none.
    """
    lines = [
        "| run | accuracy | target | met | PyTorch | within 0.3 | epochs | settings | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        if run.name in entries:
            cells = _cells(run, entries[run.name])
        else:
            why = absent.get(run.name, "not computed yet")
            cells = [why, _percent(run.target), "", "", "", str(run.epochs), "", ""]
        lines.append(f"| {' | '.join([run.name, *cells])} |")
    shown = {run.name: entries[run.name] for run in runs if run.name in entries}
    notes = [f"- {', '.join(names)}: {what}." for what, names in _by_machine(shown).items()]
    return "\n".join(lines) + ("\n\nComputed with:\n\n" + "\n".join(notes) if notes else "")


def _cells(run: Run, entry: Entry) -> list[str]:
    peer = entry.get("torch")
    settings = entry["settings"]
    return [
        _percent(entry["accuracy"]),
        _percent(run.target),
        "yes" if entry["accuracy"] >= run.target else "NO",
        _percent(peer["accuracy"]) if peer else "",
        ("yes" if is_beside_torch(entry) else "NO") if peer else "",
        str(settings["epochs"]),
        _described(settings),
        f"{entry['seconds']:,.0f}",
    ]


def _described(settings: dict[str, Any]) -> str:
    parts = [f"`{settings['network']}`", f"`{settings['optimizer']}`"]
    parts += [f"`{augmentation}`" for augmentation in settings["augmentation"]]
    seeds = settings["seeds"]
    told = f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of {len(seeds)} seeds"
    return f"{', '.join(parts)}, batches of {settings['batch_size']}, {told}"


def _by_machine(entries: dict[str, Entry]) -> dict[str, list[str]]:
    """Names of the runs that the same versions computed on the same day."""
    found: dict[str, list[str]] = {}
    for name, entry in entries.items():
        found.setdefault(entry["computed"], []).append(name)
        if "torch" in entry:
            found.setdefault(entry["torch"]["computed"], []).append(name)
    return found


def _percent(part: float) -> str:
    return f"{100 * part:.2f}"
