"""The first fit in a new process: what compiling costs, and what remains of it afterwards."""

from __future__ import annotations

from benchmarks.targets import AtMost, AtMostOver, Target
from benchmarks.work import REFERENCE, Work
from benchmarks.works.first_fit.side import CachedFit, ColdFit, ReferenceFit

_SETTING = "one step of a batch of 64 images by fit, with the imports that it makes"


def cold(model: str, *targets: Target) -> Work:
    """Return the first fit ever: nothing is compiled yet."""
    return Work(
        name=f"cold-{model}",
        title=f"the first fit ever of {model}, which compiles",
        setting=f"{_SETTING}; a new process with an empty cache each time",
        sides=(ReferenceFit(model, timed=False), ColdFit(model)),
        tolerance=1e-4,
        unit="s",
        targets=targets,
        rounds=2,
    )


def cached(model: str) -> Work:
    """Return the first fit in a process, when another has compiled before."""
    return Work(
        name=f"cached-{model}",
        title=f"the first fit of {model} in a new process, compiled before",
        setting=f"{_SETTING}; a new process each time",
        sides=(ReferenceFit(model), CachedFit(model)),
        tolerance=1e-4,
        unit="s",
        targets=(AtMostOver(peer=REFERENCE, enough=1.0, aim=0.3),),
        rounds=5,
    )


WORKS = (
    cold("mlp", AtMost(enough=5.0, aim=2.0)),
    cold("small-cnn", AtMost(enough=12.0, aim=5.0)),
    cached("mlp"),
    cached("small-cnn"),
)
