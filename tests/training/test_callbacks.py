"""What can be done between the steps of a training, and in which order it happens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array
from chainrule.training.callbacks import overriding

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(30, 4))
Y = X[:, 0] + RANDOM.normal(size=30)
NEW_X = RANDOM.normal(size=(30, 4))
NEW_Y = NEW_X[:, 0] + RANDOM.normal(size=30)


def network(**settings: Any) -> cr.NeuralNetwork:
    """More weights than samples, so that it learns the noise by heart."""
    chosen = {"optimizer": cr.Adam(0.02)} | settings
    return cr.NeuralNetwork(cr.Dense(40, activation="tanh"), cr.Dense(1), **chosen)


class Diary(cr.Callback):
    def __init__(self, name: str, entries: list[str]) -> None:
        self.name, self.entries = name, entries

    def before_training(self, network: Any, history: cr.History) -> None:
        self.entries.append(f"{self.name} before {history.iterations}")

    def after_step(self, network: Any, history: cr.History) -> None:
        self.entries.append(f"{self.name} step {history.iterations}")

    def after_epoch(self, network: Any, history: cr.History) -> None:
        self.entries.append(f"{self.name} epoch {len(history['loss'])}")

    def after_training(self, network: Any, history: cr.History) -> None:
        self.entries.append(f"{self.name} after {history.stopped_because}")


def test_they_are_called_in_order_each_in_its_turn() -> None:
    entries: list[str] = []
    callbacks = [Diary("a", entries), Diary("b", entries)]
    network().fit(X, Y, epochs=2, batch_size=20, callbacks=callbacks)
    assert entries == [
        f"{name} {event}"
        for event in (
            "before 0",
            *("step 1", "step 2", "epoch 1"),
            *("step 3", "step 4", "epoch 2"),
            "after all 2 epochs done",
        )
        for name in "ab"
    ]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_they_see_the_network_after_its_update_and_the_row_of_its_epoch(optimizer: str) -> None:
    seen: list[Array] = []

    def look(net: cr.NeuralNetwork, history: cr.History) -> None:
        seen.append(net.parameters.copy())
        assert len(history["loss"]) == len(history["validation_loss"]) == len(seen)
        measured = net.evaluate(NEW_X, NEW_Y)["loss"]
        assert history["validation_loss"][-1] == pytest.approx(measured, rel=1e-6)

    net = network(optimizer=optimizer)
    net.fit(X, Y, epochs=4, validation=(NEW_X, NEW_Y), callbacks=cr.OnEpoch(look))
    assert len(seen) == 4
    assert not any(np.array_equal(one, two) for one, two in pairwise(seen))
    np.testing.assert_array_equal(seen[-1], net.parameters)


@pytest.mark.parametrize(("after", "rows"), [(4, 2), (5, 2), (6, 3)])
def test_a_step_that_stops_the_training_is_its_last(after: int, rows: int) -> None:
    """Two steps an epoch: an epoch broken off gets no row, one that was complete does."""

    class Stop(cr.Callback):
        def after_step(self, network: Any, history: cr.History) -> None:
            if history.iterations == after:
                history.stop("enough seen")

    history = network().fit(X, Y, epochs=9, batch_size=20, callbacks=[Stop()])
    assert history.stopped_because == "enough seen"
    assert history.iterations == after
    assert len(history["loss"]) == rows


def test_they_may_refuse_a_training_before_anything_has_changed() -> None:
    class Picky(cr.Callback):
        def check(self, columns: Sequence[str]) -> None:
            raise cr.InvalidSetting(" ".join(columns))

    net = network()
    with pytest.raises(cr.InvalidSetting, match="gradient_norm validation_loss validation_r2"):
        net.fit(X, Y, validation=(NEW_X, NEW_Y), metrics="r2", callbacks=[Picky()])
    assert not net.is_built


def test_only_what_a_callback_overrides_is_called() -> None:
    look = cr.OnEpoch(print)
    assert overriding([cr.Callback(), look], "after_step") == []
    assert overriding([cr.Callback(), look], "after_epoch") == [look.after_epoch]


def test_an_error_in_a_callback_comes_out_and_leaves_a_network_that_works() -> None:
    def fail(net: cr.NeuralNetwork, history: cr.History) -> None:
        raise ZeroDivisionError("mine")

    net = network()
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.fit(X, Y, epochs=3, callbacks=[cr.OnEpoch(fail)])
    assert np.isfinite(net.predict(X)).all()
    assert net.fit(X, Y, epochs=2).iterations == 2


# --- early stopping --------------------------------------------------------------------------


def values_of(*values: float) -> cr.OnEpoch:
    """Put chosen numbers into the history in place of what was measured."""

    def replace(net: cr.NeuralNetwork, history: cr.History) -> None:
        row = len(history.epochs["validation_loss"]) - 1
        history.epochs["validation_loss"][row] = values[row]

    return cr.OnEpoch(replace)


@pytest.mark.parametrize(
    ("settings", "values", "epochs", "best"),
    [
        pytest.param({"patience": 2}, [5, 4, 4.5, 4.1, 1], 4, 2, id="two without improvement"),
        pytest.param({"patience": 2}, [5, 4, 4.5, 3.9, 4, 4, 1], 6, 4, id="it waits anew"),
        pytest.param({"patience": 1}, [5, 5, 1], 2, 1, id="equal is no improvement"),
        pytest.param({"patience": 2, "min_delta": 1}, [5, 4.5, 4.1, 1], 3, 1, id="too little"),
        pytest.param({"patience": 2, "min_delta": 1}, [5, 4.5, 3.9, 3.5, 3.4], 5, 3, id="enough"),
        pytest.param({"patience": 9}, [3, 2, 1, 2], 4, 3, id="never that long"),
    ],
)
def test_it_stops_after_epochs_without_improvement(
    settings: dict[str, Any], values: list[float], epochs: int, best: int
) -> None:
    stopping = cr.EarlyStopping(**settings)
    callbacks = [values_of(*values), stopping]
    history = network().fit(
        X, Y, epochs=len(values), validation=(NEW_X, NEW_Y), callbacks=callbacks
    )
    assert len(history["loss"]) == epochs
    assert (stopping.best_epoch, stopping.best) == (best, values[best - 1])
    if epochs < len(values):
        assert history.stopped_because.startswith(
            f"validation_loss has not improved since epoch {best}"
        )


@pytest.mark.parametrize("optimizer", [cr.Adam(0.02), cr.LBFGS()], ids=repr)
def test_it_takes_the_best_weights_back_to_the_last_bit(optimizer: cr.Optimizer) -> None:
    kept: list[Array] = []
    callbacks = [
        cr.EarlyStopping(patience=5),
        cr.OnEpoch(lambda net, history: kept.append(net.parameters.copy())),
    ]
    net = network(optimizer=optimizer)
    history = net.fit(X, Y, epochs=400, validation=(NEW_X, NEW_Y), callbacks=callbacks)
    best = int(history["validation_loss"].argmin())
    assert len(kept) == best + 1 + 5 < 400
    np.testing.assert_array_equal(net.parameters, kept[best])
    assert net.evaluate(NEW_X, NEW_Y)["loss"] == history["validation_loss"].min()


def test_it_takes_them_back_also_where_the_epochs_ran_out_first() -> None:
    net = network()
    history = net.fit(
        X,
        Y,
        epochs=120,
        validation=(NEW_X, NEW_Y),
        callbacks=[cr.EarlyStopping(patience=1000)],
    )
    assert history["validation_loss"][-1] > history["validation_loss"].min()
    assert net.evaluate(NEW_X, NEW_Y)["loss"] == history["validation_loss"].min()


def test_on_request_it_leaves_the_last_weights() -> None:
    net = network()
    callbacks = [cr.EarlyStopping(patience=5, restore_best=False)]
    history = net.fit(X, Y, epochs=400, validation=(NEW_X, NEW_Y), callbacks=callbacks)
    assert net.evaluate(NEW_X, NEW_Y)["loss"] == history["validation_loss"][-1]


@pytest.mark.parametrize(
    ("monitor", "metrics", "highest"),
    [("validation_r2", ["r2"], True), ("validation_mae", ["mae"], False), ("loss", [], False)],
)
def test_it_knows_which_columns_should_rise(
    monitor: str, metrics: list[str], highest: bool
) -> None:
    stopping = cr.EarlyStopping(monitor, patience=4)
    history = network().fit(
        X, Y, epochs=60, validation=(NEW_X, NEW_Y), metrics=metrics, callbacks=[stopping]
    )
    column = history[monitor]
    assert stopping.best == (column.max() if highest else column.min())
    assert stopping.best_epoch == 1 + (column.argmax() if highest else column.argmin())


def test_it_can_watch_a_second_training() -> None:
    """Nothing of the first one is left: neither its best value nor its best weights."""
    stopping = cr.EarlyStopping("loss", patience=3)
    first, second = network(), network()
    first.fit(X, Y, epochs=50, callbacks=[stopping])
    second.fit(X, 100 + Y, epochs=2, callbacks=[stopping])
    assert stopping.best > 1000
    assert stopping.best_epoch == 2
    alone = network()
    alone.fit(X, 100 + Y, epochs=2)
    np.testing.assert_array_equal(second.parameters, alone.parameters)


@pytest.mark.parametrize("monitor", ["validation_loss", "accuracy", "validation_r2"])
def test_a_column_that_is_not_there_is_told(monitor: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=r"records loss, learning_rate, gradient_norm\."):
        network().fit(X, Y, epochs=2, callbacks=[cr.EarlyStopping(monitor)])


def test_a_column_of_tables_cannot_be_watched() -> None:
    net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy")
    stopping = cr.EarlyStopping("training_confusion_matrix")
    with pytest.raises(cr.InvalidSetting, match="confusion_matrix"):
        net.fit(X, X.argmax(axis=1) % 3, metrics=["confusion_matrix"], callbacks=[stopping])
