"""Networks in a record: which variables may be parameters, and which networks a file has."""

from __future__ import annotations

from pathlib import Path

import pytest
from checker.small import evidence_of

from chainrule.checker import Verdict, check_source
from chainrule.checker.chains import Budget
from chainrule.checker.instrument import instrument
from chainrule.checker.later_code import has_more_training, seen_lines
from chainrule.checker.process import run
from chainrule.checker.search import another_network, networks, shortened
from chainrule.checker.source import Source

ENTRY_BY_ENTRY = """
import numpy as np

rng = np.random.default_rng(3)
X = rng.uniform(-1, 1, (6, 3))
T = (X[:, 0] > X[:, 1]) * 1.0
W = rng.uniform(-1, 1, (4, 3))
c = rng.uniform(-1, 1, 4)
v = rng.uniform(-1, 1, 4)
h = np.zeros(4)
for epoch in range(15):
    dW = np.zeros((4, 3))
    dc = np.zeros(4)
    dv = np.zeros(4)
    for p in range(6):
        for j in range(4):
            total = c[j]
            for i in range(3):
                total += W[j, i] * X[p, i]
            h[j] = np.tanh(total)
        out = 0.0
        for j in range(4):
            out += v[j] * h[j]
        out = 1 / (1 + np.exp(-out))
        delta = (out - T[p]) * out * (1 - out)
        for j in range(4):
            back = delta * v[j] * (1 - h[j] ** 2)
            dv[j] += delta * h[j]
            dc[j] += back
            for i in range(3):
                dW[j, i] += back * X[p, i]
    W -= 0.3 * dW
    c -= 0.3 * dc
    v -= 0.3 * dv
"""

ENTRIES = """
import numpy as np

X = np.arange(6.0).reshape(3, 2)
for p in range(3):
    total = 0.0
    for i in range(2):
        total += X[p, i]
"""

LESSON = """
import numpy as np

rng = np.random.default_rng(1)
X = rng.uniform(-1, 1, (20, 2))
y = (X[:, :1] * X[:, 1:] > 0) * 1.0

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

# one neuron cannot
w, b = rng.normal(size=(2, 1)), np.zeros(1)
for step in range(STEPS):
    a = sigmoid(X @ w + b)
    w -= 0.5 * X.T @ (a - y) / len(X)
    b -= 0.5 * (a - y).mean(axis=0)

# a network can
W1, b1 = rng.normal(size=(2, 5)), np.zeros(5)
W2, b2 = rng.normal(size=(5, 1)), np.zeros(1)
for step in range(60):
    hidden = np.tanh(X @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    d2 = (out - y) / len(X)
    d1 = d2 @ W2.T * (1 - hidden ** 2)
    W2 -= 0.5 * hidden.T @ d2
    b2 -= 0.5 * d2.sum(axis=0)
    W1 -= 0.5 * X.T @ d1
    b1 -= 0.5 * d1.sum(axis=0)
"""

SHUFFLED_SAMPLES = """
import random
import numpy as np

random.seed(2)
rng = np.random.default_rng(2)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

samples = [(np.array([[float(i)], [float(j)]]), np.array([[float(i != j)]]))
           for i in (0, 1) for j in (0, 1)]
weights = [rng.normal(size=(3, 2)), rng.normal(size=(1, 3))]
biases = [rng.normal(size=(3, 1)), rng.normal(size=(1, 1))]
for epoch in range(40):
    random.shuffle(samples)
    sums_w = [np.zeros(w.shape) for w in weights]
    sums_b = [np.zeros(b.shape) for b in biases]
    for x, t in samples:
        activations = [x]
        for w, b in zip(weights, biases):
            activations.append(sigmoid(np.dot(w, activations[-1]) + b))
        delta = (activations[-1] - t) * activations[-1] * (1 - activations[-1])
        back = np.dot(weights[1].T, delta) * activations[1] * (1 - activations[1])
        sums_w = [sums_w[0] + np.dot(back, x.T), sums_w[1] + np.dot(delta, activations[1].T)]
        sums_b = [sums_b[0] + back, sums_b[1] + delta]
    weights = [w - 0.5 * s for w, s in zip(weights, sums_w)]
    biases = [b - 0.5 * s for b, s in zip(biases, sums_b)]
"""


def answer(text: str) -> Verdict:
    return check_source(Source(Path("network.py"), text))


def test_samples_are_rows_of_the_matrix_that_numbers_are_read_from() -> None:
    record = evidence_of(ENTRIES)
    read = [record.value(event) for event in range(len(record.events))]
    rows = [value.tolist() for value in read if value.shape == (2,)]
    assert rows == [[0, 1], [0, 1], [2, 3], [2, 3], [4, 5], [4, 5]]


