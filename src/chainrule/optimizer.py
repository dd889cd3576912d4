"""What an optimizer is: a rule that turns the gradient into a step of the parameters.

All parameters of a network stand in one flat vector and all gradients in another, so a rule is
written once, for vectors, and never needs to know about layers. Rules work in place: they run in
every step over every weight, and there a temporary array costs more than the arithmetic.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, TypedDict

import numpy as np

from chainrule import checks
from chainrule.layer import Array
from chainrule.registry import Registered
from chainrule.schedules import Schedule, as_schedule

_STEPS_BETWEEN_FORGETTING = 32


class CommonSettings(TypedDict, total=False):
    """Keywords that every optimizer takes; see ``Optimizer``."""

    weight_decay: float
    clip_norm: float | None
    clip_value: float | None


class OptimizerState:
    """What an optimizer remembers from step to step.

    Attributes
    ----------
    step : int
        Updates made so far.
    vectors : dict of str to ndarray
        One number per parameter for each thing remembered: a velocity, a mean square, ...
    starts : dict of str to float
        What each of them is before the first step.
    scratch : ndarray
        Room for intermediate results; it means nothing between two steps.
    """

    def __init__(self, parameters: Array, starts: dict[str, float]) -> None:
        self.step = 0
        self.starts = starts
        self.scratch = np.empty_like(parameters)
        self.vectors = self._first_vectors()

    def _first_vectors(self) -> dict[str, Array]:
        return {name: np.full_like(self.scratch, start) for name, start in self.starts.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle what is remembered: before the first step that is nothing yet."""
        state = vars(self) | {"scratch": (self.scratch.shape, self.scratch.dtype)}
        if self.step == 0:
            del state["vectors"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.scratch = np.empty(*state["scratch"])
        if self.step == 0:
            self.vectors = self._first_vectors()

    def begin_again(self) -> None:
        """Go back to the state before the first step, in the same memory."""
        self.step = 0
        for name, start in self.starts.items():
            self.vectors[name][...] = start

    def forget_vanished(self) -> None:
        """Set to zero what has faded to almost nothing: the averages of weights at rest.

        Left alone it would shrink on into the subnormal numbers below the dtype's range, with
        which a processor calculates up to a hundred times more slowly.
        """
        vanished = np.finfo(self.scratch.dtype).tiny * 2**20
        for vector in self.vectors.values():
            vector[np.abs(vector, out=self.scratch) < vanished] = 0


class Optimizer(Registered, family="optimizer"):
    """Base of the optimizers.

    Parameters
    ----------
    learning_rate : float or Schedule
        η, the size of a step.
    weight_decay : float, default 0
        Before each update, weights (not biases) shrink by η · weight_decay of their size,
        apart from the gradient (Loshchilov and Hutter, "Decoupled weight decay", 2019).
    clip_norm : float, optional
        A gradient longer than this is shortened to it, direction kept (Pascanu et al., 2013).
    clip_value : float, optional
        Each number of the gradient is cut off at plus and minus this.

    Notes
    -----
    To write your own, name what has to be remembered in ``remembers`` (with its starting value)
    and define ``update``, which changes ``parameters`` in place.
    """

    remembers: ClassVar[dict[str, float]] = {}
    formula: ClassVar[str] = ""

    def __init__(
        self,
        learning_rate: float | Schedule,
        *,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        if not isinstance(learning_rate, Schedule):
            learning_rate = checks.number("learning_rate", learning_rate, at_least=0)
        self.learning_rate = learning_rate
        self.weight_decay = checks.number("weight_decay", weight_decay, at_least=0)
        self.clip_norm = (
            None if clip_norm is None else checks.number("clip_norm", clip_norm, above=0)
        )
        self.clip_value = (
            None if clip_value is None else checks.number("clip_value", clip_value, above=0)
        )

    @property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule, constant where a plain number was given."""
        return as_schedule(self.learning_rate)

    def start(self, parameters: Array) -> OptimizerState:
        """Return the state before the first step."""
        return OptimizerState(parameters, self.remembers)

    def clip(self, gradients: Array, norm: float) -> None:
        """Shorten a gradient of that norm in place, as ``clip_value`` and ``clip_norm`` say."""
        if self.clip_value is not None:
            np.clip(gradients, -self.clip_value, self.clip_value, out=gradients)
            norm = math.sqrt(np.vdot(gradients, gradients))
        if self.clip_norm is not None and norm > self.clip_norm:
            gradients *= self.clip_norm / norm

    def equations(self) -> dict[str, str]:
        """Rule for one parameter, for explanations: what it becomes, in Python's syntax.

        Names are ``parameter``, ``gradient``, ``rate`` (the learning rate), ``step`` (counted
        from 1), settings and what the optimizer remembers. What a step changes has ``new_``
        before its name; the last is ``new_parameter``.
        """
        return {}

    def step(
        self,
        parameters: Array,
        gradients: Array,
        state: OptimizerState,
        rate: float,
        penalized: Array,
    ) -> None:
        """Move the parameters once, in place.

        Parameters
        ----------
        parameters, gradients : ndarray (count,)
        state : OptimizerState
            From ``start``; changed in place.
        rate : float
            The learning rate of this step.
        penalized : ndarray (count,)
            1 for parameters that weight decay applies to, 0 for the others.
        """
        state.step += 1
        if self.weight_decay:
            np.multiply(parameters, penalized, out=state.scratch)
            state.scratch *= rate * self.weight_decay
            parameters -= state.scratch
        self.update(parameters, gradients, state, rate)
        if state.step % _STEPS_BETWEEN_FORGETTING == 0:
            state.forget_vanished()

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        """Apply the rule itself: change ``parameters`` in place, ``gradients`` not at all."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")


def moving_average(average: Array, new: Array, decay: float, scratch: Array) -> None:
    """Average <- decay · average + (1 - decay) · new, in place."""
    average *= decay
    np.multiply(new, 1 - decay, out=scratch)
    average += scratch


def decaying_sum(total: Array, new: Array, decay: float) -> None:
    """Total <- decay · total + new, in place.

    A moving average is (1 - decay) times this. Where the factor can be taken into the step's
    size, the sum saves a pass over all parameters.
    """
    total *= decay
    total += new


def decaying_sum_of_squares(total: Array, new: Array, decay: float, scratch: Array) -> None:
    """Total <- decay · total + new², in place."""
    decaying_sum(total, np.multiply(new, new, out=scratch), decay)


def check_decay(name: str, value: Any) -> float:
    """A decay is the part of a moving average that stays: from 0 to below 1."""
    return checks.number(name, value, at_least=0, below=1)


def check_epsilon(value: Any) -> float:
    """Epsilon keeps a division from dividing by zero, so it must be above zero itself."""
    return checks.number("epsilon", value, above=0)
