from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from exercises.answers import RIGHT, WRONG, write
from typer.testing import Result

from chainrule.exercises.bugs.hunt import make
from chainrule.exercises.definitions import EXERCISES
from chainrule.exercises.hints import MEMORY

Run = Callable[..., Result]


def test_the_list_names_all(run: Run) -> None:
    result = run("exercise", "list")
    assert result.exit_code == 0
    for exercise in EXERCISES.values():
        assert exercise.name in result.output
        assert exercise.title in result.output


def test_start_writes_the_file_once(run: Run) -> None:
    result = run("exercise", "start", "mini-batches")
    assert result.exit_code == 0
    assert "chainrule exercise check mini_batches.py" in result.output
    path = Path("mini_batches.py")
    assert path.read_text("utf-8") == EXERCISES["mini-batches"].text
    path.write_text("my work")
    again = run("exercise", "start", "mini-batches")
    assert again.exit_code == 1
    assert "may hold your work" in again.stderr
    assert path.read_text() == "my work"
    assert run("exercise", "start", "mini-batches", "--output", "other.py").exit_code == 0
    assert run("exercise", "check", "other.py").exit_code == 2  # the gap is still open


def test_an_unknown_name(run: Run) -> None:
    result = run("exercise", "start", "sofmax")
    assert result.exit_code == 1
    assert "Did you mean 'softmax'?" in result.stderr
    assert not list(Path().iterdir())


def test_right_is_0_and_wrong_is_1(run: Run, folder: Path) -> None:
    path = write(folder, "bias", RIGHT["bias"][0])
    result = run("exercise", "check", path)
    assert result.exit_code == 0
    assert result.output.startswith("Right. bias_gradient agrees with the layer Dense")
    assert run("exercise", "check", "bias", path).exit_code == 0
    cause, answer = WRONG["bias"][0]
    result = run("exercise", "check", write(folder, "bias", answer), "--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert set(told) == {"verdict", "cause", "line", "message"}
    assert (told["verdict"], told["cause"], told["line"]) == ("wrong", cause, 25)
    assert "axis=0" not in told["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.py"], "cannot be read"),
        (["bias", "none.py"], "cannot be read"),
        (["nonsense", "bias.py"], "There is no exercise 'nonsense'"),
        (["one", "two", "three"], "Received 3 arguments"),
        (["empty.py"], "Which exercise is"),
    ],
)
def test_what_cannot_be_checked_is_2(
    arguments: list[str], said: str, run: Run, folder: Path
) -> None:
    (folder / "empty.py").touch()
    write(folder, "bias", RIGHT["bias"][0])
    result = run("exercise", "check", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    told = json.loads(run("exercise", "check", *arguments, "--json").output)
    assert (told["verdict"], told["line"]) == ("unchecked", None)


def test_hints_go_from_general_to_specific(run: Run, folder: Path) -> None:
    path = write(folder, "bias", "return d_z")
    other = folder / "other.py"
    other.write_text(path.read_text("utf-8"), encoding="utf-8")
    hints = EXERCISES["bias"].hints
    assert "Hint" not in run("exercise", "check", path).output
    for number in (1, 2, 3, 3):
        result = run("exercise", "check", path, "--hint")
        assert result.exit_code == 1
        assert f"Hint {number} of 3" in result.output
        assert hints[number - 1] in result.output
    assert "(the last one)" in result.output
    assert "Hint 1 of 3" in run("exercise", "check", other, "--hint").output
    assert (
        "Hint 2 of 3"
        in json.loads(run("exercise", "check", other, "--hint", "--json").output)["hint"]
    )
    write(folder, "bias", RIGHT["bias"][0])
    result = run("exercise", "check", path, "--hint")
    assert result.exit_code == 0
    assert "Hint" not in result.output
    write(folder, "bias", "return d_z")
    assert "Hint 1 of 3" in run("exercise", "check", path, "--hint").output


@pytest.mark.parametrize("remembered", ["{", "[]", '{"bias.py": "two"}', '{"bias.py": -4}', "\0"])
def test_a_damaged_memory_begins_again(remembered: str, run: Run, folder: Path) -> None:
    (folder / MEMORY).write_text(remembered)
    path = write(folder, "bias", "return d_z")
    assert "Hint 1 of 3" in run("exercise", "check", path, "--hint").output


def test_a_bug_hunt_from_beginning_to_end(run: Run, folder: Path) -> None:
    result = run("exercise", "bug", "--seed", "3")
    assert result.exit_code == 0
    assert "chainrule exercise bug check bug_3.py" in result.output
    path, hunt = folder / "bug_3.py", make(3)
    assert path.read_text("utf-8") == hunt.text
    wrong = run("exercise", "bug", "check", path)
    assert wrong.exit_code == 1
    assert wrong.output.startswith("Not right yet. The steps of ")
    solution = run("exercise", "bug", "--seed", "3", "--solution")
    assert solution.output.strip() == hunt.solution
    path.write_text(hunt.right_text, encoding="utf-8")
    assert run("exercise", "bug", "check", path).exit_code == 0
    told = json.loads(run("exercise", "bug", "check", path, "--json").output)
    assert (told["verdict"], told["cause"]) == ("correct", None)
    assert run("exercise", "bug", "--seed", "3").exit_code == 1  # it is there already
    assert run("exercise", "bug", "--seed", "3", "--output", "b.py").exit_code == 0
    assert run("exercise", "bug", "check", "b.py").exit_code == 1


def test_bug_hunts_called_wrongly(run: Run) -> None:
    result = run("exercise", "bug")
    assert result.exit_code == 1
    assert "Choose a number" in result.stderr
    assert run("exercise", "bug", "--seed", "-1").exit_code == 2
    assert run("exercise", "bug", "check", "none.py").exit_code == 2
    assert not list(Path().iterdir())
