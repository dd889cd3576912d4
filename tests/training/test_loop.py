"""Training: the same bits again, the same bits in two goes, and numbers that can be worked out."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from contracts.examples import examples, random_for

import chainrule as cr
from chainrule.layer import Array, Trace

ROWS = 23  # batches of 5 leave a rest of 3
X = np.random.default_rng(5).normal(size=(ROWS, 4))
CLASSES = X[:, :3].argmax(axis=1)
NUMBERS = np.column_stack([X[:, 0] * X[:, 1], X.sum(axis=1)])

# L-BFGS starts its picture of the curvature anew in each fit.
RESUMABLE = [o for o in examples(cr.Optimizer) if not isinstance(o, cr.LBFGS)]
SCHEDULES = [
    cr.ConstantRate(0.05),
    cr.StepDecay(0.05, 0.5, every=1.5),
    cr.ExponentialDecay(0.05, 0.8),
    cr.InverseScaling(0.05),
    cr.Cosine(0.05, epochs=2, warm_up=0.5, restarts=True, stretch=1.5),
    cr.ReduceOnPlateau(0.05, patience=1, tolerance=0.9),  # no epoch is good enough for it
]


def network(optimizer: str | cr.Optimizer = "adam", **settings: Any) -> cr.NeuralNetwork:
    chosen = {"loss": "softmax_cross_entropy", "inputs": 4} | settings
    return cr.NeuralNetwork(
        cr.Dense(6, activation="tanh"), cr.Dense(3), optimizer=optimizer, **chosen
    )


def state_of(net: cr.NeuralNetwork) -> dict[str, Any]:
    state = net.training_state
    vectors = {name: vector.tobytes() for name, vector in state.optimizer.vectors.items()}
    return {
        "parameters": net.parameters.tobytes(),
        "vectors": vectors,
        "counts": (state.epoch, state.step, state.optimizer.step),
        "schedule": state.schedule,
    }


# --- the same bits ---------------------------------------------------------------------------


def test_every_schedule_is_tried_here() -> None:
    members = map(cr.Schedule.member, cr.Schedule.names())
    own = {member for member in members if member.__module__.startswith("chainrule.")}
    assert {type(schedule) for schedule in SCHEDULES} == own


@pytest.mark.parametrize(
    "optimizer", RESUMABLE + [cr.Adam(schedule) for schedule in SCHEDULES], ids=repr
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_two_goes_it_is_the_same_training_bit_for_bit(
    optimizer: cr.Optimizer, dtype: str
) -> None:
    """Shuffled mini-batches, a validation set: epochs 2 and then 3 are 5 epochs."""
    fit = {"batch_size": 5, "validation": 0.2, "metrics": ["accuracy"]}
    once, twice = (network(copy.deepcopy(optimizer), dtype=dtype, l2=0.01) for _ in range(2))
    whole = once.fit(X, CLASSES, epochs=5, **fit)
    parts = [twice.fit(X, CLASSES, epochs=epochs, **fit) for epochs in (2, 3)]
    assert state_of(once) == state_of(twice)
    for column in whole.epochs:
        assert whole.epochs[column] == parts[0].epochs[column] + parts[1].epochs[column]
    for series in ("losses", "learning_rates", "gradient_norms"):
        joined = np.concatenate([getattr(part, series) for part in parts])
        np.testing.assert_array_equal(getattr(whole, series), joined)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_other_numbers(optimizer: str) -> None:
    def losses(seed: int) -> list[float]:
        np.random.seed(seed + 1)  # noqa: NPY002  # the global generator must not matter
        fitted = network(optimizer, seed=seed).fit(X, CLASSES, epochs=4, batch_size=5)
        return fitted.losses.tolist()

    assert losses(0) == losses(0)
    assert not set(losses(0)) & set(losses(1))


def test_the_seed_decides_start_shuffle_and_split_apart_from_each_other() -> None:
    """From the same starting weights another seed still takes other samples in another order."""
    first, second = network(seed=1), network(seed=2)
    second.parameters[...] = first.parameters
    one = first.fit(X, CLASSES, epochs=1, batch_size=ROWS, validation=0.3)
    two = second.fit(X, CLASSES, epochs=1, batch_size=ROWS, validation=0.3)
    assert one.losses[0] != two.losses[0]  # the full batch shows no shuffle, only the split
    third, fourth = network(seed=1), network(seed=2)
    fourth.parameters[...] = third.parameters
    orders = [net.fit(X, CLASSES, epochs=1, batch_size=5).losses for net in (third, fourth)]
    assert not np.array_equal(*orders)


def test_the_numbers_passed_in_are_never_changed() -> None:
    x, y, weight = X.astype(np.float32), CLASSES.copy(), np.ones(ROWS, np.float32)
    for array in (x, y, weight):
        array.flags.writeable = False
    network().fit(x, y, sample_weight=weight, epochs=2, batch_size=5, validation=(x, y, weight))


def test_the_gradient_of_the_data_is_not_asked_for() -> None:
    """Nobody updates the data; the second layer's inputs are the first one's outputs."""
    asked = []

    class Watching(cr.Dense):
        def backprop(self, d_a: Array, trace: Trace) -> Array | None:
            asked.append(trace.needs_d_x)
            return super().backprop(d_a, trace)

    cr.NeuralNetwork(Watching(2), Watching(2)).fit(X, NUMBERS, epochs=1, batch_size=None)
    assert asked[:2] == [True, False]


# --- numbers that can be worked out ----------------------------------------------------------


def test_one_step_of_gradient_descent_by_hand() -> None:
    """ŷ = w x with w = 2: samples (1, 3) and (2, 2) give the gradient 2 (2-3) 1 + 2 (4-2) 2 = 6."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(0.25),
        inputs=1,
    )
    net.layers[0].weights = [[2]]
    history = net.fit([[1], [2]], [3, 2], epochs=1)
    assert net.parameters.tolist() == [2 - 0.25 * 6]
    assert history.to_dict()["losses"] == [1 + 4]
    assert history.to_dict()["gradient_norms"] == [6]
    assert history.to_dict()["learning_rates"] == [0.25]


