"""The decision boundary, on networks whose boundary is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import chainrule as cr
from chainrule import plots
from plots.reading import legend_of, network


def straight(targets: str = "probabilities") -> cr.NeuralNetwork:
    """A network whose logit is x1 - x2, so that its boundary is the diagonal."""
    names = {"probabilities": "sigmoid_cross_entropy", "signs": "hinge"}
    net = network(cr.Dense(1), loss=names[targets])
    net.layers[0].weights, net.layers[0].bias = [[1], [-1]], [0]
    return net


def boundary_of(axes: Axes) -> np.ndarray[Any, Any]:
    contours = [c for c in axes.collections if len(getattr(c, "levels", [])) == 1]
    return np.concatenate([path.vertices for c in contours for path in c.get_paths()])


@pytest.mark.parametrize(("targets", "y"), [("probabilities", [0, 1]), ("signs", [-1, 1])])
def test_the_boundary_lies_where_the_decision_changes(targets: str, y: list[int]) -> None:
    X = [[0.0, 1.0], [1.0, 0.0]]
    axes = plots.decision_boundary(straight(targets), X, y)
    line = boundary_of(axes)
    np.testing.assert_allclose(line[:, 0], line[:, 1], atol=1e-9)
    assert len(line) > 50
    np.testing.assert_allclose(axes.get_xlim(), [-0.08, 1.08])
    assert legend_of(axes) == [f"Class {value}" for value in y]
    samples = axes.collections[-2:]
    assert [s.get_offsets().tolist() for s in samples] == [[X[0]], [X[1]]]


def test_the_colours_are_probabilities_or_scores() -> None:
    X = [[0.0, 1.0], [1.0, 0.0]]
    of_probability, of_score = (
        plots.decision_boundary(straight(targets), X, [1, 1]).child_axes[0]
        for targets in ("probabilities", "signs")
    )
    assert of_probability.get_ylabel() == "Probability of class 1"
    assert of_probability.get_ylim() == (0, 1)
    assert of_score.get_ylabel() == "Prediction (class 1 above 0)"
    assert of_score.get_ylim() == pytest.approx((-1.16, 1.16))


def test_two_outputs_show_the_probability_of_class_1() -> None:
    net = network(cr.Dense(2), loss="softmax_cross_entropy")
    net.layers[0].weights = [[0, 9], [0, -9]]
    axes = plots.decision_boundary(net, [[0, 1], [1, 0]], [[1, 0], [0, 1]])
    x1, x2 = axes.collections[0].get_paths()[-1].vertices.T  # where it is the most probable
    assert len(x1) > 0
    assert (x1 > x2).all()
    line = boundary_of(axes)
    np.testing.assert_allclose(line[:, 0], line[:, 1], atol=1e-9)
    assert axes.child_axes[0].get_ylabel() == "Probability of class 1"


def test_of_more_classes_each_has_its_region() -> None:
    """Logits 0, x1 - 1 and x2 - 1: three straight borders that meet in (1, 1)."""
    net = network(cr.Dense(3), loss="softmax_cross_entropy")
    net.layers[0].weights, net.layers[0].bias = [[0, 1, 0], [0, 0, 1]], [0, -1, -1]
    axes = plots.decision_boundary(net, [[0, 0], [2, 1], [1, 2]], [0, 1, 2], resolution=101)
    first, second = boundary_of(axes).T
    on_a_border = [abs(first - 1) < 0.02, abs(second - 1) < 0.02, abs(first - second) < 0.02]
    assert np.any(on_a_border, axis=0).all()
    assert legend_of(axes) == ["Class 0", "Class 1", "Class 2"]
    markers = [tuple(s.get_paths()[0].vertices.ravel()) for s in axes.collections[-3:]]
    assert len(set(markers)) == 3  # told apart without any colour


def test_classes_without_region_or_samples_stay_in_the_legend() -> None:
    net = network(cr.Dense(4), loss="softmax_cross_entropy")
    net.layers[0].weights, net.layers[0].bias = np.zeros((2, 4)), [5, 0, 0, 0]
    axes = plots.decision_boundary(net, [[0, 0]], [0])
    assert len(legend_of(axes)) == 4
    assert len(axes.collections) == 1 + 4  # one region that fills everything, and the samples


def test_a_network_that_never_changes_its_mind_has_no_boundary() -> None:
    net = network(cr.Dense(1, "sigmoid"), loss="sum_of_squares")
    net.layers[0].weights, net.layers[0].bias = [[0], [0]], [3]
    axes = plots.decision_boundary(net, [[1, 1]], [[1]])
    assert not any(len(getattr(c, "levels", [])) == 1 for c in axes.collections)


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([[1, 2, 3]], [1], cr.InvalidShape, r"X has shape \(1, 3\); expected \(samples, 2\)"),
        (np.zeros((0, 2)), [], cr.InvalidData, "X holds no samples"),
        ([[1, 2]], [1, 0], cr.InvalidShape, r"y has shape \(2,\).*\(1,\)"),
        ([[1, 2]], [2.5], cr.InvalidData, "y holds 2.5.*0, 1.*predictions_against_actual"),
    ],
)
def test_samples_that_cannot_be_drawn(X: Any, y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plots.decision_boundary(straight(), X, y)
    assert plt.get_fignums() == []


def test_networks_without_a_boundary_to_draw() -> None:
    X, y = [[0, 0]], [0]
    with pytest.raises(cr.NotBuilt, match=r"net\.fit"):
        plots.decision_boundary(cr.NeuralNetwork(cr.Dense(1)), X, y)
    with pytest.raises(cr.InvalidShape, match=r"shape \(3,\).*two inputs"):
        plots.decision_boundary(network(cr.Dense(1), inputs=3), X, y)
    with pytest.raises(cr.InvalidShape, match=r"mean_squared_error.*one output"):
        plots.decision_boundary(network(cr.Dense(2)), X, y)
    with pytest.raises(cr.InvalidSetting, match="resolution"):
        plots.decision_boundary(straight(), X, y, resolution=1)
    assert plt.get_fignums() == []
