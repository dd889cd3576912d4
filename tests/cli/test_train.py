from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

import chainrule as cr
from chainrule import saving
from chainrule.cli.table_model import TableModel

Run = Callable[..., Result]


def scores(output: str) -> dict[str, tuple[float, float]]:
    """Read the score table: the network's and the baseline's number by name."""
    found = re.findall(r"^  (\S.*?)  +(-?[\d.]+)%? +(-?[\d.]+)%?\s*$", output, flags=re.MULTILINE)
    return {name: (float(network), float(baseline)) for name, network, baseline in found}


def test_penguins_species(run: Run, penguins: Path, folder: Path) -> None:
    result = run("train", penguins, "--target", "species")
    assert result.exit_code == 0
    output = result.output
    assert re.search(r"island +3 categories +Biscoe, Dream, Torgersen", output)
    assert re.search(r"sex +2 categories .* missing values are a category of their own", output)
    assert re.search(r"bill_length_mm +number +mean .* missing values become", output)
    assert "To predict: species, one of 3 classes (Adelie, Chinstrap, Gentoo)." in output
    assert "275 to learn from, 69 aside for validation (classes kept in proportion)" in output
    assert "Dense(32, activation='relu')" in output
    assert scores(output)["accuracy"][0] >= 97
    assert "always Adelie" in output
    assert re.search(r"Adelie +30 +0 +0", output)  # the confusion table
    assert (folder / "chainrule-penguins-species-loss.png").stat().st_size > 1000
    assert "Model: chainrule-penguins-species.safetensors\n" in output
    assert "\x1b" not in output
    assert result.stderr == ""


def test_penguins_body_mass(run: Run, penguins: Path) -> None:
    output = run("train", penguins, "--target", "body_mass_g").output
    assert "Note: 2 rows without a usable value in 'body_mass_g' left out." in output
    assert "a number (here from 2700 to 6300)" in output
    found = scores(output)
    assert found["R²"][0] > 0.8
    assert abs(found["R²"][1]) < 0.05
    assert found["mean absolute error"][0] < 300 < found["mean absolute error"][1]
    assert "What each class" not in output


@pytest.mark.parametrize(
    ("name", "score", "at_least"),
    [
        ("digits", "accuracy", 96),
        ("iris", "accuracy", 93),
        ("wine", "accuracy", 94),
        ("breast_cancer", "accuracy", 94),
        ("diabetes", "R²", 0.3),
    ],
)
def test_bundled_sets(run: Run, folder: Path, name: str, score: str, at_least: float) -> None:
    output = run("train", name).output
    network, baseline = scores(output)[score]
    assert network >= at_least > baseline
    assert (folder / f"chainrule-{name}.safetensors").exists()


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_a_training_in_which_all_is_well_has_no_diagnosis(run: Run, name: str) -> None:
    assert "Diagnosis" not in run("train", name).output


def test_a_column_that_gives_the_answer_away_is_named(
    run: Run, penguins: Path, folder: Path
) -> None:
    table = pd.read_csv(penguins)
    table["pounds"] = table["body_mass_g"] / 453.6
    table.to_csv(folder / "pounds.csv", index=False)
    train = ["train", "pounds.csv", "--target", "body_mass_g", "--epochs", 5]
    output = run(*train).output
    told = output[output.index("Diagnosis: 1 finding.") :]
    assert told.splitlines()[2] == "Label leakage ('pounds')"
    assert "Try: Drop 'pounds', unless it is known" in told
    assert output.index("Score on the") < output.index("Diagnosis") < output.index("Loss graph:")
    assert "Diagnosis" not in run(*train, "--quiet").output


def test_steps_that_are_too_long_are_found(run: Run) -> None:
    output = run("train", "iris", "--learning-rate", 2, "--epochs", 10).output
    assert "Learning rate too high (learning rate)" in output
    assert "a tenth of" in output


def test_the_model_file_knows_how_it_was_trained(models: dict[str, Path]) -> None:
    saved = saving.load(models["species"])
    training = saved.extra["training"]
    assert training["source"].endswith("penguins.csv")
    assert (training["samples"], training["validation_samples"]) == (275, 69)
    assert training["scores"]["accuracy"] > 0.97
    assert training["best_epoch"] >= 1
    assert saved.network.output_shape == (3,)


