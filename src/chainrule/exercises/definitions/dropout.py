"""The exercise dropout: judged by what all right masks have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Problem
from chainrule.exercises.sandbox import Answer, Generator
from chainrule.layer import Array, Pass, Trace
from chainrule.layers.dropout import Dropout

_MASK_SHAPE = (60, 50)


def _dropout_cases(random: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (list(_MASK_SHAPE), rate, Generator(seed))
        for seed, rate in enumerate((0.25, 0.5, 0.8, 0.0), start=1)
    ]
    return [*cases, (list(_MASK_SHAPE), 0.25, Generator(99))]


def _dropout_truth(shape: Sequence[int], rate: float, random: Generator) -> Array:
    layer, trace = Dropout(rate), Trace(Pass(training=True, seed=random.seed))
    layer.feedforward(np.ones(shape), trace)
    return trace.mask


def _judge_dropout(cases: Sequence[Case], answers: Sequence[Answer]) -> Problem | None:
    """Look at what masks have in common, because each right one is drawn in its own way."""
    masks = [answer.value for answer in answers]
    for (shape, rate, random), mask in zip(cases, masks, strict=True):
        if not isinstance(mask, np.ndarray) or mask.shape != tuple(shape):
            given = mask.shape if isinstance(mask, np.ndarray) else "several arrays"
            return Problem("wrong_shape", f"The mask has shape {given}; expected {tuple(shape)}.")
        problem = _judge_mask(mask, rate, _dropout_truth(shape, rate, random).max())
        if problem is not None:
            return problem
    if np.array_equal(masks[0], masks[-1]):
        return Problem(
            "same_mask",
            "The mask is the same each time. Draw it from `random`, which goes on from call to "
            "call; a seed of your own begins anew.",
        )
    return None


def _judge_mask(mask: Array, rate: float, scale: float) -> Problem | None:
    if not np.isfinite(mask).all():
        return Problem("not_finite", f"With rate = {rate} the mask holds inf or NaN.")
    kept = mask[mask != 0]
    if rate == 0 and kept.size < mask.size:
        return Problem(
            "drops_at_rate_0",
            "With rate = 0 nothing should be left out, and yours leaves out "
            f"{1 - kept.size / mask.size:.0%}.",
        )
    if not kept.size:
        return Problem("all_dropped", f"With rate = {rate} the whole mask is 0.")
    left_out = 1 - kept.size / mask.size
    spread = 5 * math.sqrt(max(rate * (1 - rate), 1e-12) / mask.size)
    if abs(left_out - rate) > spread:
        if abs(left_out - (1 - rate)) <= spread:
            return Problem(
                "rate_turned_round",
                f"With rate = {rate} you leave out {left_out:.0%} and keep {1 - left_out:.0%}. "
                "It is the other way round: rate is the part that is left out.",
            )
        if not left_out and np.ptp(mask):
            return Problem(
                "no_zeros",
                "Nothing is left out: the mask holds many different numbers. Compare each draw "
                "with the rate, so that the result is either 0 or not.",
            )
        together = np.ptp(mask, axis=0).max() == 0 or np.ptp(mask, axis=1).max() == 0
        return (
            _shared()
            if together
            else Problem(
                "wrong_part", f"With rate = {rate} you leave out {left_out:.0%} of the numbers."
            )
        )
    if rate and (np.ptp(mask, axis=0).max() == 0 or np.ptp(mask, axis=1).max() == 0):
        return _shared()
    if np.allclose(kept, scale, rtol=1e-5):
        return None
    return _judge_scale(kept, rate, scale)


def _judge_scale(kept: Array, rate: float, scale: float) -> Problem:
    if np.allclose(kept, 1):
        return Problem(
            "not_scaled",
            f"The right part is left out, but what stays is not made larger. With rate = {rate} "
            f"the mean of the outputs falls to {1 - rate:.0%} of what it was.",
        )
    if np.allclose(kept, 1 - rate):
        return Problem(
            "scaled_the_wrong_way",
            "What stays is multiplied by the part that is kept. That makes it smaller still. It "
            "should become larger.",
        )
    if rate and np.allclose(kept, 1 / rate):
        return Problem(
            "scaled_by_rate",
            "What stays is divided by rate, the part that is left out. Divide by the part that "
            "stays.",
        )
    return Problem(
        "wrong_scale",
        f"With rate = {rate} what stays is multiplied by {kept.flat[0]:.4g}. The expected value "
        "of the mask should be 1.",
    )


def _shared() -> Problem:
    return Problem(
        "drawn_together",
        "Whole rows or columns are left out together. Each number is left out by itself, so draw "
        "as many random numbers as the shape has.",
    )


DROPOUT = Exercise(
    name="dropout",
    title="leave numbers out, and keep the expected value",
    function="dropout_mask",
    arguments=("shape", "rate", "random"),
    outputs=("mask",),
    cases=_dropout_cases,
    truth=_dropout_truth,
    source="the layer Dropout",
    mistakes=[],
    judge=_judge_dropout,
    hints=[
        "Two parts: which numbers stay, and by which factor they grow.",
        "random.random(shape) gives numbers from 0 to 1, all equally likely. A quarter of them is "
        "below 0.25. So compare them with rate: which side stays?",
        "If a quarter is left out, three quarters stay. Their sum is the old one again if each is "
        "divided by 0.75.",
        "A comparison gives True and False, and they count as 1 and 0. So: the draws that are at "
        "least rate, divided by 1 - rate.",
    ],
)
