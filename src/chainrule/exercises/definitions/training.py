"""Exercises on training: learning rate, mini-batches, dropout, Adam."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake, Problem
from chainrule.exercises.sandbox import Answer, Generator
from chainrule.layer import Array, Pass, Trace
from chainrule.layers.dropout import Dropout
from chainrule.optimizers import Adam
from chainrule.samples import Samples
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


def _batch_cases(random: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for samples, batch_size in [(7, 3), (6, 2), (5, 5), (4, 10), (9, 4)]:
        x = random.normal(size=(samples, 2))
        y = random.normal(size=(samples, 1))
        cases.append((x, y, random.permutation(samples), batch_size))
    return cases


def _batch_truth(x: Array, y: Array, order: Array, batch_size: int) -> Any:
    """The rows that ``Samples`` gathers, as the training loop asks for them."""
    samples = Samples(x, y)
    batches = []
    for start in range(0, len(x), batch_size):
        rows = samples.rows(order[start : start + batch_size])
        batches.append([rows.x[:], rows.y])
    return batches


def _cut(
    of_x: Callable[[Array, Array], Array],
    of_y: Callable[[Array, Array], Array],
    starts: Callable[[int, int], Sequence[int]] = lambda n, size: range(0, n, size),
    length: Callable[[int], int] = lambda size: size,
) -> Callable[..., Any]:
    """A way of cutting that differs from the right one in what is given."""

    def batches(x: Array, y: Array, order: Array, size: int) -> Any:
        x, y = of_x(x, order), of_y(y, order)
        return [
            [x[start : start + length(size)], y[start : start + length(size)]]
            for start in starts(len(x), size)
        ]

    return batches


def _ordered(rows: Array, order: Array) -> Array:
    return rows[order]


def _as_they_stand(rows: Array, order: Array) -> Array:
    return rows


def _unordered(rows: Array, order: Array) -> Array:
    return rows[np.argsort(order)]


_LAST_MISSING = (
    "The last, smaller batch is missing. Its samples would never be used with this order."
)
MINI_BATCHES = Exercise(
    name="mini-batches",
    title="a few samples for each step",
    function="batches",
    arguments=("x", "y", "order", "batch_size"),
    outputs=("batches",),
    cases=_batch_cases,
    truth=_batch_truth,
    source="the training loop's own samples",
    mistakes=[
        Mistake(
            "x_shuffled_without_y",
            _cut(_ordered, _as_they_stand),
            "x is put in order, y is not. Each sample then gets somebody else's answer.",
        ),
        Mistake(
            "x_shuffled_without_y",
            _cut(_as_they_stand, _ordered),
            "y is put in order, x is not. Each sample then gets somebody else's answer.",
        ),
        Mistake(
            "not_shuffled",
            _cut(_as_they_stand, _as_they_stand),
            "The order is not used: the samples come as they stand in x.",
        ),
        Mistake(
            "order_inverted",
            _cut(_unordered, _unordered),
            "The order is used the wrong way round. order[0] says which row comes first; yours "
            "takes it for the place where row 0 goes.",
        ),
        Mistake(
            "last_batch_missing",
            _cut(_ordered, _ordered, lambda n, size: range(0, n - size + 1, size)),
            _LAST_MISSING,
        ),
        Mistake(
            "last_batch_missing",
            _cut(_ordered, _ordered, lambda n, size: range(0, n - size, size)),
            "The last batch is missing, even where it is full.",
        ),
        Mistake(
            "rows_dropped",
            _cut(_ordered, _ordered, length=lambda size: size - 1),
            "Each batch is one row short. A slice [start:stop] leaves out stop itself, so nothing "
            "needs to be taken off.",
        ),
        Mistake(
            "rows_repeated",
            _cut(_ordered, _ordered, length=lambda size: size + 1),
            "Each batch is one row too long, so that row comes twice in an epoch.",
        ),
        Mistake(
            "rows_repeated",
            _cut(_ordered, _ordered, lambda n, size: range(n)),
            "The batches overlap: each begins one row after the one before. It should begin "
            "where that one ended.",
        ),
        Mistake(
            "empty_batch",
            _cut(_ordered, _ordered, lambda n, size: range(0, n + 1, size)),
            "Where the samples divide evenly, there is an empty batch at the end.",
        ),
        Mistake(
            "empty_batch",
            _cut(_ordered, _ordered, lambda n, size: range(0, n + size, size)),
            "There is an empty batch at the end.",
        ),
        Mistake(
            "first_batch_only",
            _cut(_ordered, _ordered, lambda n, size: range(1)),
            "Only the first batch is there. Does the function return inside the loop?",
        ),
        Mistake(
            "count_for_size",
            lambda x, y, order, size: [
                [a, b]
                for a, b in zip(
                    np.array_split(x[order], size), np.array_split(y[order], size), strict=True
                )
            ],
            "batch_size is taken for the number of batches. It is the number of samples in one.",
        ),
        Mistake(
            "x_alone",
            lambda x, y, order, size: [
                x[order[start : start + size]] for start in range(0, len(x), size)
            ],
            "These are the batches of x alone. Each item should be a pair, x and its y.",
        ),
    ],
    hints=[
        "Two things: bring x and y into the given order, then cut both into pieces.",
        "NumPy takes rows by a list of indices: x[indices]. Use the same indices for x and y.",
        "range(0, len(x), batch_size) gives where each batch starts. A slice that goes beyond the "
        "end is no error; it just stops there.",
        "For each start: indices are order[start : start + batch_size]. Append the pair of x and y "
        "at these indices.",
    ],
)

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

_RATE, _BETA1, _BETA2, _EPSILON = 0.01, 0.9, 0.999, 1e-8


def _adam_cases(random: np.random.Generator) -> list[Case]:
    """The first step, where the correction is largest; later ones; and a tiny gradient."""
    zeros = np.zeros((3, 2))
    cases: list[Case] = [(random.normal(size=(3, 2)), random.normal(size=(3, 2)), zeros, zeros, 1)]
    for step, scale in ((2, 1.0), (7, 1.0), (3, 1e-5)):
        weights, d_weights, mean = (random.normal(size=(3, 2)) for _ in range(3))
        squares = random.uniform(0.1, 1, size=(3, 2))
        cases.append((weights, scale * d_weights, scale * mean * 0.1, scale**2 * squares, step))
    return cases


def _adam_truth(
    weights: Array, d_weights: Array, mean: Array, mean_square: Array, step: int
) -> tuple[Array, Array, Array]:
    """The averages as the optimizer keeps them: as sums that are 1 / (1 - β) times as large."""
    adam, parameters = Adam(_RATE), weights.ravel().copy()
    state = adam.start(parameters)
    state.vectors["gradient_sum"][...] = mean.ravel() / (1 - _BETA1)
    state.vectors["squares"][...] = mean_square.ravel() / (1 - _BETA2)
    state.step = step - 1
    adam.step(parameters, d_weights.ravel(), state, _RATE, np.ones_like(parameters))
    shape = weights.shape
    return (
        parameters.reshape(shape),
        (1 - _BETA1) * state.vectors["gradient_sum"].reshape(shape),
        (1 - _BETA2) * state.vectors["squares"].reshape(shape),
    )


def _adam(
    *,
    beta1: float = _BETA1,
    beta2: float = _BETA2,
    new1: float = 1 - _BETA1,
    new2: float = 1 - _BETA2,
    square: Callable[[Array], Array] = np.square,
    correct1: bool = True,
    correct2: bool = True,
    later: int = 0,
    sign: float = -1.0,
    root: Callable[[Array], Array] = lambda s: np.sqrt(s) + _EPSILON,
    numerator: Callable[[Array, Array], Array] = lambda m_hat, g: m_hat,
    keeps_corrected: bool = False,
) -> Callable[..., Any]:
    """Adam, different from the right one in what is named."""

    def adam(w: Array, g: Array, m: Array, s: Array, step: int) -> Any:
        t = step + later
        m = beta1 * m + new1 * g
        s = beta2 * s + new2 * square(g)
        with np.errstate(all="ignore"):
            m_hat = m / np.float64(1 - beta1**t) if correct1 else m
            s_hat = s / np.float64(1 - beta2**t) if correct2 else s
            w = w + sign * _RATE * numerator(m_hat, g) / root(s_hat)
        return (w, m_hat, s_hat) if keeps_corrected else (w, m, s)

    return adam


ADAM = Exercise(
    name="adam",
    title="every weight gets a step size of its own",
    function="adam",
    arguments=("weights", "d_weights", "mean", "mean_square", "step"),
    outputs=("weights", "mean", "mean_square"),
    cases=_adam_cases,
    truth=_adam_truth,
    source="the optimizer Adam",
    may_change=True,
    mistakes=[
        Mistake(
            "no_bias_correction",
            _adam(correct1=False, correct2=False),
            "The correction is missing. Both averages begin at zero, so in the first steps they "
            "are too small: at step 1, m is a tenth of g.",
        ),
        Mistake(
            "no_bias_correction",
            _adam(correct1=False),
            "m is used without its correction, s with it.",
        ),
        Mistake(
            "no_bias_correction",
            _adam(correct2=False),
            "s is used without its correction, m with it.",
        ),
        Mistake(
            "correction_kept",
            _adam(keeps_corrected=True),
            "You return m_hat and s_hat. The next step would correct them once more. What is kept "
            "are m and s themselves.",
        ),
        Mistake(
            "step_from_zero",
            _adam(later=-1),
            "The power in the correction is one too small: step counts from 1, so at the first "
            "step you divide by 1 - beta^0 = 0.",
        ),
        Mistake(
            "step_too_late",
            _adam(later=1),
            "The power in the correction is one too large: step counts from 1 already.",
        ),
        Mistake(
            "epsilon_in_root",
            _adam(root=lambda s: np.sqrt(s + _EPSILON)),
            "epsilon stands under the root. It is added to the root. For tiny gradients that makes "
            "a great difference.",
        ),
        Mistake(
            "root_missing",
            _adam(root=lambda s: s + _EPSILON),
            "The root is missing. You divide by the mean square itself.",
        ),
        Mistake(
            "square_missing",
            _adam(square=lambda g: g, root=lambda s: np.sqrt(s) + _EPSILON),
            "The gradient is not squared in s. Its mean can then be negative, and has no root.",
        ),
        Mistake(
            "square_missing",
            _adam(square=np.abs),
            "In s stands the size of the gradient. Wanted is its square.",
        ),
        Mistake("sign", _adam(sign=1.0), "The step goes uphill: it is added."),
        Mistake(
            "betas_swapped",
            _adam(beta1=_BETA2, new1=1 - _BETA2, beta2=_BETA1, new2=1 - _BETA1),
            "beta1 and beta2 have changed places.",
        ),
        Mistake(
            "no_average",
            _adam(new1=1.0, new2=1.0),
            "The new gradient comes in with its full size. In a moving average the old part has "
            "the weight beta and the new part 1 - beta.",
        ),
        Mistake(
            "no_average",
            _adam(new1=1.0),
            "In m the new gradient comes in with its full size. It should have the weight "
            "1 - beta1.",
        ),
        Mistake(
            "no_average",
            _adam(new2=1.0),
            "In s the new square comes in with its full size. It should have the weight 1 - beta2.",
        ),
        Mistake(
            "weights_of_average_swapped",
            _adam(beta1=1 - _BETA1, new1=_BETA1, beta2=1 - _BETA2, new2=_BETA2),
            "Old and new have changed places in the averages: beta is the part of the old one.",
        ),
        Mistake(
            "gradient_for_mean",
            _adam(numerator=lambda m_hat, g: g),
            "The step is made with the gradient of this step alone. Adam uses its moving average.",
        ),
    ],
    hints=[
        "Five lines, one for each formula at the top: m, s, m_hat, s_hat, W. In this order.",
        "d_weights**2 squares each number. mean is m and mean_square is s; make both anew first, "
        "with beta times the old and 1 - beta times the new.",
        "The corrected ones get names of their own, mean_hat and square_hat. They are used in this "
        "step only. In Python the power is **: beta1**step.",
        "Then subtract from the weights: learning_rate times mean_hat, divided by the sum of "
        "np.sqrt(square_hat) and epsilon.",
    ],
)