def test_samples_may_be_columns() -> None:
    record = evidence_of(ENTRIES.replace("(3, 2)", "(2, 3)").replace("X[p, i]", "X[i, p]"))
    read = [record.value(event) for event in range(len(record.events))]
    columns = [value.tolist() for value in read if value.shape == (2,)]
    assert columns[::2] == [[0, 3], [1, 4], [2, 5]]


def test_sums_that_begin_anew_do_not_last() -> None:
    evidence = evidence_of(
        "import numpy as np\nw = np.ones(2)\nfor step in range(5):\n    g = np.zeros(2)\n"
        "    for x in range(1, 30):\n        g += x * w\n    w = w - 0.1 * g\n"
    )
    assert {("w",), ("g",)} <= evidence.updated()
    assert ("w",) in evidence.lasting()
    assert ("g",) not in evidence.lasting()


def test_samples_that_change_places_do_not_last() -> None:
    evidence = evidence_of(
        "import numpy as np\nd = [np.array([1.0, 2.0]), np.array([3.0, 4.0])]\n"
        "for step in range(9):\n    d[0], d[1] = 1.0 * d[1], 1.0 * d[0]\n"
    )
    assert ("d", 0) not in evidence.lasting()


def test_a_budget_ends_after_its_products() -> None:
    budget = Budget(2, seconds=60.0)
    budget.spend()
    assert not budget.is_spent
    budget.spend()
    assert budget.is_spent


def test_a_budget_ends_with_its_time() -> None:
    budget = Budget(100, seconds=0.0)
    budget.spend()
    assert budget.is_spent


def test_a_matrix_that_is_read_entry_by_entry() -> None:
    assert answer(ENTRY_BY_ENTRY).verdict == "correct"


def test_a_mistake_where_a_matrix_is_read_entry_by_entry() -> None:
    wrong = answer(ENTRY_BY_ENTRY.replace(" * (1 - h[j] ** 2)", ""))
    assert wrong.cause == "hidden_derivative_missing"


def test_shuffled_samples_of_zeros_and_ones_are_no_weights() -> None:
    assert answer(SHUFFLED_SAMPLES).verdict == "correct"


def test_a_network_without_its_last_layers() -> None:
    evidence = evidence_of(LESSON.partition("# a network")[2].join(
        ["import numpy as np\nrng = np.random.default_rng(1)\nX = rng.uniform(-1, 1, (20, 2))\n"
         "y = X[:, :1]\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n#", ""]))  # fmt: skip
    (network,) = networks(evidence)
    assert [layer.weights for layer in network.layers] == [("W1",), ("W2",)]
    assert not list(shortened(network))
    longer = type(network)((*network.layers, network.layers[0]), network.columns, network.place)
    assert [short.layers for short in shortened(longer)] == [network.layers]


def test_a_lesson_has_another_network() -> None:
    evidence = evidence_of(LESSON.replace("STEPS", "20"))
    first = next(networks(evidence))
    other = another_network(evidence, first)
    assert other is not None
    names = [{layer.weights for layer in network.layers} for network in (first, other)]
    assert sorted(map(len, names)) == [1, 2]
    assert not names[0] & names[1]


@pytest.mark.parametrize("steps", ["30", "20000"], ids=["seen at once", "seen later"])
def test_the_second_network_of_a_lesson_is_checked_too(steps: str) -> None:
    lesson = LESSON.replace("STEPS", steps)
    assert answer(lesson).verdict == "correct"
    wrong = answer(lesson.replace(" * (1 - hidden ** 2)", ""))
    assert (wrong.verdict, wrong.cause) == ("wrong", "hidden_derivative_missing")


def test_lines_that_a_run_did_not_come_to_are_watched_alone() -> None:
    source = Source(Path("network.py"), LESSON.replace("STEPS", "20000"))
    places = instrument(source.text, source.parse())
    record = run(source)
    assert has_more_training(record, places)
    later = run(source, unwatched=seen_lines(record, places))
    again = {places[place].line for place, _ in later.events}
    assert again
    assert not again & set(seen_lines(record, places))


def test_a_pass_that_only_predicts_may_stop_at_the_logits() -> None:
    verdict = answer(
        LESSON.replace("STEPS", "1").replace("y = (X", "Y = (X").replace("(out - y)", "(out - Y)")
        .replace("(a - y)", "(a - Y)")
        .replace("    d2 =", "    np.tanh(X @ W1 + b1) @ W2 + b2\n    d2 =")
    )  # fmt: skip
    assert verdict.verdict == "correct", verdict.message
