"""The truth table: ``side.py`` says what the work is, the other files do it."""

from benchmarks.targets import TimesAsFast
from benchmarks.work import REFERENCE, Work
from benchmarks.works.truth_table.with_chainrule import Chainrule, ReferenceEngine
from benchmarks.works.truth_table.with_jax import Jax
from benchmarks.works.truth_table.with_numpy import TutorialLoop, TutorialLoopWithLosses
from benchmarks.works.truth_table.with_sklearn import ScikitLearn
from benchmarks.works.truth_table.with_torch import Torch

WORK = Work(
    name="truth-table",
    title="1,500 iterations of gradient descent on the truth table",
    setting="3-4-1 sigmoids, no biases, sum of squares, all four rows in each step, float64",
    sides=(
        ReferenceEngine(),
        Chainrule(),
        TutorialLoopWithLosses(),
        TutorialLoop(),
        Torch("eager, update by hand"),
        Torch("eager, SGD"),
        ScikitLearn(),
        Jax(),
    ),
    tolerance=1e-10,
    score_tolerance=0.0,
    unit="ms",
    targets=(
        TimesAsFast(peer=TutorialLoop.name, enough=40, aim=80),
        TimesAsFast(peer=Jax.name, enough=8, aim=13),
        TimesAsFast(peer=TutorialLoopWithLosses.name, enough=1 / 1.5, of=REFERENCE),
        TimesAsFast(peer=TutorialLoop.name, enough=1 / 1.5, of=REFERENCE),
    ),
)
