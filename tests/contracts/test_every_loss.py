"""What every loss promises: a gradient that is one, weights that count, no NaN at any output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array
from contracts.examples import examples, outputs_for, random_for, targets_for

LOSSES = examples(cr.Loss)
ALL = pytest.mark.parametrize("loss", LOSSES, ids=repr)
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


def samples(loss: cr.Loss, batch: int = 5) -> tuple[Array, Array, Array]:
    """Outputs, actual values and weights of a few samples with three outputs each."""
    random = random_for(loss, "samples")
    y_hat = outputs_for(loss, (batch, 3), random)
    return y_hat, targets_for(loss, (batch, 3), random), random.uniform(0.2, 3, batch)


@ALL
@WEIGHTED
def test_gradient_equals_central_differences(loss: cr.Loss, weighted: bool) -> None:
    y_hat, y, weights = samples(loss)
    weight = weights if weighted else None
    differences = np.empty_like(y_hat)
    for place in np.ndindex(y_hat.shape):
        step = np.zeros_like(y_hat)
        step[place] = 1e-5
        above, below = loss.value(y_hat + step, y, weight), loss.value(y_hat - step, y, weight)
        differences[place] = (above - below) / 2e-5
    np.testing.assert_allclose(loss.gradient(y_hat, y, weight), differences, rtol=1e-6, atol=1e-8)


@ALL
def test_the_reduction_is_the_one_it_says(loss: cr.Loss) -> None:
    y_hat, y, _ = samples(loss)
    total = loss.terms(y_hat, y).sum()
    divisor = {"sum": 1, "mean": 15, "mean of samples": 5}[loss.reduction]
    assert loss.value(y_hat, y) == pytest.approx(total / divisor, rel=1e-12)


@ALL
def test_a_sample_of_weight_two_counts_as_two(loss: cr.Loss) -> None:
    y_hat, y, _ = samples(loss)
    weight = np.array([1.0, 2.0, 0.0, 3.0, 1.0])
    repeated = np.repeat(np.arange(5), weight.astype(int))
    assert loss.value(y_hat, y, weight) == pytest.approx(
        loss.value(y_hat[repeated], y[repeated]), rel=1e-12
    )
    gradient = np.zeros_like(y_hat)
    np.add.at(gradient, repeated, loss.gradient(y_hat[repeated], y[repeated]))
    np.testing.assert_allclose(loss.gradient(y_hat, y, weight), gradient, rtol=1e-12)


@ALL
def test_equal_weights_change_nothing_but_the_size_of_a_sum(loss: cr.Loss) -> None:
    y_hat, y, _ = samples(loss)
    factor = 2.5 if loss.reduction == "sum" else 1.0
    weight = np.full(5, 2.5)
    assert loss.value(y_hat, y, weight) == pytest.approx(factor * loss.value(y_hat, y), rel=1e-12)
    np.testing.assert_allclose(
        loss.gradient(y_hat, y, weight), factor * loss.gradient(y_hat, y), rtol=1e-12
    )


@ALL
def test_a_batch_that_weighs_nothing_teaches_nothing(loss: cr.Loss) -> None:
    """Shuffling may put all the samples of weight zero into one batch."""
    y_hat, y, _ = samples(loss)
    assert loss.value(y_hat, y, np.zeros(5)) == 0
    np.testing.assert_array_equal(loss.gradient(y_hat, y, np.zeros(5)), np.zeros_like(y_hat))


@ALL
@WEIGHTED
def test_nothing_is_modified_and_float32_stays_float32(loss: cr.Loss, weighted: bool) -> None:
    y_hat, y, weights = (array.astype(np.float32) for array in samples(loss))
    for array in (y_hat, y, weights):
        array.flags.writeable = False
    weight = weights if weighted else None
    assert isinstance(loss.value(y_hat, y, weight), float)
    gradient = loss.gradient(y_hat, y, weight)
    assert gradient.dtype == np.float32
    assert gradient.shape == y_hat.shape
    assert loss.prediction(y_hat).dtype == np.float32


@ALL
def test_outputs_may_have_more_axes(loss: cr.Loss) -> None:
    """(batch, height, width, outputs) is the same loss as its rows, times the rows of a sample."""
    random = random_for(loss, "image")
    y_hat, y = outputs_for(loss, (2, 4, 5, 3), random), targets_for(loss, (2, 4, 5, 3), random)
    rows = {"sum": 1, "mean": 1, "mean of samples": 20}[loss.reduction]
    assert loss.value(y_hat, y) == pytest.approx(
        rows * loss.value(y_hat.reshape(-1, 3), y.reshape(-1, 3)), rel=1e-12
    )
    np.testing.assert_allclose(
        loss.gradient(y_hat, y).reshape(-1, 3),
        rows * loss.gradient(y_hat.reshape(-1, 3), y.reshape(-1, 3)),
        rtol=1e-12,
    )


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_allowed_output_gives_nan(
    loss: cr.Loss, dtype: type[np.float32] | type[np.float64]
) -> None:
    """Probabilities of exactly 0 and 1, counts of 0, and the ends of the number line."""
    limits = np.finfo(dtype)
    ends: list[Any] = {
        "numbers": [limits.max, -limits.max, 0, limits.tiny, 1e4, -1e4],
        "logits": [limits.max, -limits.max, 0, limits.tiny, 1e4, -1e4],
        "probabilities": [0, 1, limits.tiny, 1 - limits.epsneg],
        "logarithms of probabilities": [0, -limits.tiny, -1e4, -limits.max],
        "positive": [0, limits.max, limits.tiny, 1e4],
    }[loss.outputs]
    triples = np.stack(np.meshgrid(ends, ends, ends, indexing="ij"), axis=-1).reshape(-1, 3)
    y_hat = triples.astype(dtype)
    sure = {"classes": [1, 0, 0], "signs": [1, -1, 1]}.get(loss.targets, [0, 1, 1])
    y = np.broadcast_to(np.array(sure, dtype=dtype), y_hat.shape)
    # The square of the largest number is infinite, and that may be said; NaN may not come up.
    with np.errstate(over="ignore"):
        value, gradient = loss.value(y_hat, y), loss.gradient(y_hat, y)
    assert not np.isnan(value)
    assert not np.isnan(gradient).any()


@pytest.mark.parametrize("loss", [x for x in LOSSES if x.outputs == "logits"], ids=repr)
@pytest.mark.parametrize("size", [1e4, 1e30, float(np.finfo(np.float32).max)])
def test_losses_on_logits_are_exact_at_any_size(loss: cr.Loss, size: float) -> None:
    """A logit of s for the wrong class costs s; no warning, and a gradient that is finite."""
    y_hat = np.array([[size, 0, 0], [-size, 0, 0], [0, size, -size]], dtype=np.float32)
    y = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]], dtype=np.float32)
    assert np.isfinite(loss.value(y_hat, y))
    gradient = loss.gradient(y_hat, y)
    assert np.abs(gradient).max() <= 1
    prediction = loss.prediction(y_hat)
    assert prediction.min() >= 0
    assert prediction.max() <= 1


@ALL
def test_a_small_step_against_the_gradient_lowers_it(loss: cr.Loss) -> None:
    y_hat, y, _ = samples(loss)
    nearer = y_hat - 1e-4 * loss.gradient(y_hat, y)
    assert loss.value(nearer, y) < loss.value(y_hat, y)
