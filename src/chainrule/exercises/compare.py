"""Finds out what is wrong with a learner's answers.

First the usual mistakes of the exercise: each is a function, and the one that gives the learner's
numbers on every input is what they wrote. Then what can happen anywhere: a sign, a factor, a
transpose, a missing axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake, Problem
from chainrule.exercises.numbers import factor, is_constant, same, worst_place
from chainrule.exercises.sandbox import Answer
from chainrule.exercises.troubles import told
from chainrule.layer import Array

_RAISES = object()  # stands for the result of a mistake that ends in an exception


@dataclass(frozen=True)
class Found:
    """The result of a comparison.

    Attributes
    ----------
    problems : list of Problem
        Empty where everything is right.
    right : list of str
        Outputs that are right.
    """

    problems: list[Problem]
    right: list[str]


def compare(exercise: Exercise, cases: Sequence[Case], answers: Sequence[Answer]) -> Found:
    """Compare a learner's answers with the truth."""
    for answer in answers:
        if answer.failure is not None:
            return Found([_of_exception(exercise, cases, answers)], [])
        if answer.kind:
            message = f"{exercise.function} returns {answer.kind}. Expected: {_expected(exercise)}."
            return Found([Problem("wrong_kind", message)], [])
        if answer.value is None:
            message = f"{exercise.function} returns nothing. Is there a return at its end?"
            return Found([Problem("nothing_returned", message)], [])
    if exercise.judge is not None:
        problem = exercise.judge(cases, answers)
        return Found([problem] if problem else [], [] if problem else list(exercise.outputs))
    truths = [exercise.split(exercise.truth(*case)) for case in cases]
    found = [outputs_of(exercise, answer.value) for answer in answers]
    for values in found:
        if values is None:
            count = len(exercise.outputs)
            message = f"{exercise.function} should return {count} things: {_expected(exercise)}."
            return Found([Problem("wrong_number_of_results", message)], [])
    learner = [
        [_like(v, t) for v, t in zip(vs or [], ts, strict=True)]
        for vs, ts in zip(found, truths, strict=True)
    ]
    return _compare(exercise, cases, learner, truths)


def _compare(
    exercise: Exercise, cases: Sequence[Case], learner: list[list[Any]], truths: list[list[Any]]
) -> Found:
    names = exercise.outputs
    wrong = [
        place
        for place in range(len(names))
        if not all(same(l[place], t[place]) for l, t in zip(learner, truths, strict=True))
    ]
    variants = [(mistake, _results(exercise, mistake, cases)) for mistake in exercise.mistakes]
    problems: list[Problem] = []
    left = list(wrong)
    while left:
        problem, explained = _explain(exercise, cases, learner, truths, variants, left)
        problems.append(problem)
        left = [place for place in left if place not in explained]
    return Found(problems, [name for place, name in enumerate(names) if place not in wrong])


def _explain(
    exercise: Exercise,
    cases: Sequence[Case],
    learner: list[list[Any]],
    truths: list[list[Any]],
    variants: list[tuple[Mistake, list[Any]]],
    left: list[int],
) -> tuple[Problem, list[int]]:
    """Find one problem, and the outputs that it explains."""
    best: tuple[Mistake, list[int]] | None = None
    for mistake, results in variants:
        explained = [
            place
            for place in left
            if all(result is not _RAISES for result in results)
            and _is_wrong([result[place] for result in results], [t[place] for t in truths])
            and all(same(l[place], r[place]) for l, r in zip(learner, results, strict=True))
        ]
        if explained and (best is None or len(explained) > len(best[1])):
            best = mistake, explained
    if best is not None:
        mistake, explained = best
        outputs = " and ".join(exercise.outputs[place] for place in explained)
        return Problem(mistake.cause, mistake.message, outputs, mistake.at), explained
    place = left[0]
    name = exercise.outputs[place]
    found, expected = [l[place] for l in learner], [t[place] for t in truths]
    cause, message = (
        _simple(exercise, cases, found, expected)
        or _mistake_and_factor(variants, place, found, expected, cases)
        or ("unexplained", "It is none of the mistakes that this exercise knows by name.")
    )
    return Problem(cause, message, name), [place]


def _simple(
    exercise: Exercise, cases: Sequence[Case], found: list[Any], expected: list[Any]
) -> tuple[str, str] | None:
    """What can go wrong in any exercise."""
    if not all(isinstance(item, np.ndarray) for item in (*found, *expected)):
        return _of_lists(found, expected)
    for place, argument in enumerate(exercise.arguments):
        if all(same(value, case[place]) for value, case in zip(found, cases, strict=True)):
            return "argument_returned", f"This is {argument}, as it was given."
    if all(same(value, right.T) for value, right in zip(found, expected, strict=True)):
        return "transposed", "It is transposed: rows and columns have changed places."
    factors = factor(found, expected)
    if factors is not None:
        return _of_factor(factors, cases)
    for value, right in zip(found, expected, strict=True):
        if value.shape != right.shape:
            return _of_shape(value, right)
    if not any(value.any() for value in found):
        return "all_zero", "It is all zeros. Is the result ever put into it?"
    if not all(np.isfinite(value).all() for value in found):
        return "not_finite", (
            "It holds inf or NaN. Look for a division by zero, a logarithm or root of something "
            "negative, or an exponent that is too large."
        )
    right_ones = sum(same(v, e) for v, e in zip(found, expected, strict=True))
    if right_ones:
        return "sometimes_wrong", (
            f"It is right for {right_ones} of {len(found)} inputs and wrong for the others."
        )
    return None


