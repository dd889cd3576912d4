"""Every exercise: the truth is true, right answers pass, wrong ones are told by their cause."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chainrule.errors import InvalidSetting, UnknownName
from chainrule.exercises import check
from chainrule.exercises.check import exercise_of
from chainrule.exercises.definitions import EXERCISES, named
from chainrule.exercises.exercise import Exercise
from chainrule.exercises.lines import gap_line
from chainrule.exercises.numbers import difference
from exercises.answers import RIGHT, WRONG, filled, write

NAMES = [
    "feedforward",
    "loss",
    "backprop",
    "update",
    "bias",
    "activation",
    "learning-rate",
    "mini-batches",
    "softmax",
    "convolution",
    "convolution-backward",
    "pooling",
    "dropout",
    "adam",
]


def slopes() -> Iterator[object]:
    for exercise in EXERCISES.values():
        for output in exercise.slopes:
            yield pytest.param(exercise, output, id=f"{exercise.name}-{output}")


def test_there_are_fourteen() -> None:
    assert list(EXERCISES) == NAMES
    assert list(RIGHT) == list(WRONG) == NAMES


@pytest.mark.parametrize(("exercise", "output"), list(slopes()))
def test_the_truth_agrees_with_finite_differences(exercise: Exercise, output: str) -> None:
    for case in exercise.cases(np.random.default_rng(1)):
        slope = exercise.slopes[output]
        gradient = exercise.split(exercise.truth(*case))[exercise.outputs.index(output)]
        for index in list(np.ndindex(gradient.shape))[:12]:
            measured = difference(slope.function, case, slope.argument, index)
            assert gradient[index] == pytest.approx(measured, rel=1e-5, abs=1e-7)


EXAMPLES = {  # the worked example at the top of each file: arguments, and what comes out
    "feedforward": (([[1, 2]], [[0.5], [-0.25]], [0.1]), [[0.524979]]),
    "loss": (([[0.5], [0.25]], [[1.0], [0.0]]), [0.3125, [[-1.0], [0.5]]]),
    "backprop": (
        ([[1.0]], [[1.0]], [[4.0]], [[0.5]], [[0.75]]),
        [[[-0.09375]], [[-0.046875]]],
    ),
    "update": (([[1.0, -2.0]], [[0.5, -1.0]], 0.1), [[0.95, -1.9]]),
    "bias": (([[0.5, 1.0], [0.25, -3.0]],), [0.75, -2.0]),
    "activation": (([[0.0, 1.0]], [[0.0, 0.761594]]), [[1.0, 0.419974]]),
    "learning-rate": ((25, 0.8, 0.5, 10), 0.2),
    "mini-batches": (
        ([[10.0], [11.0], [12.0]], [[0.0], [1.0], [2.0]], [2, 0, 1], 2),
        [[[[12], [10]], [[2], [0]]], [[[11]], [[1]]]],
    ),
    "softmax": (([[0.0, 0.0, 0.693147]],), [[0.25, 0.25, 0.5]]),
    "convolution": (
        ([[[[1.0], [2], [3]], [[4], [5], [6]]]], [[[[1.0]], [[0]]], [[[0]], [[2]]]], [10.0]),
        [[[[21.0], [24.0]]]],
    ),
    "convolution-backward": (
        ([[[[1.0], [2], [3]]]], [[[[10.0]], [[20]]]], [[[[1.0], [100]]]]),
        [[[[[201.0]], [[302.0]]]], [101.0], [[[[10.0], [1020], [2000]]]]],
    ),
    "pooling": (
        ([[[[1.0], [5], [2], [0]], [[3], [4], [6], [1]]]], [[[[10.0], [20]]]], 2),
        [[[[0], [10], [0], [0]], [[0], [0], [20], [0]]]],
    ),
    "adam": (([1.0], [0.5], [0.0], [0.0], 1), [[0.99], [0.05], [0.00025]]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_worked_examples_by_hand(name: str, tmp_path: Path) -> None:
    """The truth gives the example's numbers, and so does the file with its gap filled."""
    exercise, (given, expected) = EXERCISES[name], EXAMPLES[name]
    arguments = [np.array(item) if isinstance(item, list) else item for item in given]
    names: dict[str, object] = {"__name__": "learner"}
    exec(filled(name, RIGHT[name][0]), names)  # noqa: S102 - our own answer
    for function in (exercise.truth, names[exercise.function]):
        assert callable(function)
        found = function(*[np.array(a) if isinstance(a, np.ndarray) else a for a in arguments])
        if name == "mini-batches":
            assert [[part.tolist() for part in pair] for pair in found] == expected
            continue
        wanted = [expected] if len(exercise.outputs) == 1 else expected
        for one, other in zip(exercise.split(found), wanted, strict=True):
            # The backprop example gives y_hat and a1 that no weights W2 lead to from each other.
            if name == "backprop" and function is exercise.truth:
                continue
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_short_and_says_what_is_given_and_wanted(name: str) -> None:
    text = EXERCISES[name].text
    lines = text.splitlines()
    assert len(lines) <= 60
    assert all(len(line) <= 100 and line == line.rstrip() for line in lines)
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert docstring.startswith(f"Exercise {name}: ")
    for word in ("Given ", "Wanted ", "Example ", f"check {EXERCISES[name].file_name}"):
        assert word in docstring
    imported = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import)]
    assert [a.name for n in imported for a in n.names] == ["numpy"] * len(imported)
    assert "chainrule." not in text
    assert text.count("raise NotImplementedError  # the gap") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_file_runs_by_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = compile(filled(name, RIGHT[name][0]), name, "exec")
    exec(program, {"__name__": "__main__"})  # noqa: S102 - our own answer
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_hints_lead_on_and_do_not_begin_with_the_answer(name: str) -> None:
    hints = EXERCISES[name].hints
    assert 3 <= len(hints) <= 4
    answer = RIGHT[name][0]
    code = answer if isinstance(answer, str) else answer[0]
    for line in code.strip().splitlines():
        assert line.strip() not in " ".join(hints)


