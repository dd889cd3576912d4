from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

import chainrule as cr
from chainrule.cli import pictures

Run = Callable[..., Result]

# EVIDENCE of the reference run: the loss before and after so many iterations, the predictions.
REFERENCE = {
    0: ([1.2981, 0.7878, 0.0154, 0.0050], 0.0028, [0.01009, 0.97159, 0.97168, 0.03296]),
    1: ([1.3118, 0.9834, 0.0202, 0.0060], 0.00336, [0.00965, 0.96895, 0.96886, 0.03645]),
    42: ([1.2136, 0.9871, 0.0178, 0.0052], 0.00295, [0.01043, 0.97232, 0.97091, 0.03500]),
}


def tutorial_loop(seed: int) -> tuple[list[float], np.ndarray]:
    """The textbook's loop, as one types it."""
    X, y = cr.data.truth_table()
    target = y.reshape(-1, 1)
    random = np.random.RandomState(seed)
    first, second = random.rand(3, 4), random.rand(4, 1)
    losses = []
    for step in range(1501):
        hidden = 1 / (1 + np.exp(-(X @ first)))
        output = 1 / (1 + np.exp(-(hidden @ second)))
        if step == 1500:
            return losses, output.ravel()
        losses.append(float(((output - target) ** 2).sum()))
        d_output = 2 * (output - target) * output * (1 - output)
        d_hidden = d_output @ second.T * hidden * (1 - hidden)
        second -= hidden.T @ d_output
        first -= X.T @ d_hidden
    raise AssertionError


@pytest.mark.parametrize("seed", REFERENCE)
def test_no_bias_is_the_reference_run(run: Run, seed: int) -> None:
    result = json.loads(run("demo", "--seed", seed, "--no-bias", "--json").output)
    assert set(result) == {"losses", "predictions", "seconds"}
    losses, loss_after, predictions = REFERENCE[seed]
    assert len(result["losses"]) == 1500
    assert [result["losses"][i] for i in (0, 100, 500, 1000)] == pytest.approx(losses, abs=6e-5)
    assert result["predictions"] == pytest.approx(predictions, abs=1e-5)
    error = np.array(result["predictions"]) - [0, 1, 1, 0]
    assert error @ error == pytest.approx(loss_after, abs=6e-5)


@pytest.mark.parametrize("seed", [*REFERENCE, 67])
def test_every_iteration_is_the_tutorial_loops(run: Run, seed: int) -> None:
    result = json.loads(run("demo", "--seed", seed, "--no-bias", "--json").output)
    losses, predictions = tutorial_loop(seed)
    assert result["losses"] == pytest.approx(losses, abs=1e-12)
    assert result["predictions"] == pytest.approx(predictions, abs=1e-12)


