"""The losses: numbers worked out by hand, and the forms that must equal each other.

What is true of every loss (its gradient, sample weights, extremes) is proved in ``contracts``.
"""

from __future__ import annotations

from math import cosh, log, tanh
from typing import Any

import numpy as np
import pytest
from contracts.examples import members
from numpy.typing import ArrayLike

import chainrule as cr
from chainrule.layer import Array

# Outputs and actual values of one batch, then the loss, then its gradient.
BY_HAND: dict[type[cr.Loss], tuple[Any, Any, float, Any]] = {
    cr.SumOfSquares: ([[0.5], [2.0]], [[1.0], [0.0]], 4.25, [[-1.0], [4.0]]),
    cr.MeanSquaredError: ([[0.5], [2.0]], [[1.0], [0.0]], 2.125, [[-0.5], [2.0]]),
    # Summed over the outputs of a sample: ½ · 0.5² + ½ · 2².
    cr.HalfSquaredError: ([[0.5, 2.0]], [[1.0, 0.0]], 0.125 + 2, [[-0.5, 2.0]]),
    cr.MeanAbsoluteError: ([[0.5], [2.0]], [[1.0], [0.0]], 1.25, [[-0.5], [0.5]]),
    # Inside: ½ · 0.5². Outside: 1 · (3 - ½).
    cr.Huber: ([[0.5], [3.0]], [[0.0], [0.0]], (0.125 + 2.5) / 2, [[0.25], [0.5]]),
    cr.LogCosh: ([[1.0], [0.0]], [[0.0], [0.0]], log(cosh(1)) / 2, [[tanh(1) / 2], [0.0]]),
    # Surprise at what happened: -log 1/4 and -log 1/2.
    cr.BinaryCrossEntropy: (
        [[0.25], [0.5]],
        [[1.0], [0.0]],
        (log(4) + log(2)) / 2,
        [[-4 / 2], [2 / 2]],
    ),
    # The sigmoid makes 3/4 of log 3 and 1/2 of 0.
    cr.SigmoidCrossEntropy: (
        [[log(3)], [0.0]],
        [[1.0], [0.0]],
        (log(4 / 3) + log(2)) / 2,
        [[-1 / 8], [1 / 4]],
    ),
    # The same terms as of two labels of one sample: summed.
    cr.MultilabelCrossEntropy: (
        [[log(3), 0.0]],
        [[1.0, 0.0]],
        log(4 / 3) + log(2),
        [[-1 / 4, 1 / 2]],
    ),
    cr.CategoricalCrossEntropy: (
        [[1 / 8, 2 / 8, 5 / 8]],
        [[0.0, 1.0, 0.0]],
        log(4),
        [[0.0, -4.0, 0.0]],
    ),
    # The softmax makes 1/8, 2/8 and 5/8 of these.
    cr.SoftmaxCrossEntropy: (
        [[0.0, log(2), log(5)]],
        [[0.0, 1.0, 0.0]],
        log(4),
        [[1 / 8, 2 / 8 - 1, 5 / 8]],
    ),
    cr.NegativeLogLikelihood: (
        [[log(1 / 8), log(2 / 8), log(5 / 8)]],
        [[0.0, 1.0, 0.0]],
        log(4),
        [[0.0, -1.0, 0.0]],
    ),
    # ½ log(½ / ¼) + ½ log(½ / ½)
    cr.KLDivergence: (
        [[1 / 4, 1 / 2, 1 / 4]],
        [[1 / 2, 1 / 2, 0.0]],
        log(2) / 2,
        [[-2.0, -1.0, 0.0]],
    ),
    cr.Poisson: ([[2.0], [1.0]], [[3.0], [0.0]], (2 - 3 * log(2) + 1) / 2, [[-1 / 4], [1 / 2]]),
    # Counts of 2 and 1 expected; 2 is as it should be and costs nothing, 0 costs the count.
    cr.PoissonDeviance: ([[log(2), 0.0]], [[2.0, 0.0]], 1.0, [[0.0, 1.0]]),
    # Beyond the margin; inside it; on the wrong side.
    cr.Hinge: ([[2.0], [0.5], [1.0]], [[1.0], [1.0], [-1.0]], 2.5 / 3, [[0], [-1 / 3], [1 / 3]]),
}


@pytest.mark.parametrize("kind", list(BY_HAND))
def test_value_and_gradient_by_hand(kind: type[cr.Loss]) -> None:
    y_hat, y, value, gradient = BY_HAND[kind]
    outputs, actual = np.array(y_hat, dtype=float), np.array(y, dtype=float)
    assert kind().value(outputs, actual) == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(kind().gradient(outputs, actual), gradient, rtol=1e-14, atol=1e-16)