def test_the_same_seed_gives_the_same_model(run: Run) -> None:
    for name in ("a", "b", "c"):
        seed = 1 if name == "c" else 0
        run("train", "iris", "--epochs", 3, "--seed", seed, "--output", name)
    a, b, c = (saving.load(name).network.parameters for name in ("a", "b", "c"))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_network_of_ones_own(run: Run) -> None:
    output = run(
        *["train", "wine", "--hidden", "12,6", "--activation", "tanh,softplus", "--epochs", 40],
        *["--learning-rate", 0.02, "--batch-size", 16, "--optimizer", "rmsprop"],
        *["--output", "model", "--plot", "loss.svg", "--validation", 0.3],
    ).output
    assert "Dense(12, activation='tanh')" in output
    assert "Dense(6, activation='softplus')" in output
    assert "RMSProp(learning_rate=Cosine(0.02, 40.0))" in output
    settings = saving.load("model").extra["training"]
    assert (settings["epochs"], settings["batch_size"]) == (40, 16)
    assert settings["validation_samples"] == 53
    assert Path("loss.svg").exists()


def test_what_holds_a_network_back(run: Run) -> None:
    run("train", "iris", "--epochs", "1", "--dropout", "0.25", "--l2", "0.01")
    network = saving.load("chainrule-iris.safetensors").network
    assert [type(layer).__name__ for layer in network.layers] == [
        "Dense", "Dropout", "Dense", "Dropout", "Dense"
    ]  # fmt: skip
    assert network.l2 == 0.01
    assert network.optimizer.weight_decay == 0  # in place of which the penalty stands
    run("train", "iris", "--epochs", "1")
    usual = saving.load("chainrule-iris.safetensors").network
    assert usual.l2 == 0
    assert usual.optimizer.weight_decay > 0


@pytest.mark.parametrize("option", [("--dropout", "1"), ("--dropout", "-0.1"), ("--l2", "-1")])
def test_what_cannot_hold_a_network_back(run: Run, option: tuple[str, str]) -> None:
    result = run("train", "iris", *option)
    assert result.exit_code in (1, 2)
    assert option[0].strip("-") in result.stderr.lower()


def test_one_activation_for_all_layers(run: Run) -> None:
    output = run("train", "iris", "--hidden", "5, 4,3", "--activation", "elu", "--epochs", 2).output
    assert output.count("activation='elu'") == 3


@pytest.mark.parametrize(
    ("loss", "last_layer"),
    [
        ("sigmoid_cross_entropy", "Dense(1)"),
        ("binary_cross_entropy", "Dense(1, activation='sigmoid')"),
        ("hinge", "Dense(1)"),
        ("categorical_cross_entropy", "Dense(2, activation='softmax')"),
        ("kl_divergence", "Dense(2, activation='softmax')"),
        ("negative_log_likelihood", "Dense(2, activation='log_softmax')"),
    ],
)
def test_losses_for_classes(run: Run, loss: str, last_layer: str) -> None:
    output = run("train", "breast_cancer", "--epochs", 20, "--loss", loss).output
    assert last_layer in output
    assert scores(output)["accuracy"][0] > 90


@pytest.mark.parametrize("loss", ["huber", "mean_absolute_error", "poisson"])
def test_losses_for_numbers(run: Run, loss: str) -> None:
    output = run("train", "diabetes", "--loss", loss).output
    assert scores(output)["R²"][0] > 0.25


def test_the_loss_decides_whether_numbers_are_classes(run: Run) -> None:
    digits = ["train", "digits", "--epochs", 2]
    assert "To predict the number instead: --loss mean_squared_error" in run(*digits).output
    output = run(*digits, "--loss", "mean_squared_error").output
    assert "target, a number (here from 0 to 9)" in output


def test_lbfgs_needs_no_learning_rate(run: Run) -> None:
    assert (
        scores(run("train", "wine", "--optimizer", "lbfgs", "--epochs", 20).output)["accuracy"][0]
        > 90
    )


