"""Is a repaired network right? Its step is compared with the gradient of its own loss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InvalidSetting
from chainrule.exercises.bugs.architecture import Architecture
from chainrule.exercises.bugs.hunt import Hunt, make
from chainrule.exercises.check import read_text
from chainrule.exercises.numbers import same
from chainrule.exercises.sandbox import SECONDS, Answer, Call, run
from chainrule.exercises.troubles import call_problem, read_problem, run_problem, told
from chainrule.exercises.verdict import Verdict
from chainrule.layer import Array
from chainrule.randomness import generator

_RATES = (0.03, 0.2)  # of the two steps that are looked at
_NUDGE = 1e-5
_ATTEMPTS = 50
_TOLERANCE = 1e-4  # of the largest number; a central difference of that nudge is far better


def check(path: Path, *, seconds: int = SECONDS) -> Verdict:
    """Check a file that was made by ``make`` and changed since.

    Raises
    ------
    UnreadableFile, InvalidSetting
    """
    text = read_text(path)
    hunt = make(seed_of(path, text))
    problem = read_problem(text)
    if problem is not None:
        return problem
    cases = [_case(hunt, number) for number in range(len(_RATES))]
    calls = [call for case in cases for call in _calls(*case)]
    ran = run(text, path, calls, adapter=hunt.draft.adapter, seconds=seconds)
    problem = run_problem(ran, seconds) or _failed(ran.answers)
    if problem is not None:
        return problem
    size = len(calls) // len(cases)
    pieces = [ran.answers[number * size : (number + 1) * size] for number in range(len(cases))]
    with np.errstate(all="ignore"):  # the learner's numbers may be anything
        return _judge(hunt, cases, pieces)


def seed_of(path: Path, text: str) -> int:
    """Find out which bug hunt a file is, by its first line or its name.

    Raises
    ------
    InvalidSetting
    """
    said = re.search(r"^\W*Bug hunt (\d{1,18}):", text) or re.search(r"^bug_(\d{1,18})$", path.stem)
    if said is None:
        raise InvalidSetting(
            f"Which bug hunt is {path}? Its first line should be as it was written: "
            '"""Bug hunt 3: ... Put it back, or write the file anew with chainrule exercise bug.'
        )
    return int(said[1])


Inputs = tuple[list[Array], Array, Array, float]


def _case(hunt: Hunt, number: int) -> Inputs:
    """Random parameters, samples and a learning rate, where finite differences can be trusted."""
    network = hunt.architecture
    for attempt in range(_ATTEMPTS):
        random = generator(hunt.seed, "check of a bug hunt", number, attempt)
        x = random.normal(size=(6, network.sizes[0]))
        parameters, y = network.parameters(random), network.targets(6, random)
        if _is_lively(network, parameters, x, y):
            break
    return parameters, x, y, _RATES[number]


def _is_lively(network: Architecture, parameters: list[Array], x: Array, y: Array) -> bool:
    """Whether every array has a gradient, without corners of ReLU and flat ends of sigmoids."""
    gradients, finer = (
        _slopes(
            parameters,
            [network.truth(nudged, x, y)[1] for nudged in _nudged(parameters, nudge)],
            nudge,
        )
        for nudge in (_NUDGE, _NUDGE / 3)
    )
    largest = [np.abs(gradient).max() for gradient in gradients]
    corners = any(
        np.abs(one - other).max() > _TOLERANCE / 10 * size
        for one, other, size in zip(gradients, finer, largest, strict=True)
    )
    y_hat, _ = network.truth(parameters, x, y)
    saturated = network.head != "linear" and (y_hat.min() < 1e-4 or y_hat.max() > 1 - 1e-4)
    return bool(min(largest) > 1e-3 * max(largest)) and not corners and not saturated


def _nudged(parameters: list[Array], nudge: float) -> Iterator[list[Array]]:
    """The parameters with each number in turn moved up and down."""
    for place, array in enumerate(parameters):
        for index in np.ndindex(array.shape):
            for direction in (1, -1):
                moved = [item.copy() for item in parameters]
                moved[place][index] += direction * nudge
                yield moved


def _slopes(parameters: list[Array], losses: Sequence[float], nudge: float) -> list[Array]:
    """Central differences, in the shapes of the parameters."""
    slopes = (np.array(losses[::2]) - np.array(losses[1::2])) / (2 * nudge)
    ends = np.cumsum([array.size for array in parameters])[:-1]
    pieces = np.split(slopes, ends)
    return [piece.reshape(p.shape) for piece, p in zip(pieces, parameters, strict=True)]


