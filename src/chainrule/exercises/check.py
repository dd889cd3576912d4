"""The whole check of an exercise: read, run, compare, say what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.exercises.compare import Found, compare, example, outputs_of
from chainrule.exercises.definitions import EXERCISES, named
from chainrule.exercises.exercise import Case, Exercise, Problem
from chainrule.exercises.lines import assigned_line, find_function, gap_line, is_empty, line_of
from chainrule.exercises.numbers import difference, same
from chainrule.exercises.sandbox import SECONDS, Answer, run
from chainrule.exercises.troubles import call_problem, read_problem, run_problem
from chainrule.exercises.verdict import Verdict
from chainrule.randomness import generator

_LARGEST_FILE = 2**20


def read_text(path: Path) -> str:
    """Read a learner's file.

    Raises
    ------
    UnreadableFile
        When it is absent, a folder, far too large, or not text.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UnreadableFile(f"{path} is larger than 1 MB; expected a small Python file.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path} is not text in UTF-8; expected a Python file.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableFile(f"{path} cannot be read: {reason}. Expected a Python file.") from error


def exercise_of(path: Path, text: str) -> Exercise:
    """Find out which exercise a file is: by its first line, its name, or its functions.

    Raises
    ------
    InvalidSetting
    """
    said = re.search(r"^\W*Exercise ([a-z-]+):", text)
    if said and said[1] in EXERCISES:
        return EXERCISES[said[1]]
    by_name = path.stem.replace("_", "-")
    if by_name in EXERCISES:
        return EXERCISES[by_name]
    for exercise in EXERCISES.values():
        if re.search(rf"^def {exercise.function}\(", text, re.MULTILINE):
            return exercise
    raise InvalidSetting(
        f"Which exercise is {path}? Say it: chainrule exercise check NAME {path}. "
        f"The names: {', '.join(EXERCISES)}."
    )


def check(path: Path, name: str | None = None, *, seconds: int = SECONDS) -> Verdict:
    """Check a learner's file.

    Parameters
    ----------
    path : Path
    name : str, optional
        The exercise; without it the file says so itself.
    seconds : int
        How long it may take.

    Raises
    ------
    UnreadableFile, UnknownName, InvalidSetting
    """
    text = read_text(path)
    exercise = named(name) if name is not None else exercise_of(path, text)
    problem = read_problem(text)
    if problem is not None:
        return problem
    cases = exercise.cases(generator(0, "exercise"))
    ran = run(text, path, [(exercise.function, case) for case in cases], seconds=seconds)
    problem = run_problem(ran, seconds) or _unanswered(exercise, text, ran.answers)
    if problem is not None:
        return problem
    with np.errstate(all="ignore"):  # the learner's numbers may be anything
        found = compare(exercise, cases, ran.answers)
        if found.problems:
            return _wrong(exercise, text, cases, ran.answers, found)
    if any(answer.changed for answer in ran.answers) and not exercise.may_change:
        return Verdict(
            "wrong",
            f"The numbers of {exercise.function} are right. But it changes the arrays that it is "
            "given, and whoever called it still needs them. Work on a new array.",
            "arguments_changed",
            line_of(text, exercise.function, 0, len(exercise.outputs)),
        )
    return Verdict("correct", _praise(exercise, cases))


def _unanswered(exercise: Exercise, text: str, answers: Sequence[Answer]) -> Verdict | None:
    name = exercise.function
    function = find_function(text, name)
    if any(answer.missing for answer in answers):
        return Verdict(
            "unchecked",
            f"The file has no function {name}. Write it as it was: "
            f"def {name}({', '.join(exercise.arguments)}).",
            "missing_function",
        )
    failures = [answer.failure for answer in answers]
    untouched = function is not None and is_empty(function)
    if untouched or any(f is not None and f.error == "NotImplementedError" for f in failures):
        line = gap_line(text, name)
        where = f" in line {line}" if line else ""
        return Verdict(
            "unchecked",
            f"The gap{where} is still open: {name} gives nothing yet.",
            "not_filled_in",
            line,
        )
    for failure in failures:
        problem = call_problem(failure) if failure is not None else None
        if problem is not None:
            return problem
    return None


def _praise(exercise: Exercise, cases: Sequence[Case]) -> str:
    agree = f"Right. {exercise.function} agrees with {exercise.source} of chainrule"
    if exercise.judge is not None:
        return f"{agree} in everything that was looked at, on {len(cases)} masks."
    also = " Finite differences say the same." if exercise.slopes else ""
    return f"{agree} on {len(cases)} inputs.{also}"


def _wrong(
    exercise: Exercise,
    text: str,
    cases: Sequence[Case],
    answers: Sequence[Answer],
    found: Found,
) -> Verdict:
    failure = next((answer.failure for answer in answers if answer.failure is not None), None)
    lines, sentences = [], []
    for problem in found.problems:
        place = _place(exercise, problem)
        line = failure.line if failure and failure.line else _line(exercise, text, problem)
        lines.append(line)
        where = f" (line {line})" if line else ""
        named = problem.output or exercise.function
        sentences.append(f"Not right yet: {named}{where}. {problem.message}")
        shown = None if failure else _example(exercise, cases, answers, place)
        if shown is not None:
            sentences.append(shown)
    if found.right:
        verb = "is" if len(found.right) == 1 else "are"
        sentences.append(f"{' and '.join(found.right)} {verb} right.")
    return Verdict("wrong", "\n".join(sentences), found.problems[0].cause, lines[0])


def _line(exercise: Exercise, text: str, problem: Problem) -> int | None:
    """Where the mistake is: the step that it names, or the first output that it spoils."""
    named = assigned_line(text, exercise.function, problem.at)
    if named is not None:
        return named
    count = len(exercise.outputs)
    outputs = [exercise.outputs.index(name) for name in problem.output.split(" and ") if name]
    lines = [line_of(text, exercise.function, output, count) for output in outputs or [0]]
    return min((line for line in lines if line is not None), default=None)


def _place(exercise: Exercise, problem: Problem) -> int:
    first = problem.output.partition(" and ")[0]
    return exercise.outputs.index(first) if first in exercise.outputs else 0


def _example(
    exercise: Exercise, cases: Sequence[Case], answers: Sequence[Answer], place: int
) -> str | None:
    """One wrong number beside the right one, with what finite differences say."""
    if exercise.judge is not None:
        return None
    for number, (case, answer) in enumerate(zip(cases, answers, strict=True), start=1):
        expected: Any = exercise.split(exercise.truth(*case))[place]
        values = outputs_of(exercise, answer.value)
        if values is None or isinstance(expected, list):
            return None
        value = values[place]
        if same(value, expected):
            continue
        name = exercise.outputs[place]
        shown = example(value, np.asarray(expected, float), name)
        if shown is None:
            return None
        sentence, index = shown
        slope = exercise.slopes.get(name)
        if slope is not None:
            measured = difference(slope.function, case, slope.argument, index)
            sentence += f" (measured with finite differences: {measured:.6g})"
        given = _small_arguments(exercise, case)
        return f"For example, on input {number}{given}, {sentence}."
    return None


def _small_arguments(exercise: Exercise, case: Case) -> str:
    """The arguments that are single numbers; arrays would fill the screen."""
    pairs = zip(exercise.arguments, case, strict=True)
    shown = [f"{name} = {value}" for name, value in pairs if isinstance(value, int | float)]
    return f" ({', '.join(shown)})" if shown else ""
