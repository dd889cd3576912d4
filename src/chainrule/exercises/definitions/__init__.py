"""The exercises, from the first to the last."""

from __future__ import annotations

from chainrule import checks
from chainrule.errors import UnknownName
from chainrule.exercises.definitions.backprop import BACKPROP, LOSS, UPDATE
from chainrule.exercises.definitions.dense import ACTIVATION, BIAS, FEEDFORWARD, SOFTMAX
from chainrule.exercises.definitions.images import CONVOLUTION, CONVOLUTION_BACKWARD, POOLING
from chainrule.exercises.definitions.training import ADAM, DROPOUT, LEARNING_RATE, MINI_BATCHES
from chainrule.exercises.exercise import Exercise

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        FEEDFORWARD,
        LOSS,
        BACKPROP,
        UPDATE,
        BIAS,
        ACTIVATION,
        LEARNING_RATE,
        MINI_BATCHES,
        SOFTMAX,
        CONVOLUTION,
        CONVOLUTION_BACKWARD,
        POOLING,
        DROPOUT,
        ADAM,
    )
}


def named(name: str) -> Exercise:
    """Find an exercise by its name.

    Raises
    ------
    UnknownName
    """
    try:
        return EXERCISES[name.lower().replace("_", "-")]
    except KeyError:
        raise UnknownName(
            f"There is no exercise {name!r}. {checks.did_you_mean(name, EXERCISES)}"
            f"There are: {', '.join(EXERCISES)}."
        ) from None
