"""Exercises on learning: loss, backprop, update."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.activations import Sigmoid
from chainrule.exercises.exercise import Case, Exercise, Mistake, Slope, backward, forward
from chainrule.layer import Array
from chainrule.layers.dense import Dense
from chainrule.losses import SumOfSquares
from chainrule.optimizers import GradientDescent

_sigmoid = Sigmoid().value
Pair = tuple[Array, Array]


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


def _network(x: Array, y: Array, weights2: Array, a1: Array, y_hat: Array) -> Pair:
    """Gradients by chainrule's Dense layers, given what the forward pass left behind."""
    output = Dense(y.shape[1], "sigmoid", use_bias=False)
    d_y_hat = SumOfSquares().gradient(y_hat, y)
    d_a1, second = backward(output, a1, d_y_hat, weights=weights2)
    sigmoid = Sigmoid()
    _, of_hidden = forward(sigmoid, np.log(a1 / (1 - a1)))
    assert d_a1 is not None  # noqa: S101 - asked for by the trace
    d_z1 = sigmoid.backprop(d_a1, of_hidden)
    sums = Dense(a1.shape[1], use_bias=False)
    _, first = backward(sums, x, d_z1, weights=np.zeros((x.shape[1], a1.shape[1])))
    return first.d_weights, second.d_weights


def _backprop_cases(random: np.random.Generator) -> list[Case]:
    """Real passes of networks; one with as many of everything, so that transposes go through."""
    cases: list[Case] = []
    for batch, inputs, hidden, outputs in [(5, 3, 4, 2), (4, 2, 3, 1), (3, 3, 3, 3)]:
        x = random.normal(size=(batch, inputs))
        y = random.uniform(size=(batch, outputs))
        weights1 = random.normal(size=(inputs, hidden))
        weights2 = random.normal(size=(hidden, outputs))
        a1 = _sigmoid(x @ weights1)
        cases.append((x, y, weights2, a1, _sigmoid(a1 @ weights2)))
    return cases


def _slope(a: Array) -> Array:
    return a * (1 - a)


def _with(
    *,
    error: float = 2.0,
    slope2: Callable[[Array], Array] = _slope,
    slope1: Callable[[Array], Array] = _slope,
    back: Callable[[Array, Array], Array] = lambda d_z2, weights2: d_z2 @ weights2.T,
    to_inputs: Callable[..., Array] = lambda x, a1: x,
    to_hidden: Callable[..., Array] = lambda x, a1, z1: a1,
) -> Callable[..., Pair]:
    """A backprop that differs from the right one in what is named."""

    def backprop(x: Array, y: Array, weights2: Array, a1: Array, y_hat: Array) -> Pair:
        d_z2 = error * (y_hat - y) * slope2(y_hat)
        d_z1 = back(d_z2, weights2) * slope1(a1)
        z1 = np.log(a1 / (1 - a1))
        return to_inputs(x, a1).T @ d_z1, to_hidden(x, a1, z1).T @ d_z2

    return backprop


def _one(a: Array) -> Array:
    return np.ones_like(a)


def _twice(a: Array) -> Array:
    return _slope(_sigmoid(a))


def _of_z(a: Array) -> Array:
    return _slope(np.log(a / (1 - a)))


def _tanh(a: Array) -> Array:
    return 1 - a**2


_SLOPES: list[tuple[str, Callable[[Array], Array], str]] = [
    (
        "slope_missing",
        _one,
        "The derivative of the sigmoid is missing {where}. The error passes "
        "through the activation on its way back, and is multiplied by its slope.",
    ),
    (
        "slope_of_activation",
        _twice,
        "The derivative {where} is taken at a, with a sigmoid in it. "
        "But a has been through the sigmoid already: sigmoid(a) bends it twice.",
    ),
    (
        "slope_of_z",
        _of_z,
        "z (1 - z) is used {where}, with z where a belongs. a (1 - a) holds for "
        "what came out of the sigmoid.",
    ),
    (
        "slope_of_tanh",
        _tanh,
        "1 - a^2 is used {where}. That is the derivative of tanh. This network has sigmoids.",
    ),
]


def _slope_mistakes() -> Iterator[Mistake]:
    for cause, slope, message in _SLOPES:
        at_output, in_hidden = "at the output layer", "in the hidden layer"
        in_both = "in both layers"
        yield Mistake(
            f"output_{cause}", _with(slope2=slope), message.format(where=at_output), "d_z2"
        )
        yield Mistake(
            f"hidden_{cause}", _with(slope1=slope), message.format(where=in_hidden), "d_z1"
        )
        both = _with(slope1=slope, slope2=slope)
        yield Mistake(cause, both, message.format(where=in_both), "d_z2")


