"""The exercise backprop."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.activations import Sigmoid
from chainrule.exercises.exercise import Case, Exercise, Mistake, Slope, backward, forward
from chainrule.layer import Array
from chainrule.layers.dense import Dense
from chainrule.losses import SumOfSquares

_sigmoid = Sigmoid().value


Pair = tuple[Array, Array]


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
