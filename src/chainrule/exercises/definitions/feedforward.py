"""The exercise feedforward."""

from __future__ import annotations

import numpy as np

from chainrule.activations import Sigmoid
from chainrule.exercises.exercise import Case, Exercise, Mistake, forward
from chainrule.layer import Array
from chainrule.layers.dense import Dense

_sigmoid = Sigmoid().value


def _dense(x: Array, weights: Array, bias: Array) -> Array:
    return forward(Dense(weights.shape[1], "sigmoid"), x, weights=weights, bias=bias)[0]


def _feedforward_cases(random: np.random.Generator) -> list[Case]:
    """The square one lets a transposed or elementwise product through, so that it can be named."""
    sizes = [(4, 3, 2), (5, 2, 3), (3, 3, 3), (1, 4, 1)]
    return [
        (random.normal(size=(b, i)), random.normal(size=(i, o)), random.normal(size=o))
        for b, i, o in sizes
    ]


FEEDFORWARD = Exercise(
    name="feedforward",
    title="from the inputs of a layer to its outputs",
    function="feedforward",
    arguments=("x", "weights", "bias"),
    outputs=("a",),
    cases=_feedforward_cases,
    truth=_dense,
    source="the layer Dense",
    mistakes=[
        Mistake(
            "activation_forgotten",
            lambda x, w, b: x @ w + b,
            "This is z, the weighted sum. It never went through the sigmoid.",
        ),
        Mistake(
            "bias_forgotten",
            lambda x, w, b: _sigmoid(x @ w),
            "The bias takes no part. Without it every unit gives 0.5 for an input of zeros.",
        ),
        Mistake(
            "bias_after_activation",
            lambda x, w, b: _sigmoid(x @ w) + b,
            "The bias comes in after the sigmoid. It is part of the weighted sum, before it.",
        ),
        Mistake(
            "bias_subtracted",
            lambda x, w, b: _sigmoid(x @ w - b),
            "The bias is subtracted. Look at its sign.",
        ),
        Mistake(
            "weights_transposed",
            lambda x, w, b: _sigmoid(x @ w.T + b),
            "The weights are transposed. Column j of weights belongs to unit j, so the rows of x "
            "meet the columns of weights as they are.",
        ),
        Mistake(
            "elementwise_product",
            lambda x, w, b: _sigmoid(x * w + b),
            "x and weights are multiplied number by number. A weighted sum needs the matrix "
            "product.",
        ),
        Mistake(
            "sign_in_sigmoid",
            lambda x, w, b: _sigmoid(-(x @ w + b)),
            "This is sigmoid(-z). Look at the sign in front of z.",
        ),
        Mistake(
            "sigmoid_twice",
            lambda x, w, b: _sigmoid(_sigmoid(x @ w + b)),
            "The sigmoid is applied twice.",
        ),
        Mistake(
            "derivative_for_value",
            lambda x, w, b: _sigmoid(x @ w + b) * (1 - _sigmoid(x @ w + b)),
            "This is the derivative of the sigmoid. Going forward you need the sigmoid itself.",
        ),
    ],
    hints=[
        "Two things happen, one after the other: a weighted sum, then the sigmoid.",
        "The weighted sum of all samples and all units is one matrix product. In NumPy that is "
        "the sign @. Which of the two matrices comes first? Look at their shapes: (batch, inputs) "
        "and (inputs, outputs).",
        "bias has one number for each unit. NumPy adds it to every row of the product by itself.",
        "First z: x, then @, then weights, and the bias added to all of it. Then return sigmoid "
        "of z.",
    ],
)
