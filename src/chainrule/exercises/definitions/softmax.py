"""The exercise softmax."""

from __future__ import annotations

import numpy as np

from chainrule.activations import Sigmoid, Softmax
from chainrule.exercises.exercise import Case, Exercise, Mistake
from chainrule.layer import Array

_sigmoid = Sigmoid().value


def _softmax_cases(random: np.random.Generator) -> list[Case]:
    """Numbers that overflow, in one row and against those of another row."""
    large = np.array([[1000.0, 1001.0, 999.0], [-1000.0, -1002.0, -1001.0]])
    return [
        (random.normal(size=(4, 3)),),
        (random.normal(size=(3, 3)) * 2,),
        (random.normal(size=(1, 5)),),
        (large,),
    ]


def _exp(z: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.exp(z)


def _ratio(numbers: Array, axis: int | None, *, keep: bool = True) -> Array:
    with np.errstate(all="ignore"):
        return numbers / numbers.sum(axis=axis, keepdims=keep)


def _log(z: Array) -> Array:
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


SOFTMAX = Exercise(
    name="softmax",
    title="from any numbers to probabilities, without overflow",
    function="softmax",
    arguments=("z",),
    outputs=("a",),
    cases=_softmax_cases,
    truth=lambda z: Softmax().value(z),
    source="the activation softmax",
    mistakes=[
        Mistake(
            "exp_overflow",
            lambda z: _ratio(_exp(z), 1),
            "Right for small numbers. But e^1000 is more than a computer can hold, and then inf "
            "is divided by inf. Make the largest exponent of each row small first.",
        ),
        Mistake(
            "exp_overflow",
            lambda z: _ratio(_exp(z - z.max()), 1),
            "You subtract the largest number of the whole array. A row of small numbers then has "
            "nothing but e^-2000 = 0 left, and 0 is divided by 0. Each row needs its own.",
        ),
        Mistake(
            "exp_overflow",
            lambda z: _ratio(_exp(z - z.min()), 1),
            "You subtract the smallest number. The largest exponent is then larger than before.",
        ),
        Mistake(
            "wrong_axis",
            lambda z: _ratio(_exp(z), 0),
            "The columns add up to 1. Each row is one sample, so it is the rows that should.",
        ),
        Mistake(
            "wrong_axis",
            lambda z: _ratio(_exp(z - z.max(axis=0)), 0),
            "The columns add up to 1. Each row is one sample, so it is the rows that should.",
        ),
        Mistake(
            "wrong_axis",
            lambda z: _ratio(_exp(z - z.max(axis=1, keepdims=True)), 0),
            "The columns add up to 1. Each row is one sample, so it is the rows that should.",
        ),
        Mistake(
            "total_sum",
            lambda z: _ratio(_exp(z), None),
            "You divide by the sum of the whole array. Each row is a sample of its own and adds up "
            "to 1.",
        ),
        Mistake(
            "total_sum",
            lambda z: _ratio(_exp(z - z.max()), None),
            "You divide by the sum of the whole array. Each row is a sample of its own and adds up "
            "to 1.",
        ),
        Mistake(
            "total_sum",
            lambda z: _ratio(_exp(z - z.max(axis=1, keepdims=True)), None),
            "You divide by the sum of the whole array. Each row is a sample of its own and adds up "
            "to 1.",
        ),
        Mistake(
            "axis_lost",
            lambda z: _ratio(_exp(z), 1, keep=False),
            "The sum along the rows has shape (batch,), and NumPy takes that for a row. Keep the "
            "axis: the sum should have shape (batch, 1).",
        ),
        Mistake(
            "axis_lost",
            lambda z: _ratio(_exp(z - z.max(axis=1, keepdims=True)), 1, keep=False),
            "The sum along the rows has shape (batch,), and NumPy takes that for a row. Keep the "
            "axis: the sum should have shape (batch, 1).",
        ),
        Mistake(
            "not_normalised",
            _exp,
            "This is e^z. The rows do not add up to 1 yet.",
        ),
        Mistake(
            "not_normalised",
            lambda z: _exp(z - z.max(axis=1, keepdims=True)),
            "The overflow is taken care of. But the rows do not add up to 1 yet.",
        ),
        Mistake(
            "sigmoid_for_softmax",
            _sigmoid,
            "This is the sigmoid of each number by itself. In softmax the numbers of a row "
            "compete: they add up to 1.",
        ),
        Mistake("log_softmax", _log, "This is the logarithm of softmax."),
        Mistake(
            "exp_missing",
            lambda z: _ratio(z, 1),
            "The numbers are divided by their sum without e^ first. Some become negative.",
        ),
        Mistake(
            "sign",
            lambda z: Softmax().value(-z),
            "The largest z should get the largest probability. Yours gets the smallest: look at "
            "the sign in the exponent.",
        ),
    ],
    hints=[
        "Three steps: make the numbers harmless, take e^, divide by the sum.",
        "Harmless: subtract from each row its largest number. The largest exponent is then 0, and "
        "e^0 = 1.",
        "Both the largest number and the sum are taken along axis=1. With keepdims=True they have "
        "shape (batch, 1), and NumPy spreads them over the row.",
        "exponentials is np.exp of z minus z.max(axis=1, keepdims=True). Then divide it by its own "
        "sum, along the same axis and with the axis kept.",
    ],
)