def _transposed(x: Array, y: Array, weights2: Array, a1: Array, y_hat: Array) -> Pair:
    first, second = _network(x, y, weights2, a1, y_hat)
    return first.T, second.T


def _mean(x: Array, y: Array, weights2: Array, a1: Array, y_hat: Array) -> Pair:
    first, second = _network(x, y, weights2, a1, y_hat)
    return first / len(x), second / len(x)


BACKPROP = Exercise(
    name="backprop",
    title="which weight has which share in the error",
    function="backprop",
    arguments=("x", "y", "weights2", "a1", "y_hat"),
    outputs=("d_weights1", "d_weights2"),
    cases=_backprop_cases,
    truth=_network,
    source="two layers Dense",
    mistakes=[
        *_slope_mistakes(),
        Mistake(
            "sign",
            _with(error=-2.0),
            "The sign is turned: y - y_hat in place of y_hat - y. Many tutorials do that and then "
            "add the step. Here d_name is the gradient itself, and the update subtracts it.",
            "d_z2",
        ),
        Mistake(
            "factor_of_loss",
            _with(error=1.0),
            "The factor 2 is missing. It comes from the square in the loss.",
            "d_z2",
        ),
        Mistake(
            "sign_and_factor",
            _with(error=-1.0),
            "The factor 2 of the square is missing, and the sign is turned (y - y_hat).",
            "d_z2",
        ),
        Mistake(
            "mean_for_sum",
            _mean,
            "The gradients are divided by the number of samples. The loss is a sum, not a mean.",
        ),
        Mistake(
            "weights_not_transposed",
            _with(back=lambda d_z2, weights2: d_z2 @ weights2),
            "On the way back W2 is used as on the way forward. Forward it leads from hidden to "
            "output; backward the error goes from output to hidden.",
            "d_a1",
        ),
        Mistake(
            "weights_missing",
            _with(back=lambda d_z2, weights2: d_z2.sum(axis=1, keepdims=True)),
            "The error reaches the hidden layer without W2. A hidden unit has a share in the error "
            "only as large as the weight that leads from it to the output.",
            "d_a1",
        ),
        Mistake(
            "weights_missing",
            _with(back=lambda d_z2, weights2: d_z2),
            "The error reaches the hidden layer without W2. A hidden unit has a share in the error "
            "only as large as the weight that leads from it to the output.",
            "d_a1",
        ),
        Mistake(
            "weights_summed",
            _with(back=lambda d, w: d.sum(axis=1, keepdims=True) * w.sum(axis=1)),
            "The weights are summed up before they meet the errors. Each error comes back along "
            "its own weight.",
            "d_a1",
        ),
        Mistake(
            "inputs_for_activations",
            _with(to_hidden=lambda x, a1, z1: x),
            "d_weights2 is made with x. What entered the output layer was a1.",
        ),
        Mistake(
            "z_for_a",
            _with(to_hidden=lambda x, a1, z1: z1),
            "d_weights2 is made with z1. What entered the output layer was a1.",
        ),
        Mistake(
            "activations_for_inputs",
            _with(to_inputs=lambda x, a1: a1),
            "d_weights1 is made with a1. What entered the hidden layer was x.",
        ),
        Mistake(
            "transposed",
            _transposed,
            "The gradients are transposed. d_name has the shape of name.",
        ),
    ],
    slopes={
        "d_weights2": Slope(
            2, lambda x, y, w2, a1, y_hat: float(((_sigmoid(a1 @ w2) - y) ** 2).sum())
        )
    },
    hints=[
        "Go backwards through the formulas. First d_z2: how does the loss change with z2? Two "
        "factors: the derivative of the square, and the slope of the sigmoid at the output.",
        "d_z2 is 2 (y_hat - y) times the slope y_hat (1 - y_hat), number by number. The gradient "
        "of W2 pairs what went into the layer, a1, with d_z2. Transpose a1, so that the shape "
        "comes out as (hidden, outputs).",
        "For the hidden layer, send d_z2 back through W2: d_a1 has shape (batch, hidden), so W2 "
        "is transposed. Then multiply by the slope a1 (1 - a1).",
        "d_weights1 is made like d_weights2, one layer earlier: x transposed, matrix product, "
        "d_z1.",
    ],
)


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
