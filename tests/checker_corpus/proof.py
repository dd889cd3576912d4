"""Run a case and compare one step of it with the gradient by complex steps: no checker helps."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from checker_corpus.corpus import case_of, code_of
from checker_corpus.templates import Edit, Style, fill

Array = np.ndarray[Any, np.dtype[Any]]

STEP = 1e-30  # along the imaginary axis
PARALLEL = 1e-7  # how far a right update may leave the direction of the gradient, relatively
ASIDE = 1e-4  # how far a wrong one does at least


@dataclass
class Run:
    """What a program left behind: its variables, what it printed, what went wrong."""

    variables: dict[str, Any]
    printed: str
    overflowed: bool
    error: Exception | None


def run(style: Style, knobs: dict[str, str], *edits: Edit) -> Run:
    """Run the program of a style as a script, with every warning kept from the tests."""
    mistaken = Edit("", {}, [h for e in edits for h in e.hunks]) if edits else None
    code = code_of(case_of(style, style.name, knobs, mistaken))
    code = "\n".join("pass" if line.startswith("%") else line for line in code.split("\n"))
    variables: dict[str, Any] = {"__name__": "__main__"}
    wanted = style.head.get("locals")

    def keep_locals(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code.co_name == wanted:
            variables.update(frame.f_locals)

    printed = io.StringIO()
    error = None
    arguments, sys.argv = sys.argv, ["network.py"]
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            if wanted:
                sys.setprofile(keep_locals)
            exec(compile(code, f"<{style.name}>", "exec"), variables)  # noqa: S102 - that is the test
        except Exception as wrong:  # noqa: BLE001 - whatever a mistake leads to is a result here
            error = wrong
        finally:
            if wanted:
                sys.setprofile(None)
            sys.argv = arguments
    overflowed = isinstance(error, OverflowError) or any(
        "overflow" in str(w.message) for w in caught
    )
    return Run(variables, printed.getvalue(), overflowed, error)


def parameters(style: Style, knobs: dict[str, str], ran: Run) -> list[Array | None]:
    """Return weights and bias of each layer as the program left them."""
    return [
        None if value is None else np.array(value, dtype=float)
        for value in _values(style, knobs, ran, "parameters")
    ]


def _values(style: Style, knobs: dict[str, str], ran: Run, key: str) -> list[Any]:
    scope = {**ran.variables, "np": np}
    expressions = fill(style.head.get(key, "0.0"), knobs).split(" ; ")
    return [eval(expression, scope) for expression in expressions]  # noqa: S307 - our own file


class Reference:
    """The network that a style means to be, and the gradient of its loss.

    The gradient is taken by complex steps, ∂L/∂w = Im L(w + ih) / h (Squire and Trapp, 1998): exact
    to the last digits, and never across the kink of a ReLU, as a difference may be.
    """

    def __init__(self, style: Style, knobs: dict[str, str], ran: Run) -> None:
        x, y = _values(style, knobs, ran, "data")
        self.x = np.array(x, dtype=float)
        self.y = np.array(y, dtype=float).reshape(len(self.x), -1)
        self.activations = fill(style.head["activations"], knobs).split()
        self.loss_name = fill(style.head["loss"], knobs)
        self.out_in = style.head.get("weights") == "out_in"
        self.penalty = float(_values(style, knobs, ran, "penalty")[0])

    def loss(self, values: Sequence[Array | None]) -> float:
        """Sum over the batch, plus penalty x the sum of squared weights."""
        return float(self._loss(values).real)

    def _loss(self, values: Sequence[Array | None]) -> Any:
        a: Array = self.x
        squares = 0.0
        layers = zip(self.activations, values[::2], values[1::2], strict=True)
        for activation, weights, bias in layers:
            assert weights is not None
            matrix = self._matrix(weights, a.shape[1])
            squares += (matrix**2).sum()
            a = _activate(activation, a @ matrix + (0.0 if bias is None else bias.reshape(-1)))
        return _loss(self.loss_name, a, self.y) + self.penalty * squares

    def _matrix(self, weights: Array, inputs: int) -> Array:
        """Weights as (inputs, outputs)."""
        return weights.reshape(-1, inputs).T if self.out_in else weights.reshape(inputs, -1)

    def first_layer(self, values: Sequence[Array | None]) -> tuple[Array, str]:
        """Return the activations of the first hidden layer, and which activation that is."""
        weights, bias = values[:2]
        assert weights is not None
        matrix = self._matrix(weights, self.x.shape[1])
        z = self.x @ matrix + (0.0 if bias is None else bias.reshape(-1))
        return _activate(self.activations[0], np.clip(z, -500, 500)), self.activations[0]

    def gradient(self, values: Sequence[Array | None]) -> Array:
        """Return all derivatives of the loss, one after the other."""
        complex_values = [None if value is None else value.astype(complex) for value in values]
        gradient = []
        for value in complex_values:
            flat = np.empty(0) if value is None else value.reshape(-1)  # a view
            for i in range(len(flat)):
                flat[i] += 1j * STEP
                gradient.append(self._loss(complex_values).imag / STEP)
                flat[i] = flat[i].real
        return np.array(gradient)


def _activate(name: str, z: Array) -> Array:
    if name == "sigmoid":
        return 1 / (1 + np.exp(-z))
    if name == "softmax":
        powers = np.exp(z - z.real.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    slope = {"relu": 0.0, "leaky_relu": 0.01, "linear": 1.0, "tanh": None}[name]
    return np.tanh(z) if slope is None else np.where(z.real > 0, z, slope * z)


def _loss(name: str, a: Array, y: Array) -> Any:
    if name == "squared":
        return ((a - y) ** 2).sum()
    if name == "binary":
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum()
    assert name == "cross_entropy", name
    return -(y * np.log(a)).sum()


def one_step(style: Style, knobs: dict[str, str], *edits: Edit) -> tuple[Run, Array | None, Array]:
    """Make one step: the run, the update (None if shapes changed), the gradient before it."""
    # An untrained program may fail where it reports: what it reports on was never computed.
    edits = (*edits, style.proof)
    before = run(style, {**knobs, "iterations": "0"}, *edits)
    old = parameters(style, knobs, before)
    after = run(style, {**knobs, "iterations": "1"}, *edits)
    gradient = Reference(style, knobs, before).gradient(old)
    if after.error is not None:
        return after, None, gradient
    new = parameters(style, knobs, after)
    if any(
        a is not None and b is not None and a.shape != b.shape
        for a, b in zip(old, new, strict=True)
    ):
        return after, None, gradient
    return after, flat(new) - flat(old), gradient


def whole_epoch(style: Style, knobs: dict[str, str], *edits: Edit) -> Array:
    """Return what one epoch over all samples changes."""
    runs = [run(style, {**knobs, "iterations": count}, *edits) for count in ("0", "1")]
    before, after = (flat(parameters(style, knobs, ran)) for ran in runs)
    return after - before


def flat(values: list[Array | None]) -> Array:
    """Put all numbers one after the other."""
    return np.concatenate([value.reshape(-1) for value in values if value is not None])


def departure(update: Array, gradient: Array) -> float:
    """How far an update leaves the way straight downhill: 0 for -c x gradient, up to infinity."""
    if not np.isfinite(update).all() or not update.any() or update @ gradient >= 0:
        return np.inf
    along = (update @ gradient) / (gradient @ gradient) * gradient
    return float(np.linalg.norm(update - along) / np.linalg.norm(update))


def is_notebook(source: str) -> bool:
    """Whether a file's text is a notebook's JSON."""
    with contextlib.suppress(json.JSONDecodeError):
        return "cells" in json.loads(source)
    return False
