"""Small networks to be edited by tests, and short programs watched in the test's own process."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.checker import Verdict, check_source
from chainrule.checker.evidence import Evidence
from chainrule.checker.instrument import ASSIGNED, REPEATED, SEEN, Place, instrument
from chainrule.checker.process import Record
from chainrule.checker.recorder import Recorder, SeenEnough
from chainrule.checker.source import Source

SHARED_OFTEN = 2  # how often two variables may share memory by chance, as in child.py

Edit = tuple[str, str]

BATCH = """import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(12, 3))
y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
W1, b1 = rng.normal(size=(3, 4)), np.zeros((1, 4))
W2, b2 = rng.normal(size=(4, 1)), np.zeros((1, 1))
rate = 0.5

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

for epoch in range(8):
    a1 = sigmoid(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    error = a2 - y
    loss = np.mean(error ** 2)
    delta2 = 2 * error * a2 * (1 - a2) / len(X)
    delta1 = delta2 @ W2.T * a1 * (1 - a1)
    W2 -= rate * a1.T @ delta2
    b2 -= rate * delta2.sum(axis=0)
    W1 -= rate * X.T @ delta1
    b1 -= rate * delta1.sum(axis=0)
    print(epoch, loss)
"""

MINI_BATCHES = """import numpy as np

rng = np.random.default_rng(5)
X = rng.normal(size=(20, 3))
y = (X[:, :1] > X[:, 1:2]).astype(float)
W1, b1 = rng.normal(size=(3, 4)), np.zeros((1, 4))
W2, b2 = rng.normal(size=(4, 1)), np.zeros((1, 1))
rate, size = 0.5, 5

def step(xb, yb):
    global W1, b1, W2, b2
    a1 = np.tanh(xb @ W1 + b1)
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    d2 = (a2 - yb) / len(xb)
    d1 = d2 @ W2.T * (1 - a1 ** 2)
    W2 = W2 - rate * a1.T @ d2
    b2 = b2 - rate * d2.sum(axis=0, keepdims=True)
    W1 = W1 - rate * xb.T @ d1
    b1 = b1 - rate * d1.sum(axis=0, keepdims=True)
    return -np.mean(yb * np.log(a2) + (1 - yb) * np.log(1 - a2))

for epoch in range(8):
    order = rng.permutation(len(X))
    X, y = X[order], y[order]
    for start in range(0, len(X), size):
        loss = step(X[start:start + size], y[start:start + size])
    print(epoch, loss)
"""

ONE_BY_ONE = """import numpy as np

rng = np.random.default_rng(6)
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
W1, b1 = rng.normal(size=(2, 3)), rng.normal(size=3)
W2, b2 = rng.normal(size=3), 0.1

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

for epoch in range(5):
    loss = 0.0
    for x, y in zip(X, Y):
        a1 = sigmoid(x @ W1 + b1)
        a2 = sigmoid(a1 @ W2 + b2)
        loss += (a2 - y) ** 2
        d2 = 2 * (a2 - y) * a2 * (1 - a2)
        d1 = d2 * W2 * a1 * (1 - a1)
        W2 = W2 - 0.4 * d2 * a1
        b2 = b2 - 0.4 * d2
        W1 = W1 - 0.4 * np.outer(x, d1)
        b1 = b1 - 0.4 * d1
    print(epoch, loss)
"""

NEURONS = """import math
import random

random.seed(4)
data = [([0.2, 0.9], 1.0), ([0.7, -0.4], 0.0), ([-0.5, 0.3], 1.0), ([0.6, 0.8], 0.0)]
w1, w2, w3, w4, w5, w6 = [random.uniform(-1, 1) for _ in range(6)]
b1 = b2 = b3 = 0.1

def sigmoid(z):
    return 1 / (1 + math.exp(-z))

for epoch in range(5):
    total = 0.0
    for x, target in data:
        h1 = sigmoid(w1 * x[0] + w2 * x[1] + b1)
        h2 = sigmoid(w3 * x[0] + w4 * x[1] + b2)
        out = sigmoid(w5 * h1 + w6 * h2 + b3)
        total += (out - target) ** 2
        d_out = 2 * (out - target) * out * (1 - out)
        d_h1 = d_out * w5 * h1 * (1 - h1)
        d_h2 = d_out * w6 * h2 * (1 - h2)
        w5 -= 0.5 * d_out * h1
        w6 -= 0.5 * d_out * h2
        b3 -= 0.5 * d_out
        w1 -= 0.5 * d_h1 * x[0]
        w2 -= 0.5 * d_h1 * x[1]
        b1 -= 0.5 * d_h1
        w3 -= 0.5 * d_h2 * x[0]
        w4 -= 0.5 * d_h2 * x[1]
        b2 -= 0.5 * d_h2
    print(epoch, total)
"""

THREE_LAYERS = """import numpy as np

rng = np.random.default_rng(8)
X = rng.normal(size=(9, 3))
y = (X[:, :1] > 0).astype(float)
W1 = rng.normal(size=(3, 3))
W2 = W1.copy()
W3 = rng.normal(size=(3, 1))

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

for epoch in range(8):
    a1 = sigmoid(X @ W1)
    a2 = sigmoid(a1 @ W2)
    a3 = sigmoid(a2 @ W3)
    d3 = (a3 - y) * a3 * (1 - a3)
    d2 = d3 @ W3.T * a2 * (1 - a2)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    W3 -= 0.3 * a2.T @ d3
    W2 -= 0.3 * a1.T @ d2
    W1 -= 0.3 * X.T @ d1
"""

# The updates of BATCH, to be replaced by others.
UPDATE_1 = "    W1 -= rate * X.T @ delta1\n"
UPDATE_2 = "    W2 -= rate * a1.T @ delta2\n"
BIAS_1 = "    b1 -= rate * delta1.sum(axis=0)\n"
BIAS_2 = "    b2 -= rate * delta2.sum(axis=0)\n"
LOSS = "    loss = np.mean(error ** 2)\n"
START = "rate = 0.5\n"
WITHOUT_BIASES: tuple[Edit, ...] = (
    ("X @ W1 + b1", "X @ W1"),
    ("a1 @ W2 + b2", "a1 @ W2"),
    (BIAS_1, ""),
    (BIAS_2, ""),
)


def edited(text: str, *edits: Edit) -> str:
    """A program with pieces replaced, each of which stands in it once."""
    for old, new in edits:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return text


def checked(text: str, *edits: Edit) -> Verdict:
    """What the checker says of a program with some edits."""
    return check_source(Source(Path("network.py"), edited(text, *edits)))


def line_of(text: str, verdict: Verdict, *edits: Edit) -> str:
    """The text of the line that a verdict points at."""
    assert verdict.line is not None, verdict.message
    return edited(text, *edits).splitlines()[verdict.line - 1].strip()


def record_of(text: str) -> tuple[Record, list[Place]]:
    """The record of a short program, run here."""
    tree = ast.parse(text)
    places = instrument(text, tree)
    recorder = Recorder("<small>", 5.0)
    names: dict[str, Any] = {
        "__name__": "__main__",
        SEEN: recorder.seen,
        ASSIGNED: recorder.assigned,
        REPEATED: recorder.repeated,
    }
    outcome: dict[str, Any] = {"ended": "finished"}
    try:
        exec(compile(tree, "<small>", "exec"), names)  # noqa: S102 - a test's own program
    except SeenEnough:
        outcome = {"ended": "enough"}
    except ValueError as error:
        last = error.__traceback__
        assert last is not None
        while last.tb_next is not None and last.tb_next.tb_frame.f_code.co_filename == "<small>":
            last = last.tb_next
        line = last.tb_lineno if last.tb_next is None else last.tb_next.tb_lineno
        outcome = {"ended": "failed", "error": "ValueError", "message": str(error), "line": line}
    record = Record(
        outcome,
        recorder.events,
        recorder.changes,
        [
            np.frombuffer(content).reshape(shape)
            for content, shape in zip(recorder.pool, recorder.shapes, strict=True)
        ],
        recorder.paths,
        aliases=sorted(recorder.aliases),
        shared=[pair for pair, times in recorder.shared.items() if times > SHARED_OFTEN],
    )
    return record, places


def evidence_of(text: str) -> Evidence:
    """The record of a short program, made searchable."""
    return Evidence(*record_of(text))
