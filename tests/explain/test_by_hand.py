"""Explanations beside numbers worked out by hand, with plain arithmetic and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain import Explanation
from chainrule.explain.expression import Derivative, Name


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


# --- a 2-2-1 network of sigmoids ------------------------------------------------------------------

X1, X2, Y, RATE = 1.0, 0.5, 1.0, 0.5
W = [[0.1, -0.4], [0.6, 0.3]]  # from input i to unit j
B = [0.2, -0.1]
V = [0.7, -0.5]
C = 0.3

Z = [X1 * W[0][j] + X2 * W[1][j] + B[j] for j in (0, 1)]  # 0.6 and -0.35
A = [sigmoid(z) for z in Z]
Z_OUT = A[0] * V[0] + A[1] * V[1] + C
Y_HAT = sigmoid(Z_OUT)
LOSS = (Y_HAT - Y) ** 2

D_Y_HAT = 2 * (Y_HAT - Y)
D_Z_OUT = D_Y_HAT * Y_HAT * (1 - Y_HAT)
D_V = [A[j] * D_Z_OUT for j in (0, 1)]
D_A = [D_Z_OUT * V[j] for j in (0, 1)]
D_Z = [D_A[j] * A[j] * (1 - A[j]) for j in (0, 1)]
D_W = [[x * D_Z[j] for j in (0, 1)] for x in (X1, X2)]
D_X = [D_Z[0] * W[i][0] + D_Z[1] * W[i][1] for i in (0, 1)]


@pytest.fixture
def textbook() -> Explanation:
    net = cr.NeuralNetwork(
        cr.Dense(2, activation="sigmoid"), cr.Dense(1, activation="sigmoid"),
        loss="sum_of_squares", optimizer=cr.GradientDescent(RATE), dtype="float64", inputs=2,
    )  # fmt: skip
    net.layers[0].weights, net.layers[0].bias = W, B
    net.layers[1].weights, net.layers[1].bias = [[V[0]], [V[1]]], [C]
    return net.explain([[X1, X2]], [Y])


def test_the_way_forward(textbook: Explanation) -> None:
    assert pytest.approx([0.6, -0.35], rel=1e-15) == Z  # worked out in the head
    first, second = textbook["layer 1"], textbook["layer 2"]
    assert first.z.values[0] == pytest.approx(Z, rel=1e-14)
    assert first.a.values[0] == pytest.approx(A, rel=1e-14)
    assert second.z[0, 0].value == pytest.approx(Z_OUT, rel=1e-14)
    assert textbook.output[0, 0].value == pytest.approx(Y_HAT, rel=1e-14)
    assert textbook.terms[0, 0].value == pytest.approx(LOSS, rel=1e-14)
    assert textbook.loss.value == pytest.approx(LOSS, rel=1e-14)


def test_the_way_back(textbook: Explanation) -> None:
    first, second = textbook["layer 1"], textbook["layer 2"]
    assert textbook.output.gradient[0, 0].value == pytest.approx(D_Y_HAT, rel=1e-14)
    assert second.z.gradient[0, 0].value == pytest.approx(D_Z_OUT, rel=1e-14)
    assert second.weights.gradient.values[:, 0] == pytest.approx(D_V, rel=1e-14)
    assert second.bias.gradient.values == pytest.approx([D_Z_OUT], rel=1e-14)
    assert first.a.gradient.values[0] == pytest.approx(D_A, rel=1e-14)
    assert first.z.gradient.values[0] == pytest.approx(D_Z, rel=1e-14)
    assert first.weights.gradient.values == pytest.approx(np.array(D_W), rel=1e-14)
    assert first.bias.gradient.values == pytest.approx(D_Z, rel=1e-14)
    assert textbook.x.gradient.values[0] == pytest.approx(D_X, rel=1e-13)


def test_the_update(textbook: Explanation) -> None:
    first, second = textbook["layer 1"], textbook["layer 2"]
    for i in (0, 1):
        for j in (0, 1):
            new = W[i][j] - RATE * D_W[i][j]
            assert first.weights[i, j].updated.value == pytest.approx(new, rel=1e-14)
        assert first.bias[i].updated.value == pytest.approx(B[i] - RATE * D_Z[i], rel=1e-14)
        assert second.weights[i, 0].updated.value == pytest.approx(V[i] - RATE * D_V[i], rel=1e-14)
    assert second.bias.updated[0].value == pytest.approx(C - RATE * D_Z_OUT, rel=1e-14)
    z = [
        X1 * (W[0][j] - RATE * D_W[0][j]) + X2 * (W[1][j] - RATE * D_W[1][j]) + B[j] - RATE * D_Z[j]
        for j in (0, 1)
    ]
    z_out = sum(sigmoid(z[j]) * (V[j] - RATE * D_V[j]) for j in (0, 1)) + C - RATE * D_Z_OUT
    assert textbook.loss_after_update == pytest.approx((sigmoid(z_out) - Y) ** 2, rel=1e-13)


def test_the_formulas_read_as_in_a_textbook(textbook: Explanation) -> None:
    first = textbook["layer 1"]
    assert (
        first.z[0, 1].formula == "x_at_0_0*weights1_at_0_1 + x_at_0_1*weights1_at_1_1 + bias1_at_1"
    )
    assert first.z[0, 1].substitution == "1.0*(-0.4) + 0.5*0.3 + (-0.1)"
    assert first.a[0, 1].formula == "1/(1 + exp(-z1_at_0_1))"
    assert textbook.terms[0, 0].formula == "(y_hat_at_0_0 - y_at_0_0)**2"
    assert first.weights[0, 1].gradient.formula == "x_at_0_0*d_z1_at_0_1"
    assert first.weights[0, 1].updated.formula == "weights1_at_0_1 - rate*d_weights1_at_0_1"
    assert first.weights[0, 1].formula == first.weights[0, 1].substitution == ""
    assert [part.name for part in first.z[0, 1].parts] == [
        "x[0, 0]", "W₁[0, 1]", "x[0, 1]", "W₁[1, 1]", "b₁[1]",
    ]  # fmt: skip


def test_the_chain_of_factors(textbook: Explanation) -> None:
    """∂L/∂w = ∂L/∂ŷ · ∂ŷ/∂z₂ · ∂z₂/∂a₁ · ∂a₁/∂z₁ · ∂z₁/∂w, and there is no other way."""
    gradient = textbook["layer 1"].weights[1, 0].gradient
    chain = gradient.chain
    assert chain is not None
    y_hat, z_out = Name((), "y_hat", (0, 0)), Name((1,), "z", (0, 0))
    a, z, w = Name((0,), "a", (0, 0)), Name((0,), "z", (0, 0)), Name((0,), "weights", (1, 0))
    assert [factor.symbol for factor in chain.factors] == [
        Name((), "d_y_hat", (0, 0)),
        Derivative(y_hat, z_out),
        Derivative(z_out, a),
        Derivative(a, z),
        Derivative(z, w),
    ]
    assert [factor.value for factor in chain.factors] == pytest.approx(
        [D_Y_HAT, Y_HAT * (1 - Y_HAT), V[0], A[0] * (1 - A[0]), X2], rel=1e-14
    )
    assert chain.of_terms == 1
    assert chain.product == pytest.approx(D_W[1][0], rel=1e-14)
    assert gradient.finite_difference == pytest.approx(D_W[1][0], rel=1e-7)


def test_where_there_are_several_ways_the_chain_takes_the_strongest(textbook: Explanation) -> None:
    """∂L/∂x goes through both units; the chain is the larger term of the two."""
    chain = textbook.x[0, 0].gradient.chain
    assert chain is not None
    assert chain.of_terms == 2
    ways = [D_Z[j] * W[0][j] for j in (0, 1)]
    assert chain.product == pytest.approx(max(ways, key=abs), rel=1e-14)


# --- softmax with cross-entropy: p - y ------------------------------------------------------------


def test_softmax_with_cross_entropy() -> None:
    logits = [1.0, 3.0, 0.5]
    net = cr.NeuralNetwork(
        cr.Dense(3), loss="softmax_cross_entropy", dtype="float64", inputs=1,
        optimizer="gradient_descent",
    )  # fmt: skip
    net.layers[0].weights = [logits]
    explanation = net.explain([[1.0], [1.0]], [1, 2])
    exponentials = [math.exp(z) for z in logits]
    p = [e / sum(exponentials) for e in exponentials]
    assert explanation.output.values[0] == pytest.approx(logits)
    assert explanation.y.values.tolist() == [[0, 1, 0], [0, 0, 1]]
    assert explanation.terms.values == pytest.approx([-math.log(p[1]), -math.log(p[2])], rel=1e-14)
    assert explanation.loss.value == pytest.approx(-math.log(p[1] * p[2]) / 2, rel=1e-14)
    for sample, wrong in [(0, [p[0], p[1] - 1, p[2]]), (1, [p[0], p[1], p[2] - 1])]:
        for k in range(3):  # p - y, averaged over two samples
            quantity = explanation.output[sample, k].gradient
            assert quantity.value == pytest.approx(wrong[k] / 2, rel=1e-13)
            assert quantity.computed == pytest.approx(wrong[k] / 2, rel=1e-13)
    assert explanation.output[0, 1].gradient.formula == (
        "(exp(y_hat_at_0_1)/(exp(y_hat_at_0_0) + exp(y_hat_at_0_1) + exp(y_hat_at_0_2))"
        " - y_at_0_1)/2"
    )


def test_softmax_as_an_activation() -> None:
    """d_z = a · (d_a - Σ d_a a), the product with its Jacobian."""
    net = cr.NeuralNetwork(
        cr.Softmax(), loss="sum_of_squares", dtype="float64", inputs=2, optimizer="gradient_descent"
    )
    explanation = net.explain([[0.0, math.log(3)]], [[1.0, 0.0]])
    a = [0.25, 0.75]
    d_a = [2 * (0.25 - 1), 2 * 0.75]  # -1.5 and 1.5
    mean = d_a[0] * a[0] + d_a[1] * a[1]  # 0.75
    assert explanation.output.values[0] == pytest.approx(a)
    found = explanation.x.gradient
    assert found.values[0] == pytest.approx([0.25 * (-1.5 - mean), 0.75 * (1.5 - mean)], rel=1e-14)
    assert found[0, 1].computed == pytest.approx(0.75 * 0.75, rel=1e-14)


# --- the loss -------------------------------------------------------------------------------------


def test_penalties_and_sample_weights() -> None:
    """Terms 1 and 4 with weights 3 and 1 make (3·1 + 1·4) / 4, and |w| + w² join in."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False), dtype="float64", inputs=1, l1=0.1, l2=0.01,
        optimizer="gradient_descent",
    )  # fmt: skip
    net.layers[0].weights = [[-2.0]]
    explanation = net.explain([[1.0], [2.0]], [-1.0, -2.0], sample_weight=[3.0, 1.0])
    assert explanation.terms.values.ravel().tolist() == [1, 4]
    assert explanation.loss.value == pytest.approx((3 * 1 + 1 * 4) / 4 + 0.1 * 2 + 0.01 * 4)
    assert explanation.loss.computed == pytest.approx(explanation.loss.value)
    gradient = explanation["layer 1"].weights[0, 0].gradient
    of_the_data = 3 / 4 * 2 * -1 * 1 + 1 / 4 * 2 * -2 * 2
    assert gradient.value == pytest.approx(of_the_data - 0.1 + 2 * 0.01 * -2)
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-6)
    assert gradient.formula == (
        "d_weights_here1_at_0_0 + l1*sign(weights1_at_0_0) + 2*l2*weights1_at_0_0"
    )


