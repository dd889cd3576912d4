"""What every optimizer promises: it works in place, goes downhill, and leaves biases unshrunk."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array
from chainrule.optimizer import Optimizer
from contracts.examples import examples, random_for

# Those that make steps of their own; L-BFGS leaves them to SciPy.
OPTIMIZERS = [o for o in examples(Optimizer) if type(o).update is not Optimizer.update]
ALL = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
COUNT = 8


def run(
    optimizer: cr.Optimizer, parameters: Array, gradients: Array, penalized: Array | None = None
) -> Array:
    """Make one step for each row of gradients, in place."""
    state = optimizer.start(parameters)
    mask = np.ones_like(parameters) if penalized is None else penalized
    for gradient in gradients:
        optimizer.step(parameters, gradient, state, 0.02, mask)
    return parameters


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_works_in_place_and_keeps_the_dtype(
    optimizer: cr.Optimizer, dtype: type[np.float32] | type[np.float64]
) -> None:
    random = random_for(optimizer)
    parameters = random.normal(size=COUNT).astype(dtype)
    gradients = random.normal(size=(5, COUNT)).astype(dtype)
    gradients.flags.writeable = False  # whoever changes them is found out
    before = parameters.copy()
    state = optimizer.start(parameters)
    remembered = {name: id(vector) for name, vector in state.vectors.items()}
    for gradient in gradients:
        optimizer.step(parameters, gradient, state, 0.02, np.ones(COUNT, dtype))
    assert parameters.dtype == dtype
    assert (parameters != before).all()
    assert state.step == 5
    assert {name: id(vector) for name, vector in state.vectors.items()} == remembered
    assert all(vector.dtype == dtype for vector in [*state.vectors.values(), state.scratch])


@ALL
def test_a_view_is_updated_through(optimizer: cr.Optimizer) -> None:
    """The network's layers look into the vector, so the very same memory must change."""
    vector = np.ones(COUNT)
    view = vector[2:6].reshape(2, 2)
    run(optimizer, vector, np.ones((1, COUNT)))
    assert (view != 1).all()