def test_quiet_prints_scores_and_files(run: Run) -> None:
    lines = run("train", "iris", "--quiet").output.splitlines()
    assert lines[0].startswith("Score on the 30 validation rows")
    assert lines[-2:] == [
        "Loss graph: chainrule-iris-loss.png",
        "Model: chainrule-iris.safetensors",
    ]
    assert len(lines) < 12


def test_columns_can_be_ignored_or_taken_for_categories(run: Run, penguins: Path) -> None:
    options = ["--ignore", "island", "--ignore", "sex", "--category", "year"]
    output = run("train", penguins, "--target", "species", *options).output
    assert "island" not in output
    assert re.search(r"year +3 categories +2007, 2008, 2009", output)


def test_a_file_of_a_bundled_sets_name_is_not_shadowed_silently(
    run: Run, penguins: Path, folder: Path
) -> None:
    (folder / "iris").write_bytes(penguins.read_bytes())
    assert (
        "Taking scikit-learn's data set iris. For the file of that name: ./iris"
        in run("train", "iris").output
    )
    output = run("train", "./iris", "--target", "species").output
    assert "Gentoo" in output
    assert "Taking scikit-learn's" not in output


def test_ten_rows(run: Run, folder: Path) -> None:
    rows = "\n".join(f"{n},{'yes' if n > 4 else 'no'}" for n in range(10))
    (folder / "small.csv").write_text(f"size,big\n{rows}\n")
    output = run("train", "small.csv", "--target", "big").output
    assert "8 to learn from, 2 aside" in output


def test_no_better_than_the_baseline(run: Run, folder: Path) -> None:
    noise = np.random.default_rng(0).normal(size=40)
    table = pd.DataFrame({"x": noise, "y": ["often"] * 36 + ["rare"] * 4})
    table.to_csv(folder / "noise.csv", index=False)
    output = run("train", "noise.csv", "--target", "y").output
    assert scores(output)["accuracy"] == (87.5, 87.5)
    assert "The network does no better than the baseline" in output


def test_many_classes_show_the_most_frequent_mistakes(run: Run, folder: Path) -> None:
    numbers = np.arange(16).repeat(6)
    noisy = numbers + np.random.default_rng(0).normal(size=96)
    table = pd.DataFrame({"x": noisy, "y": [f"class {n}" for n in numbers]})
    table.to_csv(folder / "many.csv", index=False)
    assert "The most frequent mistakes" in run("train", "many.csv", "--target", "y").output


def test_odd_names_make_plain_file_names(run: Run, folder: Path) -> None:
    (folder / "my data.csv").write_text("x,the y/n?\n" + "1,a\n2,b\n" * 10)
    run("train", "my data.csv", "--target", "the y/n?")
    assert (folder / "chainrule-my_data-the_y_n_.safetensors").exists()


def test_ctrl_c_keeps_what_was_learned_so_far(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(cr.EarlyStopping):
        def after_step(self, network: cr.NeuralNetwork, history: cr.History) -> None:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("chainrule.cli.train_table.EarlyStopping", Impatient)
    result = run("train", "iris")
    assert result.exit_code == 0
    assert "Trained for 0 epochs" in result.output
    assert "(interrupted by Ctrl-C)" in result.output
    assert "Kept the weights" not in result.output
    assert saving.load("chainrule-iris.safetensors").extra["training"]["best_epoch"] == 0


def test_a_loss_that_explodes_leaves_no_model(run: Run, folder: Path) -> None:
    result = run("train", "iris", "--learning-rate", 1e30)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Training stopped at step")
    assert not list(folder.glob("*.safetensors"))


def test_the_python_side_of_a_model(models: dict[str, Path], penguins: Path) -> None:
    model = TableModel.load(models["species"])
    table = pd.read_csv(penguins)
    features, _ = model.preprocessing.features(table)
    probabilities = model.probabilities(features)
    assert probabilities is not None
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(344), abs=1e-6)
    assert isinstance(model.network, cr.NeuralNetwork)
