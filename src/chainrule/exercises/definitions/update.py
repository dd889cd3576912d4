"""The exercise update."""

from __future__ import annotations

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake
from chainrule.layer import Array
from chainrule.optimizers import GradientDescent


def _update_cases(random: np.random.Generator) -> list[Case]:
    shapes = [((3, 2), 0.1), ((4,), 0.5), ((2, 2), 0.01), ((3, 3), 1.5)]
    return [(random.normal(size=shape), random.normal(size=shape), rate) for shape, rate in shapes]


def _update_truth(weights: Array, d_weights: Array, learning_rate: float) -> Array:
    descent, parameters = GradientDescent(learning_rate), weights.ravel().copy()
    penalized = np.ones_like(parameters)
    state = descent.start(parameters)
    descent.step(parameters, d_weights.ravel(), state, learning_rate, penalized)
    return parameters.reshape(weights.shape)


UPDATE = Exercise(
    name="update",
    title="one step downhill",
    function="update",
    arguments=("weights", "d_weights", "learning_rate"),
    outputs=("new weights",),
    cases=_update_cases,
    truth=_update_truth,
    source="the optimizer GradientDescent",
    may_change=True,
    mistakes=[
        Mistake(
            "sign",
            lambda w, d, r: w + r * d,
            "This goes uphill: the gradient is added. It points to where the loss grows.",
        ),
        Mistake(
            "learning_rate_missing",
            lambda w, d, r: w - d,
            "The direction is right, but the learning rate takes no part.",
        ),
        Mistake(
            "sign_and_learning_rate",
            lambda w, d, r: w + d,
            "This goes uphill, and the learning rate takes no part.",
        ),
        Mistake(
            "step_alone",
            lambda w, d, r: r * d,
            "This is the step. Wanted are the weights after it.",
        ),
        Mistake(
            "step_alone",
            lambda w, d, r: -r * d,
            "This is the step. Wanted are the weights after it.",
        ),
        Mistake("not_updated", lambda w, d, r: w, "The weights are as they were before."),
        Mistake(
            "divided_by_learning_rate",
            lambda w, d, r: w - d / r,
            "The gradient is divided by the learning rate. A larger learning rate should make a "
            "larger step.",
        ),
        Mistake(
            "rate_on_everything",
            lambda w, d, r: r * (w - d),
            "The learning rate multiplies the weights too. It belongs to the gradient alone.",
        ),
        Mistake(
            "rate_on_the_weights",
            lambda w, d, r: r * w - d,
            "The learning rate multiplies the weights. It belongs to the gradient.",
        ),
        Mistake(
            "rate_subtracted",
            lambda w, d, r: w - d - r,
            "The learning rate is subtracted. It multiplies the gradient.",
        ),
        Mistake(
            "sign_of_gradient_only",
            lambda w, d, r: w - r * np.sign(d),
            "Only the sign of the gradient is used. Its size counts too.",
        ),
        Mistake(
            "half_a_step",
            lambda w, d, r: w - 0.5 * r * d,
            "The step is half as long as it should be.",
        ),
        Mistake(
            "double_step",
            lambda w, d, r: w - 2 * r * d,
            "The step is twice as long as it should be. Is the update done twice?",
        ),
        Mistake(
            "weights_multiplied",
            lambda w, d, r: w * (1 - r * d),
            "The weights are multiplied by the step. It should be subtracted from them.",
        ),
    ],
    hints=[
        "The gradient says: if this weight grows, the loss changes by so much. You want the loss "
        "to shrink.",
        "Go against the gradient: subtract. How far? As far as the learning rate says.",
        "The step is the learning rate times the gradient. Take it away from the weights, and "
        "return what is left.",
    ],
)
