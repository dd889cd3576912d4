"""Findings point to the line they come from, not to the one in which they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from checker.cases import STYLES

from chainrule.checker import check_source
from chainrule.checker.source import Source, read

CASES = [
    (
        "broadcast_n_n1",
        "script_two_layers",
        [("y = np.array([[0, 1, 1, 0]]).T", "y = np.array([0, 1, 1, 0])")],
        "y = np.array([0, 1, 1, 0])",
    ),
    (
        "forward_through_z",
        "columns_dict",
        [("Z2 = np.dot(W2, A1) + b2", "Z2 = np.dot(W2, Z1) + b2")],
        "Z2 = np.dot(W2, Z1) + b2",
    ),
    (
        "bias_gradient_not_summed",
        "columns_dict",
        [("db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "db1 = dZ1 / m")],
        "db1 = dZ1 / m",
    ),
    (
        "stale_output",
        "columns_dict",
        [
            ("        A2, cache = forward_propagation(X, parameters)\n", ""),
            (
                "    for i in range(num_iterations):\n",
                "    A2, cache = forward_propagation(X, parameters)\n"
                "    for i in range(num_iterations):\n",
            ),
        ],
        "A2, cache = forward_propagation(X, parameters)",
    ),
    (
        "batches_repeat_rows",  # the loop is right, and the batches are cut too early
        "softmax_classes",
        [
            ("xb = X_shuffled[start:", "xb = X_shuffled[max(0, start - 2):"),
            ("yb = y_shuffled[start:", "yb = y_shuffled[max(0, start - 2):"),
        ],
        "xb = X_shuffled[max(0, start - 2):start + batch_size]",
    ),
    (
        "batches_repeat_rows",  # the batches are right, and the loop takes half steps
        "softmax_classes",
        [("range(0, len(X), batch_size)", "range(0, len(X), batch_size // 2)")],
        "for start in range(0, len(X), batch_size // 2):",
    ),
    (
        "broadcast_n_n1",  # scaled afterwards, but flat from the first line on
        "script_two_layers",
        [
            ("y = np.array([[0, 1, 1, 0]]).T", "y = np.array([0, 2, 2, 0])\ny = y / y.max()"),
        ],
        "y = np.array([0, 2, 2, 0])",
    ),
    (
        "forward_through_z",  # passed to the function that multiplies
        "script_two_layers",
        [
            ("X = np.array", "def layer(x, w):\n    return nonlin(np.dot(x, w))\n\nX = np.array"),
            ("    l1 = nonlin(np.dot(l0, syn0))", "    z1 = np.dot(l0, syn0)\n    l1 = nonlin(z1)"),
            ("    l2 = nonlin(np.dot(l1, syn1))", "    l2 = layer(z1, syn1)"),
        ],
        "l2 = layer(z1, syn1)",
    ),
    (
        "saturating",  # by the data, and the weights are as small as they should be
        "columns_dict",
        [("X = rng.randn(2, 30)", "X = rng.randn(2, 30) * 900")],
        "X = rng.randn(2, 30) * 900",
    ),
    (
        "aliased_weights",
        "lists_of_deltas",
        [
            (
                "self.lr = np.float32(lr)",
                "self.lr = np.float32(lr)\n"
                "        self.bs = [np.zeros(8, np.float32)] * 3 + [self.bs[-1]]",
            )
        ],
        "self.bs = [np.zeros(8, np.float32)] * 3 + [self.bs[-1]]",
    ),
    (
        "constant_initialisation",  # made in a function, kept under other names
        "columns_dict",
        [
            (
                "def layer_sizes",
                "def fill(a, b):\n    return np.full((a, b), 0.3)\n\ndef layer_sizes",
            ),
            ("np.random.randn(n_h, n_x) * 0.5", "fill(n_h, n_x)"),
            ("np.random.randn(n_y, n_h) * 0.5", "fill(n_y, n_h)"),
        ],
        "return np.full((a, b), 0.3)",
    ),
    (
        "gradients_not_reset",
        "script_two_layers",
        [
            ("for j in ", "g0 = g1 = 0\nfor j in "),
            ("    syn1 += l1.T.dot(l2_delta)", "    g1 = g1 + l1.T.dot(l2_delta)\n    syn1 += g1"),
            ("    syn0 += l0.T.dot(l1_delta)", "    g0 = g0 + l0.T.dot(l1_delta)\n    syn0 += g0"),
        ],
        "g1 = g1 + l1.T.dot(l2_delta)",
    ),
]


@pytest.mark.parametrize(
    ("cause", "style", "edits", "line"), CASES, ids=[case[0] for case in CASES]
)
def test_the_line_is_where_it_comes_from(
    cause: str, style: str, edits: list[tuple[str, str]], line: str
) -> None:
    text = (STYLES / f"{style}.txt").read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    verdict = check_source(Source(Path("network.py"), text))
    assert verdict.cause == cause, verdict.message
    assert verdict.line is not None
    assert text.splitlines()[verdict.line - 1].strip() == line


def test_lines_of_a_notebook_count_empty_ones_at_the_end_of_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "net.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "code", "source": ["a = 1\\n", "\\n"]},'
        ' {"cell_type": "markdown", "source": ["text"]},'
        ' {"cell_type": "code", "source": ["b = 2"]}]}',
        encoding="utf-8",
    )
    assert read(path).text == "a = 1\n\n\nb = 2\n"
