"""Threads: the same bits on any number of them, and nothing left behind."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import chainrule as cr
from chainrule.engines.choice import Compiled
from chainrule.engines.compiled.workers import Workers, available_threads
from chainrule.layer import Array

RANDOM = np.random.default_rng(1)
ROWS = RANDOM.normal(size=(256, 60)).astype(np.float32)
IMAGES = RANDOM.normal(size=(96, 12, 12, 2)).astype(np.float32)


def dense(threads: int) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Dense(300, "relu"),
        cr.Dense(200, "tanh"),
        cr.Dense(3),
        loss="softmax_cross_entropy",
        engine=Compiled(threads),
    )


def images(threads: int) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Conv2D(16, 3, "relu"),
        cr.MaxPool2D(),
        cr.Flatten(),
        cr.Dropout(0.2),
        cr.Dense(3),
        loss="softmax_cross_entropy",
        engine=Compiled(threads),
    )


def with_batch_norm(threads: int) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Residual(cr.Conv2D(16, 3, padding="same"), cr.BatchNorm(), projection="auto"),
        cr.ReLU(),
        cr.GlobalAveragePool(),
        cr.Dense(3),
        loss="softmax_cross_entropy",
        engine=Compiled(threads),
    )


MAKERS = pytest.mark.parametrize("make", [dense, images, with_batch_norm])


def trained(make: Any, threads: int) -> tuple[Array, Array, Array]:
    """Losses, parameters and predictions after a short training."""
    x = ROWS if make is dense else IMAGES
    y = np.arange(len(x)) % 3
    net = make(threads)
    history = net.fit(x, y, epochs=3, batch_size=64)
    return history.losses, net.parameter_vector.storage.copy(), net.predict(x)


@MAKERS
def test_the_bits_do_not_depend_on_the_threads(make: Any) -> None:
    expected = trained(make, 1)
    for threads in (1, 2, 4):
        for found, one in zip(trained(make, threads), expected, strict=True):
            np.testing.assert_array_equal(found, one)


@MAKERS
def test_several_threads_take_part(make: Any) -> None:
    net = make(3)
    x = ROWS if make is dense else IMAGES
    net.fit(x, np.arange(len(x)) % 3, epochs=1, batch_size=64)
    assert net.engine.report().startswith("compiled engine, 3 threads")


def test_two_python_threads_train_two_networks() -> None:
    expected = [trained(dense, 2), trained(images, 2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(trained, make, 2) for make in (dense, images)]
        for future, (losses, storage, predictions) in zip(running, expected, strict=True):
            found = future.result()
            np.testing.assert_array_equal(found[0], losses)
            np.testing.assert_array_equal(found[1], storage)
            np.testing.assert_array_equal(found[2], predictions)


def test_one_network_predicts_in_many_threads_at_once() -> None:
    net = dense(2)
    net.fit(ROWS, np.arange(256) % 3, epochs=1)
    expected = net.predict(ROWS)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: net.predict(ROWS), range(20)):
            np.testing.assert_array_equal(found, expected)


def test_blas_gets_its_threads_back() -> None:
    def threads() -> list[int]:
        found = threadpoolctl.threadpool_info()
        return [library["num_threads"] for library in found if library["user_api"] == "blas"]

    class Look(cr.Callback):
        def after_step(self, network: cr.NeuralNetwork, history: cr.History) -> None:
            seen.append(set(threads()))

    seen: list[set[int]] = []
    trained(dense, 2)  # loads the libraries
    with threadpoolctl.threadpool_limits(3):
        before = threads()
        dense(2).fit(ROWS, np.arange(256) % 3, epochs=1, callbacks=[Look()])
        assert threads() == before
        with pytest.raises(cr.LossNotFinite):
            cr.NeuralNetwork(
                cr.Dense(300, "relu"), cr.Dense(2), optimizer=cr.GradientDescent(1e9),
                engine=Compiled(2),
            ).fit(ROWS, np.ones((256, 2)), epochs=50)  # fmt: skip
        assert threads() == before
    assert seen[0] == {1}


def test_no_thread_outlives_the_training() -> None:
    trained(dense, 4)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("chainrule")]


def child(_: int) -> float:
    return float(trained(dense, 2)[0][-1])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_made_after_a_training_train_too(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    expected = child(0)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(child, range(4)).get(timeout=120) == [expected] * 4


def test_workers_call_every_thread() -> None:
    seen = []
    with Workers(3) as workers:
        assert workers.run(lambda thread, threads: seen.append((thread, threads)) or thread, 3) == 0
        assert sorted(seen) == [(0, 3), (1, 3), (2, 3)]


def test_the_number_of_threads_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert available_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert available_threads() == len(os.sched_getaffinity(0))


def test_ctrl_c_ends_a_long_training_soon() -> None:
    program = """
import numpy as np, os, signal, threading, time
import chainrule as cr
net = cr.NeuralNetwork(cr.Dense(64, "relu"), cr.Dense(1), engine="compiled")
x = np.random.default_rng(0).normal(size=(512, 20))
net.fit(x, x[:, 0], epochs=1)
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
history = net.fit(x, x[:, 0], epochs=10**8)
assert history.stopped_because == "interrupted by Ctrl-C", history
assert net.training_state.step == history.iterations + 16
print("stopped after", history.seconds)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 5
