"""Every loss has the value and the gradient of the reference, also one that somebody wrote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from contracts.examples import examples, outputs_for, random_for, targets_for
from contracts.training import cut_finely
from engines.compiled.test_parity import TOLERANCE, assert_close, assert_same_numbers, both

import chainrule as cr
from chainrule.engines.compiled.definitions import definition_of_loss
from chainrule.engines.compiled.plan import NoTwin
from chainrule.layer import Array, Shape
from chainrule.loss import Loss

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
LOSSES = pytest.mark.parametrize("loss", examples(Loss), ids=repr)


def samples(
    loss: Loss, shape: Shape, dtype: str, batch: int
) -> tuple[cr.NeuralNetwork, Array, Array, Array]:
    """A network that hands on what it gets, outputs, actual values and weights for it."""
    random = random_for(repr(loss), shape)
    net = cr.NeuralNetwork(cr.Reshape(shape), inputs=shape, loss=loss, dtype=dtype)
    y_hat = outputs_for(loss, (batch, *shape), random).astype(dtype)
    y = targets_for(loss, (batch, *shape), random).astype(dtype)
    return net, y_hat, y, random.integers(0, 4, batch).astype(dtype)


@DTYPES
@pytest.mark.parametrize("shape", [(3,), (2, 5)], ids=str)
@LOSSES
def test_value_and_gradient(loss: Loss, shape: Shape, dtype: str) -> None:
    net, y_hat, y, weight = samples(loss, shape, dtype, 7)
    assert_same_numbers(net, y_hat, y)
    assert_same_numbers(net, y_hat, y, weight=weight)


@LOSSES
def test_shards_and_threads(loss: Loss, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_finely(monkeypatch)
    net, y_hat, y, weight = samples(loss, (4,), "float32", 29)
    assert_same_numbers(net, y_hat, y, weight=weight, threads=2)
    one, two = (both(net, y_hat, y, weight, threads)[1] for threads in (1, 2))
    assert one.loss == two.loss
    assert one.d_output.tobytes() == two.d_output.tobytes()


@DTYPES
@LOSSES
def test_extreme_outputs(loss: Loss, dtype: str) -> None:
    """Where the reference stays finite, so does this; and large numbers cost no digits."""
    bounds = {
        "probabilities": [0.0, 1.0, 1e-30],
        "logarithms of probabilities": [0.0, -1e4, -1e-30],
        "positive": [0.0, 1e6, 1e-30],
    }
    widest = [40.0, 30.0, -1e4] if isinstance(loss, cr.PoissonDeviance) else [1e4, 9999.0, -1e4]
    y_hat = np.array([bounds.get(loss.outputs, widest)] * 2, dtype)
    y = np.array([[1, 0, 0], [0, 0, 1]], dtype)
    if loss.targets == "signs":
        y = 2 * y - 1
    net = cr.NeuralNetwork(cr.Reshape(3), inputs=3, loss=loss, dtype=dtype)
    assert_same_numbers(net, y_hat, y)


@DTYPES
def test_class_labels(dtype: str) -> None:
    net = cr.NeuralNetwork(cr.Dense(4), inputs=3, loss="softmax_cross_entropy", dtype=dtype)
    x = random_for("labels").normal(size=(9, 3)).astype(dtype)
    assert_same_numbers(net, x, np.arange(9) % 4)


@DTYPES
def test_class_labels_of_several_places(dtype: str) -> None:
    net = cr.NeuralNetwork(cr.Reshape((2, 4)), inputs=8, loss="softmax_cross_entropy", dtype=dtype)
    x = random_for("labels").normal(size=(9, 8)).astype(dtype)
    assert_same_numbers(net, x, np.arange(18).reshape(9, 2) % 4)


class FourthPower(Loss):
    name = "test_fourth_power"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return (y_hat - y) ** 4

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return 4 * (y_hat - y) ** 3


class Pinball(Loss):
    """The quantile loss, with a setting and a reduction of its own."""

    name = "test_pinball"
    reduction = "mean of samples"

    def __init__(self, quantile: float = 0.9) -> None:
        self.quantile = quantile

    def terms(self, y_hat: Array, y: Array) -> Array:
        missing = y - y_hat
        return np.maximum(self.quantile * missing, (self.quantile - 1) * missing)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        slope = np.where(y > y_hat, -self.quantile, 1 - self.quantile)
        return slope.astype(y_hat.dtype)


@DTYPES
@pytest.mark.parametrize(
    "loss", [FourthPower(), Pinball(), Pinball(0.2), cr.Huber(0.3), cr.LogCosh()], ids=repr
)
def test_from_the_definition(loss: Loss, dtype: str) -> None:
    definition_of_loss(loss, np.dtype(dtype))
    net, y_hat, y, weight = samples(loss, (3, 2), dtype, 8)
    assert_same_numbers(net, y_hat, y, weight=weight)


def test_what_looks_at_several_outputs_is_refused() -> None:
    class Cosine(Loss, register=False):
        def terms(self, y_hat: Array, y: Array) -> Array:
            return -y_hat * y / np.linalg.norm(y_hat, axis=-1, keepdims=True)

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            raise AssertionError("never asked for")

    class OwnSum(cr.MeanSquaredError, register=False):
        def value(self, *arguments: Any) -> float:
            return 2 * super().value(*arguments)

    with pytest.raises(NoTwin, match="Cosine: it uses norm"):
        definition_of_loss(Cosine(), np.dtype(np.float64))
    with pytest.raises(NoTwin, match="OwnSum has a value of its own"):
        definition_of_loss(OwnSum(), np.dtype(np.float64))


def test_a_million_terms_lose_no_digits() -> None:
    """Single terms are summed in the network's dtype, samples in float64."""
    net = cr.NeuralNetwork(cr.Reshape(4096), inputs=4096, loss="sum_of_squares", dtype="float32")
    x = random_for("many").normal(size=(256, 4096)).astype(np.float32)
    trace, found = both(net, x, np.zeros_like(x))
    exact = float((x.astype(np.float64) ** 2).sum())
    assert found.loss == pytest.approx(exact, rel=TOLERANCE["float32"])
    assert_close(found.d_output, trace.d_output, "d_output")


@pytest.mark.parametrize("loss", ["negative_log_likelihood", "poisson_deviance"])
def test_a_prediction_made_again_is_the_same(loss: str) -> None:
    """The quick way for a few rows must not skip what the loss makes of the outputs."""
    last = "log_softmax" if loss == "negative_log_likelihood" else "identity"
    net = cr.NeuralNetwork(cr.Dense(3, last), inputs=2, loss=loss, engine="compiled")
    x = np.ones((4, 2), np.float32)
    first = net.predict(x)
    np.testing.assert_allclose(first, np.exp(net.feedforward(x)), rtol=1e-6)
    np.testing.assert_array_equal(net.predict(x), first)
