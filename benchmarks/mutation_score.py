"""How often the checker is right: over wrong and correct networks that it was not written with.

``make mutation-score`` runs the checker over every case of tests/checker_corpus/unseen (written by
people who had not seen the checker, and not looked at by those who wrote it) and prints the shares
that docs/checker.md gives. ``--developed-with`` takes the styles that the checker was developed
with instead; ``--sample N`` takes N cases of each kind, evenly spread.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from chainrule.checker import Verdict, check

TESTS = Path(__file__).parent.parent / "tests"


@dataclass(frozen=True)
class Scored:
    """A case with the checker's answer."""

    case: Any
    verdict: Verdict
    seconds: float

    @property
    def right_cause(self) -> bool:
        """Whether the mistake was called by its name."""
        return bool(self.verdict.cause == self.case.mistake)

    @property
    def right_line(self) -> bool:
        """Whether a line was named that the corpus accepts."""
        accepted = {self.case.line, *(getattr(self.case, "lines", None) or ())}
        return self.verdict.line in accepted


def corpus(*, unseen: bool) -> tuple[list[Any], list[Any]]:
    """Return the wrong cases and the correct ones."""
    sys.path.insert(0, str(TESTS))
    import checker_corpus.corpus as written  # type: ignore[import-not-found]  # of the tests
    from checker_corpus.templates import (  # type: ignore[import-not-found]  # of the tests
        FOLDER,
        UNSEEN,
    )

    folder, seed = (UNSEEN, written.UNSEEN_SEED) if unseen else (FOLDER, written.PROVEN_SEED)
    return list(written.cases(seed, folder)), list(written.correct_cases(seed, folder))


def spread(cases: list[Any], at_most: int | None) -> list[Any]:
    """Take so many, evenly spread."""
    if at_most is None or at_most >= len(cases):
        return cases
    return list(islice((cases[i * len(cases) // at_most] for i in range(at_most)), at_most))


def score(case: Any) -> Scored:
    """Run the checker over one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("network.ipynb" if case.is_notebook else "network.py")
        path.write_text(case.source, encoding="utf-8")
        started = time.monotonic()
        return Scored(case, check(path), time.monotonic() - started)


def report(wrong: list[Scored], correct: list[Scored], *, details: bool) -> Iterator[str]:
    """The shares, and for each mistake how it was answered."""
    detected = sum(one.verdict.verdict == "wrong" for one in wrong)
    causes, lines = sum(one.right_cause for one in wrong), sum(one.right_line for one in wrong)
    alarms = sum(one.verdict.verdict == "wrong" for one in correct)
    certified = sum(one.verdict.verdict == "correct" for one in correct)
    yield f"wrong networks    {len(wrong)}"
    yield f"  detected        {_share(detected, len(wrong))}"
    yield f"  right cause     {_share(causes, len(wrong))}"
    yield f"  right line      {_share(lines, len(wrong))}"
    yield f"correct networks  {len(correct)}"
    yield f"  certified       {_share(certified, len(correct))}"
    yield f"  false alarms    {alarms}"
    seconds = sorted(one.seconds for one in (*wrong, *correct))
    yield f"seconds a file    {seconds[len(seconds) // 2]:.1f} (median), {seconds[-1]:.1f} (most)"
    if details:
        yield from _by_mistake(wrong)
        for one in correct:
            if one.verdict.verdict != "correct":
                yield f"{one.case.name}: {one.verdict.verdict}, {one.verdict.cause}"


def _by_mistake(wrong: list[Scored]) -> Iterator[str]:
    by_mistake: dict[str, list[Scored]] = defaultdict(list)
    for one in wrong:
        by_mistake[str(one.case.mistake)].append(one)
    for mistake, scored in sorted(by_mistake.items()):
        others = Counter(str(one.verdict.cause) for one in scored if not one.right_cause)
        yield (
            f"{mistake:34} {len(scored):3} files: cause {sum(one.right_cause for one in scored)}, "
            f"line {sum(one.right_line for one in scored)}; others: "
            + (", ".join(f"{cause} {count}" for cause, count in others.most_common(4)) or "none")
        )


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / max(whole, 1):.1f} %)"


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--developed-with", action="store_true")
    parser.add_argument("--sample", type=int, default=None)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--details", action="store_true")
    arguments = parser.parse_args()
    wrong, correct = corpus(unseen=not arguments.developed_with)
    with ThreadPoolExecutor(arguments.workers) as pool:
        scored_wrong = list(pool.map(score, spread(wrong, arguments.sample)))
        scored_correct = list(pool.map(score, spread(correct, arguments.sample)))
    for line in report(scored_wrong, scored_correct, details=arguments.details):
        print(line)


if __name__ == "__main__":
    main()
