"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks import machine, report, works
from benchmarks.agreement import Disagreement
from benchmarks.measure import measure

COMMAND = "python -m benchmarks"


def main(arguments: list[str] | None = None) -> int:
    """Run the works, print their tables. Returns 1 when sides did not do the same job."""
    options = _parser().parse_args(arguments)
    rounds, seconds = (2, 0.05) if options.quick else (options.rounds, 0.3)
    chosen = [work for work in works.ALL if not options.only or work.name in options.only]
    began = time.strftime("%Y-%m-%d %H:%M")
    facts = machine.describe() | {"load before": machine.load()}

    outcomes, failed, parts = [], [], []
    for work in chosen:
        try:
            outcome = measure(work, rounds, seconds, _say)
        except Disagreement as error:
            failed.append(work.name)
            parts.append(f"{work.name}: {work.title}\n  NOT TIMED. {error}")
        else:
            outcomes.append(outcome)
            parts.append(report.text(outcome))
        _say("")
        print(parts[-1], end="\n\n", flush=True)

    facts |= {"load after": machine.load(), "measured": f"{began}, {rounds} rounds"}
    parts.append("\n".join(f"{name}: {fact}" for name, fact in facts.items()))
    print(parts[-1])
    if options.json:
        found = {"machine": facts, "works": [report.as_dict(outcome) for outcome in outcomes]}
        options.json.write_text(json.dumps(found | {"failed": failed}, indent=1), encoding="utf-8")
    if options.write:
        block = "```text\n" + "\n\n".join(parts) + "\n```"
        report.replace_results(options.write, COMMAND, block)
    if failed:
        print(f"Sides disagree in: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND, description="Time chainrule beside the peers that are installed."
    )
    names = [work.name for work in works.ALL]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="two short rounds, to see that it runs"
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each work (9)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every figure there")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the report into docs/benchmarks.md"
    )
    return parser


def _say(what: str) -> None:
    """Tell a person who watches what is going on, on one line that is overwritten."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
