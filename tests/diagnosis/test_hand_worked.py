"""The measurements worked out by hand, before anything is concluded from them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis import Evidence, diagnose
from chainrule.diagnosis.gradients import error_sizes
from chainrule.diagnosis.report import checked_samples
from chainrule.diagnosis.symmetry import doubles
from chainrule.layer import Array


def evidence_of(
    network: cr.NeuralNetwork, x: object, y: object, history: cr.History | None = None
) -> Evidence:
    return Evidence(network, checked_samples(network, x, y, None), history)


def two_sigmoids(weight: float, optimizer: str | cr.Optimizer = "adam") -> cr.NeuralNetwork:
    """x -> σ(w x) -> σ(2 a): all numbers can be worked out on paper."""
    net = cr.NeuralNetwork(
        cr.Dense(1, "sigmoid"), cr.Dense(1, "sigmoid"),
        loss="mean_squared_error", optimizer=optimizer, dtype="float64", inputs=1,
    )  # fmt: skip
    net.parameters[...] = [weight, 0, 2, 0]
    return net


def test_the_error_at_each_layer_of_two_sigmoids() -> None:
    """With x = 0, w = 5: a₁ = σ(0) = 1/2 and a₂ = σ(1); the target is 0.

    δ₂ = 2 a₂ · a₂ (1 - a₂) and δ₁ = δ₂ · 2 · 1/4, so the error halves on its way back.
    """
    sizes = error_sizes(evidence_of(two_sigmoids(5.0), [[0.0]], [0.0]))
    a = 1 / (1 + math.exp(-1))
    assert sizes["layer 2"] == pytest.approx(2 * a * a * (1 - a), rel=1e-12)
    assert sizes["layer 1"] / sizes["layer 2"] == pytest.approx(0.5, rel=1e-12)


def test_an_error_that_vanishes_in_a_flat_sigmoid() -> None:
    """With w x = 10 the slope is σ(10) (1 - σ(10)) = 4.54e-5; the error shrinks to twice that."""
    net = two_sigmoids(10.0)
    slope = math.exp(-10) / (1 + math.exp(-10)) ** 2
    found = diagnose(net, [[1.0], [1.0]], [0.0, 0.5])
    vanishing = next(finding for finding in found if finding.name == "vanishing_gradients")
    assert vanishing.where == ("layer 1",)
    assert vanishing.numbers["ratio"] == pytest.approx(2 * slope, rel=1e-9)
    assert "layer 1" in vanishing.evidence


def test_an_error_that_swells_by_the_weights_between() -> None:
    """Identity layers with one weight of 20 each: the error grows by 20 a layer."""
    net = cr.NeuralNetwork(*(cr.Dense(1) for _ in range(4)), dtype="float64", inputs=1)
    net.parameters[...] = [20, 0] * 4
    sizes = error_sizes(evidence_of(net, [[1.0], [-1.0]], [0.0, 0.0]))
    assert sizes["layer 1"] / sizes["layer 4"] == pytest.approx(8000, rel=1e-12)
    assert sizes["layer 3"] / sizes["layer 4"] == pytest.approx(20, rel=1e-12)


def test_the_update_to_weight_ratio_of_one_weight() -> None:
    """ŷ = w x with w = 2, x = 1, y = 0: ∂L/∂w = 2 · 2 = 4, the step is 0.01 · 4, the ratio 0.02."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False), optimizer=cr.GradientDescent(0.01), dtype="float64", inputs=1
    )
    net.parameters[...] = 2
    trial = evidence_of(net, [[1.0]], [0.0]).trial
    assert trial is not None
    assert trial.ratios == {"layer 1 weights": pytest.approx(0.02, rel=1e-12)}
    assert trial.loss == pytest.approx(4, rel=1e-12)
    assert trial.loss_after() == pytest.approx(1.96**2, rel=1e-12)
    assert trial.loss_after(50) == pytest.approx(0, abs=1e-12)  # w = 2 - 50 · 0.04
    assert net.parameters.tolist() == [2.0]


