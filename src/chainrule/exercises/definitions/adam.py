"""The exercise adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake
from chainrule.layer import Array
from chainrule.optimizers import Adam

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
