"""Which engine runs a network: the one that explains, or the one that is fast.

Both compute the same numbers, to the last few digits. The reference engine walks through the layers
with NumPy and needs nothing else. The compiled engine has twins of the layers in machine code
(``chainrule[fast]``); its first use on a machine compiles for some seconds, every training gains.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from typing import TYPE_CHECKING, Any

from chainrule import checks
from chainrule.errors import optional_package
from chainrule.layer import Shape
from chainrule.registry import Registered

if TYPE_CHECKING:
    from chainrule.engines.compiled.prediction import CompiledPrediction
    from chainrule.engines.compiled.training import CompiledTraining

_WORTH_SECONDS = 2.0  # of the reference engine, from which on compiling pays
_CALL = 4e-6  # seconds that the reference engine spends on a layer in a step whatever its size
_PER_MULTIPLICATION = 5e-11  # seconds, forward and back
_PACKAGES = ("numba", "scipy", "threadpoolctl")


class Engine(Registered, family="engine"):
    """How a network is run: ``NeuralNetwork(..., engine="compiled")``.

    Parameters
    ----------
    threads : int, optional
        How many threads the compiled engine may use; without it as many as there are cores for
        this process, or as the variable OMP_NUM_THREADS allows. Results do not depend on it.

    Attributes
    ----------
    latest : CompiledTraining or CompiledPrediction or None
        What the compiled engine ran last, for the report.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = (
            None if threads is None else checks.whole_number("threads", threads, at_least=1)
        )
        self.latest: CompiledTraining | CompiledPrediction | None = None
        self.why_not = "nothing has been trained or predicted yet"

    def note(self, **facts: Any) -> None:
        """Remember something for the report; it is no setting, so nothing has changed by it."""
        self.__dict__.update(facts)

    def is_compiled(self, seconds: float) -> bool:
        """Whether a job is for the compiled engine.

        Parameters
        ----------
        seconds : float
            What the reference engine would need, about.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no is_compiled")

    def check_installed(self) -> None:
        """Refuse an engine whose packages are missing.

        Raises
        ------
        MissingPackage
            Saying how to install them.
        """

    def compiled(self, module: str) -> Any:
        """Import a module of the compiled engine."""
        return importlib.import_module(f"chainrule.engines.compiled.{module}")

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the settings; what ran stays where it ran."""
        return {"threads": self.threads, "latest": None, "why_not": self.why_not}

    def report(self) -> str:
        """Tell which layer ran on what, the memory it took, and where the last step's time went."""
        if self.latest is None:
            return f"reference engine (NumPy): {self.why_not}"
        return str(self.latest.report())


class Auto(Engine):
    """The compiled engine for jobs that would take the other one more than two seconds.

    The choice depends on the network, the samples, the batches and the epochs alone, and on whether
    the packages of ``chainrule[fast]`` are installed. It stands in ``history.settings``.

    Parameters
    ----------
    threads : int, optional
        See ``Engine``.
    worth_seconds : float, optional
        Other seconds from which on a job is worth it.
    """

    def __init__(self, threads: int | None = None, worth_seconds: float | None = None) -> None:
        super().__init__(threads)
        self.worth_seconds = (
            None
            if worth_seconds is None
            else checks.number("worth_seconds", worth_seconds, at_least=0)
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "worth_seconds": self.worth_seconds}

    def is_compiled(self, seconds: float) -> bool:
        least = _WORTH_SECONDS if self.worth_seconds is None else self.worth_seconds
        if seconds < least:
            self.note(why_not="the job is too small to compile for")
            return False
        if any(importlib.util.find_spec(package) is None for package in _PACKAGES):
            self.note(why_not="the packages of chainrule[fast] are not installed")
            return False
        return True


class Reference(Engine):
    """The engine that explains: layer by layer, with NumPy."""

    def is_compiled(self, seconds: float) -> bool:
        self.note(why_not="it was asked for")
        return False


class Compiled(Engine):
    """The engine that is fast."""

    def check_installed(self) -> None:
        for package in _PACKAGES:
            if importlib.util.find_spec(package) is None:
                optional_package(package, 'engine="compiled"', "fast")

    def is_compiled(self, seconds: float) -> bool:
        return True


def reference_seconds(shapes: list[Shape], slots: Any, samples: int, steps: int) -> float:
    """Estimate what the reference engine needs for a number of steps over so many samples in all.

    Parameters
    ----------
    shapes : list of tuple of int
        Before the first layer and after each.
    slots : list of Slot
    samples : int
        Rows that go through the network, those of all steps together.
    steps : int
    """
    work = sum(
        math.prod(slot.shape) * math.prod(shapes[slot.path[0] + 1][:-1])
        for slot in slots
        if len(slot.shape) > 1
    )
    values = sum(math.prod(shape) for shape in shapes)
    per_sample = 3 * work * _PER_MULTIPLICATION + values * 4e-9
    return samples * per_sample + steps * len(shapes) * _CALL
