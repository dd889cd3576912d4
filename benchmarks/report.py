"""Outcomes as text for people and as JSON for programs."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.measure import Contender, Outcome
from benchmarks.work import OURS, Target

_BEGIN, _END = "<!-- begin: written by {} -->", "<!-- end: written by {} -->"


def text(outcome: Outcome) -> str:
    """Return the table of one work, with its agreement and targets."""
    work = outcome.work
    heading = ("side", "setting", f"{work.unit} (min - max)", "chainrule's time / its time")
    rows = [heading, *(_row(outcome, name) for name in _names(outcome))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    lines = [f"{work.name}: {work.title}", f"  {work.setting}", f"  agreement: {outcome.agreement}"]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(("  " + "  ".join(cells)).rstrip())
    lines += [f"  {line}" for line in _notes(outcome)]
    lines += [f"  target: {verdict(outcome, target)}" for target in work.targets]
    return "\n".join(lines)


def verdict(outcome: Outcome, target: Target) -> str:
    """Say what was meant to be reached, what was, and whether that is enough."""
    if target.peer is None:
        ours = outcome.best(OURS)
        assert ours is not None
        reached, limit = ours.median, f"at most {outcome.work.shown(target.at_most)}"
        found = f"{outcome.work.shown(reached)} {outcome.work.unit}"
        limit += f" {outcome.work.unit}"
    else:
        peer = outcome.best(target.peer)
        if peer is None:
            return f"at most {target.at_most:g} x the time of {target.peer}: not measured"
        reached = statistics.median(outcome.ratios(peer))
        limit, found = f"at most {target.at_most:g} x the time of {target.peer}", f"{reached:.2f}"
    return f"{limit}: {found}, {'met' if reached <= target.at_most else 'MISSED'}"


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Everything measured, in seconds, ready for JSON."""
    work = outcome.work
    return {
        "name": work.name,
        "title": work.title,
        "setting": work.setting,
        "unit": work.unit,
        "samples": work.samples,
        "agreement": outcome.agreement,
        "not_installed": outcome.missing,
        "targets": [verdict(outcome, target) for target in work.targets],
        "sides": [
            {
                "name": contender.name,
                "setting": contender.setting,
                "differs": contender.side.differs,
                "compile_seconds": contender.compile_seconds,
                "seconds_by_round": contender.rounds,
                "chainrules_time_by_its_time": outcome.ratios(contender),
            }
            for contender in outcome.contenders
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
    return list(dict.fromkeys(side.name for side in outcome.work.sides))


def _row(outcome: Outcome, name: str) -> tuple[str, str, str, str]:
    best = outcome.best(name)
    if best is None:
        return name, "", "not installed", ""
    ratio = "" if name == OURS else _spread(outcome.ratios(best), "{:.2f}".format)
    return name, best.setting, _spread(best.rounds, outcome.work.shown), ratio


def _spread(values: list[float], show: Any) -> str:
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
    return notes


def _tried(outcome: Outcome, contender: Contender) -> str:
    return f"{contender.setting} {outcome.work.shown(contender.median)}"
