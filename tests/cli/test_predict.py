from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import Result

import chainrule as cr
from chainrule import saving
from chainrule.cli.table_model import TableModel
from chainrule.errors import UnreadableFile

Run = Callable[..., Result]


def test_a_table_on_the_terminal(run: Run, models: dict[str, Path], penguins: Path) -> None:
    result = run("predict", models["species"], penguins)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].strip() == "Predictions of species"
    assert lines[2].split() == [
        "row",
        "actual",
        "prediction",
        *["P(Adelie)", "P(Chinstrap)"],
        "P(Gentoo)",
    ]
    assert lines[4].split()[:3] == ["1", "Adelie", "Adelie"]
    assert sum(line.split()[:1] == ["344"] for line in lines) == 1  # a pipe gets every row
    assert "Score on the 344 rows with a known species" in result.output
    assert result.stderr == ""


def test_a_window_gets_the_first_rows(
    run: Run, models: dict[str, Path], penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def window(*, error: bool = False) -> Console:
        return Console(stderr=error, force_terminal=True, color_system=None, width=100)

    monkeypatch.setattr("chainrule.cli.predict_table.console", window)
    output = run("predict", models["species"], penguins).output
    assert "... and 324 more rows; --output out.csv writes all." in output
    assert [line.split()[0] for line in output.splitlines()[4:24]] == [*map(str, range(1, 21))]


def test_a_csv_file(run: Run, models: dict[str, Path], penguins: Path) -> None:
    result = run("predict", models["species"], penguins, "--output", "out.csv")
    assert "344 rows with predictions: out.csv" in result.output
    written, original = pd.read_csv("out.csv"), pd.read_csv(penguins)
    pd.testing.assert_frame_equal(written[original.columns], original)
    added = list(written.columns.drop(original.columns))
    assert added == [
        "predicted_species",
        "probability_Adelie",
        "probability_Chinstrap",
        "probability_Gentoo",
    ]
    assert (written["predicted_species"] == written["species"]).mean() > 0.97
    assert written[added[1:]].sum(axis=1).to_numpy() == pytest.approx(np.ones(344), abs=1e-5)


def test_numbers_come_back_in_their_unit(run: Run, models: dict[str, Path], penguins: Path) -> None:
    result = run("predict", models["body_mass_g"], penguins, "--output", "out.csv")
    assert "Score on the 342 rows with a known body_mass_g" in result.output
    written = pd.read_csv("out.csv").dropna(subset="body_mass_g")
    distance = (written["predicted_body_mass_g"] - written["body_mass_g"]).abs().mean()
    assert distance < 300
    assert "'bill_length_mm': 2 values missing here and none in training" in result.stderr


def test_the_target_need_not_be_there(
    run: Run, models: dict[str, Path], penguins: Path, folder: Path
) -> None:
    table = pd.read_csv(penguins).head(3)
    table[table.columns[::-1]].drop(columns="species").to_csv("new.csv", index=False)
    with_target = run("predict", models["species"], penguins).output.splitlines()[4:7]
    result = run("predict", models["species"], "new.csv")
    assert "actual" not in result.output
    assert "Score" not in result.output
    without = result.output.splitlines()[4:7]
    assert [x.split()[1:] for x in without] == [x.split()[2:] for x in with_target]


def test_unknown_classes_in_the_target_do_not_count(
    run: Run, models: dict[str, Path], penguins: Path
) -> None:
    table = pd.read_csv(penguins).head(5)
    table.loc[:2, "species"] = ["Emperor", None, "King"]
    table.to_csv("new.csv", index=False)
    assert "Score on the 2 rows" in run("predict", models["species"], "new.csv").output
    table["species"] = "Emperor"
    table.to_csv("new.csv", index=False)
    assert "Score" not in run("predict", models["species"], "new.csv").output


def test_a_single_row_has_no_r2(run: Run, models: dict[str, Path], penguins: Path) -> None:
    pd.read_csv(penguins).head(1).to_csv("new.csv", index=False)
    output = run("predict", models["body_mass_g"], "new.csv").output
    assert "R²" not in output
    assert "mean absolute error" in output


def test_categories_never_seen_are_told(run: Run, models: dict[str, Path], penguins: Path) -> None:
    pd.read_csv(penguins).head(4).assign(island="Atlantis").to_csv("new.csv", index=False)
    result = run("predict", models["species"], "new.csv")
    assert result.exit_code == 0
    assert result.stderr.startswith("Note: 'island': 4 values ('Atlantis') outside")


def test_of_many_classes_the_highest_probability_is_shown(run: Run) -> None:
    run("train", "digits", "--epochs", 3, "--output", "model", "--quiet")
    output = run("predict", "model", "digits").output
    assert "its probability" in output
    assert "P(0)" not in output


def test_hinge_knows_no_probabilities(run: Run) -> None:
    run("train", "breast_cancer", "--loss", "hinge", "--epochs", 20, "--output", "model")
    result = run("predict", "model", "breast_cancer", "--output", "out.csv")
    written = pd.read_csv("out.csv")
    assert written.columns[-1] == "predicted_target"
    assert (written["predicted_target"] == written["target"]).mean() > 0.93
    assert "accuracy" in result.output


def test_two_classes_from_one_output(run: Run) -> None:
    run(
        "train",
        "breast_cancer",
        "--loss",
        "sigmoid_cross_entropy",
        "--epochs",
        9,
        "--output",
        "model",
    )
    run("predict", "model", "breast_cancer", "--output", "out.csv")
    written = pd.read_csv("out.csv")
    both = written[["probability_benign", "probability_malignant"]]
    assert both.sum(axis=1).to_numpy() == pytest.approx(np.ones(569), abs=1e-5)
    malignant = written["predicted_target"] == "malignant"
    assert (malignant == (both["probability_malignant"] > 0.5)).all()


def test_a_network_that_knows_no_table(run: Run, penguins: Path, folder: Path) -> None:
    saving.save(cr.NeuralNetwork(cr.Dense(1), inputs=2), folder / "plain")
    result = run("predict", "plain", penguins)
    assert result.exit_code == 1
    assert "not how to prepare a table for it" in result.stderr


def test_a_model_whose_parts_do_not_fit(models: dict[str, Path], folder: Path) -> None:
    saved, other = saving.load(models["species"]), saving.load(models["body_mass_g"])
    saving.save(saved.network, folder / "mixed", other.extra)
    with pytest.raises(UnreadableFile, match="its network does not fit its table"):
        TableModel.load(folder / "mixed")
    saving.save(saved.network, folder / "mixed", {"table": {}})
    with pytest.raises(UnreadableFile, match="record of the columns is damaged"):
        TableModel.load(folder / "mixed")
