"""The growth as text, as JSON and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report import in_columns
from benchmarks.targets import Verdict
from benchmarks.work import OURS, Work
from benchmarks.works.growth import PEER, GrowthOutcome
from benchmarks.works.growth.points import AXES

_COLOURS = {OURS: "#0b6e99", PEER: "#d9730d"}


def text(outcome: GrowthOutcome) -> str:
    """Return the table of all points, and the worst of them."""
    heading = ["what grows", "size", "chainrule, us/sample", f"{PEER}, us/sample", "its / ours"]
    rows = [heading]
    ratios = dict(outcome.times_as_fast)
    for axis in AXES:
        ours, peers = (dict(outcome.per_sample(name, axis)) for name in (OURS, PEER))
        for point, _ in outcome.found:
            if point.axis == axis:
                its = f"{peers[point.size]:.3g}" if point.size in peers else "not installed"
                ratio = f"{ratios[point]:.2f}" if point in ratios else ""
                rows.append([axis, f"{point.size:,}", f"{ours[point.size]:.3g}", its, ratio])
    lines = [f"{outcome.work.name}: {outcome.work.title}"]
    lines += [f"  {axis}: {what}" for axis, what in AXES.items()]
    lines += [f"  {line}" for line in in_columns(rows)]
    return "\n".join([*lines, f"  target: {verdict(outcome)}"])


def verdict(outcome: GrowthOutcome) -> Verdict:
    """Judge the worst point: nowhere may PyTorch be faster by more than 10 %."""
    worst, target = outcome.worst, outcome.work.target
    work = Work(outcome.work.name, outcome.work.title, "", outcome.work.sides)
    found = target.judge(worst[1] if worst else None, work)
    if worst is None:
        return found
    what = f"{found.what} at the worst size, {worst[0].axis} {worst[0].size:,}"
    return Verdict(found.work, what, found.reached, found.enough, found.aim, found.result)


def as_dict(outcome: GrowthOutcome) -> dict[str, Any]:
    """Everything measured, in seconds, ready for JSON."""
    return {
        "name": outcome.work.name,
        "title": outcome.work.title,
        "targets": [vars(verdict(outcome))],
        "points": [
            {
                "axis": point.axis,
                "size": point.size,
                "samples": point.rows,
                "agreement": found.agreement,
                "sides": [
                    {"name": one.name, "setting": one.setting, "rounds": one.rounds}
                    for one in found.contenders
                ],
            }
            for point, found in outcome.found
        ],
    }


def draw(outcome: GrowthOutcome, path: Path) -> None:
    """Draw four panels, one for each axis, into a file."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    figure = Figure(figsize=(10, 7), layout="constrained")
    lines = {}
    for axes, (axis, what) in zip(figure.subplots(2, 2).flat, AXES.items(), strict=True):
        for name, colour in _COLOURS.items():
            points = outcome.per_sample(name, axis)
            if points:
                (lines[name],) = axes.loglog(
                    *zip(*points, strict=True), "o-", color=colour, markersize=4
                )
        sizes = [point.size for point, _ in outcome.found if point.axis == axis]
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize="small")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(what)
        axes.set_ylabel("microseconds per sample")
        axes.grid(visible=True, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(lines.values(), lines, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
