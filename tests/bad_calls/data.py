"""Inputs, actual values and weights that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

import chainrule as cr
from bad_calls.call import (
    LABELS,
    NUMBERS,
    ROWS,
    BadCall,
    X,
    bad,
    classifier,
    one_layer,
    regressor,
    unbuilt,
)

Door = Callable[[cr.NeuralNetwork, Any, Any], object]


def put(value: Any, array: Any = X, place: Any = (1, 0)) -> Any:
    """Return the array with one number replaced."""
    changed = np.array(array, dtype=float)
    changed[place] = value
    return changed


def back(net: cr.NeuralNetwork, x: Any, y: Any) -> object:
    trace = net.new_trace()
    net.feedforward(x, trace)
    return net.backprop(y, trace)


# --- x ---------------------------------------------------------------------------------------

BAD_X: list[tuple[str, Any, type[cr.ChainruleError], tuple[str, ...]]] = [
    ("NaN", put(np.nan), cr.InvalidData, ("x holds nan", "[1, 0]", "Fill in or drop")),
    ("infinity", put(-np.inf), cr.InvalidData, ("x holds -inf", "[1, 0]", "finite")),
    ("text", [["a", "b"]] * ROWS, cr.InvalidData, ("x holds text", "OneHotEncoder")),
    ("digits as text", [["1", "2"]] * ROWS, cr.InvalidData, ("x holds text", "numbers")),
    (
        "digits as objects",
        np.array([["1", "2"]] * ROWS, dtype=object),
        cr.InvalidData,
        ("x holds text", "numbers"),
    ),
    ("a number and a word", [[1, "a"]] * ROWS, cr.InvalidData, ("x holds text", "numbers")),
    ("bytes", np.full((ROWS, 2), b"1"), cr.InvalidData, ("x holds text", "numbers")),
    ("a string", "penguins.csv", cr.InvalidData, ("x holds text", "chainrule train")),
    ("None", None, cr.InvalidData, ("None", "expected", "numbers")),
    ("None inside", [[1, None]] * ROWS, cr.InvalidData, ("[0, 1]", "missing")),
    ("a dictionary", {"a": [1, 2]}, cr.InvalidData, ("dict", "expected numbers")),
    ("a set", {1, 2}, cr.InvalidData, ("set", "expected numbers")),
    ("an object", object(), cr.InvalidData, ("object", "expected numbers")),
    ("a generator", (row for row in X), cr.InvalidData, ("generator", "expected numbers")),
    ("a function", np.tanh, cr.InvalidData, ("ufunc", "expected numbers")),
    ("a network", classifier(), cr.InvalidData, ("NeuralNetwork", "expected numbers")),
    ("ragged", [[1, 2], [3]], cr.InvalidShape, ("different lengths", "rectangular")),
    ("sparse", sparse.csr_array(X), cr.InvalidData, ("sparse", "x.toarray()")),
    ("masked", np.ma.masked_greater(X, 0), cr.InvalidData, ("mask", "x")),
    ("complex", X + 1j, cr.InvalidData, ("complex128", "numbers")),
    ("dates", np.full((ROWS, 2), np.datetime64("2020-01-01")), cr.InvalidData, ("datetime64",)),
    ("no samples", np.zeros((0, 2)), cr.InvalidData, ("(0, 2)", "no samples", "at least one")),
    ("an empty list", [], cr.InvalidShape, ("(0,)", "expected (batch,")),
    ("a single number", 5.0, cr.InvalidShape, ("number", "expected (batch,")),
    ("a single sample", [1.0, 2.0], cr.InvalidShape, ("(2,)", "expected (batch,", "sample")),
    ("images", np.zeros((ROWS, 2, 2)), cr.InvalidShape, ("2, 2)", "expected (", "Dense(")),
    ("too large for float32", put(1e39), cr.InvalidData, ("1e+39", "[1, 0]", "float64")),
    ("a huge whole number", [[10**400, 1]] * ROWS, cr.InvalidData, ("too large", "x")),
    (
        "a large number in objects",
        put(1e300).astype(object),
        cr.InvalidData,
        ("1e+300", "too large for float32"),
    ),
    (
        "a table with text",
        pd.DataFrame({"mass": [1.0] * ROWS, "island": ["Biscoe"] * ROWS}),
        cr.InvalidData,
        ("Biscoe", "Encode text"),
    ),
    (
        "a table with gaps",
        pd.DataFrame({"a": [1, None] * 6, "b": [1] * ROWS}, dtype="Int64"),
        cr.InvalidData,
        ("missing", "x"),
    ),
]

X_DOORS: dict[str, Door] = {
    "fit": lambda net, x, y: net.fit(x, y, epochs=1),
    "validation": lambda net, x, y: net.fit(X, y, epochs=1, validation=(x, y)),
    "feedforward": lambda net, x, y: net.feedforward(x),
    "check_gradients": lambda net, x, y: net.check_gradients(x, y),
    "predict": lambda net, x, y: net.predict(x),
    "predict_classes": lambda net, x, y: net.predict_classes(x),
    "evaluate": lambda net, x, y: net.evaluate(x, y),
}
NEED_BUILT = {"predict", "predict_classes", "evaluate"}


def _through(door: Door, x: Any, y: Any) -> Callable[[Any], object]:
    return lambda net: door(net, x, y)


def x_calls() -> list[BadCall]:
    rows = []
    for name, x, error, words in BAD_X:
        for door, through in X_DOORS.items():
            row = bad(f"x {name}: {door}", _through(through, x, LABELS), error, *words)
            rows += [row] if door in NEED_BUILT else [row, unbuilt(row)]
    for name, x, words in (
        ("too many columns", np.zeros((ROWS, 3)), ("(12, 3)", "(batch, 2)", "drop a column")),
        ("too few columns", np.zeros((ROWS, 1)), ("(12, 1)", "(batch, 2)", "add the missing")),
        ("no columns", np.zeros((ROWS, 0)), ("(12, 0)", "(batch, 2)")),
    ):
        for door, through in X_DOORS.items():
            call = _through(through, x, LABELS)
            rows.append(bad(f"x {name}: {door}", call, cr.InvalidShape, *words))
    return rows


# --- y ---------------------------------------------------------------------------------------

two_numbers = one_layer(2, "mean_squared_error")
yes_or_no = one_layer(1, "sigmoid_cross_entropy")
margin = one_layer(1, "hinge")
counter = one_layer(1, "poisson", "softplus")
lonely = one_layer(1, "softmax_cross_entropy")

Maker = Callable[[int | None], cr.NeuralNetwork]
BAD_Y: list[tuple[str, Maker, Any, type[cr.ChainruleError], tuple[str, ...]]] = [
    ("too short", classifier, LABELS[:-1], cr.InvalidShape, ("12 samples", "y 11", "as many")),
    ("too long", regressor, np.zeros(13), cr.InvalidShape, ("12 samples", "y 13")),
    ("empty", classifier, [], cr.InvalidShape, ("12 samples", "y 0")),
    ("None", classifier, None, cr.InvalidData, ("None", "expected", "y")),
    ("a single number", regressor, 1.0, cr.InvalidShape, ("shape ()", "(batch, 1)")),
    ("class too high", classifier, LABELS + 1, cr.InvalidData, ("label 3", "0 to 2", "4 outputs")),
    ("class negative", classifier, LABELS - 1, cr.InvalidData, ("label -1", "0 to 2", "from 0")),
    ("class fractional", classifier, LABELS / 2, cr.InvalidData, ("0.5", "whole numbers")),
    ("class huge", classifier, LABELS * 1e30, cr.InvalidData, ("1e+30", "0 to 2")),
    ("class names", classifier, ["a", "b", "c"] * 4, cr.InvalidData, ("y holds text", "np.unique")),
    (
        "class names as objects",
        classifier,
        np.array(["a", "b", "c"] * 4, dtype=object),
        cr.InvalidData,
        ("y holds", "np.unique"),
    ),
    ("a column of labels", classifier, LABELS[:, np.newaxis], cr.InvalidShape, ("y.ravel()",)),
    ("one-hot of 4", classifier, np.eye(4)[LABELS], cr.InvalidShape, ("(12, 4)", "4 outputs")),
    ("rows that sum to 2", classifier, 2 * np.eye(3)[LABELS], cr.InvalidData, ("y holds 2",)),
    (
        "rows that sum to 1.5",
        classifier,
        np.full((ROWS, 3), 0.5),
        cr.InvalidData,
        ("sums to 1.5", "one-hot", "sigmoid_cross_entropy"),
    ),
    ("a negative part", classifier, put(-1, np.eye(3)[LABELS]), cr.InvalidData, ("y holds -1",)),
    ("NaN", classifier, put(np.nan, LABELS, 3), cr.InvalidData, ("y holds nan", "[3]")),
    ("infinity", regressor, put(np.inf, NUMBERS, 3), cr.InvalidData, ("y holds inf", "[3]")),
    ("too large", regressor, put(1e39, NUMBERS, 3), cr.InvalidData, ("1e+39", "float64")),
    ("complex", regressor, NUMBERS * 1j, cr.InvalidData, ("y holds complex128",)),
    ("text", regressor, ["1.5"] * ROWS, cr.InvalidData, ("y holds text",)),
    ("ragged", regressor, [[1]] * 11 + [[1, 2]], cr.InvalidShape, ("y has rows of different",)),
    ("sparse", regressor, sparse.csr_array(X[:, :1]), cr.InvalidData, ("y.toarray()",)),
    ("masked", regressor, np.ma.masked_greater(NUMBERS, 0), cr.InvalidData, ("mask", "y")),
    ("two columns for one output", regressor, X, cr.InvalidShape, ("(12, 2)", "2 outputs")),
    ("one column for two outputs", two_numbers, NUMBERS, cr.InvalidShape, ("(12,)", "1 output")),
    ("an axis too many", regressor, np.zeros((ROWS, 1, 1)), cr.InvalidShape, ("(12, 1, 1)",)),
    ("2 for yes or no", yes_or_no, LABELS, cr.InvalidData, ("holds 2", "from 0 to 1")),
    ("-1 for no", yes_or_no, put(-1, NUMBERS * 0, 0), cr.InvalidData, ("-1", "from 0 to 1")),
    ("hinge with 0 and 1", margin, LABELS % 2, cr.InvalidData, ("holds 0", "-1 or 1", "2 * y - 1")),
    ("a negative count", counter, LABELS - 1, cr.InvalidData, ("holds -1", "counts")),
    ("one output for classes", lonely, LABELS % 2, cr.InvalidShape, ("1 output", "Use 2 outputs")),
]

Y_DOORS: dict[str, Door] = {
    "fit": lambda net, x, y: net.fit(x, y, epochs=1),
    "evaluate": lambda net, x, y: net.evaluate(x, y),
    "backprop": back,
    "measure": lambda net, x, y: net.measure(y, filled_trace(net, x)),
}


def filled_trace(net: cr.NeuralNetwork, x: Any = X) -> Any:
    trace = net.new_trace()
    net.feedforward(x, trace)
    return trace


def y_calls() -> list[BadCall]:
    rows = []
    for name, network, y, error, words in BAD_Y:
        for door, through in Y_DOORS.items():
            call = _through(through, X, y)
            rows.append(bad(f"y {name}: {door}", call, error, *words, network=network))
            if door == "fit":
                rows.append(unbuilt(rows[-1]))
    return rows


# --- sample_weight ---------------------------------------------------------------------------

BAD_WEIGHTS: list[tuple[str, Any, type[cr.ChainruleError], tuple[str, ...]]] = [
    ("too few", np.ones(11), cr.InvalidShape, ("(11,)", "(12,)", "one for each sample")),
    ("a column", np.ones((ROWS, 1)), cr.InvalidShape, ("(12, 1)", "expected (12,)")),
    ("a number", 2.0, cr.InvalidShape, ("sample_weight has shape ()", "(12,)")),
    ("negative", np.arange(ROWS) - 1, cr.InvalidData, ("sample_weight holds -1", "0 or more")),
    ("all zero", np.zeros(ROWS), cr.InvalidData, ("weights are 0", "nothing is left to learn")),
    ("NaN", np.full(ROWS, np.nan), cr.InvalidData, ("sample_weight holds nan", "finite")),
    ("text", ["a lot"] * ROWS, cr.InvalidData, ("sample_weight holds text",)),
    ("too large together", np.full(ROWS, 3e38), cr.InvalidData, ("sample_weight", "too large")),
    ("a dictionary", {0: 2.0}, cr.InvalidData, ("sample_weight", "dict")),
]

WEIGHT_DOORS: dict[str, Door] = {
    "fit": lambda net, y, weight: net.fit(X, y, epochs=1, sample_weight=weight),
    "validation": lambda net, y, weight: net.fit(X, y, epochs=1, validation=(X, y, weight)),
    "evaluate": lambda net, y, weight: net.evaluate(X, y, sample_weight=weight),
    "backprop": lambda net, y, weight: net.backprop(y, filled_trace(net), weight),
    "check_gradients": lambda net, y, weight: net.check_gradients(X, y, sample_weight=weight),
}


def weight_calls() -> list[BadCall]:
    return [
        bad(f"sample_weight {name}: {door}", _through(through, LABELS, weight), error, *words)
        for name, weight, error, words in BAD_WEIGHTS
        for door, through in WEIGHT_DOORS.items()
    ]