def _calls(parameters: list[Array], x: Array, y: Array, rate: float) -> list[Call]:
    """Predict, loss, step, and the loss with each parameter nudged up and down."""
    calls: list[Call] = [
        ("predict", (parameters, x, y)),
        ("loss", (parameters, x, y)),
        ("step", (parameters, x, y, rate)),
    ]
    return calls + [("loss", (nudged, x, y)) for nudged in _nudged(parameters, _NUDGE)]


def _failed(answers: Sequence[Answer]) -> Verdict | None:
    for answer in answers:
        failure = answer.failure
        if failure is None:
            continue
        problem = call_problem(failure)
        if problem is not None:
            return problem
        where = f" in line {failure.line}" if failure.line else ""
        also = (
            ""
            if failure.line
            else " Keep the functions, their arguments and what they return as they were."
        )
        return Verdict(
            "wrong", f"The network stops{where}: {told(failure)}{also}", "raises", failure.line
        )
    return None


def _judge(hunt: Hunt, cases: list[Inputs], pieces: list[Sequence[Answer]]) -> Verdict:
    names = hunt.draft.names
    ratios: list[list[float | None]] = []
    for (parameters, x, y, rate), answers in zip(cases, pieces, strict=True):
        y_hat, loss = hunt.architecture.truth(parameters, x, y)
        predicted, measured, stepped = (answer.value for answer in answers[:3])
        if not same(_array(predicted), y_hat):
            return Verdict(
                "wrong",
                "This is another network now: with the same weights it predicts something else "
                "than before. The forward pass was right from the beginning. Put it back.",
                "other_network",
            )
        if not same(_array(measured), np.asarray(loss)):
            return Verdict(
                "wrong",
                "The loss is another one now. It was right from the beginning. Put it back.",
                "other_loss",
            )
        steps = _steps(stepped, parameters)
        if steps is None:
            return Verdict(
                "wrong",
                "The step does not give back all weights and biases in their shapes.",
                "wrong_shape",
            )
        losses = [_number(answer.value) for answer in answers[3:]]
        gradients = _slopes(parameters, losses, _NUDGE)
        ratios.append([_ratio(s, g, rate) for s, g in zip(steps, gradients, strict=True)])
    together = list(zip(*ratios, strict=True))
    usual = _most_common(together)
    wrong = [n for n, pair in zip(names, together, strict=True) if not _agree(pair, usual)]
    if not wrong and usual is not None:
        scale = "" if abs(usual - 1) < _TOLERANCE else f" {usual:.4g} times"
        return Verdict(
            "correct",
            f"Found and mended. In every weight and bias the step is{scale} the learning rate "
            "times the gradient of the loss, as measured with finite differences, and downhill.",
        )
    right = [name for name in names if name not in wrong]
    good = f" Those of {', '.join(right)} do." if right else ""
    return Verdict(
        "wrong",
        f"Not right yet. The steps of {', '.join(wrong)} do not go down the gradient of the loss, "
        f"as measured with finite differences.{good}",
        "not_the_gradient",
    )


def _number(value: Any) -> float:
    """A loss as one number; NaN where it is none."""
    return float(value.sum()) if isinstance(value, np.ndarray) else float("nan")


def _array(value: Any) -> Any:
    try:
        return np.asarray(value, float)
    except (ValueError, TypeError):
        return None


def _steps(stepped: Any, parameters: list[Array]) -> list[Array] | None:
    """New minus old of each parameter, or None where shapes do not fit."""
    if not isinstance(stepped, list) or len(stepped) != len(parameters):
        return None
    new = [_array(value) for value in stepped]
    if any(n is None or n.shape != p.shape for n, p in zip(new, parameters, strict=True)):
        return None
    return [n - p for n, p in zip(new, parameters, strict=True)]


def _ratio(step: Array, gradient: Array, rate: float) -> float | None:
    """The constant c of step = -c · rate · gradient; None where there is no such constant."""
    constant = -float((step * gradient).sum() / (gradient * gradient).sum()) / rate
    off = np.abs(step + constant * rate * gradient).max()
    fits = bool(off <= _TOLERANCE * np.abs(rate * constant * gradient).max())
    return constant if fits and constant > 0 else None


def _agree(pair: Sequence[float | None], usual: float | None) -> bool:
    return usual is not None and all(
        ratio is not None and abs(ratio / usual - 1) < _TOLERANCE for ratio in pair
    )


def _most_common(together: list[tuple[float | None, ...]]) -> float | None:
    """The constant that most parameters share; of several the one nearest to 1."""
    known = [pair[0] for pair in together if pair[0] is not None and _agree(pair, pair[0])]
    if not known:
        return None
    return max(known, key=lambda c: (sum(_agree(p, c) for p in together), -abs(np.log(c))))