def right_answers() -> Iterator[object]:
    for name, answers in RIGHT.items():
        assert len(answers) >= 2
        for number, answer in enumerate(answers):
            yield pytest.param(name, answer, id=f"{name}-{number}")


@pytest.mark.parametrize(("name", "answer"), list(right_answers()))
def test_right_in_any_way_of_writing_it(
    name: str, answer: str | tuple[str, str], tmp_path: Path
) -> None:
    verdict = check(write(tmp_path, name, answer))
    assert verdict.verdict == "correct", verdict.message
    assert verdict.message.startswith("Right. ")
    assert verdict.exit_status == 0


def wrong_answers() -> Iterator[object]:
    for name, answers in WRONG.items():
        assert len(answers) >= 5
        for number, (cause, answer) in enumerate(answers):
            yield pytest.param(name, cause, answer, id=f"{name}-{cause}-{number}")


@pytest.mark.sweep(sample=30)
@pytest.mark.parametrize(("name", "cause", "answer"), list(wrong_answers()))
def test_wrong_answers_get_their_cause(
    name: str, cause: str, answer: str | tuple[str, str], tmp_path: Path
) -> None:
    path = write(tmp_path, name, answer)
    verdict = check(path, name)
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message
    assert verdict.exit_status == 1
    assert verdict.line is not None
    function = EXERCISES[name].function
    lines = path.read_text("utf-8").splitlines()
    start = next(n for n, line in enumerate(lines, 1) if line.startswith(f"def {function}("))
    assert start <= verdict.line
    assert "nan" not in verdict.message.split("For example")[0]


