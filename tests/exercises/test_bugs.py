"""Bug hunts: each file is wrong, each mended one is right, and the same seed is the same file."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from chainrule.errors import InvalidSetting
from chainrule.exercises.bugs.architecture import Architecture
from chainrule.exercises.bugs.check import check, seed_of
from chainrule.exercises.bugs.hunt import STYLES, Hunt, make

SEEDS = range(50)


def written(folder: Path, hunt: Hunt, text: str) -> Path:
    path = folder / hunt.file_name
    path.write_text(text, encoding="utf-8")
    return path


def of_style(style: str) -> Hunt:
    return next(hunt for hunt in map(make, range(500)) if hunt.style == style)


def test_the_truth_by_hand() -> None:
    """One input of 1, weights 2 and 3, biases -2 and 0.5: z1 = 0, a1 = ½, z2 = 2, y = 1."""
    x, y = np.array([[1.0]]), np.array([[1.0]])
    parameters = [np.array([[2.0]]), np.array([-2.0]), np.array([[3.0]]), np.array([0.5])]
    y_hat, loss = Architecture((1, 1, 1), "sigmoid", "linear", 0, 0.1).truth(parameters, x, y)
    assert (y_hat, loss) == (2, 1)
    y_hat, loss = Architecture((1, 1, 1), "sigmoid", "squares", 0, 0.1).truth(parameters, x, y)
    assert y_hat == pytest.approx(1 / (1 + np.exp(-2)))
    assert loss == pytest.approx((1 - 1 / (1 + np.exp(-2))) ** 2)
    y_hat, loss = Architecture((1, 1, 1), "relu", "logistic", 0, 0.1).truth(parameters, x, y)
    assert loss == pytest.approx(-np.log(1 / (1 + np.exp(-0.5))))  # ReLU gives 0 here


@pytest.mark.sweep(sample=12)
@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_as_written_and_right_when_mended(seed: int, tmp_path: Path) -> None:
    hunt = make(seed)
    wrong = check(written(tmp_path, hunt, hunt.text))
    assert (wrong.verdict, wrong.cause) == ("wrong", "not_the_gradient"), wrong.message
    right = check(written(tmp_path, hunt, hunt.right_text))
    assert right.verdict == "correct", right.message
    assert right.exit_status == 0


def test_fifty_seeds_are_fifty_hunts_and_always_the_same() -> None:
    hunts = [make(seed) for seed in SEEDS]
    bugs = {(h.style, h.architecture.hidden, h.architecture.head, h.bug.wrong) for h in hunts}
    assert len(bugs) > 45  # two of 901 kinds can share their wording
    assert len({hunt.text for hunt in hunts}) == 50
    assert {hunt.style for hunt in hunts} == set(STYLES)
    assert len({hunt.architecture.hidden for hunt in hunts}) == 3
    assert len({hunt.architecture.head for hunt in hunts}) == 4
    assert [make(seed).text for seed in SEEDS] == [hunt.text for hunt in hunts]


@pytest.mark.parametrize("seed", [*range(0, 901, 60), 10**6, 10**12])
def test_one_line_differs_and_the_solution_tells_which(seed: int) -> None:
    hunt = make(seed)
    right, wrong = hunt.right_text.splitlines(), hunt.text.splitlines()
    differing = [n for n, (r, w) in enumerate(zip(right, wrong, strict=True), 1) if r != w]
    assert differing == [hunt.line]
    assert wrong[hunt.line - 1].strip() == hunt.bug.wrong
    assert hunt.solution.splitlines()[0] == f"Line {hunt.line}: {hunt.bug.wrong}"
    assert hunt.bug.right in hunt.solution
    assert hunt.bug.why in hunt.solution
    assert all(len(line) <= 100 for line in wrong)
    assert hunt.bug.why not in hunt.text
    ast.parse(hunt.text)


@pytest.mark.parametrize("style", STYLES)
def test_a_mended_network_trains(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = compile(of_style(style).right_text, style, "exec")
    exec(program, {"__name__": "__main__"})  # noqa: S102 - our own program
    losses = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert losses[-1] < losses[0]


def test_it_may_be_mended_in_any_way(tmp_path: Path) -> None:
    hunt = next(h for h in map(make, range(900)) if h.bug.right == '"bias1": d_z1.sum(axis=0),')
    other_way = hunt.text.replace(hunt.bug.wrong, '"bias1": np.ones(len(x)) @ d_z1,  # Σ')
    assert check(written(tmp_path, hunt, other_way)).verdict == "correct"


def test_a_learning_rate_of_another_size_is_no_mistake(tmp_path: Path) -> None:
    hunt = of_style("functions")
    text = hunt.right_text.replace("- learning_rate *", "- 0.5 * learning_rate *")
    verdict = check(written(tmp_path, hunt, text))
    assert verdict.verdict == "correct"
    assert "0.5 times the learning rate" in verdict.message


@pytest.mark.parametrize(
    ("cause", "old", "new"),
    [
        ("not_the_gradient", "- learning_rate * gradients", "+ learning_rate * gradients"),
        ("not_the_gradient", "- learning_rate * gradients", "- 0.1 * gradients"),
        ("not_the_gradient", "- learning_rate * gradients", "- 0 * gradients"),
        ("other_network", 'z1 = x @ parameters["weights1"]', 'z1 = x @ -parameters["weights1"]'),
        ("other_loss", "    return np.sum", "    return 0.5 * np.sum"),
        ("other_loss", "    return -np.sum", "    return -0.5 * np.sum"),
        ("raises", "def train_step", "def training_step"),
        ("raises", "def backprop(x, y, parameters):", "def backprop(x, y):"),
        ("syntax_error", "def backprop", "def def backprop"),
        ("exits", "def loss(x, y, parameters):", "def loss(x, y, parameters):\n    exit()"),
    ],
)
def test_what_is_not_mended(cause: str, old: str, new: str, tmp_path: Path) -> None:
    hunts = [h for h in map(make, range(500)) if h.style == "functions" and old in h.right_text]
    text = hunts[0].right_text.replace(old, new)
    verdict = check(written(tmp_path, hunts[0], text))
    assert verdict.cause == cause, verdict.message
    assert verdict.exit_status == (2 if cause in ("syntax_error", "exits") else 1)
    assert "Traceback" not in verdict.message


def test_a_loop_without_an_end(tmp_path: Path) -> None:
    hunt = of_style("functions")
    text = hunt.text.replace("def loss(", "while True:\n    pass\n\n\ndef loss(")
    verdict = check(written(tmp_path, hunt, text), seconds=2)
    assert (verdict.verdict, verdict.cause) == ("unchecked", "time_limit")


def test_which_hunt_a_file_is(tmp_path: Path) -> None:
    assert seed_of(tmp_path / "mine.py", make(7).text) == 7
    assert seed_of(tmp_path / "bug_12.py", "import numpy") == 12
    with pytest.raises(InvalidSetting, match="Which bug hunt"):
        seed_of(tmp_path / "mine.py", "import numpy")
    with pytest.raises(InvalidSetting, match="seed must be a whole number"):
        make(-1)
