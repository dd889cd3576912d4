"""Each condition is provoked twenty times, each time in another way, and found."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.diagnosis import Symptom, diagnose
from diagnosis.provocations import PROVOCATIONS

SEED = 70707  # not one that any threshold was chosen with
TIMES, FOUND_AT_LEAST = 20, 19


def test_every_symptom_is_provoked() -> None:
    assert set(PROVOCATIONS) == set(Symptom.names())


@pytest.mark.parametrize("name", PROVOCATIONS)
def test_it_is_found_nineteen_times_of_twenty(name: str) -> None:
    missed = []
    for number in range(TIMES):
        random = np.random.default_rng([SEED, number])
        network, x, y, history = PROVOCATIONS[name](random)
        if name not in diagnose(network, x, y, history=history).names:
            missed.append(f"{number}: {network!r}")
    assert len(missed) <= TIMES - FOUND_AT_LEAST, "\n".join(missed)
