"""``chainrule tune``: a search on a table, the best network in a file, the command for it."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias

import joblib
import numpy as np
import pytest
from typer.testing import Result

import chainrule as cr
from chainrule import saving
from chainrule.cli import tune_search
from chainrule.cli.choices import Wishes
from chainrule.cli.tune_space import candidates, train_command

Run: TypeAlias = Callable[..., Result]
SHORT = ("--trials", 3, "--epochs", 9, "--folds", 2)


def searched(run: Run, *arguments: str | int) -> dict[str, Any]:
    """What --json prints."""
    result = run("tune", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


# --- what is tried ---------------------------------------------------------------------------


def test_the_first_settings_are_trains_own() -> None:
    first, *others = candidates(Wishes(), 120, 20)
    assert first == {
        "hidden": None,
        "activation": None,
        "dropout": 0.0,
        "l2": None,
        "optimizer": "adam",
        "learning_rate": None,
        "batch_size": 32,
    }
    assert len(others) == 19
    assert all(others.count(settings) == 1 for settings in others)
    assert {settings["batch_size"] for settings in others} == {16, 32}  # of 120 rows
    assert {settings["optimizer"] for settings in others} > {"adam", "gradient_descent"}


def test_the_seed_decides_what_is_tried() -> None:
    assert candidates(Wishes(seed=1), 500, 8) == candidates(Wishes(seed=1), 500, 8)
    assert candidates(Wishes(seed=1), 500, 8) != candidates(Wishes(seed=2), 500, 8)


def test_every_wish_has_its_place_in_the_command() -> None:
    wishes = Wishes(
        hidden=(32, 16),
        activation=("tanh", "relu"),
        epochs=7,
        batch_size=8,
        learning_rate=0.02,
        optimizer="nadam",
        dropout=0.25,
        l2=1e-5,
        loss="hinge",
        validation=0.3,
        ignore=("a b", "c"),
        categories=("d",),
        seed=4,
    )
    usual = Wishes()
    assert all(
        getattr(wishes, field.name) != getattr(usual, field.name) for field in fields(Wishes)
    )
    assert train_command("my data.csv", "y", wishes) == (
        "chainrule train 'my data.csv' --target y --hidden 32,16 --activation tanh,relu --epochs 7 "
        "--batch-size 8 --learning-rate 0.02 --optimizer nadam --dropout 0.25 --l2 1e-05 "
        "--loss hinge --validation 0.3 --ignore 'a b' --ignore c --category d --seed 4"
    )


# --- what comes of it ---------------------------------------------------------------------------


def test_the_printed_command_makes_the_same_model(run: Run, penguins: Path, folder: Path) -> None:
    result = run("tune", penguins, "--target", "species", *SHORT, "--output", "tuned.safetensors")
    assert result.exit_code == 0, result.output
    assert "To predict: species, one of 3 classes" in result.output
    assert "3 settings tried, the best first" in result.output
    assert "as train" in result.output
    assert "Score on the 69 validation rows" in result.output
    assert "Model: tuned.safetensors" in result.output
    assert result.stderr == ""
    (line,) = [line for line in result.output.splitlines() if line.startswith("The same model")]
    command = shlex.split(line.partition(": ")[2])
    assert command[:2] == ["chainrule", "train"]
    assert run(*command[1:], "--output", "again.safetensors").exit_code == 0
    tuned, again = (
        saving.load(name).network for name in ("tuned.safetensors", "again.safetensors")
    )
    np.testing.assert_array_equal(tuned.parameters, again.parameters)
    assert (folder / "chainrule-penguins-species-loss.png").exists()


def test_json_has_every_trial(run: Run) -> None:
    found = searched(run, "iris", *SHORT)
    assert found["measured"] == "accuracy"
    # 3 settings for 3 epochs; the best of them and train's own for 9.
    assert [trial["epochs"] for trial in found["trials"]][:3] == [3, 3, 3]
    assert {trial["epochs"] for trial in found["trials"][3:]} == {9}
    assert len(found["trials"]) in (4, 5)
    assert found["best"] in found["trials"]
    assert found["best"]["epochs"] == 9
    assert found["best"]["score"] == max(trial["score"] for trial in found["trials"][3:])
    assert found["scores"]["accuracy"] > 0.5
    assert Path(found["model"]).exists()
    assert not found["interrupted"]
    assert searched(run, "iris", *SHORT)["best"]["settings"] == found["best"]["settings"]


def test_of_many_settings_the_best_are_shown(run: Run) -> None:
    result = run("tune", "iris", "--trials", 17, "--epochs", 1, "--folds", 2)
    assert "17 settings tried, the best first" in result.output
    assert "... and 2 more; --json has all." in result.output


def test_numbers_are_scored_by_r2(run: Run) -> None:
    found = searched(run, "diabetes", *SHORT)
    assert found["measured"] == "R²"
    assert found["best"]["score"] > 0


def test_the_search_never_sees_the_validation_rows(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    found_by = tune_search.search

    def search(table: Any, *arguments: Any, **others: Any) -> Any:
        seen.append(len(table))
        return found_by(table, *arguments, **others)

    monkeypatch.setattr(tune_search, "search", search)
    found = searched(run, "iris", *SHORT, "--validation", "0.5", "--seed", 3)
    assert seen == [75]
    assert "--validation 0.5" in found["command"]
    assert "--seed 3" in found["command"]


@pytest.mark.parametrize(("backend", "jobs"), [("threading", 2), ("loky", 2)])
def test_it_runs_on_the_backend_that_joblib_is_set_to(run: Run, backend: str, jobs: int) -> None:
    alone = searched(run, "iris", *SHORT)
    with joblib.parallel_config(backend, n_jobs=jobs):
        together = searched(run, "iris", *SHORT)
    for one, other in zip(alone["trials"], together["trials"], strict=True):
        assert one["settings"] == other["settings"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-12)
    assert together["command"] == alone["command"]


# --- Ctrl-C ---------------------------------------------------------------------------------------


class Impatient(cr.EarlyStopping):
    """Presses Ctrl-C in the second epoch of a chosen fit."""

    fits = 0
    chosen = 0

    def before_training(self, network: Any, history: Any) -> None:
        super().before_training(network, history)
        type(self).fits += 1

    def after_epoch(self, network: Any, history: Any) -> None:
        super().after_epoch(network, history)
        if self.fits == self.chosen and len(history.epochs["loss"]) == 2:
            signal.raise_signal(signal.SIGINT)


def interrupt(monkeypatch: pytest.MonkeyPatch, fit: int) -> None:
    monkeypatch.setattr(Impatient, "fits", 0)
    monkeypatch.setattr(Impatient, "chosen", fit)
    monkeypatch.setattr("chainrule.estimators.built.EarlyStopping", Impatient)


def test_ctrl_c_keeps_the_best_so_far(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    interrupt(monkeypatch, fit=5)  # two folds each: in the third trial
    found = searched(run, "iris", *SHORT)
    assert found["interrupted"]
    assert len(found["trials"]) == 2
    assert found["best"]["score"] == max(trial["score"] for trial in found["trials"])
    assert Path(found["model"]).exists()


def test_ctrl_c_before_anything_is_measured_writes_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    interrupt(monkeypatch, fit=1)
    result = run("tune", "iris", *SHORT)
    assert result.exit_code == 1
    assert "Interrupted before the first trial was measured" in result.stderr
    assert not list(folder.glob("*.safetensors"))


# --- odd tables -------------------------------------------------------------------------------


def test_rare_classes_are_trained_on_only(run: Run, folder: Path) -> None:
    rows = [f"{number},{'ab'[number % 2]}" for number in range(40)] + ["50,rare"]
    (folder / "rare.csv").write_text("x,y\n" + "\n".join(rows) + "\n")
    assert searched(run, "rare.csv", "--target", "y", *SHORT)["best"]["score"] >= 0


def test_a_training_that_explodes_does_badly_and_no_more(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "chainrule.cli.tune_space._SPACES",
        ({"optimizer": ["gradient_descent"], "learning_rate": [1e30]},),
    )
    found = searched(run, "diabetes", *SHORT)
    assert found["best"]["settings"]["learning_rate"] is None
    assert all(np.isfinite(trial["score"]) for trial in found["trials"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such.csv",), "There is no file no-such.csv"),
        (("mnist-5k",), "chainrule tune is for tables"),
        (("iris", "--loss", "no_such"), "no loss called 'no_such'"),
        (("iris", "--ignore", "no such"), "no column 'no such'"),
        (("diabetes", "--folds", "200"), "too few for 200 folds"),
        (("iris", "--folds", "90"), "too few for 90 folds"),
        (("iris", "--output", "no-such-folder/model.safetensors"), "no-such-folder"),
        (("iris", "--validation", "1.5"), "validation"),
        (("iris", "--jobs", "0"), "number of processes, or -1"),
        (("iris", "--trials", "1"), "--trials"),
    ],
)
def test_what_cannot_be_tuned(
    run: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = run("tune", *arguments)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert not list(folder.iterdir())
