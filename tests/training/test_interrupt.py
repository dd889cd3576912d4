"""Ctrl-C: a real SIGINT ends training after the present step, and the network can be used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.interrupt import GracefulInterrupt

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X.sum(axis=1)
STEPS = 4  # in an epoch, with batches of 5


@pytest.fixture(autouse=True)
def _the_usual_handler() -> Iterator[None]:
    """Whatever runs the tests may have its own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def network(optimizer: str = "adam") -> cr.NeuralNetwork:
    return cr.NeuralNetwork(cr.Dense(4, activation="tanh"), cr.Dense(1), optimizer=optimizer)


class CtrlC(cr.Callback):
    """Sends this very process the signal that Ctrl-C sends, so many times after some step."""

    def __init__(self, at: int, *, times: int = 1) -> None:
        self.at, self.times = at, times
        self.ended = False

    def after_step(self, network: Any, history: cr.History) -> None:
        if history.iterations == self.at:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)

    def after_training(self, network: Any, history: cr.History) -> None:
        self.ended = True


@pytest.mark.parametrize("at", [1, STEPS + 2, 3 * STEPS - 1, 3 * STEPS])
def test_it_ends_training_after_the_step_with_everything_consistent(at: int) -> None:
    net, callback = network(), CtrlC(at)
    history = net.fit(X, Y, epochs=50, batch_size=5, callbacks=[callback])
    assert history.stopped_because == "interrupted by Ctrl-C"
    assert history.iterations == len(history.losses) == net.training_state.step == at
    assert {len(column) for column in history.epochs.values()} == {at // STEPS}
    assert net.training_state.epoch == -(-at // STEPS)
    assert callback.ended
    assert np.isfinite(net.predict(X)).all()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_learned_up_to_then_is_kept_and_training_can_go_on() -> None:
    interrupted, through = network(), network()
    interrupted.fit(X, Y, epochs=50, batch_size=5, callbacks=[CtrlC(3 * STEPS)])
    through.fit(X, Y, epochs=3, batch_size=5)
    np.testing.assert_array_equal(interrupted.parameters, through.parameters)
    histories = [net.fit(X, Y, epochs=2, batch_size=5) for net in (interrupted, through)]
    np.testing.assert_array_equal(histories[0].losses, histories[1].losses)
    np.testing.assert_array_equal(interrupted.parameters, through.parameters)


def test_early_stopping_puts_the_best_weights_back_also_then() -> None:
    net = network()
    callbacks = [cr.EarlyStopping(patience=99), CtrlC(30 * STEPS)]
    history = net.fit(X, Y, epochs=50, batch_size=5, validation=(X, -Y), callbacks=callbacks)
    assert history["validation_loss"].argmin() < 29
    assert net.evaluate(X, -Y)["loss"] == history["validation_loss"].min()


def test_lbfgs_ends_after_its_iteration() -> None:
    net = network("lbfgs")
    history = net.fit(X, Y, epochs=50, callbacks=[CtrlC(3)])
    assert history.stopped_because == "interrupted by Ctrl-C"
    assert history.iterations == len(history["loss"]) == 3
    twin = network("lbfgs")
    twin.fit(X, Y, epochs=3)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_second_one_interrupts_at_once(optimizer: str) -> None:
    net, callback = network(optimizer), CtrlC(3, times=2)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=50, callbacks=[callback])
    assert not callback.ended
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert np.isfinite(net.predict(X)).all()
    assert net.fit(X, Y, epochs=2).iterations == 2


def test_the_next_training_knows_nothing_of_it() -> None:
    net = network()
    net.fit(X, Y, epochs=50, callbacks=[CtrlC(1)])
    assert net.fit(X, Y, epochs=5).stopped_because == "all 5 epochs done"
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_program_with_its_own_idea_of_ctrl_c_keeps_it() -> None:
    received: list[int] = []

    def own(number: int, frame: object) -> None:
        received.append(number)

    signal.signal(signal.SIGINT, own)
    history = network().fit(X, Y, epochs=5, callbacks=[CtrlC(2)])
    assert received == [signal.SIGINT]
    assert history.iterations == 5
    assert signal.getsignal(signal.SIGINT) is own
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert network().fit(X, Y, epochs=5, callbacks=[CtrlC(2)]).iterations == 5
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_the_handler_is_put_back_also_after_an_error() -> None:
    def fail(net: cr.NeuralNetwork, history: cr.History) -> None:
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        network().fit(X, Y, epochs=5, callbacks=[cr.OnEpoch(fail)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_between_two_epochs_it_ends_training_without_another_step(optimizer: str) -> None:
    def interrupt(net: cr.NeuralNetwork, history: cr.History) -> None:
        if len(history["loss"]) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    net = network(optimizer)
    history = net.fit(X, Y, epochs=50, batch_size=None, callbacks=cr.OnEpoch(interrupt))
    assert history.stopped_because == "interrupted by Ctrl-C"
    assert history.iterations == net.training_state.epoch == 2


def test_training_within_training_leaves_it_to_the_outer_one() -> None:
    """A callback may train another network; Ctrl-C then ends the training that it belongs to."""
    inner: list[cr.History] = []

    def train_another(net: cr.NeuralNetwork, history: cr.History) -> None:
        callbacks = [] if inner else [CtrlC(2)]
        inner.append(network().fit(X, Y, epochs=3, callbacks=callbacks))

    outer = network().fit(X, Y, epochs=50, callbacks=[cr.OnEpoch(train_another)])
    assert {history.iterations for history in inner} == {3}
    assert outer.stopped_because == "interrupted by Ctrl-C"


def test_other_threads_leave_signals_alone() -> None:
    """Python delivers signals to the main thread, and forbids others to set handlers."""
    histories: list[cr.History] = []
    expected = network().fit(X, Y, epochs=5)
    thread = threading.Thread(target=lambda: histories.append(network().fit(X, Y, epochs=5)))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(histories[0].losses, expected.losses)


def test_by_itself() -> None:
    with GracefulInterrupt() as interrupt:
        assert not interrupt.requested
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


SCRIPT = """
import chainrule as cr
X, y = cr.data.truth_table()
net = cr.NeuralNetwork(cr.Dense(4, activation="tanh"), cr.Dense(1))
started = cr.OnEpoch(lambda net, history: history.iterations == 5 and print("started", flush=True))
history = net.fit(X, y, epochs=10**9, callbacks=[started])
print(history.stopped_because, net.predict(X).shape, history.iterations >= 5)
"""


def test_a_script_that_is_interrupted_from_outside_runs_on_to_its_end() -> None:
    script = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    with script:
        assert script.stdout is not None
        assert script.stdout.readline() == "started\n"
        script.send_signal(signal.SIGINT)
        rest, _ = script.communicate(timeout=60)
    assert rest == "interrupted by Ctrl-C (4, 1) True\n"
    assert script.returncode == 0
