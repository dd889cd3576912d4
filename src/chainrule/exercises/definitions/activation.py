"""The exercise activation: tanh in place of the sigmoid."""

from __future__ import annotations

import numpy as np

from chainrule.activations import Sigmoid, Tanh
from chainrule.exercises.exercise import Case, Exercise, Mistake

_sigmoid = Sigmoid().value


def _activation_cases(random: np.random.Generator) -> list[Case]:
    inputs = [2 * random.normal(size=shape) for shape in [(4, 3), (1, 5), (3, 1)]]
    return [(z, np.tanh(z)) for z in inputs]


ACTIVATION = Exercise(
    name="activation",
    title="another activation has another derivative",
    function="tanh_derivative",
    arguments=("z", "a"),
    outputs=("derivative",),
    cases=_activation_cases,
    truth=lambda z, a: Tanh().derivative(z, a),
    source="the activation tanh",
    mistakes=[
        Mistake(
            "derivative_of_sigmoid",
            lambda z, a: a * (1 - a),
            "a (1 - a) is the derivative of the sigmoid. Tanh has another one.",
        ),
        Mistake(
            "derivative_of_sigmoid",
            lambda z, a: _sigmoid(z) * (1 - _sigmoid(z)),
            "This is the derivative of the sigmoid. Tanh has another one.",
        ),
        Mistake(
            "z_for_a",
            lambda z, a: 1 - z**2,
            "The formula is the right one, but for the wrong letter: it wants what came out of "
            "the activation, and it was given what went in.",
        ),
        Mistake(
            "activation_twice",
            lambda z, a: 1 - np.tanh(a) ** 2,
            "a is tanh(z) already, and here tanh is applied to it once more.",
        ),
        Mistake(
            "square_missing",
            lambda z, a: 1 - a,
            "Nearly. At large z the slope must go to 0 on both sides; yours goes to 2 on the left. "
            "A square is missing.",
        ),
        Mistake(
            "square_missing",
            lambda z, a: 1 - np.abs(a),
            "Nearly. It goes to 0 on both sides, but not in the right way: a square is missing.",
        ),
        Mistake(
            "value_for_derivative",
            lambda z, a: a,
            "This is tanh itself. Wanted is its slope.",
        ),
        Mistake(
            "derivative_of_relu",
            lambda z, a: (z > 0) * 1.0,
            "This is the derivative of ReLU: 1 where z is positive. Tanh bends everywhere.",
        ),
        Mistake(
            "derivative_of_identity",
            lambda z, a: np.ones_like(z),
            "Slope 1 everywhere: "
            "this is the derivative of a straight line. Tanh has slope 1 only at z = 0.",
        ),
        Mistake(
            "wrong_square",
            lambda z, a: (1 - a) ** 2,
            "The square is over too much. At z = 0 both agree; look at large z, left and right.",
        ),
        Mistake(
            "half_done",
            lambda z, a: a**2,
            "At z = 0 tanh is steepest, and yours says 0 there. Something is missing.",
        ),
        Mistake(
            "sum_for_difference",
            lambda z, a: 1 + a**2,
            "The slope of tanh is never more than 1. Look at the sign.",
        ),
    ],
    hints=[
        "Draw tanh. It is steepest at z = 0, where its slope is 1. Far to the left and to the "
        "right it is flat. Your derivative must do the same.",
        "As with the sigmoid, the derivative is shortest when written with a, not with z.",
        "At z = 0, a is 0 and the slope is 1. Far away, a is 1 or -1 and the slope is 0. Which "
        "simple expression in a does that? It holds a square.",
        "Take the square of a away from the slope that it has in the middle.",
    ],
)
