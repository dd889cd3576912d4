"""The exercise learning-rate."""

from __future__ import annotations

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake
from chainrule.schedules import StepDecay


def _rate_cases(random: np.random.Generator) -> list[Case]:
    """Around each drop, where an answer that is one epoch off shows itself."""
    settings = [(0.8, 0.5, 10), (1.0, 0.1, 3), (0.02, 0.9, 1)]
    epochs = (0, 1, 2, 3, 4, 9, 10, 11, 19, 20, 25)
    return [(epoch, *setting) for setting in settings for epoch in epochs]


def _rate_truth(epoch: int, initial: float, factor: float, every: int) -> float:
    return StepDecay(initial, factor, every).rate(epoch, {})


LEARNING_RATE = Exercise(
    name="learning-rate",
    title="large steps first, small steps later",
    function="learning_rate",
    arguments=("epoch", "initial", "factor", "every"),
    outputs=("learning rate",),
    cases=_rate_cases,
    truth=_rate_truth,
    source="the schedule StepDecay",
    mistakes=[
        Mistake(
            "no_steps",
            lambda e, r, f, n: r * f ** (e / n),
            "The learning rate falls a little in every epoch. It should stay as it is until "
            "`every` epochs are over. Count whole periods only.",
        ),
        Mistake(
            "drops_every_epoch",
            lambda e, r, f, n: r * f**e,
            "The learning rate drops in every epoch. `every` takes no part.",
        ),
        Mistake(
            "drops_once",
            lambda e, r, f, n: r * f if e >= n else r,
            "The learning rate drops once and never again.",
        ),
        Mistake(
            "one_epoch_early",
            lambda e, r, f, n: r * f ** ((e + 1) // n),
            "The drop comes one epoch too early. Epochs count from 0, so with every = 10 the "
            "epochs 0 to 9 still have the first rate.",
        ),
        Mistake(
            "one_epoch_late",
            lambda e, r, f, n: r * f ** (max(e - 1, 0) // n),
            "The drop comes one epoch too late. Epochs count from 0, so with every = 10 it is "
            "epoch 10 that drops.",
        ),
        Mistake(
            "one_drop_too_many",
            lambda e, r, f, n: r * f ** (e // n + 1),
            "There is one drop too many: epoch 0 should have the initial rate.",
        ),
        Mistake(
            "remainder_for_quotient",
            lambda e, r, f, n: r * f ** (e % n),
            "The rate goes up again after each period. You use what is left over from the "
            "division; you need how often `every` fits in.",
        ),
        Mistake(
            "rounded",
            lambda e, r, f, n: r * f ** round(e / n),
            "The drop comes in the middle of a period: the quotient is rounded to the nearest "
            "number. Only whole periods count.",
        ),
        Mistake(
            "multiplied_for_power",
            lambda e, r, f, n: r * f * (e // n),
            "You multiply by the number of drops. After two drops the factor counts twice, as "
            "factor times factor.",
        ),
        Mistake(
            "subtracted",
            lambda e, r, f, n: r - f * (e // n),
            "You subtract. Each drop multiplies what is left.",
        ),
        Mistake(
            "divided_by_factor",
            lambda e, r, f, n: r / f ** (e // n),
            "The rate grows. The factor is below 1 already, so multiply by it.",
        ),
        Mistake(
            "factor_not_used",
            lambda e, r, f, n: r / (1 + e // n),
            "`factor` takes no part.",
        ),
        Mistake("constant", lambda e, r, f, n: r, "The learning rate never changes."),
        Mistake(
            "initial_missing", lambda e, r, f, n: f ** (e // n), "The initial rate takes no part."
        ),
    ],
    hints=[
        "How many drops has there been by this epoch? None in the first `every` epochs, then one, "
        "then two.",
        "That number is how often `every` fits into epoch: a division without remainder. Python "
        "writes it //.",
        "Each drop multiplies by factor. So n drops multiply by factor to the power n, in Python "
        "factor**n.",
    ],
)