def _of_lists(found: list[Any], expected: list[Any]) -> tuple[str, str]:
    """Lists of pairs, as mini-batches are."""
    for value, right in zip(found, expected, strict=True):
        if not isinstance(value, list):
            return "wrong_kind", "An array came back; a list of pairs is expected."
        if isinstance(right, list) and len(value) != len(right):
            return "wrong_count", f"There are {len(value)} items; expected {len(right)}."
    return "unexplained", "It is none of the mistakes that this exercise knows by name."


def _of_shape(value: Array, right: Array) -> tuple[str, str]:
    sizes = f"Its shape is {value.shape}; expected {right.shape}."
    if value.size == right.size and same(value.ravel(), right.ravel()):
        return "wrong_shape", f"The numbers are right, their arrangement is not. {sizes}"
    return "wrong_shape", sizes


def _of_factor(factors: list[float], cases: Sequence[Case]) -> tuple[str, str]:
    """All numbers of a case are the right ones times a factor."""
    if is_constant(factors):
        number = factors[0]
        if abs(number + 1) < 1e-5:
            return "sign", "The sign is turned: every number has the right size."
        turned = " and the sign is turned" if number < 0 else ""
        return "wrong_factor", f"Every number is {abs(number):.4g} times the right one{turned}."
    sizes = [len(case[0]) if np.ndim(case[0]) else 1 for case in cases]
    scaled = [number * size for number, size in zip(factors, sizes, strict=True)]
    if is_constant(scaled):
        also = "" if abs(scaled[0] - 1) < 1e-5 else f" (and multiplied by {scaled[0]:.4g})"
        return "mean_for_sum", f"It is divided by the number of samples{also}. Wanted is the sum."
    return "wrong_factor", (
        "The numbers are right but for a factor that changes from input to input: "
        f"{factors[0]:.4g} here, {factors[1]:.4g} there. Is something divided by a size, or "
        "counted more than once?"
    )


def _mistake_and_factor(
    variants: list[tuple[Mistake, list[Any]]],
    place: int,
    found: list[Any],
    expected: list[Any],
    cases: Sequence[Case],
) -> tuple[str, str] | None:
    """A usual mistake, and a sign or factor on top of it."""
    for mistake, results in variants:
        if any(result is _RAISES for result in results):
            continue
        values = [result[place] for result in results]
        if not all(isinstance(item, np.ndarray) for item in (*values, *found)):
            continue
        factors = factor(found, values) if _is_wrong(values, expected) else None
        if factors is not None:
            _, message = _of_factor(factors, cases)
            also = message.replace("the right one", "what that would give")
            return mistake.cause, f"{mistake.message} And there is a second thing. {also}"
    return None


def _of_exception(exercise: Exercise, cases: Sequence[Case], answers: Sequence[Answer]) -> Problem:
    """An exception: one of the usual mistakes, where shapes let it through only sometimes."""
    failure = next(answer.failure for answer in answers if answer.failure is not None)
    where = f" in line {failure.line}" if failure.line else ""
    said = f"{exercise.function} stops{where}. {told(failure)}"
    for mistake in exercise.mistakes:
        results = _results(exercise, mistake, cases)
        raised = [result is _RAISES for result in results]
        if (
            any(raised)
            and not all(raised)
            and all(
                (result is _RAISES) == (answer.failure is not None)
                and (result is _RAISES or same(outputs_of(exercise, answer.value), result))
                for result, answer in zip(results, answers, strict=True)
            )
        ):
            return Problem(mistake.cause, f"{mistake.message} ({said})")
    return Problem("raises", said)


def _results(exercise: Exercise, mistake: Mistake, cases: Sequence[Case]) -> list[Any]:
    """What a mistake gives in each case, as lists of outputs."""
    results: list[Any] = []
    for case in cases:
        try:
            with np.errstate(all="ignore"):
                outputs = exercise.split(mistake.answer(*case))
            results.append([o if isinstance(o, list) else np.asarray(o, float) for o in outputs])
        except (ValueError, IndexError, ZeroDivisionError):
            results.append(_RAISES)
    return results


def _expected(exercise: Exercise) -> str:
    if len(exercise.outputs) > 1:
        return " and ".join(exercise.outputs)
    return f"{exercise.outputs[0]}, in numbers"


def _is_wrong(values: list[Any], expected: list[Any]) -> bool:
    """Whether a mistake says something about an output, and something wrong."""
    says = any(not isinstance(value, np.ndarray) or np.isfinite(value).any() for value in values)
    return says and not all(same(v, e) for v, e in zip(values, expected, strict=True))


def outputs_of(exercise: Exercise, value: Any) -> list[Any] | None:
    """A learner's result as one item for each output; None where their number is another."""
    if len(exercise.outputs) == 1:
        return [value]
    if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim):
        return list(value) if len(value) == len(exercise.outputs) else None
    return None


def _like(value: Any, truth: Any) -> Any:
    """Nested lists of numbers are as good as an array."""
    if isinstance(value, list) and not isinstance(truth, list):
        try:
            return np.array(value, float)
        except (ValueError, TypeError):
            return value
    if isinstance(value, list):
        return (
            [_like(v, t) for v, t in zip(value, truth, strict=True)]
            if len(value) == len(truth)
            else value
        )
    return value


def example(found: Any, expected: Any, name: str) -> tuple[str, tuple[int, ...]] | None:
    """One number that is wrong, beside the right one, and its place."""
    if not isinstance(found, np.ndarray) or not isinstance(expected, np.ndarray):
        return None
    if found.shape != expected.shape or not found.size:
        return None
    place = worst_place(found, expected)
    index = f"[{', '.join(map(str, place))}]" if place else ""
    return f"{name}{index} is {found[place]:.6g} and should be {expected[place]:.6g}", place
