"""Scores of chainrule beside scikit-learn's MLP: ``python -m benchmarks.accuracy``.

What is trained on what stands in ``cross_validation.py``. Scores, unlike times, hardly depend on
the machine, so the table in docs/results.md can be computed anew anywhere.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks import machine, report
from benchmarks.cross_validation import (
    OURS,
    OURS_AS_IT_COMES,
    PEER,
    TASKS,
    Task,
    cross_validate,
)

COMMAND = "python -m benchmarks.accuracy"
MAY_BE_BELOW = 0.005

Scores = dict[Task, list[dict[str, float]]]


def all_scores(tasks: tuple[Task, ...], seeds: int, parts: int, processes: int) -> Scores:
    """Cross-validate each task with each seed; a list over the seeds for each task."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the processes share the cores between them
    jobs = list(itertools.product(tasks, range(seeds)))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = [pool.submit(cross_validate, task, seed, parts) for task, seed in jobs]
        scores: Scores = {task: [] for task in tasks}
        for (task, seed), future in zip(jobs, futures, strict=True):
            scores[task].append(future.result())
            print(f"{task.name}, seed {seed}: done", file=sys.stderr, flush=True)
    return scores


def table(scores: Scores) -> str:
    """Return the scores as a Markdown table."""
    lines = [
        f"| data | epochs | known | {PEER} | {OURS} | difference | at least -0.5 | "
        f"{OURS_AS_IT_COMES} |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for task, by_seed in scores.items():
        cells = [f"{task.name}{', R²' if task.is_regression else ''}", str(task.epochs)]
        cells += [_shown(task, task.known), _mean_and_deviation(task, by_seed, PEER)]
        cells += [_mean_and_deviation(task, by_seed, OURS)]
        cells += [f"{100 * difference(by_seed):+.2f}"]
        cells += ["yes" if difference(by_seed) >= -MAY_BE_BELOW else "NO"]
        cells += [_mean_and_deviation(task, by_seed, OURS_AS_IT_COMES)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def difference(by_seed: list[dict[str, float]]) -> float:
    """Mean of chainrule's score minus scikit-learn's, on the same folds."""
    return statistics.fmean(scores[OURS] - scores[PEER] for scores in by_seed)


def _mean_and_deviation(task: Task, by_seed: list[dict[str, float]], side: str) -> str:
    values = [scores[side] for scores in by_seed]
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{_shown(task, statistics.fmean(values))} ± {_shown(task, deviation)}"


def _shown(task: Task, score: float) -> str:
    return f"{score:.3f}" if task.is_regression else f"{100 * score:.2f}"


def main(arguments: list[str] | None = None) -> int:
    """Compute and print the table. Returns 1 where chainrule is more than 0.5 points below."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Cross-validate both sides.")
    parser.add_argument("--quick", action="store_true", help="one seed, three folds; no verdict")
    parser.add_argument("--processes", type=int, default=2, help="data sets at a time (2)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into docs/results.md")
    options = parser.parse_args(arguments)
    seeds, parts = (1, 3) if options.quick else (5, 10)

    began = time.perf_counter()
    scores = all_scores(TASKS, seeds, parts, options.processes)
    minutes = (time.perf_counter() - began) / 60
    facts = machine.describe()
    results = (
        f"{table(scores)}\n\n{seeds} seeds of {parts} folds each; accuracies in percent; mean and "
        f"standard deviation over the seeds. Computed on {time.strftime('%Y-%m-%d')} in "
        f"{minutes:.1f} minutes by {options.processes} processes: chainrule {facts['chainrule']}, "
        f"scikit-learn {facts['scikit-learn']}, NumPy {np.__version__}, {facts['system']}."
    )
    print(results)
    if options.write:
        report.replace_results(options.write, COMMAND, results)
    below = [task.name for task, by_seed in scores.items() if difference(by_seed) < -MAY_BE_BELOW]
    if below:
        print(f"More than 0.5 points below {PEER}: {', '.join(below)}", file=sys.stderr)
    return 1 if below and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
