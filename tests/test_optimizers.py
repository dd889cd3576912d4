"""The optimizers: each beside its paper's equations, written out number by number.

Here a rule is a plain loop over Python floats, slow and readable, with nothing in common with the
vectors of ``chainrule.optimizers``. Forty steps of both must give the same numbers. What is true
of every optimizer is proved in ``contracts``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, sqrt
from typing import Any

import numpy as np
import pytest
from contracts.examples import members

import chainrule as cr
from chainrule.layer import Array

Rule = Callable[[float, list[float]], float]  # (θ, gradients of all steps) -> θ after the last

STEPS = 40
RATE = 0.03


def gradient_descent(theta: float, gradients: list[float]) -> float:
    """Cauchy (1847): θ ← θ - η g."""
    for g in gradients:
        theta = theta - RATE * g
    return theta


def momentum(theta: float, gradients: list[float], mu: float = 0.9) -> float:
    """Sutskever et al. (2013), equations 1 and 2."""
    v = 0.0
    for g in gradients:
        v = mu * v - RATE * g
        theta = theta + v
    return theta


def nesterov(theta: float, gradients: list[float], mu: float = 0.9) -> float:
    """Sutskever et al. (2013), equations 3 and 4, told of the point φ = θ + μ v looked ahead to.

    Their gradient is taken at φ, and φ is what the network holds: so θ = φ - μ v.
    """
    v, ahead = 0.0, theta
    for g in gradients:
        behind = ahead - mu * v
        v = mu * v - RATE * g
        ahead = behind + v + mu * v
    return ahead


def adagrad(theta: float, gradients: list[float], epsilon: float = 1e-8) -> float:
    """Duchi, Hazan and Singer (2011), the diagonal form."""
    total = 0.0
    for g in gradients:
        total = total + g**2
        theta = theta - RATE * g / (sqrt(total) + epsilon)
    return theta


def rmsprop(theta: float, gradients: list[float], rho: float = 0.8, epsilon: float = 1e-7) -> float:
    """Hinton (2012), lecture 6e."""
    mean_square = 0.0
    for g in gradients:
        mean_square = rho * mean_square + (1 - rho) * g**2
        theta = theta - RATE * g / (sqrt(mean_square) + epsilon)
    return theta


def adadelta(
    theta: float, gradients: list[float], rho: float = 0.95, epsilon: float = 1e-6
) -> float:
    """Zeiler (2012), algorithm 1, with a learning rate in front of the step."""
    mean_square_gradient, mean_square_step = 0.0, 0.0
    for g in gradients:
        mean_square_gradient = rho * mean_square_gradient + (1 - rho) * g**2
        step = -sqrt(mean_square_step + epsilon) / sqrt(mean_square_gradient + epsilon) * g
        mean_square_step = rho * mean_square_step + (1 - rho) * step**2
        theta = theta + RATE * step
    return theta


def adam(
    theta: float,
    gradients: list[float],
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> float:
    """Kingma and Ba (2015), algorithm 1."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)
        theta = theta - RATE * m_hat / (sqrt(v_hat) + epsilon)
    return theta


def amsgrad(theta: float, gradients: list[float], beta_2: float = 0.5) -> float:
    """Reddi, Kale and Kumar (2018), algorithm 2, with Adam's two corrections."""
    m = v = largest = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = beta_2 * v + (1 - beta_2) * g**2
        largest = max(largest, v)
        theta = theta - RATE * (m / (1 - 0.9**t)) / (sqrt(largest / (1 - beta_2**t)) + 1e-8)
    return theta


def adam_hat(theta: float, gradients: list[float], epsilon: float = 0.1) -> float:
    """The same with ε̂, by the last lines of its section 2: one corrected rate, raw averages."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        rate = RATE * sqrt(1 - 0.999**t) / (1 - 0.9**t)
        theta = theta - rate * m / (sqrt(v) + epsilon)
    return theta


def adamw(theta: float, gradients: list[float], decay: float = 0.1) -> float:
    """Loshchilov and Hutter (2019), algorithm 2: θ ← θ - η (m̂ / (√v̂ + ε) + λ θ)."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        theta = theta - RATE * (m_hat / (sqrt(v_hat) + 1e-8) + decay * theta)
    return theta


