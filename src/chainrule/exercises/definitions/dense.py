"""Exercises on a dense layer: feedforward, bias, activation, softmax."""

from __future__ import annotations

import numpy as np

from chainrule.activations import Sigmoid, Softmax, Tanh
from chainrule.exercises.exercise import Case, Exercise, Mistake, backward, forward
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


def _bias_cases(random: np.random.Generator) -> list[Case]:
    return [(random.normal(size=shape),) for shape in [(5, 3), (2, 4), (3, 3), (6, 1)]]


def _bias_truth(d_z: Array) -> Array:
    x, weights = np.ones((len(d_z), 1)), np.ones((1, d_z.shape[1]))
    bias = np.zeros(d_z.shape[1])
    _, trace = backward(Dense(d_z.shape[1]), x, d_z, weights=weights, bias=bias)
    return trace.d_bias


BIAS = Exercise(
    name="bias",
    title="the gradient of a number that every sample shares",
    function="bias_gradient",
    arguments=("d_z",),
    outputs=("d_bias",),
    cases=_bias_cases,
    truth=_bias_truth,
    source="the layer Dense",
    mistakes=[
        Mistake(
            "mean_for_sum",
            lambda d: d.mean(axis=0),
            "This is the mean over the samples. The gradient is their sum: each sample adds its "
            "own share to the loss.",
        ),
        Mistake(
            "wrong_axis",
            lambda d: d.sum(axis=1),
            "This sums along the units, one number for each sample. It should sum along the "
            "samples, one number for each unit.",
        ),
        Mistake(
            "total_sum",
            lambda d: d.sum(),
            "This is the sum of everything. Each unit has a bias of its own, so d_bias has one "
            "number for each of them.",
        ),
        Mistake(
            "not_summed",
            lambda d: d,
            "This is d_z itself, with a row for each sample. The rows must be put together: the "
            "bias is the same number in all of them.",
        ),
        Mistake(
            "axis_kept",
            lambda d: d.sum(axis=0, keepdims=True),
            "The numbers are right, but there is one axis too many: d_bias has the shape of the "
            "bias, (outputs,).",
        ),
        Mistake("one_sample", lambda d: d[0], "This is the first sample alone. All have a say."),
        Mistake("one_sample", lambda d: d[-1], "This is the last sample alone. All have a say."),
        Mistake(
            "no_dependence",
            lambda d: np.full(d.shape[1], float(len(d))),
            "This counts the samples. What each sample says stands in d_z.",
        ),
    ],
    hints=[
        "d_bias has the shape of the bias: one number for each unit. d_z has a row for each "
        "sample. So the rows have to become one.",
        "If b grows by a little, z grows by the same in every sample. The loss changes by what "
        "d_z says in all of them together.",
        "Together means: add them. NumPy's sum takes axis=... : the axis that disappears. Which "
        "axis of (batch, outputs) is that?",
    ],
)


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
