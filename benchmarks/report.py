"""Outcomes as text for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Contender, Outcome
from benchmarks.targets import Verdict
from benchmarks.work import OURS

_BEGIN, _END = "<!-- begin: written by {} -->", "<!-- end: written by {} -->"


def text(outcome: Outcome) -> str:
    """Return the table of one work, with its agreement and targets."""
    work = outcome.work
    heading = ["side", "setting", f"{work.unit} (min - max)", "its / chainrule's"]
    heading += ["95 % within"] * work.tail
    rows = [heading, *(_row(outcome, name) for name in _names(outcome))]
    lines = [f"{work.name}: {work.title}", f"  {work.setting}", f"  agreement: {outcome.agreement}"]
    lines += [f"  {line}" for line in in_columns(rows)]
    lines += [f"  {line}" for line in _notes(outcome)]
    lines += [f"  target: {verdict}" for verdict in outcome.verdicts]
    return "\n".join(lines)


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return all targets as a table in Markdown."""
    lines = ["| work | what | reached | enough | aim | |", "|---|---|---|---|---|---|"]
    for one in verdicts:
        cells = (f"`{one.work}`", one.what, one.reached, one.enough, one.aim, one.result)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Everything measured, in seconds (bytes where the unit is MB), ready for JSON."""
    work = outcome.work
    return {
        "name": work.name,
        "title": work.title,
        "setting": work.setting,
        "unit": work.unit,
        "samples": work.samples,
        "agreement": outcome.agreement,
        "not_installed": outcome.missing,
        "targets": [dataclasses.asdict(verdict) for verdict in outcome.verdicts],
        "sides": [
            {
                "name": contender.name,
                "setting": contender.setting,
                "differs": contender.side.differs,
                "compile_seconds": contender.compile_seconds,
                "trial": contender.trial,
                "rounds": contender.rounds,
                "tails": contender.tails,
                "its_time_by_chainrules": outcome.ratios(contender),
            }
            for contender in outcome.contenders
            if contender.side.timed
        ],
    }


def replace_results(page: Path, command: str, results: str) -> None:
    """Put results into a page, between the two comments that name the command.

    Raises
    ------
    ValueError
        When the page has no such comments; it stays as it was.
    """
    begin, end = _BEGIN.format(command), _END.format(command)
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"{page} has no place for results: expected the lines {begin} and {end}.")
    page.write_text(f"{before}{begin}\n\n{results}\n\n{end}{after}", encoding="utf-8")


def _names(outcome: Outcome) -> list[str]:
    sides = [side for side in outcome.work.sides if side.timed and not side.flops]
    return list(dict.fromkeys(side.name for side in sides))


def _row(outcome: Outcome, name: str) -> list[str]:
    tail = outcome.work.tail
    best = outcome.best(name)
    if best is None:
        return [name, "", "not installed", "", *[""] * tail]
    shown = outcome.work.shown
    ratios = [] if name == OURS else outcome.ratios(best)
    ratio = _spread(ratios, "{:.2f}".format) if ratios else ""
    cells = [name, best.setting, _spread(best.rounds, shown), ratio]
    return [*cells, shown(statistics.median(best.tails))] if tail else cells


def _spread(values: list[float], show: Callable[[float], str]) -> str:
    """Median, and what lies around it, the smaller shown number first."""
    low, high = show(min(values)), show(max(values))
    if float(low.replace(",", "")) > float(high.replace(",", "")):
        low, high = high, low
    return f"{show(statistics.median(values))} ({low} - {high})"


def _notes(outcome: Outcome) -> list[str]:
    """What a reader has to know: differences, compilations, and the settings that lost."""
    notes = []
    for name in _names(outcome):
        best = outcome.best(name)
        if best is None:
            continue
        if best.side.differs:
            notes.append(f"{name}: {best.side.differs}")
        if best.compile_seconds is not None:
            notes.append(f"{name}: compiled in {best.compile_seconds:.2f} s before, not counted")
        others = [one for one in outcome.contenders if one.name == name and one is not best]
        if others:
            notes.append(f"{name}, also tried: {'; '.join(_tried(outcome, one) for one in others)}")
    gauges = {one.name for one in outcome.timed if one.side.flops}
    for gauge in filter(None, map(outcome.best, sorted(gauges))):
        rate = gauge.side.flops / gauge.median / 1e9
        notes.append(f"{gauge.name}: {rate:,.0f} GFLOP/s with {gauge.setting}")
    return notes


def _tried(outcome: Outcome, contender: Contender) -> str:
    return f"{contender.setting} {outcome.work.shown(contender.median)}"
