"""``chainrule export``: the file gives what ``chainrule predict`` gives, from the raw columns."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx.reference import ReferenceEvaluator
from typer.testing import Result

import chainrule as cr
from chainrule import saving
from chainrule.data import bundled
from chainrule.data.columns import numbers, texts
from chainrule.layer import Array

Run = Callable[..., Result]


def feeds(path: Path, table: pd.DataFrame) -> dict[str, Array]:
    """Take the columns that a file asks for out of a table."""
    found = {}
    for entry in onnxruntime.InferenceSession(path).get_inputs():
        column = table[entry.name]
        if entry.type == "tensor(string)":
            values = texts(column).fillna("").to_numpy(dtype=object, copy=True)
        else:
            values = numbers(column).astype({"tensor(float)": "f4"}.get(entry.type, "f8"))
        found[entry.name] = values.reshape(-1, 1)
    return found


def outputs(path: Path, given: dict[str, Array]) -> list[dict[str, Any]]:
    """What onnxruntime and onnx's own evaluator make of it."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    names = [entry.name for entry in model.graph.output]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [
        dict(zip(names, session.run(None, given), strict=True)),
        dict(zip(names, ReferenceEvaluator(model).run(None, given), strict=True)),
    ]


def predicted(run: Run, model: Path, source: str | Path) -> pd.DataFrame:
    """What ``chainrule predict`` writes."""
    result = run("predict", model, source, "--output", "predicted.csv")
    assert result.exit_code == 0, result.output
    return pd.read_csv("predicted.csv")


def assert_the_same(found: dict[str, Any], expected: pd.DataFrame, target: str) -> None:
    column = expected[f"predicted_{target}"]
    if "variable" in found:
        assert found["variable"].shape == (len(expected), 1)
        np.testing.assert_allclose(found["variable"][:, 0], column, rtol=1e-5)
        return
    assert found["label"].tolist() == column.tolist()
    probabilities = expected.filter(like="probability_").to_numpy()
    np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", bundled.NAMES)
def test_the_bundled_tables(name: str, run: Run) -> None:
    target, model, path = bundled.TARGET, Path("m.safetensors"), Path("m.onnx")
    trained = ("train", name, "--target", target, "--epochs", "3", "--output", model)
    assert run(*trained, "--plot", "loss.png").exit_code == 0
    result = run("export", model)
    assert result.exit_code == 0, result.output
    table = bundled.load_table(name)
    columns = len(onnx.load(path).graph.input)
    assert f"ONNX, {columns} columns in, target out: m.onnx" in result.output
    for found in outputs(path, feeds(path, table)):
        assert_the_same(found, predicted(run, model, name), target)


@pytest.mark.parametrize("target", ["species", "body_mass_g"])
def test_categories_and_missing_values(
    target: str, run: Run, models: dict[str, Path], penguins: Path
) -> None:
    table = pd.read_csv(penguins, dtype=str, keep_default_na=False)
    table.loc[0, "island"] = "Atlantis"  # which was not there in training
    table.loc[1, "sex"] = ""
    table.loc[2, "bill_length_mm"] = "NA"
    table.loc[3, "flipper_length_mm"] = "inf"  # which counts as missing
    table.loc[4, ["island", "sex", "bill_length_mm", "year"]] = ""
    table.to_csv("odd.csv", index=False)
    path = Path("penguins.onnx")
    assert run("export", models[target], path).exit_code == 0
    given = feeds(path, table)
    kinds = {name: values.dtype.kind for name, values in given.items()}
    assert (kinds["island"], kinds["bill_length_mm"]) == ("O", "f")
    expected = predicted(run, models[target], "odd.csv")
    for found in outputs(path, given):
        assert_the_same(found, expected, target)
    given["flipper_length_mm"][3] = np.inf
    for text in ("?", "NULL", "nan"):  # other words for what is missing, as in a CSV file
        given["sex"][1] = text
        for found in outputs(path, given):
            assert_the_same(found, expected, target)


