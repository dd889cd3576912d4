"""``chainrule train --resume``: the same command goes on, and makes the same model."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

import chainrule as cr
from chainrule import saving

Run = Callable[..., Result]


@pytest.fixture
def ctrl_c_after_three_epochs(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    look = cr.EarlyStopping.after_epoch

    def press(self: cr.EarlyStopping, network: Any, history: cr.History) -> None:
        look(self, network, history)
        if len(history["loss"]) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(cr.EarlyStopping, "after_epoch", press)
    return monkeypatch


def refused(result: Result) -> str:
    """Return what is told, in one line."""
    assert result.exit_code == 1
    return " ".join(result.stderr.split())


def parameters(path: str | Path) -> bytes:
    return saving.load(path).network.parameter_vector.storage.tobytes()


def test_a_table(run: Run, folder: Path, ctrl_c_after_three_epochs: pytest.MonkeyPatch) -> None:
    arguments = ("train", "iris", "--epochs", 7, "--resume", "kept", "--output", "model")
    first = run(*arguments)
    assert "Trained for 3 epochs" in first.output
    assert "The same command goes on from kept.\n" in first.output
    ctrl_c_after_three_epochs.undo()
    ctrl_c_after_three_epochs.chdir(folder)
    second = run(*arguments)
    assert "Goes on from kept/step-" in second.output
    assert "Trained for 7 epochs" in second.output
    run("train", "iris", "--epochs", 7, "--output", "whole")
    assert parameters("model") == parameters("whole")
    third = run(*arguments)  # had ended: the same again
    assert "Trained for 7 epochs" in third.output
    assert parameters("model") == parameters("whole")


def test_images(run: Run, folder: Path, ctrl_c_after_three_epochs: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 100)):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(low, low + 150, (8, 8)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "images" / name / f"{number}.png")
    arguments = ("train", "images", "--model", "mlp", "--epochs", 5, "--augment", "flip")
    run(*arguments, "--resume", "kept", "--output", "model", "--quiet")
    ctrl_c_after_three_epochs.undo()
    ctrl_c_after_three_epochs.chdir(folder)
    run(*arguments, "--resume", "kept", "--output", "model", "--quiet")
    run(*arguments, "--output", "whole", "--quiet")
    assert parameters("model") == parameters("whole")


def test_other_options_or_data_do_not_go_on(run: Run, folder: Path, penguins: Path) -> None:
    table = folder / "table.csv"
    table.write_bytes(penguins.read_bytes())
    arguments = ("train", table, "--target", "species", "--resume", "kept", "--quiet")
    run(*arguments, "--epochs", 2)
    assert "other options: --epochs (then 2, now 3). Use the same" in refused(
        run(*arguments, "--epochs", 3)
    )
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]))
    assert "not the data that the training began with" in refused(run(*arguments, "--epochs", 2))


def test_what_cannot_be_kept(run: Run) -> None:
    result = run("train", "iris", "--optimizer", "lbfgs", "--resume", "kept")
    assert "--resume is not for --optimizer lbfgs" in refused(result)
    network = cr.NeuralNetwork(cr.Dense(1))
    network.fit([[1.0]], [1.0], epochs=1, callbacks=[saving.Checkpoint("others")])
    result = run("train", "iris", "--resume", "others")
    assert "was not written by chainrule train" in refused(result)
