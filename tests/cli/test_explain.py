"""``chainrule explain``: a person's own row, then every number of the step it would make."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule import saving
from chainrule.cli.app import app
from chainrule.cli.explain_number import Wanted, parse_wanted
from chainrule.cli.explain_rows import parse_rows
from chainrule.cli.table_model import TableModel

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two classes of images, 6 x 6 pixels, and one image beside them."""
    folder = tmp_path_factory.mktemp("images") / "bars"
    random = np.random.default_rng(0)
    for name, bar in {"across": np.s_[2:4, :], "down": np.s_[:, 2:4]}.items():
        (folder / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(0, 60, size=(6, 6), dtype=np.uint8)
            pixels[bar] += 150
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def image_model(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on them."""
    folder = tmp_path_factory.mktemp("models")
    path = folder / "bars.safetensors"
    options = ["--output", path, "--plot", folder / "loss.png", "--model", "mlp", "--epochs", 2]
    result = CliRunner().invoke(app, list(map(str, ["train", images, *options, "--quiet"])))
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def plain(folder: Path) -> Path:
    """A network saved without its data, and its data: the truth table."""
    X, y = cr.data.truth_table()
    net = cr.NeuralNetwork(
        cr.Dense(4, "sigmoid"),
        cr.Dense(1, "sigmoid"),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(1.0),
        dtype="float64",
        inputs=3,
    )
    pd.DataFrame(np.column_stack([X, y]), columns=["a", "b", "c", "y"]).to_csv(
        "truth.csv", index=False
    )
    return saving.save(net, folder / "plain.safetensors")


def network_row(models: dict[str, Path], target: str, row: int) -> tuple[TableModel, pd.DataFrame]:
    model = TableModel.load(models[target])
    table = pd.read_csv(model.training["source"], dtype=str, keep_default_na=False)
    return model, table.iloc[[row - 1]].reset_index(drop=True)


def step_in(output: str) -> str:
    """The step without the rows before it and the commands after it."""
    return output.partition("One step of training")[2].partition("One weight: ")[0]


# --- what is asked for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3", (3,)),
        ("1,2,5", (1, 2, 5)),
        ("2-4", (2, 3, 4)),
        (" 1, 4 - 6 ,9 ", (1, 4, 5, 6, 9)),
    ],
)
def test_rows_count_from_1(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_rows(text) == numbers


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("layer 1, 0, 2", ("1", "", (0, 2))),
        ("layer 1 weights, 0, 2", ("1", "weights", (0, 2))),
        ("layer 1 weights[0, 2]", ("1", "weights", (0, 2))),
        ("layer 1 weights (0,2)", ("1", "weights", (0, 2))),
        ("layer 1, weights, 0, 2", ("1", "weights", (0, 2))),
        ("1, 0, 2", ("1", "", (0, 2))),
        ("layer 12 bias, 2", ("12", "bias", (2,))),
        ("layer 2.1, 0, -1", ("2.1", "", (0, -1))),
        ("layer 1 z 0 3", ("1", "z", (0, 3))),
        ("layer 3 running mean, 4", ("3", "running_mean", (4,))),
        ("layer 1", ("1", "", None)),
        ("layer 1 d_weights", ("1", "d_weights", None)),
        ("x, 0, 2", ("", "x", (0, 2))),
        ("loss", ("", "loss", None)),
    ],
)
def test_one_number_in_words(text: str, wanted: tuple[str, str, tuple[int, ...] | None]) -> None:
    assert parse_wanted(text) == Wanted(*wanted)


# --- rows of a table ------------------------------------------------------------------------


def test_the_row_as_a_person_knows_it_then_the_step(run: Run, models: dict[str, Path]) -> None:
    result = run("explain", models["species"], "--row", 3)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "\x1b" not in result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert re.search(r"^Row 3 of .*penguins.csv$", result.output, re.MULTILINE)
    assert ["2", "island", "=", "Torgersen", "yes", "1"] in lines
    assert ["3", "bill_length_mm", "40.3"] in [line[:3] for line in lines]
    assert "Outputs: ŷ[·, 0] Adelie, ŷ[·, 1] Chinstrap, ŷ[·, 2] Gentoo." in result.output
    parts = ["Feedforward: from x to ŷ", "Loss: how far", "Backprop: ", "Update: a step downhill"]
    places = [result.output.index(part) for part in parts]
    assert places == sorted(places)


def test_the_numbers_are_those_of_the_network(run: Run, models: dict[str, Path]) -> None:
    model, row = network_row(models, "species", 3)
    run("explain", models["species"], "--row", 3, "--output", "step.json")
    step = json.loads(Path("step.json").read_text("utf-8"))
    features = model.preprocessing.features(row).values
    assert step["arrays"]["x"]["values"] == pytest.approx(features.astype(np.float32), rel=1e-6)
    expected = model.network.explain(features, model.targets(row))
    assert step == json.loads(expected.to_json())


def test_what_stands_in_the_table_and_what_the_network_sees(
    run: Run, models: dict[str, Path]
) -> None:
    output = run("explain", models["species"], "--row", 4).output
    missing = next(line for line in output.splitlines() if " bill_length_mm  " in line)
    assert missing.split()[2] == "missing"
    assert re.search(r"bill_length_mm is missing +yes +1$", output, re.MULTILINE)


def test_a_number_is_told_in_its_own_unit(run: Run, models: dict[str, Path]) -> None:
    model, row = network_row(models, "body_mass_g", 3)
    output = run("explain", models["body_mass_g"], "--row", 3).output
    predicted = model.predict_numbers(model.preprocessing.features(row).values)[0]
    line = next(line.split() for line in output.splitlines() if line.split()[:2] == ["3", "3250.0"])
    assert float(line[2]) == pytest.approx(predicted, rel=1e-3)
    assert "The network learns (body_mass_g - " in output


def test_counts_are_only_divided(run: Run, penguins: Path) -> None:
    options = ["--target", "flipper_length_mm", "--loss", "poisson", "--epochs", 1, "--quiet"]
    assert run("train", penguins, *options, "--output", "counts").exit_code == 0
    assert "The network learns flipper_length_mm / 2" in run("explain", "counts").output


def test_several_rows_make_one_step(run: Run, models: dict[str, Path]) -> None:
    output = run("explain", models["species"], "--row", "1-3,5,6,7").output
    assert "Rows 1, 2, 3, 5, 6, 7 of" in output
    header = next(line for line in output.splitlines() if line.strip().startswith("i  input"))
    assert header.split()[2:5] == ["row", "1", "x[0,"]
    assert "row 6" not in header  # so many do not stand side by side
    assert "and 2 more rows" in output
    assert "on 6 samples" in output


def test_the_first_row_unless_another_is_named(run: Run, models: dict[str, Path]) -> None:
    assert step_in(run("explain", models["species"]).output) == step_in(
        run("explain", models["species"], "--row", 1).output
    )


def test_other_data_with_the_same_columns(
    run: Run, models: dict[str, Path], penguins: Path
) -> None:
    table = pd.read_csv(penguins, dtype=str, keep_default_na=False)
    table.iloc[[2]].drop(columns="species").to_csv("new.csv", index=False)
    wrong = run("explain", models["species"], "--data", "new.csv")
    assert wrong.exit_code == 1
    assert "new.csv has no column species" in wrong.stderr
    assert "--actual: one of Adelie, Chinstrap, Gentoo." in wrong.stderr
    first = run("explain", models["species"], "--data", "new.csv", "--actual", "Adelie").output
    third = run("explain", models["species"], "--row", 3).output
    assert step_in(first) == step_in(third)
    options = "--data new.csv --actual Adelie --html step.html"
    assert f"Every number on a page: chainrule explain {models['species']} {options}\n" in first


def test_what_is_right_can_be_said_instead(run: Run, models: dict[str, Path]) -> None:
    loss = {}
    for species in ("Adelie", "Gentoo"):
        run("explain", models["species"], "--actual", species, "--output", f"{species}.json")
        loss[species] = json.loads(Path(f"{species}.json").read_text("utf-8"))["loss"]
    assert loss["Gentoo"] > loss["Adelie"]


def test_a_category_that_training_never_saw_is_told(
    run: Run, models: dict[str, Path], penguins: Path
) -> None:
    table = pd.read_csv(penguins, dtype=str, keep_default_na=False).iloc[:2]
    table.assign(island="Atlantis").to_csv("far.csv", index=False)
    output = run("explain", models["species"], "--data", "far.csv").output
    assert "Note: 'island': 1 value ('Atlantis')" in output


def test_a_set_with_a_name(run: Run) -> None:
    assert run("train", "iris", "--epochs", 2, "--quiet").exit_code == 0
    output = run("explain", "chainrule-iris.safetensors", "--row", 150).output
    assert "Row 150 of iris" in output
    assert re.search(r"150 +virginica", output)


def test_signs_and_probabilities_of_two_classes(run: Run, penguins: Path) -> None:
    for loss, low in (("hinge", -1), ("binary_cross_entropy", 0)):
        options = ["--target", "sex", "--loss", loss, "--epochs", 1, "--output", loss, "--quiet"]
        assert run("train", penguins, *options).exit_code == 0
        output = run("explain", loss).output
        assert f"y is 1 for male and {low} for female." in output
        assert ("P(male)" in output) is (loss != "hinge")


# --- one number -----------------------------------------------------------------------------


def test_one_weight_with_its_gradient_and_update(run: Run, models: dict[str, Path]) -> None:
    model, row = network_row(models, "species", 3)
    explanation = model.network.explain(
        model.preprocessing.features(row).values, model.targets(row)
    )
    weight = explanation["layer 1"].weights[3, 7]
    output = run("explain", models["species"], "--row", 3, "--weight", "layer 1, 3, 7").output
    assert "Row 3 of" in output
    assert "Input 3 is bill_length_mm." in output
    assert f"W₁[3, 7] = {weight.value:.5g}" in output
    assert f"= {weight.gradient.value:.5g}" in output
    assert f"= {weight.updated.value:.5g}" in output
    for part in ("Its value", "Its gradient", "Its update", "Finite difference", "chain rule"):
        assert part in output
    # Adam's way to the new weight, each in its line, before the weight itself.
    lines = [line.split(" = ")[0].strip() for line in output.splitlines() if " = " in line]
    own = ["W̃₁[3, 7]", "G′_W₁[3, 7]", "m̂_W₁[3, 7]", "S′_W₁[3, 7]", "ŝ_W₁[3, 7]", "W′₁[3, 7]"]
    assert [line for line in lines if line in own] == own


@pytest.mark.parametrize(
    ("wanted", "title", "has_update"),
    [
        ("layer 1 weights[0, 2]", "W₁[0, 2]", True),
        ("layer 2, 3, 0", "W₂[3, 0]", True),
        ("layer 1 bias, -1", "b₁[3]", True),
        ("layer 1 z, 0, 3", "z₁[0, 3]", False),
        ("layer 1 d_z, 0, 3", "∂L/∂z₁[0, 3]", False),
        ("x, 0, 1", "x[0, 1]", False),
        ("output, 0, 0", "ŷ[0, 0]", False),
        ("loss", "L", False),
    ],
)
def test_any_number(run: Run, plain: Path, wanted: str, title: str, has_update: bool) -> None:
    result = run("explain", plain, "--data", "truth.csv", "--row", 2, "--weight", wanted)
    assert result.exit_code == 0, result.stderr
    assert result.output.startswith(f"{title}\n")
    assert "Its value" in result.output
    assert ("Its update" in result.output) is has_update
    has_gradient = wanted != "loss" and not title.startswith("∂")
    assert ("Its gradient" in result.output) is has_gradient
    assert ("Input 1 is b." in result.output) is (wanted == "x, 0, 1")


def test_an_array_and_a_layer(run: Run, plain: Path) -> None:
    data = ["--data", "truth.csv"]
    array = run("explain", plain, *data, "--weight", "layer 1 weights").output
    assert array.startswith("W₁\n")
    assert "W₁[2, 3] = " in array
    layer = run("explain", plain, *data, "--weight", "layer 2").output
    assert layer.startswith("Layer 2: Dense(1, activation='sigmoid')\n")
    assert "Backprop" in layer


def test_the_weights_of_a_layer_that_stands_twice(run: Run, folder: Path) -> None:
    shared = cr.Dense(3, "tanh")
    inside = cr.Residual(cr.Dense(3), cr.Dropout(0.2))
    net = cr.NeuralNetwork(shared, inside, shared, cr.Dense(1), inputs=3)
    saving.save(net, "twice.safetensors")
    (folder / "rows.csv").write_text("a,b,c,y\n1,2,3,4\n")
    options = ["--data", "rows.csv", "--weight"]
    first = run("explain", "twice.safetensors", *options, "layer 1, 0, 2").output
    again = run("explain", "twice.safetensors", *options, "layer 3, 0, 2").output
    assert first.startswith("W₁[0, 2]\n")
    assert again == first
    inner = run("explain", "twice.safetensors", *options, "layer 2.1, 0, 2").output
    assert inner.startswith("W₂.₁[0, 2]\n")
    dropped = run("explain", "twice.safetensors", *options, "layer 2.2, 0, 1")
    assert dropped.exit_code == 0, dropped.stderr  # learns nothing: what it gives
    assert "Its update" not in dropped.output


# --- images ---------------------------------------------------------------------------------


def test_an_image_of_the_folder_that_was_trained_on(
    run: Run, image_model: Path, images: Path
) -> None:
    result = run("explain", image_model, "--row", 9, "--html", "step.html")
    assert result.output == "Explanation: step.html\n"
    page = Path("step.html").read_text("utf-8")
    assert "Image 9 of" in page
    assert str(images / "down" / "0.png") in page  # class by class, by name
    assert "data:image/svg+xml;base64," in page
    output = run("explain", image_model, "--row", 9).output
    assert re.search(
        r" down +\w+ +0\.\d+", output
    )  # a long path before it goes on in the next line
    assert "pixels, grey]" in output
    assert "Outputs: ŷ[·, 0] across, ŷ[·, 1] down." in output


def test_one_image_needs_to_be_named(run: Run, image_model: Path, images: Path) -> None:
    image = images / "down" / "3.png"
    wrong = run("explain", image_model, "--data", image)
    assert wrong.exit_code == 1
    assert "Nothing says what the image" in wrong.stderr
    assert "--actual: one of across, down." in wrong.stderr
    told = run("explain", image_model, "--data", image, "--actual", "down")
    assert f"Image {image}\n" in told.output
    again = run("explain", image_model, "--row", 12)
    assert step_in(told.output) == step_in(again.output)


def test_images_of_a_set_with_a_name(run: Run) -> None:
    options = ["--model", "mlp", "--epochs", 1, "--limit", 40, "--quiet", "--output", "model"]
    assert run("train", "digits", *options).exit_code == 0
    result = run("explain", "model", "--row", "1,2", "--weight", "loss")
    assert result.exit_code == 0, result.stderr
    assert "Images 1, 2 of digits" in result.output
    assert "image 1, 8 x 8 pixels, grey" in result.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--row 17", "images/bars has 16 images. Expected a number from 1 to 16."),
        ("--data nope", "There is no file nope. Expected an image, or a folder of them."),
        ("--data iris", "was trained on images, and iris is a table"),
        ("--data rows.csv", "was trained on images, and rows.csv is a table"),
        ("--data empty", "The folder empty holds no images."),
        ("--data broken.png --actual down", "broken.png cannot be read as an image"),
        ("--data digits", "holds images of 8 x 8 pixels"),
        ("--data cats", "The network knows no class 'cat'; expected one of across, down."),
        ("--actual up", "The network knows no class 'up'; expected one of across, down."),
    ],
)
def test_wrong_images(
    run: Run, image_model: Path, folder: Path, options: str, sentence: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "cats" / "cat").mkdir(parents=True)
    Image.new("L", (6, 6)).save(folder / "cats" / "cat" / "tom.png")
    (folder / "broken.png").write_bytes(b"\x89PNG")
    (folder / "rows.csv").write_text("a\n1\n")
    result = run("explain", image_model, *options.split())
    assert result.exit_code == 1
    assert sentence.removeprefix("images/") in result.stderr
    assert result.stderr.startswith("Error: ")


# --- networks of one's own ------------------------------------------------------------------


def test_a_network_saved_in_python(run: Run, plain: Path) -> None:
    output = run("explain", plain, "--data", "truth.csv", "--row", "2,4").output
    lines = [line.split() for line in output.splitlines()]
    assert ["row", "a", "b", "c", "actual", "prediction"] in lines
    assert ["2", "0", "1", "1", "1"] in [line[:5] for line in lines]
    assert "on 2 samples, of a network of 21 parameters" in output
    assert "Note: A model file" not in output  # plain gradient descent remembers nothing


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("", "", "Name a CSV file of numbers with --data: 3 columns of inputs, then 1 actual"),
        ("a,b\n1,2\n", "--data rows.csv", "rows.csv has 2 columns; expected 3 columns of inputs"),
        ("a,b,c\n1,2,3\n", "--data rows.csv", "has no column of actual values"),
        ("a,b,c\n1,2,3\n", "--data rows.csv --actual yes", "--actual received 'yes'"),
        ("a,b,c,y\n1,two,3,4\n", "--data rows.csv", "Row 1 of rows.csv holds no number in 'b'"),
        ("a,b,c,y\n1,2,3,\n", "--data rows.csv", "Row 1 of rows.csv holds no number in 'y'"),
        ("a,b,c,y\n1,2,3,4\n", "--data rows.csv --actual nan", "no number in 'y'"),
        ("a,b,c,y\n1,2,3,4\n", "--data rows.csv --row 2", "rows.csv has 1 row."),
    ],
)
def test_wrong_numbers(
    run: Run, plain: Path, folder: Path, content: str, options: str, sentence: str
) -> None:
    (folder / "rows.csv").write_text(content)
    result = run("explain", plain, *options.split())
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_classes_by_their_number(run: Run, folder: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy", inputs=2)
    saving.save(net, "net.safetensors")
    (folder / "rows.csv").write_text("a,b,class\n1,2,2\n")
    assert run("explain", "net.safetensors", "--data", "rows.csv").exit_code == 0
    wrong = run("explain", "net.safetensors", "--data", "rows.csv", "--actual", "3")
    assert wrong.exit_code == 1
    assert "3" in wrong.stderr


def test_images_without_their_preparation(run: Run, folder: Path) -> None:
    net = cr.NeuralNetwork(cr.Flatten(), cr.Dense(2), inputs=(4, 4, 1))
    saving.save(net, "net.safetensors")
    result = run("explain", "net.safetensors", "--data", "rows.csv")
    assert result.exit_code == 1
    assert "Explain it in Python: net.explain(x, y)." in result.stderr


def test_one_row_is_too_few_for_batch_normalization(run: Run, folder: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(4), cr.Residual(cr.BatchNorm()), cr.Dense(1), inputs=2)
    saving.save(net, "net.safetensors")
    (folder / "rows.csv").write_text("a,b,y\n1,2,3\n2,1,0\n")
    one = run("explain", "net.safetensors", "--data", "rows.csv")
    assert one.exit_code == 0, one.stderr
    note = "which needs at least two, as --row 1-4"
    assert note in " ".join(one.output.split())
    two = run("explain", "net.safetensors", "--data", "rows.csv", "--row", "1,2")
    assert note not in " ".join(two.output.split())
    assert "not that of the prediction above" in " ".join(two.output.split())


# --- where it goes --------------------------------------------------------------------------


def test_files_of_every_form(run: Run, models: dict[str, Path], folder: Path) -> None:
    for name in ("a.md", "a.tex", "a.txt", "a.json"):
        result = run("explain", models["species"], "--row", 3, "--output", name)
        assert result.output == f"Explanation: {name}\n"
        assert (folder / name).stat().st_size > 1000
        assert name == "a.json" or "penguins" in (folder / name).read_text("utf-8")
    result = run("explain", models["species"], "--html", "a.html", "--plot", "a.svg")
    assert result.output == "Explanation: a.html\nPicture of the step: a.svg\n"
    assert "<svg" in (folder / "a.svg").read_text("utf-8")


def test_a_picture_beside_the_text(run: Run, plain: Path, folder: Path) -> None:
    output = run("explain", plain, "--data", "truth.csv", "--plot", "step.png").output
    assert "Picture of the step: step.png\n" in output
    assert (folder / "step.png").read_bytes().startswith(b"\x89PNG")


def test_help_says_how_rows_and_layers_count(run: Run) -> None:
    told = " ".join(run("explain", "--help").output.split())
    assert "counted from 1 as chainrule predict prints them" in told
    assert "Layers count from 1, indices from 0." in told


def test_the_equations_in_general(run: Run, plain: Path, folder: Path) -> None:
    output = run("explain", plain, "--general").output
    assert "z₁ = x W₁ + b₁   (batch, 4)" in output
    assert "∂L/∂W₁ = xᵀ ∂L/∂z₁" in output
    assert not re.search(r"\d\.\d{3}", output)  # no numbers
    assert run("explain", plain, "--general", "--html", "g.html").exit_code == 0
    assert "<math" in (folder / "g.html").read_text("utf-8")


def window(**_: object) -> Console:
    return Console(force_terminal=True, color_system=None, width=100)


def test_a_window_gets_an_overview_of_a_large_network(
    run: Run, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.cli.explain.console", window)
    output = run("explain", models["species"], "--row", 3).output
    assert "Row 3 of" in output
    assert "Layer by layer" in output
    assert re.search(r"│ 2 +Dense\(16, activation='relu'\) +1 x 16 .* 528 ", output)
    assert "from the loss back, and its update" in output
    assert len(output.splitlines()) < 100
    assert "--row 3 --html step.html" in output
    assert re.search(r'--row 3 --weight "layer 1, \d+, \d+"', output)


def test_a_window_gets_all_of_a_small_network(
    run: Run, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.cli.explain.console", window)
    output = run("explain", plain, "--data", "truth.csv").output
    assert "Layer by layer" not in output
    assert "Update: a step downhill" in output
    assert "W′₁[2, 3] = " in output


def test_the_overview_follows_the_weight_that_counts_most(
    run: Run, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.cli.explain.console", window)
    model, row = network_row(models, "species", 3)
    explanation = model.network.explain(
        model.preprocessing.features(row).values, model.targets(row)
    )
    sizes = np.abs(explanation["layer 1"].weights.gradient.values)
    place = np.unravel_index(sizes.argmax(), sizes.shape)
    output = run("explain", models["species"], "--row", 3).output
    assert f'--weight "layer 1, {place[0]}, {place[1]}"' in output
    norm = float(np.linalg.norm(explanation["layer 2"].output.values.astype(float)))
    assert f" {norm:.4g} " in output


def test_the_data_it_was_trained_on_are_gone(
    run: Run, models: dict[str, Path], folder: Path
) -> None:
    saved = saving.load(models["species"])
    extra = saved.extra
    extra["training"]["source"] = "gone.csv"
    saving.save(saved.network, "moved.safetensors", extra)
    result = run("explain", "moved.safetensors")
    assert result.exit_code == 1
    assert "was trained on gone.csv, and there is nothing of that name here." in result.stderr
    extra["training"] = "long ago"
    saving.save(saved.network, "silent.safetensors", extra)
    assert "does not say which data" in run("explain", "silent.safetensors").stderr


def test_many_inputs_and_many_classes(run: Run) -> None:
    assert run("train", "digits", "--epochs", 1, "--quiet", "--output", "digits").exit_code == 0
    output = run("explain", "digits", "--row", 2).output
    assert "and 20 more inputs" in output
    assert "its probability" in output
    assert "P(" not in output


def test_the_images_it_was_trained_on_are_gone(run: Run, image_model: Path) -> None:
    saved = saving.load(image_model)
    saved.extra["training"]["source"] = "gone"
    saving.save(saved.network, "moved.safetensors", saved.extra)
    result = run("explain", "moved.safetensors")
    assert result.exit_code == 1
    assert "was trained on gone, and there is nothing of that name here." in result.stderr


def test_an_index_is_of_whole_numbers(run: Run, plain: Path) -> None:
    result = run("explain", plain, "--data", "truth.csv", "--weight", "layer 1, -, 2")
    assert result.exit_code == 2
    assert "expected whole numbers for the index" in result.stderr


@pytest.mark.parametrize("optimizer", ["gradient_descent", "lbfgs"])
def test_the_overview_where_there_is_one_way_to_the_loss(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    net = cr.NeuralNetwork(cr.Dense(1, "sigmoid"), optimizer=optimizer, inputs=70)
    saving.save(net, "wide.safetensors")
    names = ",".join(f"x{number}" for number in range(70))
    (folder / "rows.csv").write_text(f"{names},y\n{','.join(['1'] * 70)},1\n")
    monkeypatch.setattr("chainrule.cli.explain.console", window)
    output = run("explain", "wide.safetensors", "--data", "rows.csv").output
    assert "this one counts most" not in output
    assert "∂L/∂W₁[0, 0] = ∂L/∂ŷ[0, 0] · ∂ŷ[0, 0]/∂z₁[0, 0] · ∂z₁[0, 0]/∂W₁[0, 0]" in output
    assert ("W′₁[0, 0] = " in output) is (optimizer != "lbfgs")
    assert "and 58 more inputs" in output


def test_a_network_that_learns_nothing(run: Run, folder: Path) -> None:
    net = cr.NeuralNetwork(cr.Tanh(), inputs=2)
    saving.save(net, "fixed.safetensors")
    (folder / "rows.csv").write_text("a,b,y,z\n1,2,3,4\n")
    result = run("explain", "fixed.safetensors", "--data", "rows.csv")
    assert result.exit_code == 0, result.stderr
    assert '--weight "layer 1"' in result.output


@pytest.mark.parametrize("option", ["--output", "--plot"])
def test_what_is_read_is_never_written_over(
    run: Run, image_model: Path, plain: Path, folder: Path, option: str
) -> None:
    suffix = ".txt" if option == "--output" else ".png"
    model, rows = folder / f"net{suffix}", folder / f"rows{suffix}"
    plain.rename(model)
    (folder / "truth.csv").rename(rows)
    for target in (model, rows):
        before = target.read_bytes()
        result = run("explain", model, "--data", rows, option, target)
        assert result.exit_code == 1
        assert f"{target} is a file to read; choose another name" in result.stderr
        assert target.read_bytes() == before
    image = Path(saving.load(image_model).extra["training"]["source"]) / "down" / "0.png"
    if option == "--plot":
        assert "is a file to read" in run("explain", image_model, option, image).stderr


def test_the_commands_of_the_readme(run: Run, models: dict[str, Path], folder: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    commands = re.findall(r"^chainrule ((?:explain|demo --explain).*)$", readme, re.MULTILINE)
    assert len(commands) == 3
    name = "chainrule-penguins-species.safetensors"
    (folder / name).write_bytes(models["species"].read_bytes())
    for command in commands:
        result = run(*shlex.split(command))
        assert result.exit_code == 0, f"{command}: {result.stderr}"
    assert (folder / "step.html").exists()
