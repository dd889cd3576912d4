from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

import chainrule as cr
from chainrule import saving

Run = Callable[..., Result]


@pytest.fixture
def model() -> Path:
    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1), inputs=3, engine="reference")
    return saving.save(net, Path("my-model.2.safetensors"))


def test_a_module_beside_the_model(run: Run, model: Path) -> None:
    result = run("eject", model)
    assert result.exit_code == 0
    path = Path("my_model_2.py")
    lines = len(path.read_text("utf-8").splitlines())
    assert result.output == f"{lines} lines of Python: my_model_2.py\n"
    x = np.ones((2, 3))
    twin = runpy.run_path(str(path))["NeuralNetwork"]()
    np.testing.assert_allclose(twin.predict(x), saving.load(model).network.predict(x), rtol=1e-5)


def test_what_is_there_already_is_replaced_only_when_named(run: Run, model: Path) -> None:
    path = Path("my_model_2.py")
    path.write_text("as it was")
    result = run("eject", model)
    assert result.exit_code == 1
    assert "my_model_2.py is there already. Say where to write: --output FILE.py" in result.stderr
    assert path.read_text() == "as it was"
    assert run("eject", model, "--output", path).exit_code == 0
    assert "class NeuralNetwork" in path.read_text("utf-8")


def test_a_name_that_begins_with_a_digit(run: Run, model: Path) -> None:
    run("eject", model.rename("2nd.safetensors"))
    assert Path("network_2nd.py").exists()


def test_a_model_for_a_table_says_what_its_inputs_are(run: Run, models: dict[str, Path]) -> None:
    result = run("eject", models["species"], "--output", "species.py")
    assert result.exit_code == 0
    assert "Its weights: species_numbers.npz" in result.output
    text = " ".join(Path("species.py").read_text("utf-8").split())
    assert "island = Biscoe; island = Dream;" in text
    assert "bill_length_mm (less 43." in text
    assert "It predicts species: 0 Adelie, 1 Chinstrap, 2 Gentoo." in text
    run("eject", models["body_mass_g"], "--output", "mass.py")
    text = " ".join(Path("mass.py").read_text("utf-8").split())
    assert "It predicts body_mass_g, less 4" in text


def test_a_model_for_images_says_which_classes_there_are(run: Run) -> None:
    net = cr.NeuralNetwork(cr.Flatten(), cr.Dense(2), inputs=(4, 4, 1), engine="reference",
                           loss="softmax_cross_entropy")  # fmt: skip
    images = {"classes": ["cat", "dog"], "size": [4, 4], "channels": 1, "scaling": "0 ... 1"}
    saving.save(net, "pets.safetensors", {"images": images})
    assert run("eject", "pets.safetensors").exit_code == 0
    assert "The classes: 0 cat, 1 dog." in " ".join(Path("pets.py").read_text("utf-8").split())


def test_what_is_wrong_is_told_in_a_sentence(run: Run, model: Path) -> None:
    result = run("eject", "absent.safetensors")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    result = run("eject", model, "--output", "net.txt")
    assert "net.txt cannot be written: expected a name that ends in .py." in result.stderr
    net = cr.NeuralNetwork(cr.Dense(1), inputs=2, optimizer="lbfgs")
    saving.save(net, "lbfgs.safetensors")
    result = run("eject", "lbfgs.safetensors")
    assert result.exit_code == 1
    assert "The optimizer LBFGS() cannot be ejected" in result.stderr
    assert not Path("lbfgs.py").exists()
