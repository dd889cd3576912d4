"""Layers with derivations of their own, beside numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr

# --- images ---------------------------------------------------------------------------------------


def test_a_window_and_the_kernel() -> None:
    """A 3 x 3 image under a 2 x 2 kernel: z[0, 1] looks at the right upper corner."""
    image = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    net = cr.NeuralNetwork(
        cr.Conv2D(1, 2), loss="sum_of_squares", dtype="float64", inputs=(3, 3, 1),
        optimizer="gradient_descent",
    )  # fmt: skip
    net.layers[0].weights = np.array([[1.0, 2.0], [0.0, -1.0]]).reshape(2, 2, 1, 1)
    net.layers[0].bias = [0.5]
    explanation = net.explain(image, np.zeros((1, 2, 2, 1)))
    z = explanation["layer 1"].z
    #  1 2 3        z[0, 1] = 2·1 + 3·2 + 5·0 + 6·(-1) + 0.5
    #  4 5 6
    #  7 8 9
    assert z[0, 0, 1, 0].value == 2 * 1 + 3 * 2 + 5 * 0 + 6 * -1 + 0.5
    assert z[0, 0, 1, 0].formula == (
        "x_at_0_0_1_0*weights1_at_0_0_0_0 + x_at_0_0_2_0*weights1_at_0_1_0_0"
        " + x_at_0_1_1_0*weights1_at_1_0_0_0 + x_at_0_1_2_0*weights1_at_1_1_0_0 + bias1_at_0"
    )
    error = 2 * z.values[0, :, :, 0]  # ∂L/∂z of the sum of squares around 0
    right_lower = explanation["layer 1"].weights[1, 1, 0, 0].gradient  # met 5, 6, 8 and 9
    met = 5 * error[0, 0] + 6 * error[0, 1] + 8 * error[1, 0] + 9 * error[1, 1]
    assert right_lower.value == right_lower.computed == pytest.approx(met, rel=1e-14)
    assert explanation["layer 1"].bias[0].gradient.value == pytest.approx(error.sum(), rel=1e-14)
    middle = explanation.x[0, 1, 1, 0].gradient  # the 5 lay under all four windows
    back = error[0, 0] * -1 + error[0, 1] * 0 + error[1, 0] * 2 + error[1, 1] * 1
    assert middle.value == middle.computed == pytest.approx(back, rel=1e-14)


def test_what_max_pooling_chose() -> None:
    image = np.array([[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 7.0, 6.0]]).reshape(1, 2, 4, 1)
    net = cr.NeuralNetwork(
        cr.MaxPool2D(), loss="sum_of_squares", dtype="float64", inputs=(2, 4, 1),
        optimizer="gradient_descent",
    )  # fmt: skip
    explanation = net.explain(image, np.zeros((1, 1, 2, 1)))
    assert explanation.output[0, 0, 0, 0].value == 5
    assert explanation.output[0, 0, 0, 0].formula == (
        "Max(x_at_0_0_0_0, x_at_0_0_1_0, x_at_0_1_0_0, x_at_0_1_1_0)"
    )
    back = explanation.x.gradient
    assert back[0, 0, 1, 0].formula == "d_y_hat_at_0_0_0_0"
    assert back[0, 0, 1, 0].value == 2 * 5
    assert back[0, 0, 0, 0].formula == "0"
    assert back.values[0, :, :, 0].tolist() == [[0, 10, 0, 0], [0, 0, 14, 0]]


# --- layers with derivations of their own ---------------------------------------------------------


def test_batch_normalization_of_three_numbers() -> None:
    """The numbers 1, 2 and 6 have the mean 3 and the variance 14/3."""
    net = cr.NeuralNetwork(
        cr.BatchNorm(epsilon=1 / 3), loss="sum_of_squares", dtype="float64", inputs=1,
        optimizer="gradient_descent",
    )  # fmt: skip
    net.layers[0].scale, net.layers[0].shift = [2.0], [1.0]
    x = [1.0, 2.0, 6.0]
    layer = net.explain([[number] for number in x], [0.0, 0.0, 0.0])["layer 1"]
    deviation = math.sqrt(5)  # √(14/3 + 1/3)
    x_hat = [-2 / deviation, -1 / deviation, 3 / deviation]
    z = [2 * number + 1 for number in x_hat]
    d = [2 * number for number in z]
    assert layer.mean[0].value == pytest.approx(3)
    assert layer.variance[0].value == pytest.approx(14 / 3)
    assert layer.deviation[0].value == pytest.approx(deviation)
    assert layer.x_hat.values[:, 0] == pytest.approx(x_hat)
    assert layer.z.values[:, 0] == pytest.approx(z)
    d_scale = d[0] * x_hat[0] + d[1] * x_hat[1] + d[2] * x_hat[2]
    assert layer.shift[0].gradient.value == pytest.approx(sum(d))
    assert layer.scale[0].gradient.value == pytest.approx(d_scale)
    for i in range(3):
        back = 2 / deviation * (d[i] - sum(d) / 3 - x_hat[i] * d_scale / 3)
        assert layer.x[i, 0].gradient.value == pytest.approx(back)
        assert layer.x[i, 0].gradient.computed == pytest.approx(back)
    assert layer.mean[0].formula == "(x_at_0_0 + x_at_1_0 + x_at_2_0)/3"
    assert layer.mean[0].substitution == "(1.0 + 2.0 + 6.0)/3"


def test_both_ways_of_a_residual_block() -> None:
    """y = F(x) + x with F(x) = 3x: the derivative comes back as 3δ + δ."""
    inside = cr.Dense(1, use_bias=False)
    net = cr.NeuralNetwork(
        cr.Residual(inside), loss="sum_of_squares", dtype="float64", inputs=1,
        optimizer="gradient_descent",
    )  # fmt: skip
    net.layers[0].layers[0].weights = [[3.0]]
    explanation = net.explain([[2.0]], [0.0])
    block = explanation["layer 1"]
    assert block.z[0, 0].value == 3 * 2 + 2
    assert block.z[0, 0].substitution == "6.0 + 2.0"
    delta = 2 * 8
    back = block.x[0, 0].gradient
    assert back.value == 3 * delta + delta
    assert back.substitution == "48.0 + 16.0"
    assert [part.value for part in back.parts] == [3 * delta, delta]
    assert explanation["layer 1.1"].weights[0, 0].gradient.value == 2 * delta


def test_what_dropout_left_out() -> None:
    """The mask is 0 or 1 / (1 - p), the same on both ways."""
    net = cr.NeuralNetwork(
        cr.Dropout(0.5), loss="sum_of_squares", dtype="float64", inputs=8, seed=3,
        optimizer="gradient_descent",
    )  # fmt: skip
    x = np.arange(1.0, 9.0).reshape(1, 8)
    layer = net.explain(x, np.zeros((1, 8)))["layer 1"]
    assert set(layer.mask.values.ravel()) == {0.0, 2.0}
    for i in range(8):
        mask = layer.mask[0, i].value
        assert layer.y[0, i].value == (i + 1) * mask
        assert layer.y[0, i].formula == f"x_at_0_{i}*mask1_at_0_{i}"
        assert layer.x[0, i].gradient.value == 2 * (i + 1) * mask * mask
    resting = net.explain(x, np.zeros((1, 8)), training=False)["layer 1"]
    assert resting.y[0, 3].formula == "x_at_0_3"
    assert "mask" not in resting.names
