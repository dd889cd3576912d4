"""Accuracies on images: ``python -m benchmarks.images``.

The runs stand in ``image_runs.py``, the cuts of the data in ``image_data.py``. Each run scores the
network that the last epoch leaves, once, on images that took no part in its training.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import image_results, machine, report, with_torch
from benchmarks.image_data import SPLITS, Split, accuracy
from benchmarks.image_results import Entry
from benchmarks.image_runs import RUNS, Run
from chainrule import OnEpoch
from chainrule.errors import MissingPackage, UnreadableFile

COMMAND = "python -m benchmarks.images"

Say = Callable[[int, float], object]
Train = Callable[[Run, Split, int, Say], tuple[float, float]]


def train(run: Run, split: Split, seed: int, say: Say) -> tuple[float, float]:
    """Train as ``run`` says; return the accuracy on the test part, and the seconds of training.

    Parameters
    ----------
    run : Run
    split : Split
    seed : int
    say : callable
        Called with the number of each finished epoch, from 1, and its mean loss.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C: part of a training is no result.
    """
    network = run.network(seed)
    history = network.fit(
        split.x,
        split.y,
        epochs=run.epochs,
        batch_size=run.batch_size,
        augment=run.augmentation,
        callbacks=[OnEpoch(lambda _, history: say(len(history["loss"]), history["loss"][-1]))],
        progress=False,
    )
    if len(history["loss"]) < run.epochs:
        raise KeyboardInterrupt(history.stopped_because)
    return accuracy(network.predict_classes(split.test_x), split.test_y), history.seconds


def score(run: Run, splits: list[Split], train: Train, side: str) -> dict[str, Any]:
    """Train anew on each split from each seed, and take the mean of their accuracies."""
    scores, seconds = [], 0.0
    cases = [(split, seed) for split in splits for seed in run.seeds]
    for number, (split, seed) in enumerate(cases, start=1):
        part = f", part {number} of {len(cases)}" if len(cases) > 1 else ""
        found, took = train(run, split, seed, _progress(run, f"{run.name}{part}, {side}"))
        scores.append(found)
        seconds += took
    return {
        "accuracy": statistics.fmean(scores),
        "accuracies": scores,
        "seconds": round(seconds, 1),
    }


def compute(run: Run, known: Entry | None, *, torch: bool) -> Entry:
    """Return the entry of one run.

    With ``torch``, what is known for the same settings is kept and only PyTorch is trained.

    Raises
    ------
    MissingPackage, UnreadableFile
        When the data are not there.
    """
    splits = list(SPLITS[run.data]())
    settings = run.settings()
    same = known is not None and known["settings"] == settings
    if known is not None and same and torch:
        entry = known
    else:
        entry = {"settings": settings, **score(run, splits, train, "chainrule")}
        entry["computed"] = _computed_with("chainrule", "NumPy")
        if known is not None and same and "torch" in known:
            entry["torch"] = known["torch"]
    if torch:
        try:
            entry = {**entry, "torch": score(run, splits, with_torch.train, "PyTorch")}
            entry["torch"]["computed"] = f"beside it {_computed_with('torch')}"
        except (with_torch.NotTranslated, ModuleNotFoundError) as reason:
            print(f"{run.name}: not trained with PyTorch: {reason}", file=sys.stderr)
    return entry


def try_out(run: Run) -> None:
    """Score the settings without the test part, to choose them by: see ``Split.for_trying``."""
    split = next(SPLITS[run.data]()).for_trying()
    found = score(run, [split], train, "trying")
    print(f"{run.name}: {100 * found['accuracy']:.2f} on {len(split.test_y)} training images aside")


def main(arguments: list[str] | None = None) -> int:
    """Compute, print and keep the results. Returns 1 where a target is missed."""
    options = _options(arguments)
    chosen = [run for run in RUNS if not options.names or run.name in options.names]
    entries = image_results.load(options.json) if options.json else {}
    absent: dict[str, str] = {}
    missed: list[str] = []
    for run in chosen:
        try:
            if options.try_out:
                try_out(run)
                continue
            entry = compute(run, entries.get(run.name), torch=options.torch)
        except (MissingPackage, UnreadableFile) as reason:
            print(f"{run.name}: data not there. {reason}", file=sys.stderr)
            absent[run.name] = "data not there"
            continue
        entries[run.name] = entry
        missed += image_results.misses(run, entry)
        if options.json:
            image_results.save(options.json, entries)  # at once: the next run may take an hour
    if options.try_out:
        return 0

    print(image_results.table(chosen, entries, absent))
    if options.write:
        report.replace_results(options.write, COMMAND, image_results.table(RUNS, entries, {}))
    if missed:
        print("Missed:", *missed, sep="\n  ", file=sys.stderr)
    return 1 if missed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train on images and score.")
    names = [run.name for run in RUNS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; or all")
    parser.add_argument("--torch", action="store_true", help="train the same with PyTorch too")
    parser.add_argument(
        "--try",
        dest="try_out",
        action="store_true",
        help="score on training images set aside, to choose settings by; nothing is kept",
    )
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="keep the results there, beside those of before"
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put all results of --json into docs/results.md"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(names))
    if unknown:
        parser.error(f"there is no run {', '.join(unknown)}; expected some of {', '.join(names)}")
    if options.write and not options.json:
        parser.error("--write takes its table from the results in --json PATH; name that file too")
    return options


def _progress(run: Run, what: str) -> Say:
    began = time.perf_counter()

    def say(epoch: int, loss: float) -> None:
        seconds = time.perf_counter() - began
        print(
            f"{what}: epoch {epoch} of {run.epochs}, loss {loss:.4f}, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    return say


def _computed_with(*packages: str) -> str:
    facts = machine.describe()
    versions = ", ".join(f"{package} {facts[package]}" for package in packages)
    limits = facts.get("thread limits", "no thread limits set")
    return (
        f"{versions}, {facts['system']}, {facts['processor']}, {limits}, "
        f"on {time.strftime('%Y-%m-%d')}"
    )


if __name__ == "__main__":
    sys.exit(main())