def test_every_loss_stands_in_the_table_above() -> None:
    assert members(cr.Loss) == list(BY_HAND)


def test_huber_turns_into_lines_at_delta() -> None:
    distance = np.array([[0.4], [0.5], [0.6]])
    loss = cr.Huber(delta=0.5)
    np.testing.assert_allclose(loss.terms(distance, 0 * distance), [[0.08], [0.125], [0.175]])
    np.testing.assert_allclose(loss.terms_gradient(distance, 0 * distance), [[0.4], [0.5], [0.5]])


def test_label_smoothing_by_hand() -> None:
    """With ε = 0.1 a yes becomes 0.95, a no 0.05; of four classes 1 becomes 0.925, 0 0.025."""
    half = np.array([[0.5], [0.5]])
    yes_and_no = np.array([[1.0], [0.0]])
    smoothed = cr.BinaryCrossEntropy(label_smoothing=0.1)
    assert smoothed.value(half, yes_and_no) == pytest.approx(log(2))
    np.testing.assert_allclose(
        smoothed.gradient(half, yes_and_no), [[(0.5 - 0.95) * 4 / 2], [(0.5 - 0.05) * 4 / 2]]
    )
    gradient = cr.SoftmaxCrossEntropy(label_smoothing=0.1).gradient(np.zeros((1, 4)), np.eye(4)[:1])
    np.testing.assert_allclose(gradient, [[0.25 - 0.925, 0.225, 0.225, 0.225]])


def test_smoothed_targets_are_what_the_smoothed_loss_measures() -> None:
    random = np.random.default_rng(0)
    z, y = random.normal(size=(5, 3)), np.eye(3)[[0, 1, 2, 0, 1]]
    plain, smoothed = cr.SoftmaxCrossEntropy(), cr.SoftmaxCrossEntropy(label_smoothing=0.3)
    moved = y * 0.7 + 0.1
    assert smoothed.value(z, y) == pytest.approx(plain.value(z, moved), rel=1e-14)
    np.testing.assert_allclose(smoothed.gradient(z, y), plain.gradient(z, moved), rtol=1e-14)


SMOOTHING = pytest.mark.parametrize("label_smoothing", [0.0, 0.2])


def assert_equal_forms(
    on_logits: cr.Loss, activation: cr.Activation, composed: cr.Loss, y: Array
) -> None:
    """One class on logits must equal activation and loss one after the other, back too."""
    z = np.random.default_rng(0).normal(0, 3, y.shape)
    weight = np.linspace(0.5, 2, len(y))
    trace = cr.Trace()
    a = activation.feedforward(z, trace)
    assert on_logits.value(z, y, weight) == pytest.approx(composed.value(a, y, weight), rel=1e-12)
    np.testing.assert_allclose(
        on_logits.gradient(z, y, weight),
        activation.backprop(composed.gradient(a, y, weight), trace),
        rtol=1e-9,
        atol=1e-14,
    )


@SMOOTHING
def test_sigmoid_cross_entropy_is_sigmoid_then_cross_entropy(label_smoothing: float) -> None:
    y = np.random.default_rng(1).integers(0, 2, (6, 2)).astype(float)
    assert_equal_forms(
        cr.SigmoidCrossEntropy(label_smoothing),
        cr.Sigmoid(),
        cr.BinaryCrossEntropy(label_smoothing),
        y,
    )


@SMOOTHING
def test_softmax_cross_entropy_is_softmax_then_cross_entropy(label_smoothing: float) -> None:
    assert_equal_forms(
        cr.SoftmaxCrossEntropy(label_smoothing),
        cr.Softmax(),
        cr.CategoricalCrossEntropy(label_smoothing),
        np.eye(4)[[0, 1, 2, 3, 0, 1]],
    )


def test_softmax_cross_entropy_is_log_softmax_then_likelihood() -> None:
    assert_equal_forms(
        cr.SoftmaxCrossEntropy(),
        cr.LogSoftmax(),
        cr.NegativeLogLikelihood(),
        np.random.default_rng(1).dirichlet([1, 1, 1], 6),
    )


def test_predictions_are_probabilities() -> None:
    z = np.log([[1.0, 2.0, 5.0]])
    softmax = [[1 / 8, 2 / 8, 5 / 8]]
    np.testing.assert_allclose(cr.SoftmaxCrossEntropy().prediction(z), softmax)
    np.testing.assert_allclose(cr.SigmoidCrossEntropy().prediction(z), [[1 / 2, 2 / 3, 5 / 6]])
    np.testing.assert_allclose(cr.NegativeLogLikelihood().prediction(np.log(softmax)), softmax)
    assert cr.MeanSquaredError().prediction(z) is z


