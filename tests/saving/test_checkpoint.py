"""What a checkpoint is, which are kept, what is refused; going on: test_checkpoint_resume.py."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import saving
from chainrule.errors import InvalidData, InvalidInput, InvalidSetting, UnreadableFile
from chainrule.saving.checkpoint_data import fingerprint
from chainrule.saving.model_file_container import pieces, read

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(40, 3)), RANDOM.normal(size=40)


def network(optimizer: Any = "adam") -> cr.NeuralNetwork:
    return cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1), optimizer=optimizer, seed=2)


def train(*callbacks: cr.Callback, **more: Any) -> cr.History:
    settings = {"epochs": 4, "batch_size": 10, **more}
    return network().fit(X, Y, callbacks=callbacks, **settings)


def names(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(".safetensors") for path in folder.iterdir())


# --- which there are ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, [8, 12, 16]),
        ({"keep": 100}, [0, 4, 8, 12, 16]),
        ({"every": "epoch", "keep": 1}, [16]),
        ({"every": 3, "keep": 9}, [0, 12, 16]),
        ({"steps": 5, "keep": 9}, [0, 5, 10, 15, 16]),
        ({"steps": 5}, [10, 15, 16]),
        ({"steps": 1000}, [0, 16]),
        ({"seconds": 1e-9, "keep": 99}, list(range(17))),
        ({"seconds": 1000}, [0, 16]),
    ],
)
def test_when_and_how_many(settings: Any, steps: list[int], tmp_path: Path) -> None:
    """Four steps make an epoch; the first and the last are always written."""
    train(saving.Checkpoint(tmp_path / "new" / "folder", **settings))
    assert names(tmp_path / "new" / "folder") == [f"step-{step:08}" for step in steps]


def test_steps_are_exact_on_the_compiled_engine(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(1), engine="compiled")
    net.fit(X, Y, epochs=9, callbacks=[saving.Checkpoint(tmp_path, steps=7, keep=9)])
    assert names(tmp_path) == [f"step-{step:08}" for step in (0, 7, 14, 18)]


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    keeper = saving.Checkpoint(tmp_path, every=100, best="loss")
    history = network(cr.Adam(0.5)).fit(X, Y, epochs=6, batch_size=10, callbacks=[keeper])
    best = int(np.argmin(history["loss"])) + 1
    assert 1 < best < 6
    found = saving.load(tmp_path / "best.safetensors").network
    assert found.training_state.step == 4 * best
    assert found.parameters.tobytes() == history.at(4 * best).parameters.tobytes()


def test_the_best_of_a_metric_is_the_greatest(tmp_path: Path) -> None:
    labels = (Y > 0).astype(int)
    net = cr.NeuralNetwork(cr.Dense(2), loss="softmax_cross_entropy", optimizer="rmsprop")
    keeper = saving.Checkpoint(tmp_path, best="validation_accuracy")
    history = net.fit(X, labels, epochs=8, validation=0.5, metrics=["accuracy"], callbacks=[keeper])
    best = int(np.argmax(history["validation_accuracy"])) + 1
    assert saving.load(tmp_path / "best.safetensors").network.training_state.epoch == best


def test_the_validation_loss_decides_where_nothing_is_said(tmp_path: Path) -> None:
    train(saving.Checkpoint(tmp_path / "with"), validation=0.25)
    train(saving.Checkpoint(tmp_path / "without"))
    assert "best" in names(tmp_path / "with")
    assert "best" not in names(tmp_path / "without")
    train(saving.Checkpoint(tmp_path / "none", best=None), validation=0.25)
    assert "best" not in names(tmp_path / "none")


def test_a_checkpoint_is_a_model_file(tmp_path: Path) -> None:
    history = train(saving.Checkpoint(tmp_path, steps=6, extra={"classes": ["a"]}))
    found = saving.load(tmp_path / "step-00000012.safetensors")
    assert np.array_equal(found.network.predict(X), history.at(12).predict(X))
    assert found.extra == {"classes": ["a"]}


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    with_it, without = train(saving.Checkpoint(tmp_path, steps=1)), train()
    assert with_it.losses.tolist() == without.losses.tolist()
    assert with_it.network.parameters.tobytes() == without.network.parameters.tobytes()
    assert with_it.snapshots.steps == without.snapshots.steps


def test_the_same_one_goes_on_with_the_same_network(tmp_path: Path) -> None:
    net, keeper = network(), saving.Checkpoint(tmp_path)
    net.fit(X, Y, epochs=2, batch_size=10, callbacks=[keeper])
    history = net.fit(X, Y, epochs=2, batch_size=10, callbacks=[keeper])
    resumed = saving.resume(tmp_path, X, Y)
    assert resumed.losses.tolist() == history.losses.tolist()
    with pytest.raises(InvalidSetting, match="holds checkpoints of another training"):
        network().fit(X, Y, callbacks=[keeper])


def test_a_resumed_history_goes_back_to_where_it_was_resumed(tmp_path: Path) -> None:
    whole = train(saving.Checkpoint(tmp_path, steps=6, keep=9))
    resumed = saving.resume(tmp_path / "step-00000006.safetensors", X, Y)
    for step in (6, 7, 12, 16):
        assert resumed.at(step).parameters.tobytes() == whole.at(step).parameters.tobytes()
    with pytest.raises(InvalidSetting, match="went on from a checkpoint at step 6"):
        resumed.at(5)
    branch = resumed.branch(9, learning_rate=0.1)
    assert branch.losses.tolist() == whole.branch(9, learning_rate=0.1).losses.tolist()


def test_a_training_that_had_ended_stays_as_it_is(tmp_path: Path) -> None:
    whole = train(saving.Checkpoint(tmp_path))
    resumed = saving.resume(tmp_path, X, Y)
    assert resumed.network.parameters.tobytes() == whole.network.parameters.tobytes()
    assert resumed.stopped_because == "all 4 epochs done"
    assert resumed.network.last_history.losses.tolist() == whole.losses.tolist()
    assert resumed.network.engine.name == "auto"


def test_seconds_add_up(kept: Path) -> None:
    change(kept, "seconds", 1000.0)
    assert 1000 < saving.resume(kept, X, Y, validation=0.25).seconds < 1100


def test_numbers_that_overflow_leave_the_last_good_checkpoint(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(1), optimizer=cr.GradientDescent(1e30), seed=1)
    with pytest.raises(cr.LossNotFinite):
        net.fit(X, Y, epochs=9, batch_size=10, callbacks=[saving.Checkpoint(tmp_path, steps=1)])
    for path in tmp_path.iterdir():
        assert saving.load(path).network.is_built
    with pytest.raises(cr.LossNotFinite):
        saving.resume(tmp_path, X, Y)


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": "step"}, 'every must be "epoch" or a number of epochs'),
        ({"every": 0}, "every must be a whole number of at least 1"),
        ({"steps": 0.5}, "steps must be a whole number"),
        ({"seconds": 0}, "seconds must be a finite number above 0"),
        ({"steps": 5, "seconds": 5}, "more than one of every, steps and seconds"),
        ({"keep": 0}, "keep must be a whole number"),
        ({"best": 3}, "best must be the name of a column"),
    ],
)
def test_wrong_settings(settings: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=message):
        saving.Checkpoint(tmp_path, **settings)


def test_trainings_that_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"Checkpoint\(best='nope'\): this training records"):
        train(saving.Checkpoint(tmp_path, best="nope"))
    with pytest.raises(InvalidSetting, match="what SciPy's L-BFGS remembers cannot be kept"):
        network("lbfgs").fit(X, Y, callbacks=[saving.Checkpoint(tmp_path)])
    with pytest.raises(InvalidSetting, match="more than one Checkpoint"):
        train(saving.Checkpoint(tmp_path / "a"), saving.Checkpoint(tmp_path / "b"))
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match="cannot be made: File exists"):
        train(saving.Checkpoint(tmp_path / "file"))
    with pytest.raises(InvalidSetting, match="cannot be stored as JSON"):
        train(saving.Checkpoint(tmp_path / "c", extra={"a": {1}}))
    assert not list((tmp_path / "c").iterdir())


def test_a_folder_with_another_training(tmp_path: Path) -> None:
    train(saving.Checkpoint(tmp_path))
    before = names(tmp_path)
    with pytest.raises(InvalidSetting, match=r"\(step-00000016.safetensors is the latest\)"):
        train(saving.Checkpoint(tmp_path))
    assert names(tmp_path) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_where_nothing_can_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidSetting, match="Permission denied"):
        train(saving.Checkpoint(tmp_path / "inside"))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    train(saving.Checkpoint(tmp_path, steps=6, keep=9), validation=0.25)
    return tmp_path / "step-00000006.safetensors"


def test_a_damaged_latest_one(kept: Path) -> None:
    """It is not passed over in silence; the one before is named."""
    latest = kept.with_name("step-00000012.safetensors")
    latest.write_bytes(latest.read_bytes()[:-1])
    with pytest.raises(UnreadableFile, match=r"was cut off.* The one before it is .*00000006"):
        saving.resume(kept.parent, X, Y, validation=0.25)
    with pytest.raises(
        UnreadableFile, match=r"cut off: its arrays take [\d,]+ bytes, and it has [\d,]+\.$"
    ):
        saving.resume(latest, X, Y, validation=0.25)
    assert saving.resume(kept, X, Y, validation=0.25).iterations == 12


def test_other_data(kept: Path) -> None:
    changed = X.copy()
    changed[3, 1] += 1e-6
    for x, y, more in (
        (changed, Y, {"validation": 0.25}),
        (X, Y + 1, {"validation": 0.25}),
        (X, Y, {"validation": 0.5}),
        (X, Y, {}),
        (X, Y, {"validation": 0.25, "sample_weight": np.ones(40)}),
        (X[:-4], Y[:-4], {"validation": 0.25}),
    ):
        with pytest.raises(InvalidData, match="not the data that the training began with"):
            saving.resume(kept, x, y, **more)
    with pytest.raises(InvalidInput, match="received x of shape"):
        saving.resume(kept, X[:, :2], Y)
    assert saving.resume(kept, X.tolist(), Y.tolist(), validation=0.25).iterations == 12


def test_places_without_a_checkpoint(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableFile, match="holds no checkpoint"):
        saving.resume(tmp_path / "empty", X, Y)
    with pytest.raises(UnreadableFile, match="There is no model file"):
        saving.resume(tmp_path / "nothing", X, Y)
    model = saving.save(saving.load(kept).network, tmp_path / "model", training=True)
    with pytest.raises(UnreadableFile, match="it is a model, not a checkpoint"):
        saving.resume(model, X, Y)


def test_callbacks_that_are_missing_or_too_many(tmp_path: Path) -> None:
    looks = cr.OnEpoch(lambda network, history: None)
    train(looks, cr.EarlyStopping("loss"), saving.Checkpoint(tmp_path))
    with pytest.raises(InvalidSetting, match=r"pass callbacks=.*OnEpoch, EarlyStopping"):
        saving.resume(tmp_path, X, Y)
    with pytest.raises(InvalidSetting, match="received EarlyStopping, OnEpoch; expected what fit"):
        saving.resume(tmp_path, X, Y, callbacks=[cr.EarlyStopping("loss"), looks])
    with pytest.raises(InvalidSetting, match="received none; expected"):
        saving.resume(tmp_path, X, Y, callbacks=[])
    assert saving.resume(tmp_path, X, Y, callbacks=[looks, cr.EarlyStopping("loss")]).iterations


def test_a_diagnosis_that_tells_elsewhere_has_to_be_given_again(tmp_path: Path) -> None:
    train(cr.Diagnose(print=print), saving.Checkpoint(tmp_path / "printed"))
    assert saving.resume(tmp_path / "printed", X, Y).iterations
    train(cr.Diagnose(print=[].append), saving.Checkpoint(tmp_path / "elsewhere"))
    with pytest.raises(InvalidSetting, match=r"pass callbacks=.*: Diagnose\."):
        saving.resume(tmp_path / "elsewhere", X, Y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("findings", None),
        ("findings", [{"name": "a"}]),
        ("findings", [3]),
        ("epochs", [0]),
        ("epochs", "ab"),
    ],
)
def test_what_is_no_diagnosis(name: str, value: Any, tmp_path: Path) -> None:
    train(cr.Diagnose(), saving.Checkpoint(tmp_path, steps=6, keep=9))
    path = tmp_path / "step-00000006.safetensors"
    change(path, f"callbacks.0.kept.{name}", value)
    with pytest.raises(InvalidData, match="Diagnose: what was kept of it cannot be read"):
        saving.resume(path, X, Y)


def test_a_callback_that_keeps_what_cannot_be_stored(tmp_path: Path) -> None:
    class Flags(cr.Callback):
        def to_keep(self) -> dict[str, Any]:
            return {"seen": np.zeros(3, bool)}

    with pytest.raises(InvalidSetting, match=r"Flags\.to_keep gave 'seen' of dtype bool"):
        train(Flags(), saving.Checkpoint(tmp_path))


def change(path: Path, name: str, value: Any) -> None:
    """Change an entry of a checkpoint, with a right checksum; "a.b" is b in a."""
    found = read(path)
    content = json.loads(found.text)
    *outer, last = name.split(".")
    inner = content["checkpoint"]
    for key in outer:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    inner[last] = value
    path.write_bytes(b"".join(pieces(json.dumps(content), found.arrays)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plan", 3),
        ("plan.epochs", -1),
        ("plan.epochs", 0),
        ("plan.epochs", "4"),
        ("plan.batch_size", 2.5),
        ("plan.augment", [{"family": "augmentation", "name": "nope", "settings": {}}]),
        ("begun", None),
        ("begun.batches", 3),
        ("begun.batches", -1),
        ("begun.batches", 1),  # of an epoch that has not begun: step 6 ends the second
        ("begun.loss", "much"),
        ("seconds", None),
        ("epochs", {}),
        ("epochs", {"loss": [1.0]}),
        ("settings", {}),
        ("settings.engine", "steam"),
        ("keeper", {}),
        ("keeper.keep", 0),
        ("keeper.engine", "os"),
        ("callbacks", [3]),
        ("callbacks", [{"class": "os.system", "settings": {}, "kept": {}}]),
        ("callbacks", [{"class": "EarlyStopping", "settings": {"patience": -1}, "kept": {}}]),
        ("stopped_because", 3),
    ],
)
def test_checkpoints_that_do_not_fit_together(kept: Path, name: str, value: Any) -> None:
    change(kept, name, value)
    with pytest.raises(UnreadableFile, match="cannot be loaded: "):
        saving.resume(kept, X, Y, validation=0.25)


@pytest.mark.parametrize(
    ("name", "value"), [("best", None), ("best", "x"), ("best_epoch", 0.5), ("best_parameters", 3)]
)
def test_early_stopping_that_was_kept_wrongly(tmp_path: Path, name: str, value: Any) -> None:
    train(cr.EarlyStopping("loss"), saving.Checkpoint(tmp_path))
    path = tmp_path / "step-00000008.safetensors"
    change(path, f"callbacks.0.kept.{name}", value)
    if name == "best_parameters":
        found = read(path)
        arrays = {n: a for n, a in found.arrays.items() if "best_parameters" not in n}
        path.write_bytes(b"".join(pieces(found.text, arrays)))
    with pytest.raises(InvalidData, match="EarlyStopping: what was kept of it does not fit"):
        saving.resume(path, X, Y)


# --- data ---------------------------------------------------------------------------------------


def test_fingerprints_tell_data_apart(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(3000.0).reshape(1500, 2))
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    net = cr.NeuralNetwork(cr.Dense(1), inputs=2)
    y = np.zeros(1500)

    def of(x: Any, y: Any = y) -> str:
        samples = cr.samples.check_samples(
            cr.samples.check_inputs(x, (2,), net.dtype, "Dense"), y, None, net.loss, (1,)
        )
        return fingerprint(samples, None)

    again = np.arange(3000.0).reshape(1500, 2)
    different = {of(stored), of(again), of(again + 1), of(again, y + 1), of(again[:-1], y[:-1])}
    assert len(different) == 5
    assert of(stored) == of(stored)
