"""Every optimizer moves the parameters as the reference does, and remembers the same."""

from __future__ import annotations

import copy
import ctypes
from typing import Any

import numpy as np
import pytest
from contracts.examples import examples, random_for
from contracts.training import train_alike
from engines.compiled.test_parity import TOLERANCE

import chainrule as cr
from chainrule.engines.compiled import kernel as place
from chainrule.engines.compiled.kernel import as_setting
from chainrule.engines.compiled.optimizers import PART, plan_update
from chainrule.engines.compiled.plan import NoTwin, Plan
from chainrule.layer import Array
from chainrule.optimizer import Optimizer, OptimizerState

STEPS = 50
WITHIN_A_STEP = {"change", "direction", "look_ahead"}  # mean nothing once the step is made
DIVIDING = [optimizer for optimizer in examples(Optimizer) if hasattr(optimizer, "epsilon")]
FIRST_ORDER = [optimizer for optimizer in examples(Optimizer) if type(optimizer) is not cr.LBFGS]


class Compiled:
    """The compiled update of a vector of parameters, called step by step."""

    def __init__(self, optimizer: Optimizer, net: cr.NeuralNetwork, state: OptimizerState) -> None:
        vector = net.parameter_vector
        self.values, self.state = vector.values, state
        plan = Plan(vector, training=True, wide=True)
        plan_update(optimizer, state, vector.penalized, plan)
        ops, _ = plan.table(1)
        self.op = ops[-1]
        takes = [ctypes.c_void_p] * 5 + [ctypes.c_int64] * 2
        self.call = ctypes.CFUNCTYPE(None, *takes)(int(self.op[place.ADDRESS]))
        self.context = np.zeros(place.CONTEXT_LENGTH, np.int64)

    def step(self, gradients: Array, rate: float, shrink: float = 1.0) -> None:
        self.state.step += 1
        self.context[place.RATE] = as_setting(rate)
        self.context[place.SHRINK] = as_setting(shrink)
        self.context[place.UPDATE] = self.state.step
        settings = self.op[place.FIRST_SETTING :]
        for first in range(0, len(self.values), PART):
            self.call(
                settings.ctypes.data, self.context.ctypes.data, None, self.values.ctypes.data,
                gradients.ctypes.data, first, min(PART, len(self.values) - first),
            )  # fmt: skip


def network(dtype: str) -> cr.NeuralNetwork:
    """Weights, biases, and more of them than one part holds."""
    return cr.NeuralNetwork(cr.Dense(113), inputs=83, dtype=dtype, seed=5)


def assert_remembers_the_same(found: OptimizerState, expected: OptimizerState, dtype: str) -> None:
    assert found.step == expected.step
    for name in expected.vectors.keys() - WITHIN_A_STEP:
        assert_near(found.vectors[name], expected.vectors[name], dtype)


def assert_near(found: Array, expected: Array, dtype: str, steps: int = STEPS) -> None:
    apart = np.linalg.norm((found - expected).astype(np.float64))
    assert apart <= steps * TOLERANCE[dtype] * np.linalg.norm(expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", FIRST_ORDER, ids=repr)
def test_fifty_steps(optimizer: Optimizer, dtype: str) -> None:
    """Gradients of all sizes; some end after a few steps, so that averages of them fade away."""
    one, two = network(dtype), network(dtype)
    expected, found = one.parameter_vector.values, two.parameter_vector.values
    state = optimizer.start(expected)
    update = Compiled(optimizer, two, optimizer.start(found))
    random = random_for(repr(optimizer))
    sizes = 10.0 ** random.uniform(-6, 2, len(expected))
    for step in range(STEPS):
        sizes[random.integers(0, len(sizes), len(sizes) // 10)] = 0
        gradients = (random.normal(size=len(expected)) * sizes).astype(dtype)
        norm = float(np.linalg.norm(gradients))
        shrink = min(1.0, (optimizer.clip_norm or norm) / norm)
        rate = 0.02 / (1 + step)
        update.step(gradients, rate, shrink)
        gradients *= shrink
        optimizer.step(expected, gradients, state, rate, one.parameter_vector.penalized)
    assert_near(found, expected, dtype)
    assert_remembers_the_same(update.state, state, dtype)


@pytest.mark.parametrize("optimizer", FIRST_ORDER, ids=repr)
def test_either_engine_takes_over(optimizer: Optimizer) -> None:
    """Ten steps by the one, ten by the other, from the same state."""
    one, two = network("float64"), network("float64")
    state = optimizer.start(one.parameter_vector.values)
    mixed = optimizer.start(two.parameter_vector.values)
    update = Compiled(optimizer, two, mixed)
    random = random_for("take over")
    for step in range(30):
        gradients = random.normal(size=len(one.parameter_vector.values))
        penalized = one.parameter_vector.penalized
        optimizer.step(one.parameter_vector.values, gradients.copy(), state, 0.01, penalized)
        if 10 <= step < 20:
            update.step(gradients, 0.01)
        else:
            optimizer.step(two.parameter_vector.values, gradients, mixed, 0.01, penalized)
    assert_near(two.parameter_vector.values, one.parameter_vector.values, "float64")
    assert_remembers_the_same(mixed, state, "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", DIVIDING, ids=repr)
def test_nothing_breaks_at_the_ends_of_the_range(optimizer: Any, dtype: str) -> None:
    """No gradient at all, a vanishing one, one whose square is infinite; a vanishing epsilon."""
    optimizer = copy.copy(optimizer)
    optimizer.weight_decay, optimizer.epsilon = 0.0, 1e-320
    one, two = network(dtype), network(dtype)
    expected, found = one.parameter_vector.values, two.parameter_vector.values
    state = optimizer.start(expected)
    update = Compiled(optimizer, two, optimizer.start(found))
    gradients = np.zeros_like(expected)
    limits = np.finfo(dtype)
    gradients[1:4] = limits.tiny, -limits.max / 1024, 1.0
    for _ in range(3):
        update.step(gradients, 1e-3)
        with np.errstate(all="ignore"):
            optimizer.step(expected, gradients, state, 1e-3, one.parameter_vector.penalized)
    assert np.isfinite(found).all()
    ordinary = np.isfinite(expected) & (np.arange(len(expected)) != 1)
    assert_near(found[ordinary], expected[ordinary], dtype)


@pytest.mark.parametrize("optimizer", FIRST_ORDER, ids=repr)
def test_trains_as_the_reference(optimizer: Optimizer) -> None:
    """With clipping, penalties and a last batch that is smaller."""
    random = random_for("train")
    x, y = random.normal(size=(25, 6)), random.normal(size=(25, 2))
    train_alike([cr.Dense(9, "tanh"), cr.Dense(2)], x, y, optimizer=optimizer)


def test_what_has_no_compiled_form() -> None:
    class Signs(Optimizer, register=False):
        def update(self, parameters: Array, gradients: Array, *others: Any) -> None:
            parameters -= 0.01 * np.sign(gradients)

    net = network("float32")
    for optimizer in (Signs(0.1), cr.LBFGS()):
        with pytest.raises(NoTwin, match=f"{type(optimizer).__name__} has no compiled form"):
            Compiled(optimizer, net, optimizer.start(net.parameter_vector.values))