def test_a_sure_logit_for_the_wrong_class_costs_what_it_says() -> None:
    """Single precision keeps all of it: no probability is ever rounded to zero."""
    z = np.array([[1e4, 0], [-1e4, 0]], dtype=np.float32)
    wrong = np.array([[0, 1], [1, 0]], dtype=np.float32)
    assert cr.SoftmaxCrossEntropy().value(z, wrong) == 1e4
    single = np.array([[1e4], [-1e4]], dtype=np.float32)
    assert cr.SigmoidCrossEntropy().value(single, np.array([[0], [1]], np.float32)) == 1e4
    np.testing.assert_array_equal(
        cr.SigmoidCrossEntropy().gradient(single, np.array([[0], [1]], np.float32)), [[0.5], [-0.5]]
    )


ALLOWED_LAST = {
    "binary_cross_entropy": {"sigmoid", "hard_sigmoid", "softmax"},
    "categorical_cross_entropy": {"sigmoid", "hard_sigmoid", "softmax"},
    "kl_divergence": {"sigmoid", "hard_sigmoid", "softmax"},
    "negative_log_likelihood": {"log_softmax"},
    "poisson": {"sigmoid", "hard_sigmoid", "softmax", "relu", "softplus"},
}


@pytest.mark.parametrize("loss", [kind().name for kind in members(cr.Loss)])
@pytest.mark.parametrize("activation", [kind().name for kind in members(cr.Activation)])
def test_a_last_activation_whose_outputs_do_not_fit_is_refused(loss: str, activation: str) -> None:
    chosen = cr.Loss.get(loss)
    if chosen.outputs == "logits":
        fits = activation not in {"sigmoid", "softmax", "log_softmax"}
    else:
        fits = activation in ALLOWED_LAST.get(loss, {activation})
    if fits:
        cr.NeuralNetwork(cr.Dense(3, activation=activation), loss=chosen)
        return
    with pytest.raises(cr.InvalidSetting, match=f"activation='{activation}'; this loss") as error:
        cr.NeuralNetwork(cr.Dense(3, activation=activation), loss=chosen)
    assert f"loss='{loss}'" in str(error.value)


def test_a_layer_without_a_known_activation_is_let_pass() -> None:
    cr.BinaryCrossEntropy().check_activation(None)


@pytest.mark.parametrize(
    ("delta", "smoothing"), [(0, 1.0), (-1, -0.1), (float("inf"), float("nan")), ("1", "0.1")]
)
def test_settings_outside_their_range_are_refused(delta: Any, smoothing: Any) -> None:
    with pytest.raises(cr.InvalidSetting, match="delta must be a finite number above 0"):
        cr.Huber(delta=delta)
    for kind in (
        cr.BinaryCrossEntropy,
        cr.SigmoidCrossEntropy,
        cr.CategoricalCrossEntropy,
        cr.SoftmaxCrossEntropy,
    ):
        with pytest.raises(cr.InvalidSetting, match="label_smoothing must be a finite number"):
            kind(label_smoothing=smoothing)


def test_a_users_own_loss_is_known_by_its_name() -> None:
    class FourthPower(cr.Loss):
        def terms(self, y_hat: Array, y: Array) -> Array:
            return (y_hat - y) ** 4

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            return 4 * (y_hat - y) ** 3

    net = cr.NeuralNetwork(cr.Dense(2), loss="fourth_power")
    assert isinstance(net.loss, FourthPower)
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert net.check_gradients(x, x[:, :2])


def test_an_unfinished_loss_says_what_it_lacks() -> None:
    class Unfinished(cr.Loss):
        pass

    y = np.zeros((1, 1))
    with pytest.raises(NotImplementedError, match="Unfinished defines no terms"):
        Unfinished().value(y, y)
    with pytest.raises(NotImplementedError, match="Unfinished defines no terms_gradient"):
        Unfinished().gradient(y, y)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0, 2.0], cr.InvalidShape, "expected \\(3,\\)"),
        ([[1.0], [2.0], [3.0]], cr.InvalidShape, "expected \\(3,\\)"),
        ([1.0, -2.0, 1.0], cr.InvalidData, "sample_weight holds -2"),
        ([0.0, 0.0, 0.0], cr.InvalidData, "All sample weights are 0"),
        ([1.0, float("nan"), 1.0], cr.InvalidData, "sample_weight holds nan at \\[1\\]"),
        (["a", "b", "c"], cr.InvalidData, "sample_weight holds text"),
    ],
)
def test_sample_weights_are_checked(
    weights: ArrayLike, error: type[cr.ChainruleError], message: str
) -> None:
    net = cr.NeuralNetwork(cr.Dense(1), inputs=1)
    with pytest.raises(error, match=message):
        net.evaluate(np.ones((3, 1)), np.ones(3), sample_weight=weights)
