"""Calls a learner's network from outside, where the file itself trains nothing.

Classes and functions are tried with small random data, in the ways people lay them out:
``Net(x, y)`` with ``feedforward()`` and ``backprop()``; ``Net(3, 4, 1)`` or ``Net([3, 4, 1])`` with
``fit(X, y)``, ``train(X, y, epochs, lr)`` or ``forward(X)`` and ``backward(...)``; functions. An
attempt that raises an error is forgotten, the next one is tried.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from chainrule.checker.recorder import Recorder, SeenEnough

ROUNDS = 12
_ENOUGH_EVENTS = 60
_MEANINGS = (
    ("epochs", r"epoch|iter|round|steps|^n_?times|zyklen|durchl|repet|epoc"),
    ("rate", r"^lr$|rate|^eta$|^alpha$|learning|lern|tasa|taxa|taux"),
    ("batch", r"batch"),
    ("seed", r"seed|random_state"),
    ("sizes", r"sizes|layers|dims|shape|architect|topolog|structure|neurons$|schichten|capas"),
    ("hidden", r"hid|^n_?h$|^h$|verst|ocult|cach"),
    ("inputs", r"in_|_in$|^n_?in|input_(s|d|n)|n_input|num_input|n_feat|^d$|^n_x$|inputsize"),
    ("outputs", r"out_|_out$|^n_?out|output_(s|d|n)|n_output|num_output|n_class|^k$|^n_y$"),
    ("data", r"train(ing)?_(data|set)$|^train$|dataset"),
    ("y", r"^y|target|label|^t$|expected|desired|ziel|actual|truth|sortie|salida|d_out"),
    ("x", r"^x|input|data|feature|sample|eingabe|entrada|entree"),
)
_TRAINING = re.compile(r"fit|train|learn|sgd|lern|entren|treina|model|step|descent", re.I)
_FORWARD = re.compile(r"forward|predict|propag|feed|think|vorw", re.I)


def define(tree: ast.Module, filename: str, module: ModuleType) -> None:
    """Run the top of the file statement by statement; one that fails does not stop the others."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test):
            continue
        if isinstance(statement, ast.For | ast.While):
            continue
        block = ast.Module([statement], type_ignores=[])
        try:
            exec(compile(block, filename, "exec"), module.__dict__)  # noqa: S102 - what this is for
        except (Exception, SystemExit):  # noqa: BLE001, S112 - a plot, a missing file, input()
            continue


class Example:
    """Small data in the layout that is being tried.

    Parameters
    ----------
    layout : str
        How y is given: "column" (n, 1), "flat" (n,), "one-hot" (n, 3), "labels" (n,); with
        "columns " in front of it, samples stand in columns.
    """

    def __init__(self, layout: str, seed: int) -> None:
        random = np.random.default_rng(seed)
        samples, self.inputs, self.hidden = 5, 3, 4
        self.x = random.normal(size=(samples, self.inputs))
        kind = layout.removeprefix("columns ")
        self.outputs = 3 if kind in ("one-hot", "labels") else 1
        labels = np.array([0, 2, 1, 1, 0])
        self.y = {
            "column": (labels[:, None] > 0).astype(float),
            "flat": (labels > 0).astype(float),
            "one-hot": np.eye(3)[labels],
            "labels": labels,
        }[kind]
        if layout.startswith("columns "):
            self.x = self.x.T
            self.y = self.y.T if self.y.ndim == 2 else self.y[None, :]

    def argument(self, name: str, last: Any) -> Any:
        """What to pass for a parameter of this name."""
        for meaning, pattern in _MEANINGS:
            if re.search(pattern, name, re.I):
                return self._meant(meaning)
        return last

    def _meant(self, meaning: str) -> Any:
        return {
            "epochs": ROUNDS,
            "rate": 0.1,
            "batch": len(self.y),
            "seed": 0,
            "sizes": [self.inputs, self.hidden, self.outputs],
            "hidden": self.hidden,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "data": list(zip(self.x, self.y, strict=False)),
            "y": self.y.copy(),
            "x": self.x.copy(),
        }[meaning]


def drive(module: ModuleType, request: dict[str, Any], recorder: Recorder) -> None:
    """Try one way after the other until one runs through and computes something."""
    example = Example(request["layout"], request["seed"])
    for attempt in _attempts(module, example):
        recorder.forget()
        np.random.seed(request["seed"])  # noqa: NPY002 - the learner's program draws from it
        try:
            attempt()
        except SeenEnough:
            raise
        except (Exception, SystemExit):  # noqa: BLE001, S112 - the wrong way to call it
            continue
        if len(recorder.events) >= _ENOUGH_EVENTS:
            return
    recorder.forget()


def _train_new(cls: type, arguments: Any, example: Example) -> None:
    _train_object(cls(*arguments), example)


def _attempts(module: ModuleType, example: Example) -> Iterator[Callable[[], None]]:
    own = [v for v in vars(module).values() if getattr(v, "__module__", "") == "__main__"]
    classes = [value for value in own if isinstance(value, type)]
    for cls in reversed(classes):
        for arguments in _constructor_arguments(cls, example):
            yield partial(_train_new, cls, arguments, example)
    for function in own:
        if isinstance(function, FunctionType) and _TRAINING.search(function.__name__):
            yield partial(_call, function, example)
    for function in own:
        if isinstance(function, FunctionType) and function.__name__ == "main":
            yield function


def _constructor_arguments(cls: type, example: Example) -> Iterator[list[Any]]:
    e = example
    names = _required(cls)
    if names is None:
        return
    unknown = object()
    by_name = [e.argument(name, unknown) for name in names]
    if not any(value is unknown for value in by_name):
        yield by_name
    by_count: dict[int, list[list[Any]]] = {
        0: [[]],
        1: [[[e.inputs, e.hidden, e.outputs]], [e.inputs]],
        2: [[e.x.copy(), e.y.copy()], [e.inputs, e.hidden], [[e.inputs, e.hidden, e.outputs], 0.1]],
        3: [[e.inputs, e.hidden, e.outputs], [e.x.copy(), e.y.copy(), e.hidden]],
        4: [[e.inputs, e.hidden, e.outputs, 0.1]],
    }
    yield from by_count.get(len(names), [])


def _required(function: Callable[..., Any]) -> list[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]


def _methods(instance: Any) -> list[Callable[..., Any]]:
    names = [name for cls in type(instance).__mro__[:-1][::-1] for name in vars(cls)]
    found = [getattr(instance, name, None) for name in names if not name.startswith("_")]
    return [method for method in found if inspect.ismethod(method)]


def _train_object(instance: Any, example: Example) -> None:
    methods = _methods(instance)
    training = [
        method
        for method in methods
        if _TRAINING.search(method.__name__) and len(_required(method) or []) != 1
    ]
    whole = [
        method for method in training if len(_required(method) or []) >= 2 or len(training) == 1
    ]
    for method in whole:
        for _ in range(ROUNDS):
            _call(method, example)
        return
    last: Any = None
    for _ in range(ROUNDS):
        for method in sorted(methods, key=lambda m: not _FORWARD.search(m.__name__)):
            result = _call(method, example, last)
            last = last if result is None else result
    return


def _call(function: Callable[..., Any], example: Example, last: Any = None) -> Any:
    names = _required(function)
    if names is None:
        raise TypeError(function)
    return function(*[example.argument(name, last) for name in names])
