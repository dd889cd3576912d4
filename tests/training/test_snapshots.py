"""Snapshots: how many, how large, where; and what they leave as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training import snapshots
from training.runs import bits

X = np.random.default_rng(1).normal(size=(20, 3))
CLASSES = X.argmax(axis=1)
ENGINES = pytest.mark.parametrize("engine", ["reference", "compiled"])


def trained(
    steps: int, *callbacks: cr.Callback, optimizer: Any = "adam", **settings: Any
) -> cr.History:
    net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy", optimizer=optimizer, inputs=3)
    return net.fit(X, CLASSES, epochs=steps, batch_size=None, callbacks=callbacks, **settings)


def test_every_sixteenth_step_until_there_is_no_more_room() -> None:
    """0, 16, ..., 496 are 32; the next one drops every other one, and from then on every 32nd."""
    assert trained(15).snapshots.steps == [0]
    assert trained(100).snapshots.steps == [0, 16, 32, 48, 64, 80, 96]
    assert trained(511).snapshots.steps == list(range(0, 511, 16))
    assert trained(520).snapshots.steps == [*range(0, 497, 32), 512]
    assert trained(1100).snapshots.steps == [*range(0, 993, 64), 1024, 1088][: 1100 // 64 + 1]


@pytest.mark.parametrize(
    ("units", "batch_size", "spacing"),
    [(100, 1, 16), (1000, 1, 10_000), (1000, 8, 1250), (1000, 20, 500)],
)
def test_what_takes_long_to_copy_is_copied_after_many_samples(
    units: int, batch_size: int, spacing: int
) -> None:
    """7 numbers for each unit, and 3 more: 4 bytes each, and with Adam thrice."""
    net = cr.NeuralNetwork(
        cr.Dense(units), cr.Dense(3), loss="softmax_cross_entropy", optimizer="adam"
    )
    kept = net.fit(X, CLASSES, epochs=1, batch_size=batch_size).snapshots
    assert kept.bytes // len(kept) == (units * 7 + 3) * 4 * 3
    assert (kept.bytes // len(kept) > snapshots.LARGE) == (units == 1000)
    assert kept.spacing == spacing


@pytest.mark.parametrize("steps", [0, 1, 600, 3000])
def test_there_are_at_most_thirty_two(steps: int) -> None:
    kept = trained(steps).snapshots
    assert len(kept) <= snapshots.MOST
    assert kept.steps[0] == 0
    assert np.diff(kept.steps).tolist() == [kept.spacing] * (len(kept) - 1)
    assert len(kept) > snapshots.MOST // 2 - 1 or kept.spacing == snapshots.FIRST_SPACING


@pytest.mark.parametrize(
    ("optimizer", "vectors"), [("gradient_descent", 0), ("adam", 2), ("amsgrad", 3)]
)
def test_what_they_take(optimizer: str, vectors: int) -> None:
    """12 parameters of 4 bytes, and as many for each thing that the optimizer remembers."""
    kept = trained(100, optimizer=optimizer).snapshots
    assert kept.bytes == 7 * 12 * 4 * (1 + vectors)
    assert repr(kept) == (
        f"Snapshots(7 of at most 32, at 0, 16, 32, ..., 80, 96; {kept.bytes:,} bytes)"
    )
    assert repr(trained(20, optimizer=optimizer).snapshots).startswith(
        "Snapshots(2 of at most 32, at 0, 16; "
    )


@pytest.mark.parametrize(("room", "most"), [(10, 10), (2.5, 2), (1, 1), (0.1, 1)])
def test_large_networks_have_fewer(room: float, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start is kept, however large."""
    one = trained(0).snapshots.bytes
    monkeypatch.setattr(snapshots, "MOST_BYTES", int(room * one))
    history = trained(300)
    kept = history.snapshots
    assert len(kept) <= most
    assert kept.bytes <= max(room, 1) * one
    assert kept.steps[0] == 0
    assert len(kept) > 1 or most == 1
    assert bits(history.at(300)) == bits(history.network)


def test_what_a_callback_made_needed_stays_longest() -> None:
    class Nudge(cr.Callback):
        def after_step(self, net: cr.NeuralNetwork, history: cr.History) -> None:
            if history.iterations in (21, 333):
                net.parameters[0] += 1

    history = trained(4000, Nudge())
    assert {0, 21, 333} <= set(history.snapshots.steps)
    assert len(history.snapshots) <= snapshots.MOST
    assert bits(history.at(4000)) == bits(history.network)


def test_changes_after_every_step_leave_a_spread_of_them() -> None:
    class Nudge(cr.Callback):
        def after_step(self, net: cr.NeuralNetwork, history: cr.History) -> None:
            net.parameters[0] += 1

    kept = trained(3000, Nudge()).snapshots
    assert len(kept) <= snapshots.MOST
    assert kept.spacing == snapshots.FIRST_SPACING
    assert kept.steps[0] == 0
    assert kept.steps[-1] == 3000


class Looking(cr.Callback):
    """Counts how often a training was compared before and after."""

    def after_epoch(self, net: cr.NeuralNetwork, history: cr.History) -> None:
        pass


class OnlyLooking(Looking):
    only_watches = True

    def after_epoch(self, net: cr.NeuralNetwork, history: cr.History) -> None:
        pass


class Inheriting(OnlyLooking):
    def after_epoch(self, net: cr.NeuralNetwork, history: cr.History) -> None:
        net.parameters[...] += 1


@pytest.mark.parametrize(
    ("callback", "compared"),
    [(cr.Callback(), 0), (OnlyLooking(), 0), (Looking(), 5), (Inheriting(), 5)],
    ids=lambda value: type(value).__name__,
)
def test_only_what_may_change_the_network_is_compared(
    callback: cr.Callback, compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class says that it only watches for the methods that it defines itself."""
    looks = []
    is_still = snapshots.Snapshot.is_still
    monkeypatch.setattr(
        snapshots.Snapshot, "is_still", lambda *both: looks.append(1) or is_still(*both)
    )
    history = trained(5, callback, cr.EarlyStopping("loss"))
    assert len(looks) == compared
    assert bits(history.at(5)) == bits(history.network) or compared == 0
    assert (history.snapshots.steps == [0]) == (type(callback) is not Inheriting)


@ENGINES
def test_training_has_the_same_bits_with_and_without(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parameters() -> bytes:
        net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy", engine=engine)
        net.fit(X, CLASSES, epochs=30, batch_size=4)
        return net.parameters.tobytes()

    usual = parameters()
    monkeypatch.setattr(snapshots, "FIRST_SPACING", 1)
    assert parameters() == usual
    monkeypatch.setattr(snapshots, "MOST_BYTES", 0)
    assert parameters() == usual


@ENGINES
def test_how_the_compiled_engine_cuts_its_pieces_does_not_show_in_any_row(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of an epoch is summed up batch by batch, whatever is made at once."""

    class Looks(cr.Callback):
        only_watches = True

        def after_step(self, net: cr.NeuralNetwork, history: cr.History) -> None:
            pass

    for loss in ("softmax_cross_entropy", "categorical_cross_entropy"):
        rows = []
        for callbacks in ((), (Looks(),)):
            net = cr.NeuralNetwork(cr.Dense(3, "softmax" if loss[0] == "c" else "identity"),
                                   loss=loss, engine=engine, l2=0.01)  # fmt: skip
            rows.append(net.fit(X, CLASSES, epochs=9, batch_size=3, callbacks=callbacks).epochs)
        assert rows[0] == rows[1]
