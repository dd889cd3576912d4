"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import growth_report, machine, report
from benchmarks.agreement import Disagreement
from benchmarks.measure import SideFailed, measure
from benchmarks.targets import Verdict
from benchmarks.work import Work
from benchmarks.works import ALL
from benchmarks.works.growth import Growth

COMMAND = "python -m benchmarks"
_PICTURE = Path("pictures", "growth.png")  # beside the page


def main(
    arguments: list[str] | None = None,
    works: Sequence[Work | Growth] = ALL,
    command: str = COMMAND,
) -> int:
    """Run the works, print their tables. Returns 1 when sides did not do the same job, or broke.

    Parameters
    ----------
    arguments : list of str, optional
        Of the command line; those that Python was called with without it.
    works : sequence of (Work or Growth)
        To choose from.
    command : str
        What stands in front of the arguments, and marks the place of the results in the page.
    """
    options = _parser(works, command).parse_args(arguments)
    rounds, seconds = (2, 0.05) if options.quick else (options.rounds, 0.3)
    chosen = [work for work in works if not options.works or work.name in options.works]
    began = time.strftime("%Y-%m-%d %H:%M")
    facts = machine.describe() | {"load before": machine.load()}

    results, failed, parts = [], [], []
    for work in chosen:
        try:
            results.append(_result(work, rounds, seconds, options.write))
        except (Disagreement, SideFailed) as error:
            failed.append(work.name)
            parts.append(f"{work.name}: {work.title}\n  NOT TIMED. {error}")
        else:
            parts.append(results[-1].text)
        _say("")
        print(parts[-1], end="\n\n", flush=True)

    facts |= {"load after": machine.load(), "measured": f"{began}, {rounds} rounds at most"}
    parts.append("\n".join(f"{name}: {fact}" for name, fact in facts.items()))
    summary = report.summary([verdict for result in results for verdict in result.verdicts])
    print(f"{summary}\n\n{parts[-1]}")
    if options.json:
        found = {"machine": facts, "works": [result.numbers for result in results]}
        options.json.write_text(
            json.dumps(found | {"failed": failed}, indent=1) + "\n", encoding="utf-8"
        )
    if options.write:
        pictures = [result.picture for result in results if result.picture]
        block = [summary, *pictures, "```text\n" + "\n\n".join(parts) + "\n```"]
        report.replace_results(options.write, command, "\n\n".join(block))
    if failed:
        print(f"Not timed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


@dataclass(frozen=True)
class _Result:
    """What came of one work, ready to be printed and written."""

    text: str
    verdicts: list[Verdict]
    numbers: dict[str, Any]
    picture: str = ""


def _result(work: Work | Growth, rounds: int, seconds: float, page: Path | None) -> _Result:
    if isinstance(work, Work):
        found = measure(work, rounds, seconds, _say)
        return _Result(report.text(found), found.verdicts, report.as_dict(found))
    grown = work.measure(rounds, seconds, _say)
    picture = ""
    if page:
        growth_report.draw(grown, page.parent / _PICTURE)
        picture = f"![{work.title}]({_PICTURE})"
    return _Result(
        growth_report.text(grown),
        [growth_report.verdict(grown)],
        growth_report.as_dict(grown),
        picture,
    )


def _parser(works: Sequence[Work | Growth], command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=command, description="Time chainrule beside the peers that are installed."
    )
    names = [work.name for work in works]
    parser.add_argument(
        "works",
        nargs="*",
        metavar="NAME",
        type=_one_of(names),
        help=f"works to run, all without it: {', '.join(names)}",
    )
    parser.add_argument(
        "--quick", action="store_true", help="two short rounds, to see that it runs"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each work, at most (7)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every figure there")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the report into docs/benchmarks.md"
    )
    return parser


def _one_of(names: list[str]) -> Callable[[str], str]:
    def checked(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"no work is called {name!r}; {', '.join(names)}")
        return name

    return checked


def _say(what: str) -> None:
    """Tell a person who watches what is going on, on one line that is overwritten."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
