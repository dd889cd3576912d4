"""Going back: the network as it was at any step, bit for bit, on both engines."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from training.runs import Recorder, StopAt, bits, random_run

RUNS = [(seed, engine) for seed in range(20) for engine in ("reference", "compiled")]


@pytest.mark.sweep(sample=8)
@pytest.mark.parametrize(("seed", "engine"), RUNS)
def test_fifty_steps_of_a_random_run_have_the_same_bits(seed: int, engine: str) -> None:
    """Those that a callback saw in another run, a run that was stopped there, and the run itself."""
    run, recorder = random_run(seed, engine), Recorder()
    history = run.fit()
    run.fit(recorder)
    assert history.settings["engine"] == engine
    last = history.iterations
    assert last >= 30
    assert bits(history.at(last)) == bits(history.network)
    random = np.random.default_rng(seed)
    for step in random.integers(0, last + 1, size=50).tolist():
        assert bits(history.at(step)) == recorder.seen[step], step
    for step in random.integers(1, last + 1, size=2).tolist():
        stopped = run.fit(StopAt(step))
        assert bits(history.at(step)) == bits(stopped.network), step