def test_a_loss_that_sums_takes_the_step_of_a_batch_not_of_all_samples() -> None:
    """64 samples with a gradient of 4 each; of 32 in a batch it is 128, times 0.001 is 0.128."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False), loss="sum_of_squares",
        optimizer=cr.GradientDescent(0.001), dtype="float64", inputs=1,
    )  # fmt: skip
    net.parameters[...] = 2
    trial = evidence_of(net, np.ones((64, 1)), np.zeros(64)).trial
    assert trial is not None
    assert trial.largest_ratio == pytest.approx(0.064, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "last", "y", "guess"),
    [
        ("mean_squared_error", cr.Dense(1), [0.0, 0.0, 0.0, 4.0], 3.0),  # the variance
        ("mean_absolute_error", cr.Dense(1), [0.0, 0.0, 0.0, 4.0], 1.5),  # from the mean, 1
        ("sigmoid_cross_entropy", cr.Dense(1), [0, 0, 1, 1], math.log(2)),
        ("binary_cross_entropy", cr.Dense(1, "sigmoid"), [0, 0, 1, 1], math.log(2)),
        ("softmax_cross_entropy", cr.Dense(4), [0, 1, 2, 3], math.log(4)),
        ("negative_log_likelihood", cr.Dense(4, "log_softmax"), [0, 1, 2, 3], math.log(4)),
        ("sum_of_squares", cr.Dense(1), [0.0, 0.0, 0.0, 4.0], 12.0),
    ],
)
def test_the_loss_of_a_guess(loss: str, last: cr.Layer, y: list[float], guess: float) -> None:
    net = cr.NeuralNetwork(last, loss=loss, dtype="float64")
    scale = evidence_of(net, np.eye(4), y).scale
    assert scale.guess == pytest.approx(guess, rel=1e-9)
    assert scale.perfect == pytest.approx(0, abs=1e-9)
    assert scale.unexplained(guess / 4) == pytest.approx(0.25, rel=1e-9)


def test_the_scale_of_constant_targets_is_not_known() -> None:
    net = cr.NeuralNetwork(cr.Dense(1))
    scale = evidence_of(net, np.eye(4), [2.0] * 4).scale
    assert not scale.is_known
    assert math.isnan(scale.unexplained(1.0))


def test_doubles_among_columns() -> None:
    columns: Array = np.array([[1.0, 2, 1, 0, 0], [3.0, 4, 3, 0, 0.1]])
    assert doubles(columns).tolist() == [True, False, True, False, False]
    assert doubles(np.zeros((2, 3))).all()
    assert doubles(columns * (1 + np.array([0, 0, 1e-6, 0, 0]))).tolist()[2]


def test_a_dead_unit_among_three() -> None:
    """Weights of -1, 1 and 1 on inputs 1 ... 4: the first unit is dead, and 1 of 3 is few."""
    net = cr.NeuralNetwork(cr.Dense(3, "relu"), cr.Dense(1), dtype="float64", inputs=1)
    net.layers[0].weights = [[-1.0, 1.0, 1.0]]
    x, y = np.arange(1.0, 5.0).reshape(-1, 1), [0.0, 1.0, 0.0, 1.0]
    assert "dead_relus" not in diagnose(net, x, y).names
    net.layers[0].weights = [[-1.0, -2.0, -3.0]]
    found = next(f for f in diagnose(net, x, y) if f.name == "dead_relus")
    assert found.where == ("layer 1",)
    assert found.evidence == "3 of 3 units in layer 1 are zero for all 4 samples."


def test_saturated_activations_are_counted() -> None:
    """σ(±6) = 0.9975 and 0.0025 lie within a hundredth of the ends; σ(±3) = 0.95 does not."""
    net = cr.NeuralNetwork(cr.Dense(1, "sigmoid"), cr.Dense(1), dtype="float64", inputs=1)
    net.parameters[...] = [1.0, 0, 1, 0]
    y = [1.0, -1.0, 1.0, -1.0]
    few = diagnose(net, [[6.0], [-3.0], [3.0], [-3.0]], y)
    assert "saturated_units" not in few.names
    many = diagnose(net, [[6.0], [-6.0], [6.0], [-6.0]], y)
    found = next(f for f in many if f.name == "saturated_units")
    assert found.numbers["saturated"] == 1.0


def test_a_column_that_is_the_target_explains_all_of_it() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(50, 4)), random.normal(size=50)
    net = cr.NeuralNetwork(cr.Dense(1))
    assert "label_leakage" not in diagnose(net, x, y).names
    x[:, 2] = 1 - y / 2
    found = next(f for f in diagnose(net, x, y) if f.name == "label_leakage")
    assert found.where == ("column 2",)
    assert found.numbers["share"] == pytest.approx(1.0)
