"""Mistakes that reach over several layers, each planted in a small network."""

from __future__ import annotations

import pytest
from checker.small import BATCH, START, THREE_LAYERS, UPDATE_1, UPDATE_2, Edit, checked

APART: Edit = ("W2 = W1.copy()", "W2 = rng.normal(size=(3, 3))")
SOFTMAX = """import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(15, 3))
Y = np.eye(3)[rng.integers(3, size=15)]
W1, b1 = rng.normal(size=(3, 4)), np.zeros(4)
W2, b2 = rng.normal(size=(4, 3)), np.zeros(3)

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

for epoch in range(8):
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    d2 = (softmax(z) - Y) / 15
    d1 = d2 @ W2.T * (1 - h ** 2)
    W2, b2 = W2 - 0.5 * h.T @ d2, b2 - 0.5 * d2.sum(axis=0)
    W1, b1 = W1 - 0.5 * X.T @ d1, b1 - 0.5 * d1.sum(axis=0)
"""


@pytest.mark.parametrize("error", ["d3 @ W3.T", "d3 @ W3.T @ np.eye(3)"])
def test_an_error_of_a_layer_further_along(error: str) -> None:
    verdict = checked(THREE_LAYERS, APART, ("d2 @ W2.T", error))
    assert (verdict.cause, verdict.layer) == ("wrong_layer_error", 1), verdict.message


@pytest.mark.parametrize("slope", ["(1 - np.tanh(z) ** 2)", "(1 / (1 + np.exp(-z)))"])
def test_a_softmax_has_no_slope_of_its_own(slope: str) -> None:
    assert checked(SOFTMAX).verdict == "correct"
    if "exp" in slope:
        slope = f"{slope} * (1 - {slope})"
    verdict = checked(SOFTMAX, ("(softmax(z) - Y) / 15", f"(softmax(z) - Y) * {slope} / 15"))
    assert verdict.cause == "softmax_elementwise", verdict.message


@pytest.mark.parametrize(("layer", "factor"), [(1, 3), (2, 0.2)])
def test_a_gradient_has_another_factor_than_its_penalty(layer: int, factor: float) -> None:
    factors = [factor if layer == number else 1.0 for number in (1, 2)]
    verdict = checked(
        BATCH,
        (START, "rate, decay = 0.5, 0.02\n"),
        (UPDATE_1, f"    W1 -= rate * ({factors[0]} * X.T @ delta1 + decay * W1)\n"),
        (UPDATE_2, f"    W2 -= rate * ({factors[1]} * a1.T @ delta2 + decay * W2)\n"),
    )
    assert (verdict.cause, verdict.layer) == ("factor_mismatch", layer), verdict.message


DELTA_1 = "    delta1 = delta2 @ W2.T * a1 * (1 - a1)\n"
KEPT = ("rate = 0.5\n", "rate = 0.5\nlast1 = last2 = 0.0\nkept = 0.0\n")


@pytest.mark.parametrize(
    ("edits", "layer"),
    [
        (((DELTA_1, DELTA_1 + "    delta1 = last1 = last1 + delta1\n"),), 1),
        (((DELTA_1, "    delta2 = last2 = last2 + delta2\n" + DELTA_1),), 2),
        (
            (
                (
                    DELTA_1,
                    "    delta1 = (last1 + delta2 @ W2.T) * a1 * (1 - a1)\n    last1 = delta1\n",
                ),
            ),
            1,
        ),
        (((UPDATE_1, "    kept = kept + X.T @ delta1\n    W1 -= rate * kept\n"),), 1),
        (
            (
                (
                    UPDATE_1,
                    "    last1 = last1 + X.T @ delta1 + 0.01 * W1\n    W1 -= rate * last1\n",
                ),
                (
                    UPDATE_2,
                    "    kept = kept + a1.T @ delta2 + 0.01 * W2\n    W2 = W2 - rate * kept\n",
                ),
            ),
            2,
        ),
    ],
    ids=["a delta", "two deltas", "an error", "one layer's gradient", "gradients and penalties"],
)
def test_what_earlier_steps_have_left(edits: tuple[Edit, ...], layer: int) -> None:
    verdict = checked(BATCH, KEPT, *edits)
    assert (verdict.cause, verdict.layer) == ("gradients_not_reset", layer), verdict.message
