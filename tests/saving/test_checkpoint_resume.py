"""A training that goes on from a checkpoint ends with the same bits as one that was never ended.

Compared are: parameters and statistics, all that the optimizer and the schedule remember, the
counters, every loss, learning rate and gradient norm, the rows of all epochs, why it stopped.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import saving
from chainrule.layer import Array

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(45, 4))
Y = (X[:, 0] * X[:, 1] > 0) + (X[:, 2] > 1).astype(int)
FIT: dict[str, Any] = {"epochs": 6, "batch_size": 8, "metrics": ["accuracy", "confusion_matrix"]}

OPTIMIZERS = {name: {} for name in cr.Optimizer.names() if name != "lbfgs"} | {
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "clipped": {"clip_norm": 0.5, "weight_decay": 0.01},
}
SCHEDULES: dict[str, Any] = {
    "constant": 0.02,
    "step_decay": cr.StepDecay(0.05, every=2),
    "exponential": cr.ExponentialDecay(0.05, 0.7),
    "inverse": cr.InverseScaling(0.05),
    "cosine": cr.Cosine(0.05, 2, warm_up=0.5, restarts=True, stretch=1.5),
    "plateau": cr.ReduceOnPlateau(0.05, patience=1, tolerance=0.05),
}


def optimizer(name: str, schedule: str) -> cr.Optimizer:
    kind = cr.Optimizer.member(
        {"momentum": "gradient_descent", "nesterov": "gradient_descent", "clipped": "adam"}.get(
            name, name
        )
    )
    return kind(SCHEDULES[schedule], **OPTIMIZERS[name])


def network(engine: str, chosen: cr.Optimizer, parts: tuple[str, ...] = ()) -> cr.NeuralNetwork:
    layers = [cr.Dense(6, "tanh")]
    layers += [cr.BatchNorm()] if "batch norm" in parts else []
    layers += [cr.Dropout(0.3)] if "dropout" in parts else []
    return cr.NeuralNetwork(
        *layers,
        cr.Dense(3),
        loss="softmax_cross_entropy",
        optimizer=chosen,
        l2=1e-3,
        seed=11,
        engine=engine,
    )


def same_bits(one: cr.History, other: cr.History) -> None:
    a, b = one.network, other.network
    assert a.parameter_vector.storage.tobytes() == b.parameter_vector.storage.tobytes()
    first, second = a.training_state, b.training_state
    assert first.optimizer.vectors.keys() == second.optimizer.vectors.keys()
    for name, vector in first.optimizer.vectors.items():
        assert vector.tobytes() == second.optimizer.vectors[name].tobytes(), name
    assert first.schedule == second.schedule
    assert (first.epoch, first.step) == (second.epoch, second.step)
    assert first.optimizer.step == second.optimizer.step
    told, again = one.to_dict(), other.to_dict()
    del told["seconds"], again["seconds"]
    assert told == again


CASES = list(
    itertools.product(
        ("reference", "compiled"),
        OPTIMIZERS,
        SCHEDULES,
        ((), ("dropout",), ("batch norm",), ("dropout", "batch norm")),
        (False, True),
    )
)


@pytest.mark.sweep(sample=40)
@pytest.mark.parametrize(
    ("engine", "name", "schedule", "parts", "stops"),
    CASES,
    ids=["-".join([e, o, s, *p, "stops" * stops]) for e, o, s, p, stops in CASES],
)
def test_every_step_can_be_gone_on_from(
    engine: str, name: str, schedule: str, parts: tuple[str, ...], stops: bool, tmp_path: Path
) -> None:
    def train(*more: cr.Callback) -> cr.History:
        callbacks = [cr.EarlyStopping(patience=2), *more] if stops else [*more]
        net = network(engine, optimizer(name, schedule), parts)
        return net.fit(X, Y, validation=0.2, callbacks=callbacks, **FIT)

    whole = train()
    kept = train(saving.Checkpoint(tmp_path, steps=1, keep=100))
    same_bits(whole, kept)
    files = sorted(tmp_path.glob("step-*"))
    assert len(files) == whole.iterations + 1
    # Five batches an epoch: at its end, in the middle of one, and any.
    for step in {0, 5, 8, whole.iterations - 1, whole.iterations, len(name) + len(schedule)}:
        if step <= whole.iterations:
            same_bits(whole, saving.resume(files[step], X, Y, validation=0.2))


def test_resumed_again_and_again(tmp_path: Path) -> None:
    """Each time one checkpoint further; nothing adds up."""
    whole = network("reference", cr.Adam(0.02), ("dropout",)).fit(X, Y, **FIT)
    keeper = saving.Checkpoint(tmp_path, steps=7, keep=2)
    network("reference", cr.Adam(0.02), ("dropout",)).fit(X, Y, callbacks=[keeper], **FIT)
    for path in tmp_path.glob("step-*"):
        same_bits(whole, saving.resume(path, X, Y))
    same_bits(whole, saving.resume(tmp_path, X, Y))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-00000035.safetensors",
        "step-00000036.safetensors",
    ]


def test_a_training_that_was_not_the_first(tmp_path: Path) -> None:
    def second(*callbacks: cr.Callback) -> cr.History:
        net = network("reference", cr.Nadam(cr.Cosine(0.05, 10)))
        net.fit(X, Y, epochs=2)
        return net.fit(X, Y, callbacks=callbacks, **FIT)

    whole = second()
    second(saving.Checkpoint(tmp_path, every=4, keep=9))
    files = sorted(tmp_path.iterdir())
    assert [path.stem for path in files] == [
        f"step-{step:08}"
        for step in (4, 28, 40)  # two epochs of two steps, then six of six
    ]
    for path in files:
        resumed = saving.resume(path, X, Y)
        same_bits(whole, resumed)
        assert resumed.first_step == 4


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_one_batch_an_epoch(engine: str, tmp_path: Path) -> None:
    def train(*callbacks: cr.Callback) -> cr.History:
        net = network(engine, cr.GradientDescent(0.1, momentum=0.5))
        return net.fit(X, Y, epochs=50, batch_size=None, callbacks=callbacks)

    whole = train()
    same_bits(whole, train(saving.Checkpoint(tmp_path, every=20, keep=9)))
    assert [int(path.stem[5:]) for path in sorted(tmp_path.iterdir())] == [0, 20, 40, 50]
    for path in tmp_path.iterdir():
        same_bits(whole, saving.resume(path, X, Y))


def images() -> tuple[Array, Array]:
    x = np.random.default_rng(1).integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)
    return x, np.arange(40) % 2


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_images_in_bytes_changed_at_random(engine: str, tmp_path: Path) -> None:
    x, y = images()

    def train(*callbacks: cr.Callback) -> cr.History:
        net = cr.NeuralNetwork(
            cr.Conv2D(3, 3), cr.Flatten(), cr.Dense(2), loss="softmax_cross_entropy", engine=engine
        )
        changes = [cr.data.Shift(1), cr.data.Flip()]
        return net.fit(
            x, y, epochs=3, batch_size=10, augment=changes, validation=0.25, callbacks=callbacks
        )

    whole = train()
    train(saving.Checkpoint(tmp_path, steps=4, keep=9))
    for path in tmp_path.glob("step-*"):
        same_bits(whole, saving.resume(path, x, y, validation=0.25))


def test_a_callback_of_ones_own_that_remembers(tmp_path: Path) -> None:
    class Cooling(cr.Callback):
        """Divides the learning rate after every third step it has seen."""

        def before_training(self, network: Any, history: cr.History) -> None:
            self.seen, self.rates = 0, np.zeros(0)

        def after_step(self, network: Any, history: cr.History) -> None:
            self.seen += 1
            self.rates = np.append(self.rates, network.optimizer.learning_rate)
            if self.seen % 3 == 0:
                network.optimizer.learning_rate *= 0.9

        def to_keep(self) -> dict[str, Any]:
            return {"seen": self.seen, "rates": self.rates}

        def before_resuming(self, network: Any, history: cr.History, kept: dict[str, Any]) -> None:
            self.seen, self.rates = kept["seen"], kept["rates"]

    def train(*callbacks: cr.Callback) -> cr.History:
        return network("reference", cr.Adam(0.05)).fit(X, Y, callbacks=callbacks, **FIT)

    whole = train(first := Cooling())
    train(Cooling(), saving.Checkpoint(tmp_path, steps=5, keep=99))
    for path in tmp_path.iterdir():
        resumed = saving.resume(path, X, Y, callbacks=[again := Cooling()])
        same_bits(whole, resumed)
        assert again.rates.tolist() == first.rates.tolist()


def test_the_best_parameters_of_early_stopping_come_back(tmp_path: Path) -> None:
    stopping = cr.EarlyStopping("validation_accuracy", patience=2)
    net = network("reference", cr.Adam(0.2))
    keeper = saving.Checkpoint(tmp_path, steps=1, keep=99, best="validation_accuracy")
    history = net.fit(X, Y, validation=0.2, callbacks=[keeper, stopping], **FIT)
    assert 0 < stopping.best_epoch < len(history["loss"])
    for path in tmp_path.glob("step-*"):
        same_bits(history, saving.resume(path, X, Y, validation=0.2))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_diagnosis_comes_back_and_tells_nothing_twice(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(*callbacks: cr.Callback) -> cr.History:
        net = cr.NeuralNetwork(
            cr.Dense(4, "sigmoid", weights_initializer=cr.Constant(0.5)), cr.Dense(3),
            loss="softmax_cross_entropy",
            optimizer=cr.GradientDescent(1.0, clip_norm=1.0), engine=engine,
        )  # fmt: skip
        return net.fit(100 * X, Y, callbacks=callbacks, **FIT)

    whole = train(look := cr.Diagnose(every=2))
    train(cr.Diagnose(every=2), saving.Checkpoint(tmp_path, steps=1, keep=99))
    assert look.epochs == [0, 0, 6]
    for path in sorted(tmp_path.glob("step-*"))[::4]:
        capsys.readouterr()
        same_bits(whole, saving.resume(path, 100 * X, Y, progress=False))
        later = [epoch for epoch in look.epochs if epoch * 6 > int(path.stem[5:])]
        assert capsys.readouterr().out.count("Try: ") == len(later)
    for path in sorted(tmp_path.glob("step-*"))[::9]:
        again = cr.Diagnose(every=2, print=lambda text: None)
        saving.resume(path, 100 * X, Y, callbacks=[again], progress=False)
        assert again.findings == look.findings
        assert again.epochs == look.epochs


# --- what ends a training -----------------------------------------------------------------------


class InterruptAt(cr.Callback):
    """Press Ctrl-C after a step."""

    only_watches = True

    def __init__(self, step: int) -> None:
        self.step = step

    def after_step(self, network: Any, history: cr.History) -> None:
        if history.iterations == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("step", [1, 8, 10, 29, 30])
def test_after_ctrl_c(step: int, engine: str, tmp_path: Path) -> None:
    """The checkpoint is of that very step, though the next was not due."""

    def train(*callbacks: cr.Callback) -> cr.History:
        chosen = cr.Adam(cr.ReduceOnPlateau(0.02, patience=1))
        net = network(engine, chosen, ("dropout", "batch norm"))
        stopping = cr.EarlyStopping(patience=4)
        return net.fit(X, Y, validation=0.2, callbacks=[stopping, *callbacks], **FIT)

    whole = train()
    interrupted = train(InterruptAt(step), saving.Checkpoint(tmp_path, every=100))
    assert interrupted.iterations == min(step, whole.iterations)
    found = saving.load(tmp_path / f"step-{interrupted.iterations:08}.safetensors")
    assert found.network.training_state.step == interrupted.iterations
    callbacks = [cr.EarlyStopping(patience=4), InterruptAt(-1)]
    same_bits(whole, saving.resume(tmp_path, X, Y, validation=0.2, callbacks=callbacks))


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import chainrule as cr
from chainrule import saving
from chainrule.saving.checkpoint import checkpoints
from test_checkpoint_resume import FIT, X, Y, network
engine, folder = sys.argv[2:4]
if not checkpoints(Path(folder)):
    print("begins", flush=True)
    net = network(engine, cr.Adam(0.02), ("dropout", "batch norm"))
    keeper = saving.Checkpoint(folder, steps=1)
    history = net.fit(X, Y, callbacks=[keeper], **FIT)
else:
    print("goes on", flush=True)
    history = saving.resume(folder, X, Y)
saving.save(history.network, sys.argv[4], history.to_dict(), training=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by SIGKILL")
@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("number", range(20))
def test_killed_again_and_again_until_it_is_done(number: int, tmp_path: Path) -> None:
    """Killed at moments that no one chooses, in a step, while saving, or while it begins."""
    engine = ("reference", "compiled")[number % 2]
    random = np.random.default_rng(number)
    whole = network(engine, cr.Adam(0.02), ("dropout", "batch norm")).fit(X, Y, **FIT)
    folder, result = tmp_path / "checkpoints", tmp_path / "result.safetensors"
    kills = 0
    while not result.exists():
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), engine, folder, result],
            stdout=subprocess.PIPE,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() in (b"begins\n", b"goes on\n")
            if kills < 6:
                try:
                    child.wait(random.uniform(0, 0.15))
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
                    kills += 1
            assert child.wait() in (0, -signal.SIGKILL)
    found = saving.load(result)
    assert found.network.parameter_vector.storage.tobytes() == (
        whole.network.parameter_vector.storage.tobytes()
    )
    assert found.extra["losses"] == whole.losses.tolist()
    assert found.extra["epochs"] == whole.epochs
    assert len(list(folder.iterdir())) <= 4  # the latest three, and perhaps what the last one left