@pytest.mark.parametrize("name", NAMES)
def test_an_open_gap_is_no_mistake(name: str, tmp_path: Path) -> None:
    exercise = EXERCISES[name]
    path = tmp_path / exercise.file_name
    path.write_text(exercise.text, encoding="utf-8")
    verdict = check(path)
    assert (verdict.verdict, verdict.cause) == ("unchecked", "not_filled_in")
    assert verdict.line == gap_line(exercise.text, exercise.function)
    assert verdict.line is not None
    assert "raise NotImplementedError" in exercise.text.splitlines()[verdict.line - 1]


@pytest.mark.parametrize("left", ["...", "pass"])
def test_dots_are_an_open_gap_too(left: str, tmp_path: Path) -> None:
    assert check(write(tmp_path, "softmax", left)).cause == "not_filled_in"


def test_the_message_names_output_line_cause_and_one_number(tmp_path: Path) -> None:
    answer = (
        "d_z2 = 2 * (y_hat - y) * y_hat * (1 - y_hat)\n"
        "d_weights2 = a1.T @ d_z2\n"
        "d_z1 = d_z2 @ weights2.T\n"
        "d_weights1 = x.T @ d_z1"
    )
    verdict = check(write(tmp_path, "backprop", answer))
    first, example, right = verdict.message.splitlines()
    assert first.startswith("Not right yet: d_weights1 (line 43). The derivative of the sigmoid is")
    assert "in the hidden layer" in first
    assert example.startswith("For example, on input 1, d_weights1[")
    assert "and should be" in example
    assert right == "d_weights2 is right."
    assert verdict.line == 43  # d_z1, where the factor is missing


def test_the_line_is_the_first_that_a_mistake_spoils(tmp_path: Path) -> None:
    """In Adam, m without its factor 1 - beta1 spoils mean (line 35) and with it weights (39)."""
    answers = [answer for cause, answer in WRONG["adam"] if cause == "no_average"]
    verdict = check(write(tmp_path, "adam", answers[0]))
    assert verdict.message.startswith("Not right yet: weights and mean (line 35).")


def test_a_matrix_product_of_other_shapes_in_plain_words(tmp_path: Path) -> None:
    verdict = check(write(tmp_path, "feedforward", "return sigmoid(bias + weights @ weights @ x)"))
    assert verdict.cause == "raises"
    assert "rows of 2 numbers meet columns of 3" in verdict.message


def test_two_mistakes_in_two_outputs_are_both_told(tmp_path: Path) -> None:
    answer = "loss = np.mean((y_hat - y) ** 2)\nd_y_hat = y - y_hat"
    verdict = check(write(tmp_path, "loss", answer))
    assert verdict.message.count("Not right yet") == 2
    assert "mean over all numbers" in verdict.message
    assert "The factor 2 of the square is missing, and the sign is turned." in verdict.message


def test_a_sign_on_top_of_a_usual_mistake_is_told(tmp_path: Path) -> None:
    verdict = check(write(tmp_path, "bias", "return -d_z.mean(axis=0)"))
    assert verdict.cause == "mean_for_sum"
    assert "The sign is turned" in check(write(tmp_path, "activation", "return -a")).message


def test_gradients_are_measured_too(tmp_path: Path) -> None:
    answer = "loss = np.sum((y_hat - y) ** 2)\nd_y_hat = 2 * (y - y_hat)"
    message = check(write(tmp_path, "loss", answer)).message
    assert "measured with finite differences" in message


def test_which_exercise_a_file_is(tmp_path: Path) -> None:
    text = "def softmax(z):\n    return z\n"
    assert exercise_of(tmp_path / "mine.py", text).name == "softmax"
    assert exercise_of(tmp_path / "mini_batches.py", "").name == "mini-batches"
    assert exercise_of(tmp_path / "x.py", '"""Exercise adam: ..."""').name == "adam"
    with pytest.raises(InvalidSetting, match=r"check NAME .*mine\.py"):
        exercise_of(tmp_path / "mine.py", "")
    assert named("Mini_Batches").name == "mini-batches"
    with pytest.raises(UnknownName, match="Did you mean 'softmax'"):
        named("sofmax")
