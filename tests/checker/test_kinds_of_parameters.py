"""Parameters that are kept in other ways: all in one vector, or as thresholds."""

from __future__ import annotations

from pathlib import Path

from chainrule.checker import Verdict, check_source
from chainrule.checker.source import Source

ONE_VECTOR = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0.0], [1], [1], [0]])

def unroll(theta):
    return theta[:6].reshape(2, 3), theta[6:9], theta[9:12].reshape(3, 1), theta[12:]

def cost(theta):
    W1, b1, W2, b2 = unroll(theta)
    a1 = sigmoid(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    J = -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))
    d2 = (a2 - y) / len(y)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return J, np.concatenate([(X.T @ d1).ravel(), d1.sum(0), (a1.T @ d2).ravel(), d2.sum(0)])

theta = np.random.default_rng(1).normal(size=13)
for i in range(60):
    J, grad = cost(theta)
    theta = theta - 0.5 * grad
"""

THRESHOLDS = """
import numpy as np

rng = np.random.default_rng(5)
X = rng.uniform(-1, 1, (20, 3))
T = (X[:, :1] * X[:, 1:2] > 0) * 1.0
w, theta = rng.normal(size=(3, 5)), rng.normal(size=5)
v, phi = rng.normal(size=(5, 1)), rng.normal(size=1)
for step in range(60):
    h = np.tanh(X @ w - theta)
    o = 1 / (1 + np.exp(-(h @ v - phi)))
    d = (o - T) * o * (1 - o)
    g = d @ v.T * (1 - h * h)
    v -= 0.1 * h.T @ d
    phi += 0.1 * d.sum(0)
    w -= 0.1 * X.T @ g
    theta += 0.1 * g.sum(0)
"""

ONES_BESIDE_THE_INPUTS = """
import numpy as np

rng = np.random.default_rng(5)
X = rng.uniform(-1, 1, (12, 3))
T = (X[:, :1] * X[:, 1:2] > 0) * 1.0
v, w = rng.normal(size=(4, 5)), rng.normal(size=(6, 1))
last_v, last_w = 0 * v, 0 * w
ones = np.ones((12, 1))
x = np.hstack([X, ones])
for step in range(60):
    h = np.hstack([np.tanh(x @ v), ones])
    o = np.tanh(h @ w)
    d = (o - T) * (1 - o ** 2)
    g = d @ w[:-1].T * (1 - h[:, :-1] ** 2)
    last_w = 0.5 * last_w - 0.1 * h.T @ d
    last_v = 0.5 * last_v - 0.1 * x.T @ g
    w = w + last_w
    v = v + last_v
"""


def answer(program: str) -> Verdict:
    return check_source(Source(Path("network.py"), program))


def test_views_of_one_vector_are_parameters() -> None:
    assert answer(ONE_VECTOR).verdict == "correct"


def test_a_mistake_in_one_vector_is_found() -> None:
    verdict = answer(ONE_VECTOR.replace("W2.T * a1 * (1 - a1)", "W2.T"))
    assert (verdict.cause, verdict.layer) == ("hidden_derivative_missing", 1)


def test_a_threshold_is_a_bias_that_is_subtracted() -> None:
    assert answer(THRESHOLDS).verdict == "correct"


def test_a_threshold_goes_up_where_a_bias_goes_down() -> None:
    verdict = answer(THRESHOLDS.replace("theta += 0.1", "theta -= 0.1"))
    assert (verdict.cause, verdict.layer) == ("sign_turned", 1)
    assert verdict.right_line == "theta += 0.1 * g.sum(0)"


def test_inputs_are_read_with_their_ones_in_every_step() -> None:
    verdict = answer(ONES_BESIDE_THE_INPUTS)
    assert verdict.verdict == "correct"
    assert "momentum 0.5" in verdict.message


def test_a_mistake_that_shows_from_the_second_step_on() -> None:
    verdict = answer(ONES_BESIDE_THE_INPUTS.replace("0.5 * last", "-0.5 * last"))
    assert verdict.cause == "momentum_sign"
