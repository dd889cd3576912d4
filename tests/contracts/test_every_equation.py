"""Every layer, activation, loss and optimizer says how its numbers come about, and says it right.

Each is run in a step of its own. Wherever an array of that step has an equation, numbers of it at
random places must be what the equation gives; and every array has one, but for what is given.
"""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import numpy as np
import pytest
from explain.agreement import (
    assert_formula_gives_value,
    assert_sympy_agrees,
    equations,
    explained,
    given,
)

import chainrule as cr
from chainrule.explain import Explanation
from chainrule.explain.place import equations_of
from chainrule.layer import Shape
from contracts.examples import (
    examples,
    layer_examples,
    members,
    outputs_for,
    random_for,
    targets_for,
)

LAYERS = layer_examples()
LOSSES = examples(cr.Loss)
OPTIMIZERS = [
    optimizer for optimizer in examples(cr.Optimizer) if not isinstance(optimizer, cr.LBFGS)
]
BATCH = 3
AT_MOST = 6  # numbers of each array

# What no equation gives: data and actual values, parameters, counted statistics, what was drawn at
# random or chosen, and what is only another view of the data.
GIVEN = {
    *("x", "y", "share", "weights", "bias", "slope", "scale", "shift", "projection_weights"),
    *("running_mean", "running_variance", "mask", "chosen", "rows"),
}


def assert_equations_hold(explanation: Explanation, *case: object) -> None:
    """Numbers of every array are what their equations give; SymPy agrees on some of them."""
    random = random_for("equations", *case)
    found = list(equations(explanation, AT_MOST, random))
    for quantity in found:
        assert_formula_gives_value(quantity)
    for place in random.choice(len(found), min(len(found), 3), replace=False):
        assert_sympy_agrees(found[place])


def network(layer: cr.Layer, input_shape: Shape, *case: object) -> cr.NeuralNetwork:
    """Build a network of a copy of this one layer, no parameter of it at a special value."""
    random = random_for("parameters", repr(layer), *case)
    net = cr.NeuralNetwork(
        copy.deepcopy(layer), loss="sum_of_squares", inputs=input_shape, dtype="float64",
        optimizer=cr.GradientDescent(0.1),
    )  # fmt: skip
    net.parameter_vector.storage[...] += random.uniform(0.1, 0.5, net.parameter_vector.storage.size)
    return net


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[f"{x!r} {s}" for x, s in LAYERS])
@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
def test_every_layer(layer: cr.Layer, shape: Shape, training: bool) -> None:
    net = network(layer, shape)
    random = random_for("equations of", repr(layer), shape)
    x = random.normal(size=(BATCH, *shape))
    y = random.normal(size=(BATCH, *net.output_shape))
    explanation = explained(net, x, y, training=training)
    assert given(explanation) <= GIVEN
    assert all(place.is_explained for place in explanation.step.places.values())
    assert_equations_hold(explanation, repr(layer), training)


@pytest.mark.parametrize("kind", members(cr.Layer), ids=lambda kind: kind.__name__)
def test_no_layer_is_passed_by(kind: type[cr.Layer]) -> None:
    """Each class gives equations for both passes."""
    mine = [(layer, shape) for layer, shape in LAYERS if type(layer) is kind]
    assert mine, f"{kind.__name__} has no example"
    for (layer, shape), training in product(mine, (True, False)):
        net = network(layer, shape)
        found = equations_of(net.layers[0], training)
        assert any(not name.startswith("d_") for name in found), (
            f"{kind.__name__} gives no equations, so explanations can only show its numbers. "
            "Define equations() beside feedforward and backprop: Dense shows how, and "
            "chainrule.explain.operations lists what may be named in them."
        )
        assert any(name.startswith("d_") for name in found), f"{kind.__name__}: no way back"


OPTIONS: list[dict[str, Any]] = [
    {},
    {"l1": 0.1},
    {"l2": 0.2},
    {"l1": 0.1, "l2": 0.2},
]


@pytest.mark.sweep(sample=50)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_loss(loss: cr.Loss, weighted: bool, options: dict[str, Any]) -> None:
    """The outputs are parameters here, so that every loss gets what it can take."""
    random = random_for("loss", repr(loss), weighted, options)
    start = outputs_for(loss, (4,), random)
    net = cr.NeuralNetwork(
        Outputs(4), loss=loss, optimizer="gradient_descent", inputs=4, dtype="float64", **options
    )
    net.parameters[...] = start
    x = np.ones((BATCH, 4))
    y = targets_for(loss, (BATCH, 4), random)
    weight = random.uniform(0.2, 2, BATCH) if weighted else None
    explanation = explained(net, x, y, weight)
    assert loss.formula
    assert given(explanation) <= {"x", "y", "share", "factors"}
    assert_equations_hold(explanation, repr(loss), weighted, options)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 3)], ids=str)
