"""The exercise loss."""

from __future__ import annotations

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake, Slope
from chainrule.layer import Array
from chainrule.losses import SumOfSquares


def _loss_truth(y_hat: Array, y: Array) -> tuple[float, Array]:
    loss = SumOfSquares()
    return loss.value(y_hat, y), loss.gradient(y_hat, y)


def _loss_cases(random: np.random.Generator) -> list[Case]:
    shapes = [(4, 3), (5, 1), (3, 3), (1, 2)]
    return [(random.normal(size=shape), random.normal(size=shape)) for shape in shapes]


def _d(y_hat: Array, y: Array) -> Array:
    return 2 * (y_hat - y)


LOSS = Exercise(
    name="loss",
    title="how wrong the predictions are, and which way is better",
    function="sum_of_squares",
    arguments=("y_hat", "y"),
    outputs=("loss", "d_y_hat"),
    cases=_loss_cases,
    truth=_loss_truth,
    source="the loss SumOfSquares",
    slopes={"d_y_hat": Slope(0, lambda y_hat, y: SumOfSquares().value(y_hat, y))},
    mistakes=[
        Mistake(
            "mean_for_sum",
            lambda p, y: (np.mean((p - y) ** 2), _d(p, y) / p.size),
            "This is the mean over all numbers. Here the loss is the sum.",
        ),
        Mistake(
            "mean_for_sum",
            lambda p, y: (((p - y) ** 2).sum() / len(p), _d(p, y) / len(p)),
            "This is divided by the number of samples. Here the loss is a plain sum.",
        ),
        Mistake(
            "half",
            lambda p, y: (0.5 * ((p - y) ** 2).sum(), p - y),
            "A half comes in. Many books put ½ before the sum, to get rid of the 2 in the "
            "gradient. This exercise has no ½ in the loss.",
        ),
        Mistake(
            "square_missing",
            lambda p, y: (np.sum(p - y), np.ones_like(p)),
            "The differences are not squared, so errors of different sign cancel.",
        ),
        Mistake(
            "absolute_for_square",
            lambda p, y: (np.abs(p - y).sum(), np.sign(p - y)),
            "This uses the sizes of the differences. Wanted are their squares.",
        ),
        Mistake(
            "root",
            lambda p, y: (
                np.sqrt(((p - y) ** 2).sum()),
                (p - y) / np.sqrt(((p - y) ** 2).sum()),
            ),
            "There is a root around the sum. The loss is the sum itself.",
        ),
        Mistake(
            "square_of_sum",
            lambda p, y: (np.sum(p - y) ** 2, np.full_like(p, 2 * np.sum(p - y))),
            "You sum first and square then. Square each difference, then sum.",
        ),
        Mistake(
            "not_summed",
            lambda p, y: ((p - y) ** 2, np.full_like(p, np.nan)),
            "These are the squares one by one. The loss is one number: add them up.",
        ),
        Mistake(
            "not_summed",
            lambda p, y: (((p - y) ** 2).sum(axis=0), np.full_like(p, np.nan)),
            "This is one sum for each output. The loss is one number over everything.",
        ),
        Mistake(
            "not_summed",
            lambda p, y: (((p - y) ** 2).sum(axis=1), np.full_like(p, np.nan)),
            "This is one sum for each sample. The loss is one number over everything.",
        ),
        Mistake(
            "sign",
            lambda p, y: (-((p - y) ** 2).sum(), _d(y, p)),
            "The sign is turned. The loss must grow when a prediction moves away from y, and its "
            "gradient is positive where the prediction is too large.",
        ),
        Mistake(
            "sign_and_factor",
            lambda p, y: (np.nan, y - p),
            "The factor 2 of the square is missing, and the sign is turned.",
        ),
        Mistake(
            "one_sum_for_all",
            lambda p, y: (np.nan, np.sum(_d(p, y))),
            "The gradient is summed up. It has one number for each prediction: each can be "
            "changed by itself.",
        ),
        Mistake(
            "value_for_gradient",
            lambda p, y: (np.nan, (p - y) ** 2),
            "These are the squares, not their derivatives.",
        ),
        Mistake(
            "derivative_of_activation",
            lambda p, y: (np.nan, _d(p, y) * p * (1 - p)),
            "The derivative of the sigmoid is in it. That belongs to the next step of the chain "
            "rule; here the question is only how the loss changes with y_hat.",
        ),
    ],
    hints=[
        "Two answers are wanted: one number, and an array with one number for each prediction.",
        "The loss: take each difference, square it, add up everything. np.sum without an axis "
        "adds up a whole array.",
        "The gradient: what is the derivative of (p - y)^2 with respect to p? The other terms of "
        "the sum do not depend on this p.",
        "A square gives the factor 2, times what was squared: the difference y_hat - y, in this "
        "order.",
    ],
)
