"""Branches: from a step of a training on with other settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from training.runs import bits, random_run

ENGINES = pytest.mark.parametrize("engine", ["reference", "compiled"])
X = np.random.default_rng(1).normal(size=(20, 3))
CLASSES = X.argmax(axis=1)


def network(**settings: Any) -> cr.NeuralNetwork:
    chosen = {"loss": "softmax_cross_entropy", "optimizer": "adam", "inputs": 3} | settings
    return cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dropout(0.2), cr.Dense(3), **chosen)


@pytest.fixture
def history() -> cr.History:
    """Ten epochs of seven batches, the last of two samples."""
    return network().fit(X, CLASSES, epochs=10, batch_size=3, validation=(X, CLASSES))


# --- by hand -----------------------------------------------------------------------------------


@ENGINES
def test_halving_and_then_quartering_by_hand(engine: str) -> None:
    """ŷ = w x, one sample (1, 0), loss ŷ²: w ← (1 - 2η) w."""
    net = cr.NeuralNetwork(
        cr.Dense(1, use_bias=False),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(0.25),
        inputs=1,
        engine=engine,
    )
    net.layers[0].weights = [[64]]
    history = net.fit([[1]], [0], epochs=4)
    branch = history.branch(2, learning_rate=0.375)
    assert branch.losses.tolist() == [16**2, 4**2]
    assert branch.network.parameters.item() == 1
    assert net.parameters.item() == 4
    assert net.optimizer.learning_rate == 0.25
    assert branch.network.last_history.losses.tolist() == branch.losses.tolist()


# --- the same bits without a change, another way with one ----------------------------------------


@pytest.mark.sweep(sample=10)
@pytest.mark.parametrize(
    ("seed", "engine"), [(s, e) for s in range(20) for e in ("reference", "compiled")]
)
def test_without_a_change_it_is_the_rest_of_the_same_training(seed: int, engine: str) -> None:
    """Parameters, losses, and every row of the history, also that of an epoch cut in two."""
    history = random_run(seed, engine).fit()
    for step in np.random.default_rng(seed).integers(0, history.iterations, size=5).tolist():
        branch = history.branch(step)
        assert bits(branch.network) == bits(history.network)
        assert branch.first_step == step
        for series in ("losses", "learning_rates", "gradient_norms"):
            whole, rest = getattr(history, series), getattr(branch, series)
            np.testing.assert_array_equal(rest, whole[step:])
        rows = len(branch.epochs["loss"])
        for column, values in history.epochs.items():
            assert branch.epochs[column] == values[-rows:]
        assert branch.settings["engine"] == engine


def test_a_branch_of_a_branch(history: cr.History) -> None:
    branch = history.branch(10).branch(2)  # both within the second epoch
    assert branch.first_step == 12
    assert branch.epochs["loss"] == history.epochs["loss"][1:]
    assert branch.epochs["gradient_norm"] == history.epochs["gradient_norm"][1:]
    assert bits(branch.network) == bits(history.network)
    assert bits(branch.at(8)) == bits(history.at(20))


def test_it_goes_as_far_as_it_is_asked_to(history: cr.History) -> None:
    """Step 10 is within the second epoch, which counts: so do eight after it."""
    assert history.branch(10).iterations == 60
    assert history.branch(10, epochs=1).iterations == 4
    assert history.branch(10, epochs=20).iterations == 4 + 19 * 7
    assert history.branch(7, epochs=1).iterations == 7
    assert history.branch(70, epochs=2).iterations == 14
    assert history.branch(10, epochs=20).network.training_state.epoch == 21


@ENGINES
def test_each_change_takes_effect(engine: str) -> None:
    history = network(engine=engine).fit(X, CLASSES, epochs=10, batch_size=3)
    before = bits(history.network)

    slower = history.branch(10, learning_rate=0.0)
    assert slower.network.parameters.tobytes() == history.at(10).parameters.tobytes()
    decaying = history.branch(10, learning_rate=cr.ExponentialDecay(0.1, 0.5))
    assert decaying.learning_rates[0] == pytest.approx(0.1 * 0.5 ** (10 / 7))
    lion = history.branch(10, optimizer="lion", learning_rate=0.002)
    assert lion.settings["optimizer"] == "Lion(learning_rate=0.002)"
    assert lion.network.training_state.optimizer.step == 60
    for changes in ({"l1": 0.1}, {"l2": 0.1}):
        assert history.branch(10, **changes).losses[0] > history.losses[10]
    larger = history.branch(10, batch_size=8)
    assert larger.settings["batches_per_epoch"] == 3
    assert larger.iterations == 9 * 3  # the second epoch begins again
    assert history.branch(10, batch_size=None).iterations == 9
    assert history.branch(14, batch_size=8).iterations == 8 * 3
    last = history.branch(10, optimizer="lbfgs", epochs=3)
    assert last.settings["batch_size"] == 20
    assert last.losses[-1] < last.losses[0]

    assert bits(history.network) == before
    assert history.network.optimizer.learning_rate == 0.001


def test_an_optimizer_that_was_passed_stays_as_it_is(history: cr.History) -> None:
    mine = cr.GradientDescent(0.1)
    branch = history.branch(3, optimizer=mine, learning_rate=0.2, epochs=1)
    assert set(branch.learning_rates) == {0.2}
    assert mine.learning_rate == 0.1


def test_a_plateau_forgets_what_it_has_seen_with_another_rate() -> None:
    net = network(optimizer=cr.Adam(cr.ReduceOnPlateau(0.1, patience=1, tolerance=0.9)))
    history = net.fit(X, CLASSES, epochs=10)
    assert history.learning_rates[-1] < 0.1
    assert history.branch(8).learning_rates.tolist() == history.learning_rates[8:].tolist()
    new = history.branch(8, learning_rate=cr.ReduceOnPlateau(0.3))
    assert new.learning_rates.tolist() == [0.3, 0.3]


def test_from_lbfgs_on_with_batches() -> None:
    history = network(optimizer="lbfgs").fit(X, CLASSES, epochs=6, batch_size=3)
    branch = history.branch(4, optimizer="adam", epochs=2)
    assert branch.iterations == 14
    assert history.branch(4, epochs=2).settings["optimizer"] == "LBFGS()"


def test_a_training_that_was_interrupted_within_an_epoch_is_finished() -> None:
    class Stop(cr.Callback):
        def after_step(self, net: cr.NeuralNetwork, history: cr.History) -> None:
            if history.iterations == 17:
                history.stop("enough")

    history = network().fit(X, CLASSES, epochs=10, batch_size=3, callbacks=[Stop()])
    assert history.iterations == 17
    branch = history.branch(17)
    assert branch.iterations == 4
    assert branch.epochs["loss"] == network().fit(X, CLASSES, epochs=3, batch_size=3).epochs[
        "loss"
    ][2:]  # fmt: skip


# --- errors, before anything is trained ----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": -1}, "learning_rate must be a finite number of at least 0"),
        ({"learning_rate": "fast"}, "learning_rate must be a finite number"),
        ({"learning_rate": np.nan}, "learning_rate must be a finite number"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"optimizer": 3}, "as optimizer"),
        ({"optimizer": "lbfgs", "learning_rate": 0.1}, "'lbfgs', which has none"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"l2": -1}, "l2 must be a finite number of at least 0"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"learning_rat": 0.1}, "Did you mean 'learning_rate'.*It can change learning_rate, "),
        ({"shuffle": False}, r"shuffle=False.*take network = history.at\(step\)"),
    ],
)
def test_what_cannot_be(history: cr.History, changes: Any, message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        history.branch(10, **changes)


@pytest.mark.parametrize("step", [-1, 71, 1.0, None])
def test_only_from_steps_that_were_made(history: cr.History, step: Any) -> None:
    with pytest.raises(cr.InvalidSetting, match=r"step.*a whole number"):
        history.branch(step)


def test_at_the_end_it_must_know_how_far(history: cr.History) -> None:
    with pytest.raises(cr.InvalidSetting, match=r"where this training ended.*branch\(70, epochs="):
        history.branch(70)


def test_lbfgs_takes_no_changing_samples() -> None:
    images = np.random.default_rng(0).random((8, 4, 4, 1))
    net = cr.NeuralNetwork(cr.Flatten(), cr.Dense(2), loss="softmax_cross_entropy")
    history = net.fit(images, [0, 1] * 4, epochs=2, augment="flip")
    with pytest.raises(cr.InvalidSetting, match="needs the same samples in every iteration"):
        history.branch(1, optimizer="lbfgs")


# --- pictures ----------------------------------------------------------------------------------


def test_a_branch_is_drawn_from_where_it_left(history: cr.History) -> None:
    from matplotlib.figure import Figure

    branches = [history.branch(14, learning_rate=0.1), history.branch(10, epochs=1)]
    axes = history.plot(Figure().subplots(), branches=branches)
    drawn = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    first, second = drawn["From 14: learning_rate=0.1"], drawn["From 10: as before"]
    np.testing.assert_array_equal(first[:, 0], np.arange(14, 70))
    np.testing.assert_array_equal(first[:, 1], branches[0].losses)
    np.testing.assert_array_equal(second[:, 0], np.arange(10, 14))
    assert branches[0].settings["changes"] == ["learning_rate=0.1"]


def test_only_branches_of_this_training_are_drawn(history: cr.History) -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    with pytest.raises(cr.InvalidSetting, match="branches holds 3; expected"):
        history.plot(axes, branches=[3])
    later = history.branch(70, epochs=1).branch(7, epochs=1)
    with pytest.raises(
        cr.InvalidSetting, match=r"leaves at iteration 77; expected one of 0 \.\.\. 70"
    ):
        history.plot(axes, branches=[later])