def test_batches_are_taken_one_after_the_other() -> None:
    """The second sample meets the weight that the first one left."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(0.25),
        inputs=1,
    )
    net.layers[0].weights = [[2]]
    history = net.fit([[1], [2]], [3, 2], epochs=1, batch_size=1, shuffle=False)
    assert history.losses.tolist() == [1, (2.5 * 2 - 2) ** 2]  # w becomes 2 + 0.25 * 2
    assert net.parameters.tolist() == [2.5 - 0.25 * 2 * 3 * 2]


@pytest.mark.parametrize(
    ("clipping", "step"),
    [
        ({"clip_norm": 2.5}, [1.5, 2.0]),  # 3, 4 has the length 5
        ({"clip_value": 3.5}, [3.0, 3.5]),
        ({"clip_norm": 100.0}, [3.0, 4.0]),
    ],
)
def test_the_history_has_the_length_before_clipping(
    clipping: dict[str, float], step: list[float]
) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(1.0, **clipping),
        inputs=2,
    )
    net.layers[0].weights = [[0], [0]]
    history = net.fit([[-1.5, -2]], [1], epochs=1)  # gradient 2 (0 - 1) x
    assert history.gradient_norms.tolist() == [5]
    np.testing.assert_allclose(net.parameters, [-number for number in step], rtol=1e-6)


@pytest.mark.parametrize("loss", ["mean_squared_error", "sum_of_squares", "huber"])
@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam", "lbfgs"])
def test_a_weight_of_three_is_three_samples(optimizer: str, loss: str) -> None:
    """Over a whole training with the full batch."""
    times = random_for(loss).integers(0, 4, ROWS)
    nets = [
        cr.NeuralNetwork(
            cr.Dense(3, activation="tanh"),
            cr.Dense(2),
            loss=loss,
            optimizer=optimizer,
            dtype="float64",
        )
        for _ in range(2)
    ]
    weighted = nets[0].fit(X, NUMBERS, sample_weight=times, epochs=12, batch_size=None)
    repeated = nets[1].fit(
        X.repeat(times, axis=0), NUMBERS.repeat(times, axis=0), epochs=12, batch_size=None
    )
    np.testing.assert_allclose(weighted.losses, repeated.losses, rtol=1e-10)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-8, atol=1e-10)


def test_samples_without_weight_may_fill_a_whole_batch() -> None:
    """They have nothing to say, so such a batch changes nothing, and its loss is zero."""
    weight = np.repeat([1.0, 0.0], [10, 13])
    net = network("gradient_descent", dtype="float64")
    net.fit(X[:10], CLASSES[:10], epochs=1, batch_size=5, shuffle=False)
    with_the_rest = network("gradient_descent", dtype="float64")
    history = with_the_rest.fit(
        X, CLASSES, sample_weight=weight, epochs=1, batch_size=5, shuffle=False
    )
    np.testing.assert_allclose(with_the_rest.parameters, net.parameters, rtol=0, atol=1e-15)
    assert history.losses[2:].tolist() == [0, 0, 0]