def nadam(theta: float, gradients: list[float]) -> float:
    """Dozat (2016), algorithm 2, with the same β₁ in every step."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
        theta = theta - RATE * m_hat / (sqrt(v / (1 - 0.999**t)) + 1e-8)
    return theta


def lion(theta: float, gradients: list[float], decay: float = 0.0) -> float:
    """Chen et al. (2023), algorithm 2."""
    m = 0.0
    for g in gradients:
        c = 0.9 * m + 0.1 * g
        theta = theta - RATE * (copysign(1, c) + decay * theta)
        m = 0.99 * m + 0.01 * g
    return theta


RULES: list[tuple[cr.Optimizer, Rule]] = [
    (cr.GradientDescent(RATE), gradient_descent),
    (cr.GradientDescent(RATE, momentum=0.9), momentum),
    (cr.GradientDescent(RATE, momentum=0.9, nesterov=True), nesterov),
    (cr.Adagrad(RATE), adagrad),
    (cr.RMSProp(RATE, decay=0.8, epsilon=1e-7), rmsprop),
    (cr.Adadelta(RATE), adadelta),
    (cr.Adam(RATE), adam),
    (
        cr.Adam(RATE, mean_decay=0.5, square_decay=0.7, epsilon=0.1),
        lambda theta, gradients: adam(theta, gradients, 0.5, 0.7, 0.1),
    ),
    (cr.Adam(RATE, epsilon=0.1, epsilon_hat=True), adam_hat),
    (cr.AMSGrad(RATE, square_decay=0.5), amsgrad),
    (cr.AdamW(RATE, weight_decay=0.1), adamw),
    (cr.Adam(RATE, weight_decay=0.1), adamw),
    (cr.Nadam(RATE), nadam),
    (cr.Lion(RATE), lion),
    (cr.Lion(RATE, weight_decay=0.2), lambda theta, gradients: lion(theta, gradients, 0.2)),
]


@pytest.mark.parametrize(("optimizer", "rule"), RULES, ids=[repr(rule[0]) for rule in RULES])
def test_forty_steps_follow_the_papers_equations(optimizer: cr.Optimizer, rule: Rule) -> None:
    random = np.random.default_rng(0)
    # From tiny to large, so that the epsilons matter too.
    gradients = random.normal(size=(STEPS, 6)) * np.array([1e-6, 1e-3, 0.1, 1, 10, 1000])
    start = random.normal(size=6)
    parameters, everything = start.copy(), np.ones(6)
    state = optimizer.start(parameters)
    for step in range(STEPS):
        optimizer.step(parameters, gradients[step], state, RATE, everything)
        expected = [rule(start[i], gradients[: step + 1, i].tolist()) for i in range(6)]
        np.testing.assert_allclose(parameters, expected, rtol=1e-12)
    assert state.step == STEPS


def test_every_rule_stands_in_the_table_above() -> None:
    kinds = {type(optimizer) for optimizer, _ in RULES} | {cr.LBFGS}  # which SciPy implements
    assert kinds == set(members(cr.Optimizer))


def test_amsgrad_never_takes_the_divisor_back() -> None:
    """After one huge gradient Adam's steps grow again; AMSGrad's stay small."""

    def last_step(optimizer: cr.Optimizer) -> float:
        theta = np.zeros(1)
        state = optimizer.start(theta)
        for g in [100.0, *[1.0] * 50]:
            before = theta.copy()
            optimizer.step(theta, np.array([g]), state, RATE, np.ones(1))
        return float(np.abs(theta - before)[0])

    settings = {"square_decay": 0.9, "mean_decay": 0.0}
    assert last_step(cr.AMSGrad(RATE, **settings)) < last_step(cr.Adam(RATE, **settings)) / 10


def least_squares() -> tuple[Array, Array]:
    """Forty rows of a regression whose columns differ in scale a hundredfold."""
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 4)) * [1, 10, 0.1, 3]
    noise = random.normal(0, 0.3, (40, 2))
    return x, x @ [[1.0, 2], [-1, 0], [3, 1], [0.5, -2]] + 5 + noise


@pytest.mark.parametrize("loss", ["sum_of_squares", "mean_squared_error"])
def test_lbfgs_reaches_the_least_squares_solution(loss: str) -> None:
    x, y = least_squares()
    dense = cr.Dense(2)
    net = cr.NeuralNetwork(dense, loss=loss, optimizer="lbfgs", dtype="float64")
    history = net.fit(x, y, epochs=500)
    solution = np.linalg.lstsq(np.column_stack([x, np.ones(40)]), y, rcond=None)[0]
    np.testing.assert_allclose(dense.weights, solution[:4], atol=1e-4)
    np.testing.assert_allclose(dense.bias, solution[4], atol=1e-4)
    assert history.iterations < 100


@pytest.mark.parametrize("loss", ["sum_of_squares", "mean_squared_error"])
def test_lbfgs_stops_when_the_gradient_is_below_its_tolerance_and_not_before(loss: str) -> None:
    x, y = least_squares()
    optimizer = cr.LBFGS(tolerance=1e-6)
    net = cr.NeuralNetwork(cr.Dense(2), loss=loss, optimizer=optimizer, dtype="float64")
    net.fit(x, y, epochs=500)
    trace = net.new_trace()
    net.feedforward(x, trace)
    assert np.abs(net.backprop(y, trace)).max() < 1e-6


def test_lbfgs_alone_has_no_update() -> None:
    with pytest.raises(NotImplementedError, match="LBFGS defines no update"):
        cr.LBFGS().update(np.zeros(1), np.zeros(1), cr.LBFGS().start(np.zeros(1)), 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.GradientDescent(-0.1), "learning_rate must be a finite number of at least 0"),
        (lambda: cr.GradientDescent("fast"), "learning_rate must be a finite number"),
        (lambda: cr.GradientDescent(float("nan")), "learning_rate must be a finite number"),
        (lambda: cr.GradientDescent(momentum=1), "momentum must be a finite number of at least 0"),
        (lambda: cr.GradientDescent(nesterov=True), "looks ahead along the velocity"),
        (lambda: cr.GradientDescent(momentum=0.9, nesterov=1), "nesterov must be True or False"),
        (lambda: cr.RMSProp(decay=1.0), "decay must be a finite number of at least 0 below 1"),
        (lambda: cr.Adadelta(decay=-0.1), "decay must be a finite number of at least 0 below 1"),
        (lambda: cr.Adagrad(epsilon=0), "epsilon must be a finite number above 0"),
        (lambda: cr.Adam(mean_decay=1), "mean_decay must be"),
        (lambda: cr.Adam(square_decay=2), "square_decay must be"),
        (lambda: cr.Lion(step_decay=1), "step_decay must be"),
        (lambda: cr.Adam(weight_decay=-1), "weight_decay must be a finite number of at least 0"),
        (lambda: cr.Adam(clip_norm=0), "clip_norm must be a finite number above 0"),
        (lambda: cr.Adam(clip_value=-1), "clip_value must be a finite number above 0"),
        (lambda: cr.LBFGS(memory=0), "memory must be a whole number of at least 1"),
        (lambda: cr.LBFGS(tolerance=-1), "tolerance must be a finite number of at least 0"),
    ],
)
def test_settings_outside_their_range_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        make()


def test_a_users_own_optimizer_is_known_by_its_name() -> None:
    class SignDescent(cr.Optimizer):
        def __init__(self, learning_rate: float = 0.01) -> None:
            super().__init__(learning_rate)

        def update(self, parameters: Array, gradients: Array, state: Any, rate: float) -> None:
            parameters -= rate * np.sign(gradients)

    net = cr.NeuralNetwork(cr.Dense(1), inputs=2, optimizer="sign_descent")
    before = net.parameters.copy()
    net.fit(np.ones((4, 2)), np.full(4, 9.0), epochs=1)
    np.testing.assert_allclose(net.parameters - before, 0.01, rtol=1e-4)
    assert isinstance(net.optimizer, SignDescent)
