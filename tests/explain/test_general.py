"""General equations: what is shown for a whole array, run with NumPy, gives that array."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from contracts.examples import examples, layer_examples, outputs_for, random_for, targets_for

import chainrule as cr
from chainrule.explain import Explanation
from chainrule.explain.forms.text import to_text
from chainrule.explain.layout import WHOLE
from chainrule.layer import Shape
from explain.agreement import arrays
from explain.whole_arrays import numpy_knows, run

LAYERS = layer_examples()


def assert_equations_run(explanation: Explanation) -> list[str]:
    """Compare all equations that NumPy can run; returns the names of their arrays."""
    found = []
    for tensor in arrays(explanation):
        if tensor.equation is not None and numpy_knows(tensor.equation):
            found.append(tensor.symbol.field)
            np.testing.assert_allclose(
                run(tensor), tensor.values, rtol=1e-9, atol=1e-12, err_msg=to_text(tensor.equation)
            )
    return found


def test_a_dense_network_by_its_equations_alone() -> None:
    random = np.random.default_rng(0)
    net = cr.NeuralNetwork(
        cr.Dense(4, activation="tanh"),
        cr.Dense(3, activation="sigmoid"),
        loss="sum_of_squares",
        dtype="float64",
        inputs=2,
    )
    explanation = net.explain(random.normal(size=(5, 2)), random.normal(size=(5, 3)))
    first = explanation["layer 1"]
    shown = {
        "z₁": "x W₁ + b₁",
        "∂L/∂W₁": "xᵀ ∂L/∂z₁",
        "∂L/∂b₁": "Σ_batch ∂L/∂z₁",
        "∂L/∂a₁": "∂L/∂z₂ W₂ᵀ",
        "∂L/∂x": "∂L/∂z₁ W₁ᵀ",
    }
    for tensor in (
        first.z,
        first.weights.gradient,
        first.bias.gradient,
        first.a.gradient,
        first.d_x,
    ):
        assert tensor.equation is not None
        assert to_text(tensor.equation) == shown[tensor.name]
    expected = ["z", "a", "z", "y_hat", "term", "loss", "d_y_hat"]
    expected += ["d_z", "d_weights", "d_bias", "d_a", "d_z", "d_weights", "d_bias", "d_x"]
    assert set(assert_equations_run(explanation)) >= set(expected)


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[f"{x!r} {s}" for x, s in LAYERS])
@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
def test_every_layer(layer: cr.Layer, shape: Shape, training: bool) -> None:
    """Those with operations of their own (windows, groups) are compared number by number."""
    random = random_for("general", repr(layer), shape)
    net = cr.NeuralNetwork(
        copy.deepcopy(layer), loss="sum_of_squares", inputs=shape, dtype="float64"
    )
    net.parameters[...] += random.normal(0, 0.3, net.parameters.size)
    x = random.normal(size=(3, *shape))
    y = random.normal(size=(3, *net.output_shape))
    found = assert_equations_run(net.explain(x, y, training=training))
    if isinstance(layer, cr.Activation | cr.Dense | cr.Dropout | cr.BatchNorm | cr.RMSNorm):
        assert {"y_hat", "d_x"} <= set(found)


@pytest.mark.parametrize("loss", examples(cr.Loss), ids=repr)
@pytest.mark.parametrize("shape", [(3,), (2, 3)], ids=str)
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_every_loss(loss: cr.Loss, shape: Shape, weighted: bool) -> None:
    random = random_for("general", repr(loss), shape)
    net = cr.NeuralNetwork(cr.Reshape(shape), loss=loss, inputs=shape, dtype="float64")
    x, y = outputs_for(loss, (4, *shape), random), targets_for(loss, (4, *shape), random)
    weight = random.uniform(0.2, 2, 4) if weighted else None
    explanation = net.explain(x, y, sample_weight=weight)
    found = assert_equations_run(explanation)
    assert "term" in found
    # With weights each sample has another equation, and there is none for all of them.
    assert weighted != ({"loss", "d_y_hat"} <= set(found))


def test_penalties_stand_in_the_loss() -> None:
    net = cr.NeuralNetwork(cr.Dense(2), l1=0.1, l2=0.2, inputs=3, dtype="float64")
    explanation = net.explain([[1.0, 2.0, 3.0]], [[1.0, 2.0]])
    loss = explanation.loss
    equation = explanation.step.general(explanation.tensor(loss.symbol).symbol)
    assert equation is not None
    assert to_text(equation).endswith("+ penalty")
    assert "loss" in assert_equations_run(explanation)


def test_the_derivation_holds_the_equations_of_the_explanation() -> None:
    net = cr.NeuralNetwork(
        cr.Conv2D(2, 2, "relu"), cr.BatchNorm(), cr.Flatten(), cr.Dense(3),
        loss="softmax_cross_entropy", inputs=(3, 3, 1),
    )  # fmt: skip
    text = net.derivation().to_text(200)
    explanation = net.explain(np.random.default_rng(0).normal(size=(2, 3, 3, 1)), [0, 2])
    for tensor in arrays(explanation):
        if tensor.equation is not None:
            assert f"{tensor.name} = {to_text(tensor.equation)}" in text
    assert "(batch, 2, 2, 2)" in text
    assert "(8, 3)" in text
    assert {"loss", "term"} <= {t.symbol.field for t in arrays(explanation) if t.equation}
    assert (WHOLE, "d_y_hat") in explanation.step.arrays