def test_every_loss_on_sequences_and_images(loss: cr.Loss, shape: Shape) -> None:
    random = random_for("loss", repr(loss), shape)
    net = cr.NeuralNetwork(Outputs(), loss=loss, inputs=shape, dtype="float64")
    net.parameters[...] = outputs_for(loss, shape, random).ravel()
    x, y = np.ones((BATCH, *shape)), targets_for(loss, (BATCH, *shape), random)
    explanation = explained(net, x, y, random.uniform(0.2, 2, BATCH))
    assert_equations_hold(explanation, repr(loss), shape)


class Outputs(cr.Layer, register=False):
    """What the network gives for an input of ones is exactly its parameters."""

    factors = cr.Parameter(penalized=True)

    def __init__(self, outputs: int = 0) -> None:
        self.outputs = outputs

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"factors": input_shape}

    def equations(self, training: bool) -> dict[str, str]:
        return {"y": "x * factors", "d_factors": "batch_sum(d_y * x)", "d_x": "d_y * factors"}

    def feedforward(self, x: Any, trace: cr.Trace) -> Any:
        trace.x = x
        return x * self.factors

    def backprop(self, d_y: Any, trace: cr.Trace) -> Any:
        trace.d_factors = (d_y * trace.x).sum(axis=0)
        return d_y * self.factors


CLIPPINGS: list[dict[str, Any]] = [
    {},
    {"clip_norm": 1e-3},
    {"clip_norm": 1e3},
    {"clip_value": 1e-3},
    {"clip_norm": 2e-3, "clip_value": 1e-3, "weight_decay": 0.3},
]


@pytest.mark.sweep(sample=50)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("steps", [0, 3], ids=["fresh", "after some steps"])
@pytest.mark.parametrize("clipping", CLIPPINGS, ids=str)
def test_every_optimizer(optimizer: cr.Optimizer, steps: int, clipping: dict[str, Any]) -> None:
    """The update explained is the update that ``fit`` makes next, bit for bit."""
    optimizer = type(optimizer).from_settings({**optimizer.settings(), **clipping})
    random = random_for("update", repr(optimizer))
    net = cr.NeuralNetwork(
        cr.Dense(3, activation=cr.PReLU()), cr.Dense(2), optimizer=optimizer, dtype="float64",
        inputs=3,
    )  # fmt: skip
    x, y = random.normal(size=(8, 3)), random.normal(size=(8, 2))
    net.fit(x, y, epochs=steps, batch_size=None, progress=False)
    explanation = explained(net, x, y)
    step = explanation.step
    assert_equations_hold(explanation, repr(optimizer), steps)
    remembered = {f"{name}_of_weights" for name in net.training_state.optimizer.vectors}
    assert given(explanation) <= GIVEN | {
        f"{before}{name}_of_{of}"
        for before in ("", "new_")
        for name in net.training_state.optimizer.vectors
        for of in ("weights", "bias", "slope")
    }
    assert remembered <= {field for _, field in step.arrays}
    net.fit(x, y, epochs=1, batch_size=None, shuffle=False, progress=False)
    for slot in net.parameter_vector.slots:
        np.testing.assert_array_equal(
            step.arrays[slot.path, f"new_{slot.name}"], slot.view(net.parameters)
        )
        for name, vector in net.training_state.optimizer.vectors.items():
            np.testing.assert_array_equal(
                step.arrays[slot.path, f"new_{name}_of_{slot.name}"], slot.view(vector)
            )


@pytest.mark.parametrize("kind", members(cr.Optimizer), ids=lambda kind: kind.__name__)
def test_every_optimizer_has_a_rule_for_one_parameter(kind: type[cr.Optimizer]) -> None:
    """But for L-BFGS: it moves all parameters together, by a rule that no single one has."""
    rule = kind().equations()
    if kind is cr.LBFGS:
        assert not rule
        return
    assert list(rule)[-1] == "new_parameter" or "new_parameter" in rule, (
        f"{kind.__name__} gives no equations, so explanations cannot show its update. Define "
        "equations() beside update: GradientDescent shows how."
    )


def test_an_update_that_has_no_rule_is_left_out() -> None:
    net = cr.NeuralNetwork(cr.Dense(1), optimizer="lbfgs", inputs=2, dtype="float64")
    explanation = net.explain([[1.0, 2.0]], [1.0])
    assert explanation.loss_after_update is None
    assert not any(field.startswith("new_") for _, field in explanation.step.arrays)
    with pytest.raises(cr.InvalidInput, match="no update"):
        explanation["layer 1"].weights.updated  # noqa: B018 - asking is what fails
    assert "no rule for single parameters" in str(explanation)