def test_a_layer_used_twice() -> None:
    """y = w (w x): the derivative is 2 w x δ, one part from either place."""
    layer = cr.Dense(1, use_bias=False)
    net = cr.NeuralNetwork(
        layer, layer, loss="sum_of_squares", dtype="float64", inputs=1,
        optimizer="gradient_descent",
    )  # fmt: skip
    net.layers[0].weights = [[3.0]]
    gradient = net.explain([[2.0]], [17.0])["layer 1"].weights[0, 0].gradient
    delta = 2 * (3 * 3 * 2 - 17)
    assert gradient.value == 2 * 3 * 2 * delta
    assert [part.value for part in gradient.parts] == [2 * 3 * delta, 3 * 2 * delta]
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-6)


def test_adams_second_step() -> None:
    """With gradients g₁ and g₂: m̂ and ŝ, freed from their start at zero."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False), loss="sum_of_squares", dtype="float64", inputs=1,
        optimizer=cr.Adam(0.1),
    )  # fmt: skip
    net.layers[0].weights = [[1.0]]
    g1 = 2 * 1.0
    w1 = 1 - 0.1 * g1 / (abs(g1) + 1e-8)
    net.fit([[1.0]], [0.0], epochs=1, progress=False)
    assert net.layers[0].weights[0, 0] == pytest.approx(w1)
    new = net.explain([[1.0]], [0.0])["layer 1"].weights[0, 0].updated
    g2 = 2 * w1
    m_hat = (0.9 * 0.1 * g1 + 0.1 * g2) / (1 - 0.9**2)
    s_hat = (0.999 * 0.001 * g1**2 + 0.001 * g2**2) / (1 - 0.999**2)
    assert new.value == pytest.approx(w1 - 0.1 * m_hat / (math.sqrt(s_hat) + 1e-8))
    assert new.computed == pytest.approx(new.value)
