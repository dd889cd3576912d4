"""The exercises, from the first to the last."""

from __future__ import annotations

from chainrule import checks
from chainrule.errors import UnknownName
from chainrule.exercises.definitions.activation import ACTIVATION
from chainrule.exercises.definitions.adam import ADAM
from chainrule.exercises.definitions.backprop import BACKPROP
from chainrule.exercises.definitions.bias import BIAS
from chainrule.exercises.definitions.convolution import CONVOLUTION, CONVOLUTION_BACKWARD
from chainrule.exercises.definitions.dropout import DROPOUT
from chainrule.exercises.definitions.feedforward import FEEDFORWARD
from chainrule.exercises.definitions.learning_rate import LEARNING_RATE
from chainrule.exercises.definitions.loss import LOSS
from chainrule.exercises.definitions.mini_batches import MINI_BATCHES
from chainrule.exercises.definitions.pooling import POOLING
from chainrule.exercises.definitions.softmax import SOFTMAX
from chainrule.exercises.definitions.update import UPDATE
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
