"""The truth table from 1,000 seeds: ``side.py`` says what that is, the other files do it."""

from benchmarks.targets import AtMost
from benchmarks.work import Work
from benchmarks.works.many_seeds.with_chainrule import Chainrule, ReferenceEngine
from benchmarks.works.many_seeds.with_jax import Jax
from benchmarks.works.many_seeds.with_numpy import StackedLoop
from benchmarks.works.truth_table.side import ITERATIONS

WORK = Work(
    name="1000-seeds",
    title="the truth table from 1,000 seeds",
    setting=f"1,000 networks as in truth-table, each {ITERATIONS:,} iterations, float64",
    sides=(ReferenceEngine(), Chainrule(), StackedLoop(), Jax()),
    tolerance=1e-7,
    score_tolerance=0.0,
    unit="s",
    targets=(AtMost(enough=1.0, aim=0.3),),
    rounds=5,
)
