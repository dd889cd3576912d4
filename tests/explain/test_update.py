"""The update: the step that ``fit`` would make next, whatever has been before."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from training.runs import SCHEDULES

import chainrule as cr
from chainrule.schedules import Schedule
from explain.agreement import assert_every_number
from explain.small_networks import X, Y, network


def assert_it_is_the_next_step(net: cr.NeuralNetwork) -> None:
    explanation = net.explain(X, Y)
    twin = copy.deepcopy(net)
    twin.fit(X, Y, epochs=1, batch_size=None, shuffle=False, progress=False)
    for slot in net.parameter_vector.slots:
        np.testing.assert_array_equal(
            explanation.step.arrays[slot.path, f"new_{slot.name}"], slot.view(twin.parameters)
        )
    assert_every_number(explanation)
    resting = copy.deepcopy(twin)
    trace = resting.new_trace(training=True)
    trace.shared.step = net.training_state.step  # the same mask again
    resting.feedforward(X, trace)
    assert explanation.loss_after_update == pytest.approx(resting.measure(Y, trace), rel=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("epochs", [0, 1, 2, 5])
def test_the_learning_rate_is_that_of_the_schedule(schedule: Schedule, epochs: int) -> None:
    net = network(optimizer=cr.GradientDescent(copy.deepcopy(schedule), momentum=0.9))
    net.fit(X, Y, epochs=epochs, batch_size=None, progress=False)
    assert_it_is_the_next_step(net)


def test_between_two_batches_of_an_epoch() -> None:
    net = network(cr.Dropout(0.5), cr.Dense(2), optimizer="adam", l2=0.1)
    net.fit(X, Y, epochs=3, batch_size=2, progress=False)
    assert_it_is_the_next_step(net)


def test_shared_and_learned_slopes() -> None:
    shared = cr.Dense(3, activation=cr.PReLU())
    net = network(shared, shared, cr.Dense(2), optimizer=cr.AdamW(0.1, clip_norm=0.2))
    net.fit(X, Y, epochs=2, batch_size=None, progress=False)
    assert_it_is_the_next_step(net)


def test_another_optimizer_starts_from_scratch() -> None:
    net = network(optimizer="adam")
    net.fit(X, Y, epochs=2, batch_size=None, progress=False)
    net.optimizer = "rmsprop"
    assert_it_is_the_next_step(net)
    new = net.explain(X, Y)["layer 1"].weights[0, 0].updated
    assert "mean_square_of_weights" in new.formula


def test_forgetting_every_32_steps_does_not_disturb() -> None:
    net = network(optimizer=cr.Adam(mean_decay=0.0, square_decay=0.0))
    net.fit(X, Y, epochs=31, batch_size=None, progress=False)
    assert_it_is_the_next_step(net)


def test_what_is_remembered_has_its_own_equations() -> None:
    net = network(cr.Dense(1, use_bias=False), optimizer=cr.GradientDescent(0.1, momentum=0.5))
    net.fit(X, Y[:, :1], epochs=1, batch_size=None, progress=False)
    explanation = net.explain(X, Y[:, :1])
    layer = explanation["layer 1"]
    velocity = layer.new_velocity_of_weights[1, 0]
    gradient = layer.weights[1, 0].gradient.value
    assert velocity.value == pytest.approx(
        0.5 * layer.velocity_of_weights[1, 0].value - 0.1 * gradient, rel=1e-12
    )
    new = layer.weights[1, 0].updated
    assert new.value == pytest.approx(layer.weights[1, 0].value + velocity.value, rel=1e-12)
    assert [part.symbol.field for part in new.parts] == ["weights", "new_velocity_of_weights"]


def test_decay_and_clipping_come_before_the_rule() -> None:
    optimizer = cr.GradientDescent(0.1, weight_decay=0.5, clip_value=0.01)
    layer = network(cr.Dense(2), optimizer=optimizer).explain(X, 10 * Y)["layer 1"]
    weight, gradient = layer.weights[0, 0].value, layer.weights[0, 0].gradient.value
    decayed = weight * (1 - 0.1 * 0.5)
    clipped = min(max(gradient, -0.01), 0.01)
    assert abs(gradient) > 0.01
    assert layer.decayed_weights[0, 0].value == pytest.approx(decayed, rel=1e-12)
    assert layer.clipped_d_weights[0, 0].value == clipped
    assert layer.weights[0, 0].updated.value == pytest.approx(decayed - 0.1 * clipped, rel=1e-12)
    assert layer.bias[0].updated.parts[0].symbol.field == "bias"  # a bias does not decay