def test_as_a_program_of_its_own() -> None:
    """The console script in a real process: one JSON object on stdout and nothing else."""
    script = Path(sys.executable).with_name("chainrule")
    command = [script, "demo", "--json", "--no-bias", "--seed", "0"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stderr == ""
    assert finished.stdout.count("\n") == 1
    result = json.loads(finished.stdout)
    assert result["predictions"] == pytest.approx(REFERENCE[0][2], abs=1e-5)
    assert 0 < result["seconds"] < 60


@pytest.mark.parametrize("seed", range(10))
def test_with_biases_it_learns_from_any_start(run: Run, seed: int) -> None:
    result = json.loads(run("demo", "--seed", seed, "--json").output)
    assert np.round(result["predictions"]).tolist() == [0, 1, 1, 0]
    assert (np.diff(result["losses"]) < 0).all()


def test_what_a_person_sees(run: Run, folder: Path) -> None:
    result = run("demo")
    assert result.exit_code == 0
    assert "What to learn" in result.output
    assert "Dense(4, activation='sigmoid')" in result.output
    assert "loss over iterations" in result.output
    assert "1.2357 before, 0.0017 after 1,500 iterations" in result.output
    picture = folder / "chainrule-demo-loss.png"
    assert f"Loss graph: {picture}\n" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "Prediction beside actual value" in result.output
    assert "0.97892     -0.02108" in result.output
    assert result.output.endswith("chainrule train FILE.csv --target COLUMN\n")
    assert "\x1b" not in result.output
    assert result.stderr == ""


def test_a_start_that_fails_says_so(run: Run) -> None:
    output = run("demo", "--no-bias", "--seed", 67).output
    assert "Not all rows came out right" in output
    assert "chainrule demo --seed 68" in output


def test_other_settings(run: Run, folder: Path) -> None:
    options = ["--iterations", 7, "--hidden", 3, "--learning-rate", 0.5, "--plot", "graph.svg"]
    result = json.loads(run("demo", "--json", *options).output)
    assert len(result["losses"]) == 7
    assert (folder / "graph.svg").read_text().startswith("<?xml")
    assert (
        "Dense(3, activation='sigmoid', use_bias=False)"
        in run("demo", "--no-bias", *options).output
    )
    assert run("demo", "--iterations", 1).exit_code == 0


def test_where_nothing_can_be_written_the_picture_goes_elsewhere(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise cr.InvalidSetting("read-only")

    monkeypatch.setattr(pictures, "check_writable", refuse)
    line = next(x for x in run("demo").output.splitlines() if x.startswith("Loss graph: "))
    picture = Path(line.removeprefix("Loss graph: "))
    assert picture.parent != folder
    assert picture.exists()
    picture.unlink()
    picture.parent.rmdir()


def test_many_seeds_tell_who_learned(run: Run, folder: Path) -> None:
    result = run("demo", "--no-bias", "--seeds", "70", "--plot", "curves.png")
    assert "69 of 70 networks learned the table in 1,500 iterations" in result.output
    assert "Not from seed 67" in result.output
    assert "chainrule demo --no-bias --seed 67" in result.output
    assert (folder / "curves.png").stat().st_size > 10_000


def test_many_seeds_as_json(run: Run) -> None:
    found = json.loads(run("demo", "--seeds", "3", "--iterations", "20", "--json").stdout)
    assert found["networks"] == 3
    assert found["learned"] + len(found["failed_seeds"]) == 3
    assert len(found["last_losses"]) == 3


# --- the first step, explained --------------------------------------------------------------


def test_explain_shows_every_number_of_the_first_step(run: Run) -> None:
    result = run("demo", "--explain")
    assert result.exit_code == 0
    assert result.stderr == ""
    output = result.output
    parts = [
        "Row 2 of the truth table: x = (0, 1, 1), and y = 1 is right.",
        "Feedforward: from x to ŷ",
        "Loss: how far ŷ is from y",
        "Backprop: the derivative of the loss, back to x",
        "Update: a step downhill",
        "What training makes of it",
        "Next",
    ]
    places = [output.index(part) for part in parts]
    assert places == sorted(places)
    assert "After 1,500 such steps on all four rows together the loss is 0.0017" in output
    assert "right is 0, 1, 1, 0. Learned." in output
    # 12 + 4 weights and 4 + 1 biases: each has its line of the gradient and of the update.
    for symbol in ("∂L/∂W₁[", "W′₁[", "∂L/∂W₂[", "W′₂[", "∂L/∂b₁[", "b′₁["):
        many = {"W₁": 12, "W′₁": 12}.get(symbol.removeprefix("∂L/∂")[:-1], 4)
        own = {line.split(" = ")[0] for line in output.splitlines() if f" {symbol}" in line[:12]}
        assert len(own) == many, symbol


def test_the_numbers_are_those_of_the_textbook(run: Run) -> None:
    """By hand, from the weights that the demo starts from."""
    X, y = cr.data.truth_table()
    first, second = cr.data.reference_weights(0, 4)
    hidden = 1 / (1 + np.exp(-X[1] @ first))
    output = 1 / (1 + np.exp(-hidden @ second))
    d_z2 = 2 * (output - y[1]) * output * (1 - output)
    d_z1 = d_z2 * second[:, 0] * hidden * (1 - hidden)
    shown = run("demo", "--explain", "--no-bias").output
    data = json.loads(run("demo", "--explain", "--no-bias", "--json").output)
    assert (data["format"], data["samples"]) == ("chainrule explanation", 1)
    arrays = {name: np.array(array["values"]) for name, array in data["arrays"].items()}
    assert arrays["x"].tolist() == [[0, 1, 1]]
    assert "bias1" not in arrays
    np.testing.assert_allclose(arrays["y_hat"], [output], rtol=1e-12)
    np.testing.assert_allclose(arrays["d_weights1"], np.outer(X[1], d_z1), rtol=1e-12)
    np.testing.assert_allclose(arrays["new_weights1"], first - np.outer(X[1], d_z1), rtol=1e-12)
    for value in (output[0], d_z2[0], *d_z1, data["loss"]):
        assert f"= {value:.5g}\n" in shown


def test_explain_goes_with_the_other_options(run: Run, folder: Path) -> None:
    options = ["--explain", "--hidden", 3, "--seed", 5, "--learning-rate", 0.25]
    output = run("demo", *options, "--iterations", 20, "--plot", "loss.png").output
    assert "Dense(3, activation='sigmoid')" in output
    assert "GradientDescent(learning_rate=0.25)" in output
    assert "After 20 such steps" in output
    assert "Not learned from this start." in output
    assert "Loss graph: loss.png" in output
    assert (folder / "loss.png").stat().st_size > 1000
    data = json.loads(run("demo", *options, "--json").output)
    assert data["settings"]["rate"] == 0.25
    assert data["arrays"]["weights1"]["shape"] == [3, 3]
    assert run("demo", *options).output != run("demo", "--explain", "--hidden", 3).output


def test_explain_writes_nothing_unless_asked(run: Run, folder: Path) -> None:
    run("demo", "--explain")
    assert list(folder.iterdir()) == []


def test_explain_loads_nothing_slow() -> None:
    """It is to answer within a second: no pictures, tables, formulas of SymPy or compilers."""
    program = (
        "import sys; sys.argv = ['chainrule', 'demo', '--explain']; from chainrule import cli\n"
        "try: cli.main()\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "What training makes of it" in finished.stdout
    slow = {"matplotlib", "pandas", "sklearn", "scipy", "sympy", "numba", "plotext", "PIL"}
    assert not slow & set(finished.stderr.split())
