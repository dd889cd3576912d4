"""What can be explained: labels, images, lists, any memory order, at rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from explain.agreement import assert_every_number, explained
from explain.small_networks import X, Y, network


def test_a_network_without_weights_is_built() -> None:
    net = cr.NeuralNetwork(cr.Dense(2))
    assert net.explain(X, Y)["layer 1"].weights.shape == (3, 2)


def test_dropout_and_batch_normalization_at_rest() -> None:
    net = network(cr.Dropout(0.5), cr.BatchNorm(), cr.Dense(2))
    resting = explained(net, X, Y, training=False)
    assert resting["layer 1"].y[0, 0].formula == "x_at_0_0"
    assert resting["layer 2"].mean[0].formula == "running_mean2_at_0"
    assert_every_number(resting)
    with pytest.raises(cr.InvalidSetting, match="training must be True or False"):
        net.explain(X, Y, training="yes")


def test_class_labels_become_one_hot_rows() -> None:
    net = network(cr.Dense(3), loss="softmax_cross_entropy")
    explanation = explained(net, X, [0, 2, 1, 2])
    np.testing.assert_array_equal(explanation.y.values, np.eye(3)[[0, 2, 1, 2]])
    smoothed = network(cr.Dense(3), loss=cr.SoftmaxCrossEntropy(label_smoothing=0.3))
    found = smoothed.explain(X, [0, 2, 1, 2])
    np.testing.assert_allclose(found.y.values[0], [0.8, 0.1, 0.1])
    assert_every_number(found)


def test_images_of_bytes_are_shown_as_the_network_sees_them() -> None:
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1) * 7
    net = network(cr.Conv2D(2, 2), cr.Flatten(), cr.Dense(3), loss="softmax_cross_entropy",
                  inputs=(4, 4, 1))  # fmt: skip
    explanation = explained(net, images, [0, 1])
    assert explanation.x[0, 0, 1, 0].value == pytest.approx(7 / 255)
    expected = images[:, :3, :3, 0].copy()
    images[...] = 0
    np.testing.assert_allclose(explanation.x.values[:, :3, :3, 0] * 255, expected)
    assert_every_number(explanation)
    difference = explanation.x[0, 1, 1, 0].gradient.finite_difference
    assert difference == pytest.approx(explanation.x[0, 1, 1, 0].gradient.value, rel=1e-5)


@pytest.mark.parametrize("order", ["C", "F"])
def test_data_in_any_memory_order(order: Any) -> None:
    explanation = explained(network(), np.asarray(X, order=order), np.asarray(Y, order=order))
    gradient = explanation.x[2, 1].gradient
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-6)


def test_layers_whose_output_has_another_memory_order() -> None:
    """Enlarging one pixel may give a view in which the copies are one number."""
    net = network(cr.UpSample((2, 1)), cr.Flatten(), cr.Dense(1), inputs=(1, 1, 2))
    explanation = explained(net, np.ones((2, 1, 1, 2)), [1.0, 2.0])
    gradient = explanation["layer 1"].output[1, 1, 0, 1].gradient
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-6)


def test_lists_and_single_samples() -> None:
    explanation = network().explain([[1, 2, 3]], [[0, 1]])
    assert explanation.x.values.tolist() == [[1, 2, 3]]
    assert "on 1 sample," in str(explanation)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:, :2], Y, r"received x of shape \(4, 2\)"),
        (X, Y[:3], "4 samples and y 3"),
        (X[:0], Y[:0], "no samples"),
        (X, [["a", "b"]] * 4, "y"),
        (np.full((4, 3), np.nan), Y, "nan"),
    ],
)
def test_wrong_samples_are_refused_as_by_fit(x: Any, y: Any, message: str) -> None:
    net = network()
    with pytest.raises(cr.InvalidInput, match=message):
        net.explain(x, y)
    with pytest.raises(cr.InvalidInput, match="sample_weight"):
        net.explain(X, Y, sample_weight=[1.0])
