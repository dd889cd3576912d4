"""Two hundred trainings in which nothing is wrong: the diagnosis has nothing to say."""

from __future__ import annotations

import os

import pytest

from diagnosis.healthy import healthy_run
from diagnosis.problems import MORE_TABLES, PROBLEMS

SEED = 70707  # not one that any threshold was chosen with
MOST_WARNINGS = 2
RUNS = 200 if os.environ.get("CHAINRULE_SWEEP") == "full" else 12


def test_two_hundred_healthy_trainings_get_two_warnings_at_most() -> None:
    warned = []
    for number in range(RUNS):
        run = healthy_run(number, SEED, PROBLEMS | MORE_TABLES)
        warned += [f"{number} {run.told}, {when}: {d}" for when, d in run.diagnoses if d][:1]
    if len(warned) > MOST_WARNINGS:
        pytest.fail("\n".join(warned))