@ALL
def test_equal_starts_give_equal_runs(optimizer: cr.Optimizer) -> None:
    gradients = random_for(optimizer).normal(size=(10, COUNT))
    first, second = (run(optimizer, np.ones(COUNT), gradients) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@ALL
def test_the_state_is_all_it_remembers(optimizer: cr.Optimizer) -> None:
    """Five steps, a copy of the state, and five more are the same as ten."""
    gradients = random_for(optimizer).normal(size=(10, COUNT))
    through, parameters = run(optimizer, np.ones(COUNT), gradients), np.ones(COUNT)
    state = optimizer.start(parameters)
    for step, gradient in enumerate(gradients):
        if step == 5:
            state = copy.deepcopy(state)
            state.scratch[...] = np.nan  # it means nothing between two steps
        optimizer.step(parameters, gradient, state, 0.02, np.ones(COUNT))
    np.testing.assert_array_equal(parameters, through)


@ALL
def test_each_number_moves_by_itself(optimizer: cr.Optimizer) -> None:
    """What happens to one parameter depends on its own gradients only."""
    random = random_for(optimizer)
    gradients, order = random.normal(size=(5, COUNT)), random.permutation(COUNT)
    shuffled = run(optimizer, np.arange(COUNT, dtype=float)[order], gradients[:, order])
    np.testing.assert_array_equal(
        shuffled, run(optimizer, np.arange(COUNT, dtype=float), gradients)[order]
    )


@ALL
def test_no_gradient_means_no_step_and_no_nan(optimizer: cr.Optimizer) -> None:
    unmoved = run(optimizer, np.ones(COUNT), np.zeros((3, COUNT)), np.zeros(COUNT))
    np.testing.assert_array_equal(unmoved, np.ones(COUNT))


@ALL
def test_tiny_and_huge_gradients_give_finite_steps(optimizer: cr.Optimizer) -> None:
    sizes = np.array([1e-30, 1e-10, 1e-3, 1, 1e3, 1e8, -1e8, 0], dtype=np.float32)
    assert np.isfinite(run(optimizer, np.ones(COUNT, np.float32), np.tile(sizes, (5, 1)))).all()


@ALL
def test_what_it_remembers_of_weights_at_rest_ends_at_zero(optimizer: cr.Optimizer) -> None:
    """Numbers below the dtype's range would make a processor many times slower."""
    at_rest = np.zeros((32 * 60, COUNT), dtype=np.float32)
    at_rest[0] = 1.0
    parameters = np.ones(COUNT, dtype=np.float32)
    state = optimizer.start(parameters)
    for gradient in at_rest:
        optimizer.step(parameters, gradient, state, 0.02, np.zeros(COUNT, np.float32))
    for vector in state.vectors.values():
        size = np.abs(vector)
        assert ((size == 0) | (size >= np.finfo(np.float32).tiny)).all()


@ALL
def test_weight_decay_shrinks_what_is_penalized_and_nothing_else(optimizer: cr.Optimizer) -> None:
    """Without a gradient, weights shrink by η · weight_decay of their size; biases stay."""
    decaying = copy.deepcopy(optimizer)
    decaying.weight_decay = 0.5
    penalized = np.array([1.0, 0] * (COUNT // 2))
    parameters = run(decaying, np.full(COUNT, 2.0), np.zeros((3, COUNT)), penalized)
    np.testing.assert_allclose(parameters[::2], 2 * (1 - 0.02 * 0.5) ** 3, rtol=1e-14)
    np.testing.assert_array_equal(parameters[1::2], 2.0)


@ALL
def test_weight_decay_does_not_enter_the_rule(optimizer: cr.Optimizer) -> None:
    """It is decoupled: unpenalized numbers move as if there were none."""
    gradients = random_for(optimizer).normal(size=(5, COUNT))
    decaying, plain = copy.deepcopy(optimizer), copy.deepcopy(optimizer)
    decaying.weight_decay, plain.weight_decay = 0.5, 0.0
    np.testing.assert_array_equal(
        run(decaying, np.ones(COUNT), gradients, np.zeros(COUNT)),
        run(plain, np.ones(COUNT), gradients),
    )


RATES = {cr.Lion: 0.01, cr.Adagrad: 0.5, cr.Adadelta: 1.0}  # the others do with 0.01


@ALL
@pytest.mark.parametrize(
    "curvature", [[1.0, 1.0, 1.0], [100.0, 1.0, 0.05]], ids=["round bowl", "badly scaled bowl"]
)
def test_it_descends_a_bowl(optimizer: cr.Optimizer, curvature: list[float]) -> None:
    """L = ½ Σ c (θ - 3)²; its gradient is c (θ - 3)."""
    bowl = np.array(curvature)
    theta, bottom = np.zeros(3), np.full(3, 3.0)
    optimizer = copy.deepcopy(optimizer)
    optimizer.weight_decay = 0.0  # it would pull towards zero, away from the bottom

    def loss() -> float:
        return float((bowl * (theta - bottom) ** 2).sum() / 2)

    state, losses = optimizer.start(theta), [loss()]
    for _ in range(3000):
        gradient = bowl * (theta - bottom)
        optimizer.clip(gradient, float(np.linalg.norm(gradient)))
        optimizer.step(theta, gradient, state, RATES.get(type(optimizer), 0.01), np.ones(3))
        losses.append(loss())
    assert losses[-1] < 0.01 * losses[0]
    assert max(losses[1:]) < 1.1 * losses[0]


@ALL
def test_clipping_by_norm_keeps_the_direction(optimizer: cr.Optimizer) -> None:
    clipping = copy.deepcopy(optimizer)
    clipping.clip_value, clipping.clip_norm = None, 2.0
    gradient = np.array([3.0, -4.0])
    clipping.clip(gradient, 5.0)
    np.testing.assert_allclose(gradient, [1.2, -1.6], rtol=1e-15)
    short = np.array([0.3, -0.4])
    clipping.clip(short, 0.5)
    np.testing.assert_array_equal(short, [0.3, -0.4])


@ALL
def test_clipping_by_value_cuts_each_number(optimizer: cr.Optimizer) -> None:
    clipping = copy.deepcopy(optimizer)
    clipping.clip_value, clipping.clip_norm = 2.0, None
    gradient = np.array([3.0, -4.0, 0.5], dtype=np.float32)
    clipping.clip(gradient, float(np.linalg.norm(gradient)))
    np.testing.assert_array_equal(gradient, np.array([2.0, -2.0, 0.5], dtype=np.float32))
    clipping.clip_norm = 1.0  # both: first the values, then the length of what they left
    clipping.clip(gradient, float(np.linalg.norm(gradient)))
    np.testing.assert_allclose(np.linalg.norm(gradient), 1.0, rtol=1e-6)
    assert gradient.dtype == np.float32


@pytest.mark.parametrize("optimizer", examples(Optimizer), ids=repr)
def test_every_optimizer_shows_its_formula(optimizer: cr.Optimizer) -> None:
    assert r"\theta \leftarrow" in optimizer.formula


@pytest.mark.parametrize("optimizer", examples(Optimizer), ids=repr)
def test_a_network_trains_with_it(optimizer: cr.Optimizer) -> None:
    """By name or by object, the loss of a small regression falls."""
    x = np.random.default_rng(0).normal(size=(20, 2))
    net = cr.NeuralNetwork(cr.Dense(3, activation="tanh"), cr.Dense(1), optimizer=optimizer)
    history = net.fit(x, x[:, 0] * 2, epochs=10, batch_size=None)
    assert history.losses[-1] < history.losses[0]