def test_what_the_inputs_say_of_themselves(run: Run) -> None:
    rows = [["when", "fuel", "doors", "price"]]
    random = np.random.default_rng(0)
    for row in range(60):
        kind = ("petrol", "diesel", "")[row % 3]
        day = f"2024-{row % 12 + 1:02}-{row % 28 + 1:02}"
        rows.append([day, kind, str(row % 4), f"{random.normal(20_000, 3000):.2f}"])
    with Path("cars.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    arguments = ("cars.csv", "--target", "price", "--category", "doors", "--epochs", "2")
    assert run("train", *arguments, "--output", "m.st", "--plot", "p.png").exit_code == 0
    assert run("export", "m.st").exit_code == 0
    graph = onnx.load("m.onnx").graph
    assert {entry.name: entry.doc_string for entry in graph.input} == {
        "when": "Days since 1970-01-01; NaN where one is missing.",
        "fuel": "Text without spaces around it; empty where it is missing.",
        "doors": "Text without spaces around it; empty where it is missing.",
    }
    assert graph.doc_string.startswith("3 columns -> price, float32, trained with the loss")
    table = pd.read_csv("cars.csv", dtype=str, keep_default_na=False)
    days = pd.to_datetime(table["when"]).to_numpy("M8[D]").astype(np.float32)
    given = feeds(Path("m.onnx"), table.assign(when=days))
    for found in outputs(Path("m.onnx"), given):
        assert_the_same(found, predicted(run, Path("m.st"), "cars.csv"), "price")


def test_numbers_that_float32_cannot_tell_apart(run: Run) -> None:
    """Values near 10⁹ that differ by tenths: float32 holds whole multiples of 64 there."""
    random = np.random.default_rng(0)
    x = 1e9 + random.normal(0, 0.3, 80)
    table = pd.DataFrame({"x": x, "z": random.normal(size=80), "y": 3 * (x - 1e9)})
    table.to_csv("far.csv", index=False)
    arguments = ("far.csv", "--target", "y", "--epochs", "5")
    assert run("train", *arguments, "--output", "m.st", "--plot", "p.png").exit_code == 0
    result = run("export", "m.st")
    assert "float32 rounds x by more than 1/10,000 of what" in result.stderr
    result = run("export", "m.st", "double.onnx", "--double")
    assert result.stderr == ""
    given = feeds(Path("double.onnx"), table)
    for found in outputs(Path("double.onnx"), given):
        assert found["variable"].dtype == np.float64
        assert_the_same(found, predicted(run, Path("m.st"), "far.csv"), "y")


def test_probabilities_as_maps(run: Run, models: dict[str, Path], penguins: Path) -> None:
    assert run("export", models["species"], "m.onnx", "--zipmap").exit_code == 0
    session = onnxruntime.InferenceSession("m.onnx")
    names = [entry.name for entry in session.get_outputs()]
    assert names == ["output_label", "output_probability"]
    given = feeds(Path("m.onnx"), pd.read_csv(penguins, dtype=str, keep_default_na=False))
    labels, maps = session.run(None, given)
    expected = predicted(run, models["species"], penguins)
    assert labels.tolist() == expected["predicted_species"].tolist()
    for name in ("Adelie", "Chinstrap", "Gentoo"):
        found = [row[name] for row in maps]
        np.testing.assert_allclose(found, expected[f"probability_{name}"], atol=1e-5)
    result = run("export", models["body_mass_g"], "m.onnx", "--zipmap")
    assert result.exit_code == 1
    assert "zipmap is for classes, and this network predicts numbers." in result.stderr


def test_two_classes_counts_and_signs(run: Run) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(90, 2))
    table = pd.DataFrame(x, columns=["label", "variable"])  # as outputs are called
    table["side"] = np.where(x[:, 0] + x[:, 1] > 0, "right", "left")
    table["number"] = random.poisson(np.exp(x[:, 0]))
    table.to_csv("t.csv", index=False)
    for target, other, loss, names in [
        ("side", "number", "sigmoid_cross_entropy", ["predicted_label", "probabilities"]),
        ("side", "number", "softmax_cross_entropy", ["predicted_label", "probabilities"]),
        ("side", "number", "hinge", ["predicted_label", "scores"]),
        ("number", "side", "poisson", ["predicted_variable"]),
    ]:
        arguments = ("t.csv", "--target", target, "--ignore", other, "--loss", loss)
        kept = ("--epochs", "4", "--output", "m.st", "--plot", "p.png")
        result = run("train", *arguments, *kept)
        assert result.exit_code == 0, result.output
        assert run("export", "m.st", "m.onnx").exit_code == 0
        expected = predicted(run, Path("m.st"), "t.csv")
        for found in outputs(Path("m.onnx"), feeds(Path("m.onnx"), table)):
            assert list(found) == names
            renamed = {name.removeprefix("predicted_"): value for name, value in found.items()}
            if "scores" in renamed:
                assert renamed["label"].tolist() == expected["predicted_side"].tolist()
            else:
                assert_the_same(renamed, expected, target)


def test_images_come_in_as_bytes(run: Run) -> None:
    net = cr.models.small_cnn(2, dropout=0.0, inputs=(6, 6, 1))
    images = {"classes": ["cat", "dog"], "size": [6, 6], "channels": 1, "scaling": "0 ... 1"}
    saving.save(net, "m.safetensors", {"images": images})
    result = run("export", "m.safetensors")
    assert result.output == "ONNX, bytes in, 2 classes out: m.onnx\n"
    pixels = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 1), dtype=np.uint8)
    for found in outputs(Path("m.onnx"), {"images": pixels}):
        np.testing.assert_allclose(found["probabilities"], net.predict(pixels), atol=1e-5)
        names = np.array(["cat", "dog"])[net.predict_classes(pixels)]
        assert found["label"].tolist() == names.tolist()


def test_a_network_alone(run: Run) -> None:
    net = cr.NeuralNetwork(cr.Dense(2), inputs=3)
    saving.save(net, "m.safetensors")
    assert run("export", "m.safetensors").output == "ONNX, x in, prediction out: m.onnx\n"
    x = np.ones((2, 3), np.float32)
    for found in outputs(Path("m.onnx"), {"x": x}):
        np.testing.assert_allclose(found["prediction"], net.predict(x), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["m.safetensors", "m.txt"], "m.txt cannot be written: expected a name that ends in .onnx"),
        (["m.safetensors", "none/m.onnx"], "there is no folder none"),
        (["m.safetensors"], "m.onnx is there already. Say where to write: FILE.onnx"),
        (["m.onnx", "m.onnx"], "m.onnx is the model itself; choose another name."),
        (["none.safetensors", "a.onnx"], "There is no model file none.safetensors."),
        (["m.safetensors", "a.onnx", "--double"], "was not trained on one"),
        (["m.safetensors", "a.onnx", "--zipmap"], "does not say what its outputs are called"),
    ],
)
def test_what_is_refused(arguments: list[str], told: str, run: Run) -> None:
    saving.save(cr.NeuralNetwork(cr.Dense(2), inputs=3), "m.safetensors")
    Path("m.onnx").write_bytes(Path("m.safetensors").read_bytes())
    result = run("export", *arguments)
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
    assert not Path("a.onnx").exists()
